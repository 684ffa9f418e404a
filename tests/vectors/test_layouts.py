"""Layouts: elements to words and back, by an independent reading; sets in every format."""

import json
import time
from itertools import product

import numpy as np
import pytest

import intgold
from intgold import LayoutError, VectorError
from intgold.cli import main
from intgold.vectors.formats import FORMATS
from intgold.vectors.memory.layout import Layout
from intgold.vectors.memory.layout_file import layout_document, parse_layout, read_layout
from intgold.vectors.memory.packing import Packing
from intgold.vectors.memory.rule import BYTE_ORDERS, LANE_ORDERS, PackingRule
from intgold.vectors.sets.generate import write_set
from intgold.vectors.sets.manifest import read_manifest
from intgold.vectors.sets.reader import read_runs
from intgold.verify.comparison import verify
from intgold.verify.locate import at_place, locate

SHAPE, ZERO = (5, 3, 6), -7
ORDERS = [
    ("", {}),
    ("NHWC", {}),
    ("NCHW", {}),
    ("NCHWc", {"c": 4}),
    ("HCWc", {"c": 16}),
    ("WHC", {}),
]


def sequence(order, tile, unit, rows):
    """Coordinates in the order of the words, None for padding: by plain loops."""
    order = order.removeprefix("N") or "HWC"
    extent = dict(zip("HWC", SHAPE, strict=True))
    ranges = []
    for a in order:
        if a.islower():
            ranges.append(range(tile[a]))
        elif a.lower() in tile:
            ranges.append(range(-(-extent[a] // tile[a.lower()])))
        else:
            ranges.append(range(extent[a]))
    found, row = [], None
    for at in product(*ranges):
        place = dict(zip(order, at, strict=True))
        if rows and row is not None and at[: order.index("H") + 1] != row:
            found += [None] * (-len(found) % unit)
        row = at[: order.index("H") + 1]
        where = tuple(
            place[a] * tile[a.lower()] + place[a.lower()] if a.lower() in place else place[a]
            for a in "HWC"
        )
        found.append(where if all(i < n for i, n in zip(where, SHAPE, strict=True)) else None)
    return found + [None] * (-len(found) % unit)


@pytest.mark.parametrize(("order", "tile"), ORDERS)
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32"])
def test_words_by_plain_loops(order, tile, dtype):
    """Every lane of every word holds the element that SPEC 10.4 puts there, and all comes back."""
    width = np.dtype(dtype).itemsize
    x = np.random.default_rng(1).integers(-100, 100, (2, *SHAPE)).astype(dtype)
    for bits, lane, byte, padding, rows, (banks, deal) in product(
        (0, 8, 16, 36, 64, 1024), LANE_ORDERS, BYTE_ORDERS, (0, "zero_point"), (0, 3),
        ((1, "interleaved"), (3, "interleaved"), (4, "blocked")),
    ):  # fmt: skip
        if bits and bits < 8 * width and 8 * width % bits:
            continue
        rule = PackingRule(
            bits, 0, lane, byte, order, tuple(tile.items()), padding, "H", rows, 1, "", banks, deal
        )
        packing = Packing("x", rule, dtype, SHAPE, "HWC", ZERO)
        words = packing.pack(x)
        lanes, per = packing.lanes, packing.words_per_element
        unit = lanes * (np.lcm(rows, per) // per if rows else 1)
        wanted = sequence(order, tile, unit, rows)
        fill = ZERO if padding == "zero_point" else 0
        octets = []
        for where in wanted:
            value = int(x[(1, *where)]) if where else fill
            octets.append(value.to_bytes(width, byte, signed=True))
        groups = [octets[i : i + lanes] for i in range(0, len(octets), lanes)]
        plain = [b"".join(g[::-1] if lane == "high_first" else g) for g in groups]
        if per > 1:
            plain = [p[i : i + bits // 8] for p in plain for i in range(0, width, bits // 8)]
        got = [w.tobytes() for w in words[1]]
        assert got[: len(plain)] == [p.ljust(packing.word_bytes, b"\0") for p in plain]
        assert len(got) % banks == 0 and len(got) - len(plain) < banks
        parts = packing.to_banks(words)
        deals = got if deal == "blocked" else [w for b in range(banks) for w in got[b::banks]]
        assert [w.tobytes() for p in parts for w in p[1]] == deals
        assert np.array_equal(packing.unpack(packing.from_banks(parts)), x)


def test_padding_is_checked():
    """A lane or bit that holds no element must be as it is written."""
    rule = PackingRule(36, order="HWCc", tile=(("c", 4),), padding=3)
    packing = Packing("x", rule, "int8", SHAPE, "HWC")
    words = packing.pack(np.ones((1, *SHAPE), np.int8))
    assert words[0, 1].tolist() == [1, 1, 3, 3, 0]
    packing.unpack(words)
    for at, value in (((0, 1, 3), 4), ((0, 0, 4), 8)):
        damaged = words.copy()
        damaged[at] = value
        with pytest.raises(VectorError, match="holds no element is not padding"):
            packing.unpack(damaged)


@pytest.mark.parametrize(
    ("shape", "axes", "row_axis", "row"),
    [
        ((7,), "C", "H", 7), ((7,), "C", "W", 7), ((7,), "O", "H", 7), ((9,), "T", "O", 9),
        ((3, 5), "WC", "H", 15), ((3, 5), "OI", "H", 15), ((3, 5), "OI", "O", 5),
        ((3, 5), "WC", "W", 5), ((3, 5), "WC", "C", 1), ((2, 3, 5), "HWO", "W", 5),
    ],
)  # fmt: skip
def test_rows_of_arrays_that_have_none(shape, axes, row_axis, row):
    """Without the row axis an array is one piece, filled to whole words; with it, row by row."""
    rule = PackingRule(16, row_axis=row_axis, row_alignment=3)
    packing = Packing("x", rule, "int8", shape, axes)
    x = np.arange(1, 1 + np.prod(shape), dtype=np.int8).reshape(1, *shape)
    flat = x.ravel().tolist()
    unit = 6 if row_axis in axes else 2
    rows = [flat[i : i + row] for i in range(0, len(flat), row)]
    plain = [v for r in rows for v in r + [0] * (-len(r) % unit)]
    assert packing.pack(x).ravel().tolist() == plain
    assert np.array_equal(packing.unpack(packing.pack(x)), x)


LAYOUTS = {
    "default": "",
    "lanes": "[default]\nword_bits = 64\n",
    "channels": '[output]\nword_bits = 128\norder = "NCHWc"\ntile = { c = 16 }\n'
                'padding = "zero_point"\nbanks = 4\n[accumulator]\nword_bits = 16\n'
                'byte_order = "big"\n',
    "memories": '[files]\naddresses = true\ncomments = "images"\n[memory.ddr]\nword_bits = 72\n'
                'base = 0x4000\n[default]\nmemory = "ddr"\nlane_order = "high_first"\n'
                'alignment = 4\n',
    "rows": '[default]\nword_bits = 32\nrow_alignment = 2\nbanks = 2\nbank_order = "blocked"\n'
            '[parameter]\nword_bits = 8\n[files]\ncomments = "none"\n',
    "wide": '[default]\nword_bits = 1024\norder = "NCHW"\n[parameter]\norder = "HWIO"\n'
            'lanes = 9\npadding = 77\n',
}  # fmt: skip
"""Six layouts as a user would write them."""


def layout_of(name, tmp_path):
    (tmp_path / "layout.toml").write_text(LAYOUTS[name])
    return read_layout(tmp_path / "layout.toml")


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_format_in_every_layout(name, tmp_path):
    """What is written in every format is read back, and equals the run; a dump of it is equal."""
    model = intgold.load()
    layout = layout_of(name, tmp_path)
    assert parse_layout("x", json.loads(json.dumps(layout_document(layout)))) == layout
    arguments = dict(count=2, layout=layout, ops=["conv2", "pool2", "fc"], backend="c")
    write_set(model, tmp_path / "set", formats=[*FORMATS, "sv"], partials="ic:5", **arguments)
    plan, _ = read_manifest(tmp_path / "set")
    run = model.run(intgold.vectors.cases.stimulus.stimulus(model, "builtin", 2), trace=True)
    seen = 0
    for entry in plan.entries:
        values = {"output": run.tensors, "accumulator": run.accumulators}.get(entry.role)
        for form in FORMATS:
            files = plan.files_of(entry, form)
            parts = list(read_runs(plan, [tmp_path / "set" / f.path for f in files], files))
            array = np.concatenate(parts)
            if values is not None:
                assert np.array_equal(array, values[entry.name]), (entry.path, form)
                seen += array.size
            elif entry.role == "parameter":
                assert np.array_equal(array[0], plan.parameters[entry])
    assert seen > 12 * 50_000
    assert verify(tmp_path / "set", tmp_path / "set").equal


@pytest.mark.parametrize("name", LAYOUTS)
def test_places_lead_there_and_back(name, tmp_path):
    """Any coordinate to every file, line, address and lane, and from there to the coordinate."""
    model = intgold.load()
    write_set(model, tmp_path / "set", count=2, formats=["hex", "mif", "bin", "npy"],
              layout=layout_of(name, tmp_path), ops=["conv2"])  # fmt: skip
    run = model.run(intgold.vectors.cases.stimulus.stimulus(model, "builtin", 2), trace=True)
    for array, at, value in (
        ("outputs/conv2", (1, 3, 5, 11), run.tensors["conv2"][1, 3, 5, 11]),
        ("accumulators/conv2", (0, 27, 0, 15), run.accumulators["conv2"][0, 27, 0, 15]),
        ("parameters/conv2.weights", (15, 2, 0, 7), model.ops[1]["weights"][15, 2, 0, 7]),
    ):
        spots = locate(tmp_path / "set", array, at)
        assert len({s.file for s in spots}) >= 4
        for spot in spots:
            assert spot.value == value and spot.coordinate == at
            place = f"{spot.file}:{spot.place.split()[1]}"
            back = at_place(tmp_path / "set", place)
            assert spot in back, place
            if spot.file.endswith(".hex"):  # the memory's address; the bank's, with its name
                banked = spot.file.removesuffix(".hex")
                for name, address in ((array, spot.address), (banked, spot.bank_address)):
                    back = at_place(tmp_path / "set", f"{name}@{address:x}")
                    assert at in [s.coordinate for s in back]
                    assert {s.address for s in back} == {spot.address}
        block = read_manifest(tmp_path / "set")[0].blocks
        for entry in block:  # the first word of image 0 is where the map says
            if entry.path == array and entry.images:
                first = at_place(tmp_path / "set", f"{array}@{block[entry].address:x}")
                assert (0,) * len(at) in [s.coordinate for s in first]
    for bad in ("outputs/conv2.hex:0", "outputs/conv9.hex:3", "outputs/conv2@fffffff", "conv2"):
        with pytest.raises(VectorError, match=bad.split("@")[0].split(":")[0]):
            at_place(tmp_path / "set", bad)
    with pytest.raises(VectorError, match="no coordinate of its shape"):
        locate(tmp_path / "set", "outputs/conv2", (2, 0, 0, 0))


def test_addresses_do_not_overlap(tmp_path):
    """Every array has its own words, images too; the map's documents say the same."""
    layout = layout_of("memories", tmp_path)
    write_set(intgold.load(), tmp_path / "set", count=3, layout=layout, formats=["hex", "mem"])
    plan, _ = read_manifest(tmp_path / "set")
    taken = set()
    for entry, block in plan.blocks.items():
        for image in range(3 if entry.images else 1):
            start = block.address + image * block.frame
            words = set(range(start, start + block.words))
            assert not words & taken and block.address % 4 == 0, entry.path
            taken |= words
    told = json.loads((tmp_path / "set" / "memory_map.json").read_text())
    assert [r["byte_address"] for r in told] == [
        0x4000 + 9 * b.address for b in plan.blocks.values()
    ]
    table = (tmp_path / "set" / "memory_map.txt").read_text()
    header = (tmp_path / "set" / "memory_map.h").read_text()
    package = (tmp_path / "set" / "memory_map_pkg.sv").read_text()
    for row in told:
        name = row["array"].replace("/", "_").replace(".", "_").upper()
        assert f"#define MAP_{name}_ADDRESS {row['address']}ULL\n" in header
        assert f"localparam longint MAP_{name}_ADDRESS = 64'd{row['address']};" in package
        assert row["array"] in table


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[output", "not TOML"),
        ("colour = 1", "'colour' is no table"),
        ("[colours]", "'colours' is no table"),
        ("[output]\nword_bits = 4", "word_bits 4 is not a number from 8 to 1024"),
        ("[output]\nword_bits = true", "word_bits True"),
        ("[output]\nwidth = 8", "unknown key 'width'"),
        ('[output]\nlane_order = "left"', "lane_order 'left' is none of"),
        ('[output]\norder = "NHHC"', "order 'NHHC'"),
        ('[output]\norder = "HNWC"', "order 'HNWC'"),
        ('[output]\norder = "NcHWC"\ntile = { c = 4 }', "c needs C before it"),
        ('[output]\norder = "NCHWc"', "tile {}"),
        ('[output]\norder = "NHC"', "does not name each axis of HWC"),
        ("[output]\nword_bits = 16\nlanes = 3", "3 lanes of 8 bits in a word of 16"),
        ("[accumulator]\nword_bits = 24", "do not fill words of 24"),
        ("[output]\npadding = 200", "padding 200 is no int8"),
        ('[output]\nmemory = "ddr"', "memory 'ddr', which is not declared"),
        ('[memory.ddr]\nbase = 3\n[output]\nmemory = "ddr"', "word_bits is missing"),
        ("[memory.ddr]\nword_bits = 32", "no array is in memory 'ddr'"),
        ('[memory.d]\nword_bits = 32\nsize = 9\n[output]\nmemory = "d"', "words are needed"),
        ('[memory.d]\nword_bits = 32\nframe = 9\n[output]\nmemory = "d"', "frame 9"),
        ('[memory.d]\nword_bits = 32\n[output]\nmemory = "d"\nbanks = 2', "matter of its memory"),
        ('[array."conv1"]\nlanes = 1', "array 'conv1' is not a path"),
        ('[files]\ncomments = "many"', "comments 'many'"),
        ("[files]\naddresses = 1", "addresses 1"),
        ('[array."outputs/nosuch"]\nlanes = 1', "'outputs/nosuch': the model has"),
        ('[output]\nrow_axis = "Z"\nrow_alignment = 4', "row_axis 'Z'"),
        ("[output]\nrow_alignment = 1048576", "leave nearly all of the words to padding"),
        ('[output]\norder = "HWCc"\ntile = { c = 65536 }', "to padding"),
    ],
)
def test_wrong_layouts_are_named(text, message, tmp_path, capsys):
    """One line, exit status 2, nothing written."""
    (tmp_path / "l.toml").write_text(text + "\n")
    arguments = ["vectors", "lut", "--count", "1", "--layout", str(tmp_path / "l.toml")]
    assert main([*arguments, "-o", str(tmp_path / "set")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and "l.toml" in error
    assert [p.name for p in tmp_path.iterdir()] == ["l.toml"]


def test_addresses_that_a_format_cannot_hold(tmp_path, capsys):
    """Intel HEX ends at 2^32: one line, whichever array comes first."""
    (tmp_path / "l.toml").write_text(
        '[memory.m]\nword_bits = 32\nbase = 0xffff_ffff\n[default]\nmemory = "m"\n'
    )
    arguments = ["vectors", "lut", "--count", "1", "--layout", str(tmp_path / "l.toml")]
    assert main([*arguments, "--format", "ihex", "-o", str(tmp_path / "set")]) == 2
    error = capsys.readouterr().err
    assert "below 2^32" in error and error.count("\n") == 1


def test_places_of_a_set_in_npy_alone(tmp_path):
    """The map's addresses hold, though the files know no words."""
    layout = layout_of("memories", tmp_path)
    model = intgold.load()
    write_set(model, tmp_path / "set", count=2, layout=layout, formats=["npy"], ops=["conv1"])
    block = read_manifest(tmp_path / "set")[0].blocks
    (entry,) = [e for e in block if e.path == "outputs/conv1"]
    back = at_place(tmp_path / "set", f"outputs/conv1@{block[entry].address:x}")
    assert (0, 0, 0, 0) in [s.coordinate for s in back]
    spots = locate(tmp_path / "set", "outputs/conv1", (1, 0, 0, 0))
    assert {s.address for s in spots} == {block[entry].address + block[entry].frame}


def test_a_dump_of_another_layout(tmp_path):
    """Words in the wrong order are not taken for right ones; by their own layout they are equal."""
    model = intgold.load()
    other = layout_of("wide", tmp_path)
    write_set(model, tmp_path / "set", count=2, ops=["conv2"])
    write_set(model, tmp_path / "dut", count=2, ops=["conv2"], layout=other, formats=["hex"])
    assert verify(tmp_path / "set", tmp_path / "dut", layout=other).equal
    with pytest.raises(VectorError, match="has more than 8 bits"):
        verify(tmp_path / "set", tmp_path / "dut")
    turned = Layout(rules=(("output", (("order", "NCHW"),)),))
    write_set(model, tmp_path / "turned", count=2, ops=["conv2"], layout=turned, formats=["bin"])
    assert not verify(tmp_path / "set", tmp_path / "turned").equal
    with pytest.raises(LayoutError, match="l.toml: cannot be read"):
        read_layout(tmp_path / "l.toml")


DOTS, LONG = "." * 20, "." * 2000
DOTTED = "a" + ".a" * 17
Q3, A3 = '"' * 3, "'" * 3


@pytest.mark.parametrize("comment", ["", "# see v1.2" + DOTS, "#" + LONG, "# 'it's \" " + LONG])
@pytest.mark.parametrize("line", [
    "word_bits = 32", "", "order = \"NCHW\"", "order = 'NCHW'", r'order = "\u004eCHW"',
    f"order = {Q3}NCHW{Q3}", f"order = {A3}NCHW{A3}", f"order = {A3}\nNCHW{A3}",
    f"order = {Q3}\\\n  NCHW{Q3}",
])  # fmt: skip
def test_comments_may_be_long(line, comment, tmp_path):
    """Dots and bytes count only before the comment, whatever quotes are before it or in it."""
    (tmp_path / "l.toml").write_text(f"[output]\n{line} {comment}\n")
    (tmp_path / "bare.toml").write_text(f"[output]\n{line}\n")
    assert read_layout(tmp_path / "l.toml") == read_layout(tmp_path / "bare.toml")


@pytest.mark.parametrize("before", [
    "", '"#" = 1\n', '"a#", ', "'#', ", r'"\"#", ', r'"\\", ', f"{Q3}#{Q3}, ", f"{Q3}#\n# {Q3}, ",
    f"{A3}#\n# {A3}, ", f'{Q3}"" # ""{Q3}"", ', f"{A3}' # {A3}'', ", f"{Q3}\\{Q3} # {Q3}, ",
    f'"", {Q3}{Q3}, ', "'\\', ", "[] # '\n", f'1 # {Q3}\n', '"", # "\n',
])  # fmt: skip
def test_no_quotes_hide_dots(before, tmp_path):
    """A # in quotes of any kind, over several lines too, starts no comment."""
    text = f"x = {before}\n" if before.endswith("\n") else f"x = [{before}\n"
    for rest in (DOTTED + " = 1", "b = { " + DOTTED + " = 1 }", "a" * 1001 + " = 1"):
        (tmp_path / "l.toml").write_text(text.rstrip("\n") + "\n" * before.endswith("\n") + rest)
        with pytest.raises(LayoutError, match=r"line \d+: (\d\d dots, at most 16|1\d\d\d bytes)"):
            read_layout(tmp_path / "l.toml")


@pytest.mark.parametrize(
    "part", ['"', "'", '\\"', '"\\', Q3, A3, Q3 + "\\", "#", '"\n', "'\"", "\\"]
)
def test_quotes_without_end_cost_nothing(part, tmp_path):
    """The largest file of any quotes is refused at once."""
    for end in ("", "\\", '"', "'"):
        data = ("x = " + part * (2**20 // len(part)))[: 2**20 - 1] + end
        (tmp_path / "l.toml").write_text(data)
        started = time.process_time()
        with pytest.raises(LayoutError):
            read_layout(tmp_path / "l.toml")
        assert time.process_time() - started < 10
