"""Errors of names and numbers that are nearly right: the line says what is meant."""

import pytest

from intgold import Builder, IntgoldError, LayoutError, ModelError, VectorError
from intgold.ops.table import OPS
from intgold.vectors.formats import FORMATS
from intgold.vectors.formats.word_file import Lanes, WordFile
from intgold.vectors.sets.generate import write_set
from intgold.vectors.sets.manifest import read_manifest
from intgold.vectors.sets.plan import Plan
from intgold.verify.locate import at_place, locate
from small_sets import layout_of, network

RAM = '[memory.ram]\nword_bits = 32\n[output]\nmemory = "ram"\n'


@pytest.fixture(scope="module")
def located(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    write_set(network(), folder / "set", count=2, formats=["hex"], layout=layout_of(RAM, folder))
    return folder / "set", read_manifest(folder / "set")[0]


def test_an_array_without_its_folder(located):
    """Each array is found by the last part of its name, and by a name that is nearly right."""
    folder, plan = located
    for entry in plan.entries:
        last = entry.path.rpartition("/")[2]
        for call in (lambda n: locate(folder, n, (0,)), lambda n: at_place(folder, f"{n}@0")):
            for name in (last, entry.path[:-1] + "_", entry.path.upper()[:0] + entry.path + "x"):
                with pytest.raises(VectorError, match="did you mean ") as caught:
                    call(name)
                said = str(caught.value)
                assert entry.path in said and len(said) < 400
    with pytest.raises(VectorError, match="did you mean outputs/conv1, accumulators/conv1, param"):
        locate(folder, "conv1", (0, 0, 0, 0))
    with pytest.raises(VectorError, match=f"it has {len(plan.entries)}, all in its README.md, su"):
        locate(folder, "zzz", (0,))
    with pytest.raises(VectorError, match=r"array file conv1.hex: did you mean outputs/conv1.hex"):
        at_place(folder, "conv1.hex:12")


def test_an_address_of_another_array(located):
    """Whose it is, and where the array is that was asked for."""
    folder, plan = located
    inside = [e for e in plan.entries if plan.blocks[e].memory == "ram"]
    assert len(inside) > 2
    for asked in inside:
        for other in inside:
            block = plan.blocks[other]
            place = f"{asked.path}@{block.address + block.frame:x}"
            if asked == other:
                assert at_place(folder, place)[0].coordinate[0] == 1
                continue
            first = plan.blocks[asked].address
            with pytest.raises(VectorError, match=f"that is of {other.path}; {asked.path} is at "
                               f"0x{first:x} to "):  # fmt: skip
                at_place(folder, place)
    with pytest.raises(VectorError, match="no word of the set is there; outputs/conv1 is at 0x0"):
        at_place(folder, "outputs/conv1@fffff")


@pytest.mark.parametrize("bits", [16, 32])
def test_lanes_of_all_arrays(bits, tmp_path):
    """Too many for wide elements: which array, and the table that sets them only for it."""
    lanes = bits // 8
    text = f"[default]\nword_bits = {bits}\nlanes = {lanes}\n[accumulator]\nlanes = 1\n"
    own = r"lanes of only this array: in a table \[array.\"(outputs/fc1|parameters/[a-z.0-9]+)\"\]"
    text += f"[parameter]\nword_bits = {bits}\nlanes = 1\n"
    with pytest.raises(LayoutError, match=f"{lanes} lanes of 32 bits in a word of {bits}.*{own}"):
        _ = Plan(network(), "builtin", 0, ((0, 1),), ("hex",), layout_of(text, tmp_path)).blocks
    text += '[array."outputs/fc1"]\nlanes = 1\n'
    assert Plan(network(), "builtin", 0, ((0, 1),), ("hex",), layout_of(text, tmp_path)).blocks


@pytest.mark.parametrize("value", ["zero-point", "zp", ""])
def test_a_padding_that_is_no_number(value, tmp_path):
    """The word that it may be is named."""
    with pytest.raises(LayoutError, match='is neither "zero_point" nor a number'):
        layout_of(f'[output]\npadding = "{value}"\n', tmp_path)


@pytest.mark.parametrize("name", ["dec", "csv"])
@pytest.mark.parametrize(("lanes", "bits"), [(4, 8), (2, 16), (8, 8)])
def test_a_number_for_the_whole_word(lanes, bits, name, tmp_path):
    """Packed words in decimal, signed or not: one number for each lane is wanted."""
    file = WordFile("a", "a", lanes * bits, 1, 2, "int8", (2,), lanes=Lanes(lanes, bits, True))
    for number in (2 ** (lanes * bits) - 5, -(2 ** (lanes * bits - 1))):
        path = tmp_path / "a"
        path.write_text(f"{number}\n{number}\n")
        with (
            path.open("rb") as stream,
            pytest.raises(
                VectorError, match=f"outside {bits} bits: a word has {lanes} numbers, one a lane"
            ),
        ):
            list(FORMATS[name].read("a", file, stream))


@pytest.mark.parametrize("kind", OPS)
def test_a_field_of_another_name(kind):
    """Of every op: the names that it has, and the one that is meant."""
    builder = Builder("m")
    x = builder.input("x", (4, 4, 1))
    for field in ("y_zero_point", "zeropoint"):
        with pytest.raises(ModelError, match=f"unknown fields {field}: did you mean ") as caught:
            _op(builder, kind, x, {field: 3})
        assert "of the output tensor: scale, zero_point" in str(caught.value)
        assert "zero_point" in str(caught.value).partition("did you mean ")[2].partition("?")[0]
    with pytest.raises(IntgoldError, match="unknown fields qqqqqq; known: "):
        _op(builder, kind, x, {"qqqqqq": 3})


def _op(builder, kind, x, more):
    """Add an op of which the fields that it has are checked after those that it has not."""
    from intgold.model.graph import Op

    Op(kind, "o", (x,) * len(OPS[kind].inputs), "y", {**dict.fromkeys(OPS[kind].fields), **more})
