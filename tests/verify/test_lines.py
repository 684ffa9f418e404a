"""The line that is named of a dump's word is the line of the file as it is, in any style."""

import io
import re
import shutil
from random import Random

import numpy as np
import pytest

from file_styles import STYLES, file_of
from foreign_files import READ, VALUES
from intgold import Builder, LayoutError, Requantize, VectorError
from intgold.cli import main
from intgold.vectors.cases.random_models import random_model
from intgold.vectors.formats import FORMATS
from intgold.vectors.formats.word_file import Lanes, WordFile
from intgold.vectors.memory.layout_file import parse_layout
from intgold.vectors.sets.generate import write_set
from intgold.vectors.sets.manifest import read_manifest
from intgold.vectors.sets.reader import read_entry
from intgold.vectors.sets.rom_files import memory_files
from intgold.vectors.sets.sv_package import read_package
from intgold.verify.comparison import verify
from intgold.verify.locate import at_place, file_locations
from word_files import WIDTHS, some_words, word_file, written

TEXTS = [name for name, form in FORMATS.items() if form.lines]


def line_of(name, file, data, word, lane=0):
    data = data.encode() if isinstance(data, str) else data
    return FORMATS[name].line_of("dump", file, io.BytesIO(data), word, lane)


def changed_lines(before, after):
    pairs = zip(before.split("\n"), after.split("\n"), strict=True)
    return [number for number, (a, b) in enumerate(pairs, 1) if a != b]


