"""A device that writes its words by another layout than it says: a difference with its cause."""

import json

import numpy as np
import pytest

from intgold import Builder, Requantize
from intgold.cli import main
from intgold.vectors.formats import FORMATS
from intgold.vectors.memory.layout_file import parse_layout
from intgold.vectors.memory.readings import readings
from intgold.vectors.sets.generate import write_set
from intgold.vectors.sets.manifest import read_manifest
from small_sets import IMAGES, LAYOUTS, layout_of, network, write_dump, write_words

CAUSES = {
    "lane_order": "lane_order", "bank_order": "bank_order", "order": "output_in_other_order",
    "address": "address_order",
}  # fmt: skip
WORDS = [name for name in FORMATS if name != "npy"]
REVERSED = '[output]\nword_bits = 128\norder = "NCHWc"\ntile = { c = 16 }\n'


@pytest.fixture
def write(tmp_path):
    """Write a set of the small network by a layout; the plan, and the golden results."""

    def made(text, name="hex", ops=()):
        write_set(network(), tmp_path / "set", count=IMAGES, formats=[name],
                  layout=layout_of(text, tmp_path), backend="c", ops=ops)  # fmt: skip
        plan, _ = read_manifest(tmp_path / "set")
        x = intgold_stimulus(plan)
        run = network().run(x, trace=True)
        values = {"output": run.tensors, "accumulator": run.accumulators}
        results = [e for e in plan.entries if e.role in values]
        return plan, {e: values[e.role][e.name] for e in results}

    return made


def intgold_stimulus(plan):
    from intgold.vectors.cases.stimulus import stimulus

    return stimulus(plan.model, "builtin", plan.count)


def verify(folder, capsys, status, *options):
    assert main(["verify", str(folder / "set"), "--dut", str(folder / "dut"), "--partial", "-q",
                 *options]) == status  # fmt: skip
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def by_another(plan, folder, name, entry, array, reading):
    """Write an array as a device does that follows the reading."""
    write_words(plan, folder, name, entry, reading.banks(array))


def key_of(reading):
    return f"the layout's {reading.label}" if "=" in reading.label else reading.label


@pytest.mark.parametrize("name", WORDS)
def test_reversed_lanes_in_a_tile_that_is_not_full(name, write, tmp_path, capsys):
    """Ten channels in tiles of sixteen: in every format a difference, and lanes as its cause."""
    plan, results = write(REVERSED, name)
    entry = next(e for e in results if e.path == "outputs/conv1")
    (reading,) = [r for r in readings(plan.blocks[entry]) if r.key == "lane_order"]
    by_another(plan, tmp_path / "dut", name, entry, results[entry], reading)
    text = verify(tmp_path, capsys, 1)
    assert "  1. lane_order (the layout's lane_order = high_first)" in text
    words = IMAGES * 5 * 4
    assert f"outputs/conv1: {words} words have something else than padding" in text
    capsys.readouterr()
    told = json.loads(verify(tmp_path, capsys, 1, "--json"))
    assert [a["words_with_other_padding"] for a in told["arrays"] if a["role"] == "output"] == [
        words, 0, 0, 0
    ]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_mistaken_key_is_named(layout, write, tmp_path, capsys):
    """Every result in words by every neighbour of its layout: where they differ, the key.

    Where nothing but one constant is seen, words of padding, it may be no more than consistent.
    """
    plan, results = write(LAYOUTS[layout])
    kinds = set()
    for entry, array in results.items():
        if entry.name == "fc1" and entry.role == "accumulator":
            continue  # equals the output
        for reading in readings(plan.blocks[entry]):
            packing = plan.blocks[entry].packing
            words = packing.to_banks(packing.pack(array))
            others = reading.banks(array)
            if all(np.array_equal(a, b) for a, b in zip(words, others, strict=True)):
                continue
            kinds.add(reading.key)
            write_words(plan, tmp_path / "dut", "hex", entry, others)
            told = json.loads(verify(tmp_path, capsys, 1, "--json"))
            seen = reading.seen(array)
            which = ("causes", "consistent")[: 1 if len(np.unique(seen)) > 1 else 2]
            variants = [v for f in told["ops"] for k in which for c in f[k] for v in c["variants"]]
            wanted = f"{CAUSES[reading.key]} ({key_of(reading)})"
            moved = not np.array_equal(seen, array)
            assert (wanted in variants) == moved, (entry.path, reading.label, variants)
            assert moved or sum(a["words_with_other_padding"] for a in told["arrays"])
            for path in (tmp_path / "dut").rglob("*.hex"):
                path.unlink()
    assert kinds or layout in ("default", "stimulus permuted")


