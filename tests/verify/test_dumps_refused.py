"""Dumps that are refused: the line says which array, which place, and what to do."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from intgold import VectorError
from intgold.cli import main
from intgold.vectors.formats import FORMATS
from intgold.vectors.memory.layout_file import parse_layout
from intgold.vectors.sets.generate import write_set
from intgold.vectors.sets.manifest import read_manifest
from intgold.vectors.sets.reader import read_entry
from intgold.verify.comparison import verify
from intgold.verify.dump import results
from small_sets import network, write_dump

IMAGES = 4
LAYOUTS = {
    "plain": {},
    "banks": {"output": {"word_bits": 32, "banks": 2}},
    "memory": {"memory": {"ram": {"word_bits": 32}}, "output": {"memory": "ram"}},
}


@pytest.fixture(scope="module", params=LAYOUTS)
def several(request, tmp_path_factory):
    """A set of some images, and all of its results."""
    folder = tmp_path_factory.mktemp(request.param)
    layout = parse_layout("layout", LAYOUTS[request.param])
    write_set(network(), folder / "set", count=IMAGES, formats=["npy"], layout=layout)
    plan, _ = read_manifest(folder / "set")
    arrays = {e: np.concatenate([*read_entry(folder / "set", plan, e)]) for e in results(plan)}
    return folder / "set", plan, arrays


CASES = [("plain", name, 1) for name in FORMATS]
CASES += [("banks", "hex", 3), ("banks", "mif", 1), ("memory", "mem", 3), ("memory", "ihex", 1)]


@pytest.mark.parametrize(("several", "name", "images"), CASES, indirect=["several"])
def test_the_first_images_alone(name, images, several, tmp_path):
    """In any format: the line says how many there are, and the option that it names takes them."""
    folder, plan, arrays = several
    short = replace(plan, images=((0, images),))
    write_dump(short, tmp_path, name, {e: a[:images] for e, a in arrays.items()})
    with pytest.raises(VectorError, match=f"the first {images} of {IMAGES} images.*; --images "):
        verify(folder, tmp_path)
    report = verify(folder, tmp_path, images=images)
    assert report.equal and (report.images, report.set_images) == (images, IMAGES)
    assert report.values == sum(a[:images].size for a in arrays.values())
    assert f"\n{images} of {IMAGES} images; {report.values} values compared" in str(report)


MORE = [(layout, name) for layout in ("plain", "banks") for name in FORMATS]


@pytest.mark.parametrize(("several", "name"), MORE, indirect=["several"])
def test_more_images_than_were_asked_for(name, several, tmp_path):
    """In any format: the line says how many there are, and what it advises takes them."""
    folder, plan, arrays = several
    for held in (3, IMAGES):
        short, dut = replace(plan, images=((0, held),)), tmp_path / str(held)
        write_dump(short, dut, name, {e: a[:held] for e, a in arrays.items()})
        advice = "leave out --images, or give 4" if held == IMAGES else "give --images 3"
        for asked in (1, 2):
            with pytest.raises(VectorError, match=f": holds {held} images; {advice}$"):
                verify(folder, dut, images=asked)
        assert verify(folder, dut, images=held).equal


@pytest.mark.parametrize("several", ["plain"], indirect=True)
@pytest.mark.parametrize("name", FORMATS)
def test_more_images_than_the_set_has(name, several, tmp_path):
    """No number of images is offered that the set has not; nor where a part of one follows."""
    folder, plan, arrays = several
    more = {e: np.concatenate([a, a[:2]]) for e, a in arrays.items()}
    write_dump(replace(plan, images=((0, IMAGES + 2),)), tmp_path, name, more)
    for images in (None, 2, IMAGES):
        with pytest.raises(VectorError) as caught:
            verify(folder, tmp_path, images=images)
        assert "--images" not in str(caught.value)


@pytest.mark.parametrize("several", ["plain"], indirect=True)
def test_a_bug_in_the_first_images(several, tmp_path, capsys):
    """The exit status and the cause are those of any dump."""
    folder, plan, arrays = several
    short = replace(plan, images=((0, 2),))
    given = ["verify", str(folder), "--dut", str(tmp_path), "--images", "2", "--partial"]
    (pooled,) = [e for e in arrays if e.name == "pool1"]
    write_dump(short, tmp_path, "hex", {pooled: arrays[pooled][:2]})
    assert main(given) == 0
    write_dump(short, tmp_path, "hex", {pooled: np.maximum(arrays[pooled][:2], 0)})
    assert main(given) == 1
    out = capsys.readouterr().out
    assert f"2 of {IMAGES} images; " in out and "maximum_from_0" in out


@pytest.mark.parametrize("several", ["plain"], indirect=True)
def test_a_part_of_an_image_is_no_image(several, tmp_path, capsys):
    """Then no number of images is offered; one that the set does not have is refused."""
    folder, plan, arrays = several
    write_dump(plan, tmp_path, "hex", arrays)
    path = tmp_path / "outputs" / "conv1.hex"
    rows = path.read_text().splitlines(keepends=True)
    path.write_text("".join(rows[:-1]))
    with pytest.raises(VectorError, match=r"words instead of [0-9]+$"):
        verify(folder, tmp_path)
    for odd in (0, IMAGES + 1, -1):
        with pytest.raises(VectorError, match=f"images {odd}: the set has {IMAGES}; give 1 to"):
            verify(folder, folder, images=odd)
    given = ["verify", str(folder), "--dut", str(tmp_path)]
    assert main([*given, "--images", "9"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("several", ["memory"], indirect=True)
def test_a_memory_of_all_images_holds_the_first(several, tmp_path):
    """A RAM is dumped as a whole, whatever number of images is compared."""
    folder, plan, arrays = several
    path, rows = tmp_path / "memory" / "ram.hex", _rows(plan, arrays)
    path.parent.mkdir()
    path.write_text("".join(rows))
    assert verify(folder, tmp_path, partial=True).equal
    report = verify(folder, tmp_path, partial=True, images=2)
    assert report.equal and report.images == 2
    path.write_text("".join(rows[: len(rows) // IMAGES]))
    with pytest.raises(VectorError, match=f"first 1 of {IMAGES} images of outputs/conv1; --im"):
        verify(folder, tmp_path, partial=True)
    assert verify(folder, tmp_path, partial=True, images=1).equal


def _rows(plan, arrays):
    """The lines of a RAM with all outputs, one word a line, each with its address."""
    content = {}
    for entry, array in arrays.items():
        block = plan.blocks[entry]
        if block.memory == "ram":
            for image, run in enumerate(block.packing.pack(array)):
                for k, word in enumerate(run):
                    content[block.address + image * block.frame + k] = word[::-1].tobytes().hex()
    return [f"@{a:x} {content[a]}\n" for a in sorted(content)]


def _missing(rows, at):
    return [*rows[:at], *rows[at + 1 :]]


def _twice(rows, at):
    return [*rows[: at + 1], *rows[at:]]


def _undefined(rows, at):
    return [*rows[:at], rows[at].split()[0] + " 00xx0000\n", *rows[at + 1 :]]


def _no_word(rows, at):
    return [*rows[:at], rows[at].split()[0] + " 00zq0000\n", *rows[at + 1 :]]


def _too_wide(rows, at):
    return [*rows[:at], rows[at].split()[0] + " 123456789\n", *rows[at + 1 :]]


DAMAGES = {
    _missing: "missing", _twice: "given twice", _undefined: "undefined",
    _no_word: "'00zq0000' is no hex word", _too_wide: "more than 32 bits",
}  # fmt: skip


@pytest.mark.parametrize("several", ["memory"], indirect=True)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_wrong_word_of_a_memory(damage, several, tmp_path):
    """Whatever is wrong with it, and in whichever array: the array, the line and the address."""
    folder, plan, arrays = several
    path, rows = tmp_path / "memory" / "ram.hex", _rows(plan, arrays)
    path.parent.mkdir()
    for entry in (e for e in arrays if plan.blocks[e].memory == "ram"):
        block = plan.blocks[entry]
        address = block.address + 2 * block.frame + 1
        at = next(i for i, row in enumerate(rows) if row.startswith(f"@{address:x} "))
        path.write_text("".join(damage(rows, at)))
        with pytest.raises(VectorError, match=DAMAGES[damage]) as caught:
            verify(folder, tmp_path, partial=True)
        said = str(caught.value)
        assert f"{entry.path}, " in said and f"address 0x{address:x}" in said, said
        line = at + 1 + (damage is _twice)
        assert damage is _missing or f"ram.hex, line {line}: " in said, said


NAMES = {
    "outputs/{a}.txt": "outputs/{a} is an array of the set, but .txt is the suffix of no format",
    "outputs/{a}.HEX": "but .HEX is the suffix of no format; suffixes: .npy .bin .be.bin ",
    "outputs/{a}.hex.bz2": "but .hex.bz2 is the suffix of no format",
    "outputs/{a}.bank0.hex": "the layout has no banks of outputs/{a}: outputs/{a}.hex",
    "outputs/{A}.hex": "no array outputs/{A}: did you mean outputs/{a}?",
    "outputs/{a}_.be.bin.gz": "no array outputs/{a}_: did you mean outputs/{a}?",
    "outputs/{a}_out.log": "did you mean outputs/{a}?, and .log is of no format",
    "outputs/zzzz.hex": "the set has no array outputs/zzzz, but outputs/conv1, outputs/lut1, ",
    "outputs/sim.log": "the set has no array outputs/sim, but outputs/conv1, ",
    "outputs/zzzz.log": "the set has no array outputs/zzzz, but outputs/conv1, ",
    "accumulators/lut1.hex": "no array accumulators/lut1: did you mean outputs/lut1?",
    "outputs/README": "the set has no array outputs/README, but outputs/conv1, ",
    "outputs/{a}": "/outputs/{a}: it has no suffix; such as outputs/{a}.hex",
    "outputs/{A}": "no array outputs/{A}: did you mean outputs/{a}?, and it has no suffix",
    "accumulators/lut1": "no array accumulators/lut1: did you mean outputs/lut1?, and it has no su",
    "outputs/.{a}.hex.swp": "a hidden file, not of an array; take it out of the dump",
    "outputs/old/{a}.hex": "outputs/old: a folder, where only files of arrays may be",
}


@pytest.mark.parametrize("several", ["plain"], indirect=True)
@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_name(name, several, tmp_path):
    """Of every array: whether its name or its suffix is wrong, and what is right."""
    folder, _plan, arrays = several
    for entry in (e for e in arrays if e.role == "output"):
        by = {"a": entry.name, "A": entry.name.upper()}
        path = tmp_path / name.format(**by)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("00\n")
        with pytest.raises(VectorError) as caught:
            verify(folder, tmp_path, partial=True)
        assert NAMES[name].format(**by) in str(caught.value)
        path.unlink()
        if path.parent.name == "old":
            path.parent.rmdir()


@pytest.mark.parametrize("several", ["plain", "banks"], indirect=True)
def test_a_name_without_a_suffix(several, tmp_path):
    """Of every array of every role: a name that is offered is taken as a file of the array."""
    folder, plan, arrays = several
    write_dump(plan, tmp_path / "right", "hex", arrays)
    for entry in arrays:
        path = tmp_path / "dump" / entry.path
        path.parent.mkdir(parents=True)
        path.write_text("00\n")
        with pytest.raises(VectorError, match=": it has no suffix; such as ") as caught:
            verify(folder, tmp_path / "dump", partial=True)
        name = str(caught.value).rpartition(" ")[2]
        assert name.startswith(f"{entry.path}.") and (tmp_path / "right" / name).is_file()
        shutil.rmtree(tmp_path / "dump")


@pytest.mark.parametrize("several", ["plain", "memory"], indirect=True)
def test_a_wrong_folder(several, tmp_path):
    """One above or below the dump, or without its sub-folders: the right one is named."""
    folder, plan, arrays = several
    dump = tmp_path / "run" / "dump"
    write_dump(plan, dump, "hex", arrays)
    shutil.copytree(dump, tmp_path / "several" / "a")
    shutil.copytree(dump, tmp_path / "several" / "b")
    with pytest.raises(VectorError, match="several/a, .*several/b have some: give one of them"):
        verify(folder, tmp_path / "several", partial=True)
    for given in (dump / "outputs", dump / "accumulators", dump.parent):
        with pytest.raises(VectorError, match=f"; {dump} has some: give that folder"):
            verify(folder, given, partial=True)
    (tmp_path / "flat").mkdir()
    shutil.copy(dump / "outputs" / "pool1.hex", tmp_path / "flat")
    with pytest.raises(VectorError, match=r"; pool1.hex is to be in a sub-folder: outputs/pool1"):
        verify(folder, tmp_path / "flat", partial=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(VectorError, match=r"has none of the set's arrays, which are [^;]*$"):
        verify(folder, tmp_path / "empty", partial=True)
