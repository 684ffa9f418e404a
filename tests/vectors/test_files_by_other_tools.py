"""Files as other tools write them are read; one damaged place in each is refused in one line."""

import io
from random import Random

import numpy as np
import pytest

from file_styles import STYLES, file_of
from foreign_files import DAMAGED, FILLED, READ, VALUES, lines
from intgold import IntgoldError, VectorError
from intgold.vectors.formats import FORMATS
from intgold.vectors.formats.tokens import Digits, InvalidTokenError
from intgold.vectors.formats.word_file import Lanes, WordFile
from word_files import some_words, word_file, written

BYTES = WordFile("outputs_x", "x", 8, 2, 4, "int8", (2, 4), signed=True)
WIDE = WordFile("outputs_x", "x", 32, 2, 4, "int32", (2, 4), signed=True)
LARGE = [0, 1, -1, 2**31 - 1, -(2**31), 65536, -128, 200]


def read(name, file, data):
    data = data.encode() if isinstance(data, str) else data
    return np.concatenate([*FORMATS[name].read("dump", file, io.BytesIO(data))])


def numbers(words):
    return [int.from_bytes(w.tobytes(), "little", signed=True) for w in words]


@pytest.mark.parametrize(("name", "tool"), READ)
def test_it_is_read(name, tool):
    """Each gives exactly the values; the same text with another of them gives another."""
    assert numbers(read(name, BYTES, READ[name, tool])) == VALUES


def test_all_text_formats_have_files_of_others():
    assert {name for name, _ in READ} >= {n for n, f in FORMATS.items() if f.lines} - {
        "coe2", "coe10"
    }  # fmt: skip


@pytest.mark.parametrize(("name", "tool", "old", "new", "message"), DAMAGED)
def test_a_damaged_neighbour_is_refused(name, tool, old, new, message):
    """In one line, with the file, the line and the word."""
    text = READ[name, tool]
    assert old in text
    with pytest.raises(VectorError, match=message) as caught:
        read(name, BYTES, text.replace(old, new, 1))
    assert str(caught.value).startswith("dump") and "\n" not in str(caught.value)


def test_every_tool_has_a_damaged_neighbour():
    """Of each format at least four."""
    formats = [name for name, *_ in DAMAGED]
    assert all(formats.count(n) >= 3 for n in {n for n, _ in READ} - {"mem"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hex", lines(f"{v % 2**32:x}" for v in LARGE)),
        ("hex", lines(f"{v % 2**32 >> 16:04x}_{v & 65535:04x}" for v in LARGE)),
        ("hex", lines(f"{v % 2**64:x}" for v in LARGE)),
        ("hex", lines(f"0x{v % 2**32:08x}" for v in LARGE)),
        ("coe", "memory_initialization_radix=10;\nmemory_initialization_vector="
                + ",".join(map(str, LARGE)) + ";"),
        ("mif", "WIDTH=32;DEPTH=8;ADDRESS_RADIX=DEC;DATA_RADIX=DEC;CONTENT BEGIN\n"
                + lines(f"{i} : {v};" for i, v in enumerate(LARGE)) + "END;"),
        ("dec", lines(f"{v:.18e}" for v in LARGE)),
        ("csv", "\n".join(",".join(map(str, LARGE[i : i + 4])) for i in (0, 4))),
        ("c", "int acc[] = {" + ", ".join(map(str, LARGE)).replace("-2147483648", "INT32_MIN")
              + "};"),
        ("c", "int acc[] = {" + ", ".join(map(str, LARGE)).replace(
            "-2147483648", "(-2147483647-1)") + "};"),
    ],
)  # fmt: skip
def test_accumulators(name, text):
    """Words of 32 bits, the extremes among them."""
    assert numbers(read(name, WIDE, text)) == LARGE


def test_a_prefix_and_an_unknown_digit():
    """0x12 of 16 bits: two digits with a prefix, or a nibble x. Only other words tell."""
    file = WordFile("outputs_x", "x", 16, 1, 3, "int16", (3,), signed=True)
    assert numbers(read("hex", file, "0x12 0x1 0x1234")) == [0x12, 1, 0x1234]
    for text in ("0x12 0x13 0x14", "0012 0x13 0014", "0x12 1234 0x14"):
        with pytest.raises(VectorError, match="'0x1[23]' is undefined"):
            read("hex", file, text)


