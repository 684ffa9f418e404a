"""verify finds the place and the cause in every format and layout, of whole and partial sets."""

import json
from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import pytest

import intgold
from intgold.cli import main
from intgold.vectors.cases.random_models import random_model
from intgold.vectors.formats import FORMATS
from intgold.vectors.sets.generate import write_set
from intgold.vectors.sets.manifest import read_manifest
from intgold.vectors.sets.reader import read_entry
from small_sets import DOCUMENTED, IMAGES, LAYOUTS, layout_of, network, write_dump

SELECTIONS = list(product(((), ("lut1", "pool1")), (False, True)))
"""The ops of a set, all or these; whether it has npy beside the format."""


def test_the_documented_layout_is_the_documents():
    """What is tested here is what docs/verification.md shows, key by key."""
    text = (Path(__file__).parents[2] / "docs/verification.md").read_text()
    blocks = [part.split("```")[0] for part in text.split("```toml\n")[1:]]
    largest = [line.split("#")[0].strip() for line in max(blocks, key=len).splitlines()]
    assert [line for line in largest if line] == DOCUMENTED.strip().splitlines()


def verified(folder, layout, capsys):
    """The report of ``intgold verify``, as a program reads it."""
    status = main(["verify", str(folder / "set"), "--dut", str(folder / "dut"),
                   "--partial", "--json"])  # fmt: skip
    out, error = capsys.readouterr()
    assert status == 1, (layout, error)
    return json.loads(out)


@pytest.mark.parametrize("name", FORMATS)
def test_every_layout_is_diagnosed(name, full, tmp_path, capsys):
    """One wrong byte is found where it is; a bug in a later op is named, only from the dump."""
    model = network()
    for number, layout in enumerate(LAYOUTS):
        few = SELECTIONS[(2, 0, 2, 1, 2, 3)[(number + list(FORMATS).index(name)) % 6]]
        for ops, beside in SELECTIONS if full else [few]:
            folder = tmp_path / f"{number}{len(ops)}{beside}"
            folder.mkdir()
            formats = sorted({name, "npy"} if beside else {name})
            write_set(model, folder / "set", count=IMAGES, formats=formats, ops=ops,
                      layout=layout_of(LAYOUTS[layout], folder), backend="c")  # fmt: skip
            plan, _ = read_manifest(folder / "set")
            results = {e.path: e for e in plan.entries if e.role == "output"}
            changed, wrong = results["outputs/lut1"], results["outputs/pool1"]
            y = np.concatenate([*read_entry(folder / "set", plan, changed)])
            assert y.flags.c_contiguous
            device = y.copy()
            at = (1, 2, 3, 7)
            device[at] ^= 1
            pooled = pool_of_unsigned(device)
            write_dump(plan, folder / "dut", name, {changed: device, wrong: pooled})
            told = verified(folder, layout, capsys)
            offset = 128 if layout == "unsigned" else 0
            first = told["first"]
            assert (first["op"], first["image"], tuple(first["coordinate"])) == ("lut1", 1, at[1:])
            assert (first["expected"], first["got"]) == (
                int(y[at]) + offset,
                int(device[at]) + offset,
            )
            assert [a["differing"] for a in told["arrays"] if a["op"] == "lut1"] == [1]
            found = {f["op"]: {n for c in f["causes"] for n in c["names"]} for f in told["ops"]}
            # In the device's own terms: where its bytes are unsigned, the bug reads them as signed.
            cause = "maximum_signed" if layout == "unsigned" else "maximum_unsigned"
            assert cause in found["pool1"], (layout, ops, beside, found)


def pool_of_unsigned(x):
    """The cell of each 2 x 2 window whose byte, read as unsigned, is the largest."""
    n, h, w, c = x.shape
    windows = x[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c)
    return windows.view(np.uint8).max(axis=(2, 4)).view(np.int8)


def drawn_layout(rng):
    """A layout that fits every array of any model."""
    axes = rng.sample("HWC", 3)
    tile = rng.choice(["", "c"])
    keys = [f'order = "N{"".join(axes)}{tile}"', f"word_bits = {rng.choice([32, 72, 128, 1024])}"]
    keys += [f"tile = {{ c = {rng.choice([2, 3, 8, 16])} }}"] if tile else []
    keys += [f'lane_order = "{rng.choice(["low_first", "high_first"])}"']
    keys += [f'byte_order = "{rng.choice(["little", "big"])}"', f"padding = {rng.choice([0, 7])}"]
    keys += [f"banks = {rng.choice([1, 1, 2, 5])}", f"row_alignment = {rng.choice([0, 0, 3])}"]
    weights = '\n[parameter]\norder = "OHWI"\n'
    return "[default]\n" + "\n".join(keys) + weights + ("tile = {}\n" if tile else "")


def test_random_graphs_in_random_layouts(full, tmp_path, capsys):
    """One wrong value of any op is found in words of any layout and format."""
    rng = Random(23)
    for seed in range(100 if full else 8):
        model = random_model(seed)
        folder = tmp_path / f"{seed}"
        folder.mkdir()
        text, name = drawn_layout(rng), rng.choice([n for n in FORMATS if n != "npy"])
        write_set(model, folder / "set", count=IMAGES, formats=[name], backend="c",
                  layout=layout_of(text, folder))  # fmt: skip
        plan, _ = read_manifest(folder / "set")
        entry = rng.choice([e for e in plan.entries if e.role == "output"])
        y = np.concatenate([*read_entry(folder / "set", plan, entry)])
        at = tuple(rng.randrange(n) for n in y.shape)
        device = y.copy()
        device[at] ^= 1
        write_dump(plan, folder / "dut", name, {entry: device})
        first = verified(folder, text, capsys)["first"]
        assert (first["op"], first["image"], *first["coordinate"]) == (entry.owner, *at)
        assert (first["expected"], first["got"]) == (y[at], device[at])


def test_the_shipped_network_with_a_permuted_stimulus(tmp_path, capsys):
    """A set without npy, one wrong byte: the place and exit status 1, not an error of the input."""
    (tmp_path / "l.toml").write_text('[stimulus]\norder = "NCHW"\n')
    assert main(["vectors", "lut", "--count", "2", "--ops", "pool2", "--layout",
                 str(tmp_path / "l.toml"), "--format", "hex",
                 "-o", str(tmp_path / "set")]) == 0  # fmt: skip
    capsys.readouterr()
    hexes = (tmp_path / "set/outputs/pool2.hex").read_text().split("\n")
    hexes[9] = f"{int(hexes[9], 16) ^ 1:02x}"
    (tmp_path / "dut/outputs").mkdir(parents=True)
    (tmp_path / "dut/outputs/pool2.hex").write_text("\n".join(hexes))
    told = verified(tmp_path, "permuted", capsys)
    assert (told["first"]["op"], told["first"]["coordinate"]) == ("pool2", [0, 0, 8])
    assert told["first"]["spots"][0]["place"] == "line 10"
    assert [f["op"] for f in told["ops"]] == ["pool2"]
    assert intgold.load().tensor("pool2").shape[-1] == 16