def test_outputs_and_accumulators_reversed_together(write, tmp_path, capsys):
    """Words of both have lanes of their own width; one cause explains them."""
    plan, results = write("[default]\nword_bits = 128\n", ops=["conv1"])
    for entry, array in results.items():
        (reading, *_) = [r for r in readings(plan.blocks[entry]) if r.key == "lane_order"]
        by_another(plan, tmp_path / "dut", "hex", entry, array, reading)
    assert "  1. lane_order (the layout's lane_order = high_first)\n" in verify(tmp_path, capsys, 1)


def test_lanes_are_no_cause_where_padding_contradicts_them(write, tmp_path, capsys):
    """Values that reversed lanes would give, around padding that they would not leave."""
    plan, results = write(REVERSED)
    entry = next(e for e in results if e.path == "outputs/conv1")
    (reading,) = [r for r in readings(plan.blocks[entry]) if r.key == "lane_order"]
    write_dump(plan, tmp_path / "dut", "hex", {entry: reading.seen(results[entry])})
    text = verify(tmp_path, capsys, 1)
    assert "something else than padding" not in text
    assert "lane_order" not in text


@pytest.mark.parametrize("layout", ["tiles", "odd", "rows", "banks", "unsigned", "documented"])
def test_garbage_beside_right_values(layout, write, tmp_path, capsys):
    """Every lane and bit without an element: a difference that names file, line and both words."""
    plan, results = write(LAYOUTS[layout])
    for entry, array in results.items():
        packing = plan.blocks[entry].packing
        good = packing.pack(array)
        bits = 8 * good.shape[2]
        free = [
            (w, b) for w in range(good.shape[1]) for b in range(min(bits, packing.word_bits))
            if changes_no_value(packing, good, w, b)
        ]  # fmt: skip
        assert bool(free) == packing.padded
        for word, bit in free[:: max(1, len(free) // 3)]:
            words = good.copy()
            words[1, word, bit // 8] ^= 1 << bit % 8
            write_words(plan, tmp_path / "dut", "hex", entry, packing.to_banks(words))
            text = verify(tmp_path, capsys, 1)
            number = int.from_bytes(words[1, word].tobytes(), "little")
            bank, at = packing.bank_of(word)
            file = plan.files_of(entry, "hex")[bank]
            line = file.format.line_or_offset(file.words, file.words.run + at)
            lines = (tmp_path / "dut" / file.path).read_text().splitlines()
            digits = -(-packing.word_bits // 4)
            assert lines[line - 1] == f"{number:0{digits}x}"
            assert f"{file.path} line {line}, image 1, address 0x" in text
            assert f": 0x{number:0{digits}x} instead of 0x{number ^ 1 << bit:0{digits}x}" in text
            assert "all equal, but padding is not" in text and "cause" not in text
            page = tmp_path / "page.html"
            verify(tmp_path, capsys, 1, "--html", str(page))
            assert "all equal, but padding is not." in page.read_text()
            for path in (tmp_path / "dut").rglob("*.hex"):
                path.unlink()


def changes_no_value(packing, good, word, bit):
    words = good.copy()
    words[:, word, bit // 8] ^= 1 << bit % 8
    return np.array_equal(packing.read(words)[0], packing.read(good)[0])


def test_another_number_of_words_is_still_bad_input(write, tmp_path, capsys):
    """A dump that is not well-formed is no difference."""
    plan, results = write(REVERSED)
    entry = next(e for e in results if e.path == "outputs/conv1")
    write_dump(plan, tmp_path / "dut", "hex", {entry: results[entry]})
    path = tmp_path / "dut/outputs/conv1.hex"
    path.write_text(path.read_text().rstrip("\n").rpartition("\n")[0] + "\n")
    arguments = ["verify", str(tmp_path / "set"), "--dut", str(tmp_path / "dut"), "--partial"]
    assert main(arguments) == 2
    assert "39 words instead of 40" in capsys.readouterr().err


BANKED = """
[memory.act]
word_bits = 48
banks = 2
[output]
memory = "act"
order = "NHWCc"
tile = { c = 6 }
"""


def test_swapped_banks_are_named_alone(write, tmp_path, capsys):
    """Word a at a ^ 1: one cause, no lanes that the words do not have, no pair."""
    plan, results = write(BANKED, ops=["conv1"])
    entry = next(e for e in results if e.path == "outputs/conv1")
    packing = plan.blocks[entry].packing
    assert packing.lanes == 6
    banks = packing.to_banks(packing.pack(results[entry]))
    write_words(plan, tmp_path / "dut", "hex", entry, banks[::-1])
    text = verify(tmp_path, capsys, 1)
    assert "  1. bank_order (bank b's words in bank b ^ 1: word a at address a ^ 1)" in text
    assert "lane_order" not in text and "  2." not in text


def two_convolutions():
    """Channels do not commute with the second one."""
    rng = np.random.default_rng(7)
    builder = Builder("two")
    x = builder.input("image", (5, 4, 3))
    for name, c in (("conv1", 3), ("conv2", 4)):
        x = builder.op("conv2d", x, name=name, weights=rng.integers(-127, 128, (4, 3, 3, c)),
                       bias=rng.integers(-900, 900, 4), padding=1,
                       requantize=Requantize.of([2**30] * 4, [40] * 4))  # fmt: skip
    return builder.model()


def test_ops_after_a_misread_one_are_right_read_so(tmp_path, capsys):
    """All words reversed: the first op has the cause, what reads it is right by it."""
    write_set(two_convolutions(), tmp_path / "set", count=IMAGES, formats=["hex", "npy"],
              layout=layout_of("[output]\nword_bits = 32\n", tmp_path))  # fmt: skip
    plan, _ = read_manifest(tmp_path / "set")
    for entry in (e for e in plan.entries if e.role == "output"):
        (reading,) = [r for r in readings(plan.blocks[entry]) if r.key == "lane_order"]
        array = np.load(tmp_path / f"set/{entry.path}.npy")
        by_another(plan, tmp_path / "dut", "hex", entry, array, reading)
    text = verify(tmp_path, capsys, 1)
    assert "  1. lane_order (the layout's lane_order = high_first)" in text
    assert "none known fits" not in text
    assert "right with the words of every array read so (lane_order = high_first): conv2\n" in text
    page = tmp_path / "page.html"
    verify(tmp_path, capsys, 1, "--html", str(page))
    assert "Right with the words of every array read so (lane_order = high_first): conv2." in (
        page.read_text()
    )


def network_of(sizes):
    """Convolutions whose results take N words of a byte each."""
    rng = np.random.default_rng(sum(sizes))
    builder = Builder("sizes")
    x, c = builder.input("image", (2, 2, 1)), 1
    for number, size in enumerate(sizes):
        kernel = 1 if number else 2
        x = builder.op("conv2d", x, name=f"c{number}", bias=rng.integers(-900, 900, size),
                       weights=rng.integers(-127, 128, (size, kernel, kernel, c)),
                       requantize=Requantize.of([2**30] * size, [38] * size))  # fmt: skip
        c = size
    return builder.model()


def memory_of(plan, folder, banks):
    """The words of a set's results in banks, by plain loops over the addresses of the map."""
    memory = {}
    for entry in (e for e in plan.entries if e.role == "output"):
        block = plan.blocks[entry]
        y = np.load(folder / f"{entry.path}.npy").reshape(plan.count, -1)
        for image in range(plan.count):
            start = block.address + image * block.frame
            for k in range(block.words):
                value = int(y[image, k]) if k < y.shape[1] else 0
                memory[place_of(start, k, block, banks)] = value
    return memory


def place_of(start, k, block, banks):
    """Bank and address there, of word k of an image."""
    count, order = banks
    if order == "interleaved":
        return (start + k) % count, (start + k) // count
    return k // (block.words // count), start // count + k % (block.words // count)


def dump_memory(plan, folder, memory, banks):
    """Write each result as a testbench reads it out of the memory, by the addresses of the map."""
    for entry in (e for e in plan.entries if e.role == "output"):
        block = plan.blocks[entry]
        words = np.zeros((plan.count, block.words, 1), np.uint8)
        for image in range(plan.count):
            start = block.address + image * block.frame
            for k in range(block.words):
                words[image, k] = memory.get(place_of(start, k, block, banks), 0) % 256
        write_words(plan, folder, "hex", entry, block.packing.to_banks(words))


ADDRESSES = [
    ((8, 6), (1, "interleaved"), 0, "address", lambda b, a: (b, a ^ 1)),
    ((9, 8), (1, "interleaved"), 0, "address", lambda b, a: (b, a ^ 1)),
    ((9, 7), (1, "interleaved"), 0, "address", lambda b, a: (b, a ^ 1)),
    ((7, 9), (1, "interleaved"), 93, "address", lambda b, a: (b, a ^ 1)),
    ((9, 9), (3, "interleaved"), 0, "address", lambda b, a: divmod(3 * a + b ^ 1, 3)[::-1]),
    ((9, 7), (3, "blocked"), 0, "address", lambda b, a: (b, a ^ 1)),
    ((9, 7), (2, "blocked"), 0, "address", lambda b, a: (b, a ^ 1)),
    ((9, 7), (2, "interleaved"), 0, "address", lambda b, a: (b, a ^ 1)),
    ((9, 7), (3, "interleaved"), 0, "address", lambda b, a: (b, a ^ 1)),
    ((9, 8), (4, "interleaved"), 92, "address", lambda b, a: (b, a ^ 1)),
    ((9, 7), (2, "blocked"), 0, "bank", lambda b, a: (b ^ 1, a)),
    ((9, 7), (2, "interleaved"), 0, "bank", lambda b, a: (b ^ 1, a)),
    ((9, 7), (4, "interleaved"), 0, "bank", lambda b, a: (b ^ 2, a)),
    ((9, 7), (4, "blocked"), 0, "bank", lambda b, a: (b ^ 1, a)),
    ((9, 7), (6, "interleaved"), 0, "bank", lambda b, a: (b ^ 1, a)),
    ((9, 7), (6, "blocked"), 0, "bank", lambda b, a: (b ^ 1, a)),
]  # fmt: skip


@pytest.mark.parametrize(("sizes", "banks", "frame", "key", "wire"), ADDRESSES)
def test_a_memory_with_a_wrong_address_line(sizes, banks, frame, key, wire, tmp_path, capsys):
    """A whole memory, arrays at odd and even addresses: named, and no bank where it is one."""
    count, order = banks
    memory = {"word_bits": 8, "banks": count, "bank_order": order}
    memory |= {"frame": frame} if frame else {}
    layout = parse_layout("l", {"memory": {"act": memory}, "output": {"memory": "act"}})
    write_set(network_of(sizes), tmp_path / "set", count=6, layout=layout, formats=["hex", "npy"])
    plan, _ = read_manifest(tmp_path / "set")
    wired = {
        wire(*at): v for at, v in memory_of(plan, tmp_path / "set", banks).items()
    }  # fmt: skip
    dump_memory(plan, tmp_path / "dut", wired, banks)
    told = json.loads(verify(tmp_path, capsys, 1, "--json"))
    first = told["ops"][0]
    assert [c["names"] for c in first["causes"]] == [[f"{key}_order"]]
    (variant,) = first["causes"][0]["variants"]
    if key == "address":
        assert "at address a ^ 1" in variant and "bank b" not in variant
        assert "address decoder" in first["causes"][0]["look_at"][0]
    else:
        assert f"bank b's words in bank b ^ {wire(0, 0)[0]}" in variant
    for other in told["ops"][1:]:
        assert other["right_from_wrong_inputs"] or other["read_by"]


@pytest.mark.parametrize("sizes", [(9, 8), (7, 8), (8, 8)])
def test_words_exchanged_in_pairs_at_any_address(sizes, tmp_path, capsys):
    """From the first word of an array on: by its address where that is even, else in pairs."""
    layout = parse_layout("l", {"memory": {"act": {"word_bits": 8}}, "output": {"memory": "act"}})
    write_set(network_of(sizes), tmp_path / "set", count=4, layout=layout, formats=["hex", "npy"])
    plan, _ = read_manifest(tmp_path / "set")
    first, second = (e for e in plan.entries if e.role == "output")
    block = plan.blocks[second]
    odd = block.address % 2 or block.frame % 2
    y = {e: np.load(tmp_path / f"set/{e.path}.npy") for e in (first, second)}
    write_dump(plan, tmp_path / "dut", "hex", {first: y[first]})
    words = block.packing.pack(y[second])
    write_words(plan, tmp_path / "dut", "hex", second, [words[:, np.arange(block.words) ^ 1]])
    text = verify(tmp_path, capsys, 1)
    label = "words exchanged in pairs, from the array's first one on"
    assert f"  1. address_order ({label if odd else 'word a at address a ^ 1'})" in text
    assert "address decoder" in text and "bank" not in text and "  2." not in text


def test_a_word_that_is_not_compared_is_no_evidence(tmp_path, capsys):
    """Words exchanged with others outside the array hold anything: nothing is named."""
    rng = np.random.default_rng(3)
    layout = parse_layout("l", {"memory": {"act": {"word_bits": 8}}, "output": {"memory": "act"}})
    write_set(network_of((9, 2, 8)), tmp_path / "set", count=64, layout=layout,
              formats=["hex", "npy"])  # fmt: skip
    plan, _ = read_manifest(tmp_path / "set")
    for entry in (e for e in plan.entries if e.role == "output"):
        block = plan.blocks[entry]
        y = np.load(tmp_path / f"set/{entry.path}.npy")
        reading = next(r for r in readings(block) if r.key == "address" and r.crosses)
        outside = reading.swap.sources(block.words, np.arange(plan.count)) < 0
        words = block.packing.pack(y)
        words[outside] = rng.integers(0, 256, (int(outside.sum()), 1))
        write_words(plan, tmp_path / "dut", "hex", entry, [words])
        text = verify(tmp_path, capsys, 1)
        assert outside.any() and "address_order" not in text.split("consistent")[0]
        for path in (tmp_path / "dut").rglob("*.hex"):
            path.unlink()


@pytest.mark.parametrize("sizes", [(9, 7), (8, 6), (7, 7), (9, 9)])
@pytest.mark.parametrize("banks", [(1, "interleaved"), (2, "blocked"), (2, "interleaved")])
@pytest.mark.parametrize("stuck_at", [0, 1])
def test_a_stuck_address_bit_is_no_pair_of_causes(stuck_at, banks, sizes, tmp_path, capsys):
    """One image, half of the cells unwritten and 0: another address and a clamp are not named."""
    count, order = banks
    memory = {"word_bits": 8, "banks": count, "bank_order": order, "frame": 94}
    layout = parse_layout("l", {"memory": {"act": memory}, "output": {"memory": "act"}})
    write_set(network_of(sizes), tmp_path / "set", count=1, layout=layout, formats=["hex", "npy"])
    plan, _ = read_manifest(tmp_path / "set")
    good = memory_of(plan, tmp_path / "set", banks).items()
    dump_memory(plan, tmp_path / "dut", {(b, a & ~1 | stuck_at): v for (b, a), v in good}, banks)
    for op in ("c0", "c1"):
        told = json.loads(verify(tmp_path, capsys, 1, "--json"))
        assert [c["names"] for c in told["ops"][0]["causes"]] == [], op
        for path in (tmp_path / "dut").rglob("c0*.hex"):
            path.unlink()