@pytest.mark.parametrize(("radix", "bits"), [(8, 8), (8, 16), (8, 32), (8, 64)])
def test_signed_words_whose_digits_have_more_bits(radix, bits):
    """Of 8 bits, three octal digits have 9: 777 is -1, 600 is -128, 577 and 477 are no word."""
    step, width = 3, -(-bits // 3)
    room = step * width
    half = 1 << bits - 1
    edges = {-1, -half, 1 - half, half - 1, 0}
    for value in range(1 << room) if bits == 8 else {
        (v + d) % (1 << room) for v in (*edges, half, 2 * half, -2 * half) for d in (-1, 0, 1)
    }:  # fmt: skip
        token, extended = f"{value:0{width}o}".encode(), value - (1 << room)
        if value < 1 << bits or extended >= -half:
            words = Digits(bits, radix, signed=True).words([token], int)
            assert int.from_bytes(words.tobytes(), "little") == value % (1 << bits)
        else:
            with pytest.raises(InvalidTokenError, match=f"more than {bits} bits"):
                Digits(bits, radix, signed=True).words([token], int)


def test_words_that_are_no_signed_value_are_filled_with_zeros():
    """Of several lanes: more digits than the word has are zeros, never copies of its top bit."""
    file = WordFile("outputs_x", "x", 36, 1, 2, "int8", (2,))
    assert numbers(read("hex", file, "0000000fffffffff 0000000000000001")) == [2**36 - 1, 1]
    for text in ("fffffffffffffff 0", "1000000000 0"):
        with pytest.raises(VectorError, match="line 1: .* has more than 36 bits"):
            read("hex", file, text)


def test_a_huge_memory_costs_nothing():
    """A MIF of 2^60 words, filled as a whole, is as quick to read as its own words are."""
    text = FILLED.replace("DEPTH = 256", f"DEPTH = {2**60}").replace("[0..FF]", f"[0..{2**59:x}]")
    assert numbers(read("mif", BYTES, text)) == VALUES
    with pytest.raises(VectorError, match="DEPTH 9{20} instead of 8|DEPTH"):
        read("mif", BYTES, FILLED.replace("DEPTH = 256", "DEPTH = " + "9" * 5000))


@pytest.mark.parametrize(
    "lanes",
    [
        Lanes(4, 8, True),
        Lanes(4, 8, True, True),
        Lanes(2, 16, True, False, True),
        Lanes(1, 8, False),
    ],
)
@pytest.mark.parametrize("name", ["dec", "csv"])
def test_numbers_of_words_with_lanes(name, lanes):
    """In the order of the layout, by plain loops; a line is a word or an image."""
    file = WordFile("outputs_x", "x", 36, 2, 3, "int8", (2, 3), lanes=lanes, comments="none")
    rng = Random(3)
    half = 1 << lanes.bits - 1
    shift = half if lanes.signed else 0
    rows = [[rng.randrange(2 * half) - shift for _ in range(lanes.count)] for _ in range(6)]
    words = []
    for row in rows:
        order = row[::-1] if lanes.high_first else row
        octets = b"".join(
            (v % (2 * half)).to_bytes(lanes.bits // 8, "big" if lanes.big_endian else "little")
            for v in order
        )
        words.append(np.frombuffer(octets.ljust(5, b"\0"), np.uint8))
    form, words = FORMATS[name], np.array(words)
    text = (form.head(file) + form.body(file, words, 0) + form.tail(file)).decode()
    wanted = [" ".join(map(str, row)) for row in rows]
    if name == "csv":
        wanted = [",".join(",".join(map(str, r)) for r in rows[i : i + 3]) for i in (0, 3)]
    assert text.splitlines() == wanted
    assert np.array_equal(read(name, file, text), words)
    with pytest.raises(VectorError, match="numbers|words"):
        read(name, file, text.rstrip()[: text.rstrip().rfind("," if name == "csv" else "\n")])


CHANGES = {
    "CRLF": lambda t: t.replace(b"\n", b"\r\n"),
    "UTF-8 mark": lambda t: b"\xef\xbb\xbf" + t,
    "no last line feed": lambda t: t.rstrip(b"\n"),
    "trailing blanks": lambda t: t.replace(b"\n", b" \t\n"),
    "blank lines": lambda t: b"\n\n" + t.replace(b"\n", b"\n\n"),
    "tabs ahead": lambda t: b"\n".join(b"\t" * bool(r) + r for r in t.split(b"\n")),
    "all at once": lambda t: b"\xef\xbb\xbf" + t.replace(b"\n", b"\t\r\n").rstrip(),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", [n for n, form in FORMATS.items() if form.lines])
def test_line_ends_and_blanks_say_nothing(name, change):
    """Every text format, every width, gaps and comments."""
    form = FORMATS[name]
    for bits in (8, 18, 32, 72, 128):
        for gap, comments in ((0, "none"), (0, "head"), (5, "images")):
            file = word_file(form, bits, gap, comments=comments)
            words = some_words(file, bits)
            data = CHANGES[change](written(form, file, words))
            assert np.array_equal(read(name, file, data), words), (bits, gap, comments)
            assert len(data) <= form.max_bytes(file)


@pytest.mark.parametrize("name", [n for n, form in FORMATS.items() if form.lines])
def test_wide_characters_are_named(name):
    """What a redirect of some shells writes."""
    file = word_file(FORMATS[name], 8)
    text = written(FORMATS[name], file, some_words(file)).decode()
    for data in (text.encode("utf-16"), b"\xfe\xff" + text.encode("utf-16-be")):
        with pytest.raises(VectorError, match="dump: in UTF-16; save it as ASCII or UTF-8"):
            read(name, file, data)


@pytest.mark.parametrize("name", STYLES)
def test_random_styles(name, full):
    """Any mixture of what tools do gives the values; any damage is refused, or as many words."""
    rng = Random(name)
    refused = 0
    for _ in range(3000 if full else 200):
        bits = rng.choice((8, 16, 32))
        count = rng.randrange(4, 20)
        half = 2 ** (bits - 1)
        values = [rng.choice((0, -1, half - 1, -half, rng.randrange(-half, half)))
                  for _ in range(count)]  # fmt: skip
        file = WordFile("x", "x", bits, 1, count, f"int{bits}", (count,), signed=True)
        text = file_of(rng, name, bits, values)
        assert numbers(read(name, file, text)) == values, text
        data = bytearray(text.encode())
        at = rng.randrange(len(data))
        if rng.random() < 0.5:
            data[at] = rng.choice(b"0123456789abcdefxzXZ@:;,-/*%{}\n .\x00\xff#")
        else:
            del data[at : at + rng.randrange(1, 6)]
        try:
            assert len(read(name, file, bytes(data))) == count
        except IntgoldError as error:
            refused += 1
            assert "\n" not in str(error) and "dump" in str(error)
    assert refused > 20