@pytest.mark.parametrize("name", STYLES)
def test_a_planted_word_is_in_the_line_that_is_named(name, full):
    """Of files of random styles: one word is changed, and just the line named changes."""
    for seed in range(400 if full else 60):
        rng = Random(seed)
        bits, count = rng.choice((8, 16, 32)), rng.choice((1, 7, 40))
        values = [rng.randrange(-(2 ** (bits - 1)), 2 ** (bits - 1)) for _ in range(count)]
        text = file_of(Random(seed), name, bits, values)
        file = WordFile("x", "x", bits, 1, count, f"int{bits}", (count,), signed=True)
        for word in {0, count // 2, count - 1}:
            planted = [v ^ (i == word) for i, v in enumerate(values)]
            changed = changed_lines(text, file_of(Random(seed), name, bits, planted))
            assert changed == [line_of(name, file, text, word)], (seed, word)


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("name", TEXTS)
def test_own_files_have_the_word_there(name, bits):
    """With gaps, addresses and comments or without them: as `place` says, and the line changes."""
    form = FORMATS[name]
    for gap, comments in ((0, "head"), (5, "images"), (0, "none"), (9, "none")):
        file = word_file(form, bits, gap, addresses=bool(gap), comments=comments)
        words = some_words(file)
        text = written(form, file, words)
        for word in (0, 6, 7, file.words - 1):
            planted = words.copy()
            planted[word, 0] ^= 1
            changed = changed_lines(text.decode(), written(form, file, planted).decode())
            found = line_of(name, file, text, word)
            assert found in changed and found == form.line_or_offset(file, word), (
                gap,
                comments,
                word,
            )


@pytest.mark.parametrize(("name", "tool"), [key for key in READ if key[0] != "ihex"])
def test_the_line_of_a_file_of_another_tool_holds_the_value(name, tool):
    """In one of the ways in which it may be printed."""
    data = READ[name, tool]
    rows = (data if isinstance(data, str) else data.decode("utf-8-sig")).split("\n")
    file = WordFile("outputs_x", "x", 8, 2, 4, "int8", (2, 4), signed=True)
    for word, value in enumerate(VALUES):
        row = rows[line_of(name, file, data, word) - 1].replace("_", "").lower()
        tokens = set(re.findall(r"[-+.\w]+", row))
        forms = {f"{value:+.1f}", f"{value:.18e}"} | {str(value), f"0b{value % 256:08b}"}
        for v in (value % 256, value % 2**32):
            forms |= {
                f"{v:{kind}}" for kind in ("d", "x", "02x", "08x", "#x", "#04x", "08b", "b", "o")
            }
        assert tokens & forms, (word, row)


STATEMENTS = [
    ("hex", "1 /* a\n b */ 2 3\n// c\n4", [1, 2, 2, 4]),
    ("hex", "@2 3\n4\n@0\n1\n2\n", [4, 5, 1, 2]),
    ("coe", "memory_initialization_radix=16; memory_initialization_vector=1\n,2\n,3,4;",
     [1, 2, 3, 3]),
    ("c", "int x[] = {1\n,2\n,\n3\n,4\n};", [1, 2, 4, 5]),
    ("c", "int x[] =\n{\n\n1, 2,\n 3,\n\n 4};", [4, 4, 5, 7]),
    ("mif", "WIDTH=8;DEPTH=4;CONTENT BEGIN\n[0..3]:0;\n1:\n1\n2\n;\n3 : 4;END;", [2, 4, 5, 7]),
    ("mif", "WIDTH=8;DEPTH=4;CONTENT BEGIN\n3:0;2:\n1;\n1\n: 2;\n0:4;\nEND;", [6, 5, 3, 2]),
    ("csv", "a,b\n1,2\n\n# c\n3,4\n", [2, 2, 5, 5]),
    ("dec", "# c\n\n1 2 3\n4", [3, 3, 3, 4]),
    ("mif", "WIDTH=8;DEPTH=4;CONTENT BEGIN\n[0..3]:1\n2;\nEND;", [2, 3, 2, 3]),
    ("mif", "WIDTH=8;DEPTH=4;CONTENT BEGIN\n[0..3]\n:\n1\n2 3\n4\n;2:9;END;", [4, 5, 7, 6]),
    ("c", "int8_t x[2][2] = {\n {\n  1,\n  2\n },\n {\n  3,\n  4\n }\n};\n", [3, 4, 7, 8]),
    ("c", "int8_t x[2][2] =\n{\n{ 1, 2 }\n,\n{ 3, 4 }\n};", [3, 3, 5, 5]),
    ("dec", "# c\r\r1 2\r3\r4", [3, 3, 4, 5]),
    ("hex", "// c\r1\r2 3\r\r4\r", [2, 3, 3, 5]),
    ("c", "// c\rint x[] = {1,\r2, // d\r3, 4};", [2, 3, 4, 4]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "wanted"), STATEMENTS)
def test_statements_over_several_lines(name, text, wanted):
    """Each word has the line of its own digits, whatever precedes it."""
    file = WordFile("x", "x", 8, 1, 4, "int8", (4,), signed=True)
    assert [line_of(name, file, text, word) for word in range(4)] == wanted


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", STYLES)
def test_line_ends_of_any_system(name, end):
    """A file has the same lines with each of the three line ends."""
    values = list(range(-20, 20))
    file = WordFile("x", "x", 8, 1, 40, "int8", (40,), signed=True)
    for seed in range(20):
        text = file_of(Random(seed), name, 8, values)
        other = text.replace("\n", end)
        for word in (0, 20, 39):
            assert line_of(name, file, other, word) == line_of(name, file, text, word)


def c_array(rng, texts, columns):
    """An array of rows of numbers, with white space of any kind between what C has there."""

    def blank():
        return rng.choice(("", " ", "\n", "\n\n  ", " /* a\n b */ "))

    rows = [texts[i : i + columns] for i in range(0, len(texts), columns)]
    inner = [f"{blank()},{blank()}".join(row) for row in rows]
    body = f"{blank()},{blank()}".join(f"{{{blank()}{row}{blank()}}}" for row in inner)
    comma = rng.choice(("", ","))
    return f"int x[{len(rows)}][{columns}] ={blank()}{{{blank()}{body}{blank()}{comma}{blank()}}};"


def test_braces_and_white_space_of_c(full):
    """Wherever braces and line ends stand: a word, and an error, have the line of the digits."""
    values = [*range(100, 111), -(2**31)]
    file = WordFile("x", "x", 32, 1, 12, "int32", (12,), signed=True)
    for seed in range(1000 if full else 100):
        texts = [*map(str, values[:-1]), Random(seed).choice(("INT32_MIN", "(-2147483647\n - 1)"))]
        order = Random(seed).sample(range(12), 12)
        text = c_array(Random(seed), [texts[i] for i in order], 3)
        for word, value in enumerate(order):
            start = text.index(texts[value], text.index("{"))
            wanted = 1 + text.count("\n", 0, start)
            assert line_of("c", file, text, word) == wanted, (seed, word)
            if word % 4 == 0:
                bad = text.replace(texts[value], "zz" + "\n" * texts[value].count("\n"))
                with pytest.raises(VectorError, match=f"dump, line {wanted}: 'zz' is no word"):
                    list(FORMATS["c"].read("dump", file, io.BytesIO(bad.encode())))


@pytest.mark.parametrize("high_first", [False, True])
@pytest.mark.parametrize("name", ["dec", "csv"])
def test_lanes_on_lines_of_their_own(name, high_first):
    """A number a line: that of the lane."""
    file = WordFile("x", "x", 32, 2, 3, "int8", (2, 12), lanes=Lanes(4, 8, True, high_first))
    text = "".join(f"{i}\n" for i in range(24))
    for word in range(6):
        for lane in range(4):
            wanted = 4 * word + (3 - lane if high_first else lane) + 1
            assert line_of(name, file, text, word, lane) == wanted


def test_files_of_many_pieces():
    """More than the readers take at once."""
    count = 120_001
    file = WordFile("x", "x", 32, 1, count, "int32", (count,), signed=True)
    text = "".join(f"0x{i:08x},\n" for i in range(count))
    for name, data in (
        ("c", "int x[] = {\n" + text + "};\n"),
        ("hex", "\n" + text.replace(",", " ")),
        ("coe", "memory_initialization_radix=16;memory_initialization_vector=\n"
         + text.replace("0x", "")),
    ):  # fmt: skip
        for word in (0, count - 1):
            assert line_of(name, file, data, word) == word + 2


@pytest.mark.parametrize("surplus", [1, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("gap", [0, 3, 4, 5, 6, 7, 8, 11])
def test_too_many_numbers_in_any_piece(surplus, gap):
    """The line of the first number too many, wherever the readers cut the file in pieces."""
    file = WordFile("x", "x", 32, 2, 3, "int8", (2, 12), lanes=Lanes(4, 8, True))
    rows = [f"{i}\n" for i in range(24 + surplus)]
    at = min(24 - 4 + gap, len(rows))  # what follows is in another piece
    head = "".join(rows[:at])
    text = head + "\n" * (2**20 - len(head)) + "".join(rows[at:])
    line = 25 if gap > 4 else 25 + 2**20 - len(head)
    problem = f"dump, line {line}: more words" if surplus >= 4 else "the last word has"
    with pytest.raises(VectorError, match=problem):
        list(FORMATS["dec"].read("dump", file, io.BytesIO(text.encode())))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A set of a model whose first op has an output of some hundred values."""
    folder = tmp_path_factory.mktemp("lines") / "set"
    model = next(
        m for m in map(random_model, range(999))
        if m.ops[0].kind == "conv2d" and np.prod(m.tensor(m.ops[0].output).shape) >= 60
        and m.tensor(m.ops[0].output).dtype == "int8"
    )  # fmt: skip
    write_set(model, folder, count=2)
    return folder, model.ops[0].output


def rows_of(texts, per_line):
    return [
        "".join(f"{t} " for t in texts[i : i + per_line]) for i in range(0, len(texts), per_line)
    ]


@pytest.mark.parametrize("comments", [0, 1, 3])
@pytest.mark.parametrize("per_line", [1, 8])
@pytest.mark.parametrize("name", ["hex", "dec", "csv", "coe", "mif", "memb"])
def test_verify_names_the_line_of_the_dump(source, tmp_path, name, per_line, comments):
    """The first wrong value of a dump in any style: the line of it, as an editor counts."""
    folder, tensor = source
    values = np.load(folder / f"outputs/{tensor}.npy").ravel().astype(int)
    word = 100 if len(values) > 100 else len(values) - 3
    values[word] ^= 1
    unsigned = values % 256
    mark = {"hex": "//", "memb": "//", "coe": ";", "mif": "--"}.get(name, "#")
    head = [f"{mark} {i}" for i in range(comments)]
    if name in ("hex", "coe"):
        texts = [f"{v:02x}" for v in unsigned]
    elif name == "memb":
        texts = [f"{v:08b}" for v in unsigned]
    else:
        texts = [str(v) for v in (unsigned if name == "mif" else values)]
    rows = rows_of(texts, per_line)
    if name == "csv":
        rows = [row.strip().replace(" ", ",") for row in rows]
    if name == "coe":
        head += ["memory_initialization_radix=16;", "memory_initialization_vector="]
    if name == "mif":
        head += [f"WIDTH=8;DEPTH={len(values)};DATA_RADIX=UNS;CONTENT BEGIN"]
        rows = [f"{i * per_line:x}: {row};" for i, row in enumerate(rows)] + ["END;"]
    (tmp_path / "outputs").mkdir()
    suffix = FORMATS[name].suffix
    (tmp_path / f"outputs/{tensor}{suffix}").write_text("\n".join([*head, *rows]) + "\n")
    report = verify(folder, tmp_path, partial=True)
    (spot,) = report.first.locations
    assert spot.place == f"line {len(head) + 1 + word // per_line}"
    assert f"{tensor}{suffix} {spot.place}," in str(report)


def test_verify_names_the_line_of_padding(tmp_path):
    """What a dump holds where no element is: the line of the file as it is."""
    model = random_model(3)
    tensor = model.ops[-1].output
    layout = parse_layout("x", {"output": {"word_bits": 4096 // 8, "row_alignment": 3}})
    write_set(model, tmp_path / "set", count=2, layout=layout, formats=["hex"])
    shutil.copytree(tmp_path / "set", tmp_path / "dut")
    path = tmp_path / f"dut/outputs/{tensor}.hex"
    rows = path.read_text().splitlines()[1:]
    at = next(i for i, row in enumerate(rows) if not row.strip("0"))
    rows[at] = "1" + rows[at][1:]
    path.write_text("\n".join(["// a", "// b", "// c", *rows]) + "\n")
    report = verify(tmp_path / "set", tmp_path / "dut", partial=True)
    assert f"{tensor}.hex line {at + 4}, image" in str(report)


def test_locate_refuses_in_one_line(source, capsys):
    """A negative coordinate, a number that no set has."""
    folder, tensor = source
    for what, told in (
        ([f"outputs/{tensor}", "-1,0,0,0"], "coordinate '-1,0,0,0': not numbers"),
        ([f"outputs/{tensor}@{'9' * 20}"], "is too large"),
        ([f"outputs/{tensor}.hex:{'9' * 20}"], "is too large"),
    ):
        assert main(["locate", str(folder), *what]) == 2
        error = capsys.readouterr().err
        assert told in error and error.count("\n") == 1


def test_a_tile_and_an_order_of_several_tables():
    """Keys are inherited one by one; a tile that is of no order is refused."""
    document = {
        "output": {"order": "NCHWc", "tile": {"c": 4}},
        "array": {"outputs/x": {"tile": {"c": 2}}},
    }
    rule = parse_layout("l", document).rule("output", "outputs/x")
    assert (rule.order, rule.tile) == ("NCHWc", (("c", 2),))
    for wrong in ({"tile": {"h": 2}}, {"order": "NHWCh"}, {"order": "NCHW", "tile": {"c": 2}}):
        with pytest.raises(LayoutError, match="l: outputs/x: tile"):
            parse_layout("l", {**document, "array": {"outputs/x": wrong}})
    with pytest.raises(LayoutError, match=r"l: 'outputs' is no table of a layout; tables: files, "):
        parse_layout("l", {"outputs": {}})


def test_map_names_the_layout_file(tmp_path, capsys):
    """Where a layout does not fit the model."""
    path = tmp_path / "m.toml"
    path.write_text('[output]\nmemory = "zz"\n')
    assert main(["map", "lut", "--layout", str(path)]) == 2
    assert f"{path}: outputs/conv1 is in memory 'zz'" in capsys.readouterr().err


def test_the_package_says_which_zero_points_are_stored(tmp_path):
    """With offset binary only: of a tensor as it is stored, of an op in q."""
    for encoding, wanted in (("offset_binary", True), ("twos_complement", False)):
        layout = parse_layout("l", {"default": {"encoding": encoding}})
        formats = ["hex", "sv"]
        write_set(random_model(3), tmp_path / encoding, count=1, layout=layout, formats=formats)
        text = (tmp_path / encoding / "vectors_pkg.sv").read_text()
        assert ("ZERO_POINT = " in text) and ("  // in q\n" in text) == wanted
        assert ("  // as stored: q + 128\n" in text) == wanted
        assert read_package(text)


def test_locate_takes_a_line_of_a_memory(tmp_path):
    """Of the file of a whole memory, as a dump may have it: the values of that address."""
    layout = parse_layout(
        "l", {"memory": {"act": {"word_bits": 32, "banks": 2}}, "output": {"memory": "act"}}
    )
    model = random_model(3)
    write_set(model, tmp_path / "set", count=2, layout=layout, formats=["hex"])
    plan, _ = read_manifest(tmp_path / "set")
    entry = next(e for e in plan.entries if e.role == "output")
    files = memory_files(plan, entry, "hex", "")
    shape = entry.whole(plan.count)
    value = read_entry(tmp_path / "set", plan, entry)
    at = tuple(n - 1 for n in shape)
    (spot,) = file_locations(plan, entry, at, int(np.concatenate([*value])[at]), files)
    found = at_place(tmp_path / "set", f"{spot.file}:{spot.place.removeprefix('line ')}")
    assert spot in found and {s.address for s in found} == {spot.address}
    for place in ("memory/act.bank0.hex:99999999", "memory/act.bank0.hex:0"):
        with pytest.raises(VectorError, match=f"{place}: no word of the set is there"):
            at_place(tmp_path / "set", place)
    with pytest.raises(VectorError, match="no array file memory/act.hex, and no such memory"):
        at_place(tmp_path / "set", "memory/act.hex:1")


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "npy"])
def test_locate_of_a_memory_shows_every_value_of_a_line(tmp_path, name):
    """Of each array and of every word that the line has: as if asked word by word."""
    layout = parse_layout("l", {"memory": {"act": {"word_bits": 32}}, "output": {"memory": "act"}})
    write_set(random_model(3), tmp_path / "set", count=2, layout=layout, formats=[name])
    plan, _ = read_manifest(tmp_path / "set")
    entries = [e for e in plan.entries if e.role == "output"]
    of_place, path = {}, ""
    for entry in entries:
        files = memory_files(plan, entry, name, "")
        value = np.concatenate([*read_entry(tmp_path / "set", plan, entry)])
        for at in np.ndindex(value.shape):
            for spot in file_locations(plan, entry, at, int(value[at]), files):
                path = spot.file
                of_place.setdefault(spot.place.split()[1], set()).add(spot)
    assert len(entries) > 1 and path.startswith("memory/act")
    for place in sorted(of_place, key=int)[:: max(1, len(of_place) // 9)]:
        found = at_place(tmp_path / "set", f"{path}:{place}")
        assert len(found) == len(set(found)) and set(found) == of_place[place]
        assert [s.address for s in found] == sorted(s.address for s in found)


PLACES = ["{}:{}", "{}.hex:{}", "{}@{}", "{}.bank{}@1", "{}.bank1@{}", "memory/act.hex:{}"]


@pytest.mark.parametrize("form", PLACES)
def test_locate_takes_numbers_of_any_length(source, form, capsys):
    """Each number of a place with thousands of digits: refused in one line."""
    for digits in (17, 5000, 100_000):
        texts = (f"outputs/{source[1]}", "9" * digits)[-form.count("{}") :]
        assert main(["locate", str(source[0]), form.format(*texts)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and "9" * 9 in error and len(error) < 3000


@pytest.mark.parametrize("per_line", ["word", "number"])
@pytest.mark.parametrize("order", ["low_first", "high_first"])
def test_the_line_of_padding_is_that_of_its_lane(tmp_path, order, per_line):
    """Three channels in tiles of four: the number that is changed has the line that is told."""
    rng = np.random.default_rng(0)
    builder = Builder("m")
    x = builder.input("x", (2, 2, 3))
    builder.op("conv2d", x, name="c", weights=rng.integers(-9, 9, (3, 1, 1, 3)), bias=[0] * 3,
               requantize=Requantize.of([2**30] * 3, [31] * 3))  # fmt: skip
    rule = {"word_bits": 40, "lanes": 4, "order": "NHWCc", "tile": {"c": 4}, "lane_order": order}
    layout = parse_layout("l", {"output": rule})
    write_set(builder.model(), tmp_path / "set", count=2, layout=layout, formats=["dec"])
    rows = (tmp_path / "set/outputs/c.dec").read_text().splitlines()[1:]
    numbers = " ".join(rows).split()
    for at in range(3, len(numbers), 4):
        assert numbers[at] == "0"
        planted = [*numbers[:at], "9", *numbers[at + 1 :]]
        step = 4 if per_line == "word" else 1
        lines = [" ".join(planted[i : i + step]) for i in range(0, len(planted), step)]
        path = tmp_path / "dut/outputs/c.dec"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n")
        told = str(verify(tmp_path / "set", tmp_path / "dut", partial=True))
        assert f"c.dec line {at // step + 1}, image {at // 16}," in told
