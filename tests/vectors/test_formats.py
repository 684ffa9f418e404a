"""Formats of memory words: what is written comes back; what is damaged is refused by name."""

import io
import re
from random import Random

import numpy as np
import pytest

from intgold import IntgoldError, VectorError
from intgold.vectors.formats import FORMATS
from word_files import COUNT, RUN, WIDTHS, some_words, word_file, written

VARIANTS = [(g, a, c) for g in (0, 5) for a in (False, True) for c in ("none", "head", "images")]
TEXT = [n for n, form in FORMATS.items() if form.lines]


def read(form, file, data):
    return np.concatenate(list(form.read("dump", file, io.BytesIO(data))))


def widths(name):
    return (8, 16, 32) if name == "npy" else WIDTHS


@pytest.mark.parametrize("name", FORMATS)
def test_words_come_back(name):
    """Every width, with gaps, addresses and comments, in parts; none is longer than its limit."""
    form = FORMATS[name]
    for bits in widths(name):
        for variant in VARIANTS:
            file = word_file(form, bits, *variant)
            words = some_words(file, bits)
            data = written(form, file, words)
            assert np.array_equal(read(form, file, data), words), (bits, variant)
            assert len(data) <= form.max_bytes(file)


def plain_value(name, line):
    """The word of a line by itself, with Python's own integers."""
    text = line.split(":")[-1].strip(" ;,")
    if name == "dec":
        return int(text)
    if name == "c":
        return int(text.replace("(-2147483647 - 1)", "-2147483648").rstrip("ul"), 0)
    return int(text, {"memb": 2, "coe2": 2, "coe10": 10}.get(name, 16))


@pytest.mark.parametrize("name", FORMATS)
def test_the_place_of_each_word(name):
    """Line or byte to word and back; the line holds the value, read by other means."""
    form = FORMATS[name]
    for bits in widths(name):
        for variant in VARIANTS:
            file = word_file(form, bits, *variant)
            words = some_words(file, bits)
            data = written(form, file, words)
            lines = data.split(b"\n")
            for i, word in enumerate(words):
                place = form.line_or_offset(file, i)
                if name == "ihex":  # several words a line, or a word in several
                    record = bytes.fromhex(lines[place - 1][9:-2].decode())
                    found = form.words_at(file, place)
                    assert i in found and record in b"".join(words[n].tobytes() for n in found)
                    assert (len(found) - 2) * file.word_bytes < len(record)
                    continue
                run = range(i - i % RUN, i - i % RUN + RUN) if name == "csv" else range(i, i + 1)
                assert form.words_at(file, place) == run
                value = int.from_bytes(word.tobytes(), "little")
                if not form.lines:
                    octets = data[place : place + file.word_bytes]
                    assert value == int.from_bytes(octets, "big" if name == "bin_be" else "little")
                elif name != "c" or bits <= 64:
                    line = lines[place - 1].decode()
                    if name == "csv":
                        line = line.split(",")[i % RUN]
                    found = plain_value("dec" if name == "csv" else name, line)
                    assert found % 2**bits == value, (bits, variant, i)
            assert not form.words_at(file, form.line_or_offset(file, 27) + 10**9)


def test_intel_hex_by_plain_arithmetic():
    """Types, checksums and addresses of every record, as the format's own rule has them."""
    form = FORMATS["ihex"]
    file = word_file(form, 128, 5, base=0x1FFC0)  # crosses 64 KiB
    words = some_words(file)
    memory, upper = {}, 0
    lines = written(form, file, words).split()
    for line in lines:
        octets = bytes.fromhex(line[1:].decode())
        assert line[:1] == b":" and octets[0] == len(octets) - 5 and sum(octets) % 256 == 0
        if octets[3] == 4:
            upper = int.from_bytes(octets[4:6], "big") << 16
        elif octets[3] == 0:
            at = upper + int.from_bytes(octets[1:3], "big")
            assert at // 2**16 == (at + octets[0] - 1) // 2**16
            memory |= {at + i: b for i, b in enumerate(octets[4:-1])}
    assert lines[-1] == b":00000001FF" and sum(line[7:9] == b"04" for line in lines) == 2
    for i, word in enumerate(words):
        at = 0x1FFC0 + 16 * (3 + i // RUN * (RUN + 5) + i % RUN)
        assert bytes(memory.pop(at + k) for k in range(16)) == word.tobytes()
    assert not memory
    with pytest.raises(VectorError, match="below 2"):
        form.head(word_file(form, 128, base=2**32 - 64))


HEX = word_file(None, 8)
LINES = written(FORMATS["hex"], HEX, some_words(HEX)).decode().splitlines()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: [*t[:9], "zz", *t[10:]], r"line 10: word 8: 'zz' is undefined"),
        (lambda t: [*t[:9], "x1", *t[10:]], r"line 10: word 8: 'x1' is undefined"),
        (lambda t: [*t[:9], "qq", *t[10:]], r"line 10: 'qq' is no hex word"),
        (
            lambda t: [*t[:9], "1", *t[10:]],
            "line 10: '1' has 1 hex digits, words before it are filled up with zeros to 2",
        ),
        (
            lambda t: [*t[:9], "123", *t[10:]],
            "line 10: '123' has more than 8 bits, those above not copies of its sign",
        ),
        (lambda t: [*t[:9], "0x12", *t[10:]], "line 10: '0x12' has a prefix, not every word has"),
        (lambda t: t[:-1], "27 words instead of 28"),
        (lambda t: [*t, "00"], "more words than 28"),
        (lambda t: [], "0 words instead of 28"),
        (lambda t: [t[0], "/* open", *t[1:]], "line 2: a comment without its end"),
        (lambda t: [t[0], "@zz", *t[1:]], "line 2: '@zz' is no address"),
        (lambda t: [t[0], "@2", *t[1:]], "line 3: address 0x2"),
        (lambda t: [t[0], "@3", *t[1:], "@4", "00"], "given twice"),
        (lambda t: [t[0], "@3", *t[1:9], "@c", *t[9:]], "not of this file|missing"),
        (lambda t: [*t, "\u00e9"], "not ASCII"),
    ],
)
def test_hex_that_is_none_is_named(change, message):
    data = "".join(f"{line}\n" for line in change(LINES)).encode()
    with pytest.raises(VectorError, match=message):
        read(FORMATS["hex"], HEX, data)


def test_what_simulators_write_is_read():
    """Upper case, underscores, several words a line, comments of both kinds, jumps of addresses."""
    words = some_words(HEX)
    digits = [f"{w[0]:02X}" for w in words]
    texts = [
        " ".join(digits),
        "\n".join(f"{d[0]}_{d[1]} // 0x{i:08x}" for i, d in enumerate(digits)),
        "/* a\n b */ " + "\r\n".join(digits),
        "@3 " + " ".join(digits),
        "@0000000A " + " ".join(digits[7:]) + "\n@3\n" + "\n".join(digits[:7]),
        "".join(f"@{3 + i:x} {d}\n" for i, d in reversed([*enumerate(digits)])),
    ]
    for text in texts:
        assert np.array_equal(read(FORMATS["hex"], HEX, text.encode()), words), text[:40]


def test_a_mif_by_other_hands():
    """Radixes, ranges, several words an address, comments."""
    words = np.arange(28, dtype=np.uint8).reshape(28, 1) % 5
    words[20:] = 7
    text = (
        "% a comment % width = 8; depth=64;\naddress_radix=UNS; data_radix=BIN;\n"
        "content begin\n 3 : " + " ".join(f"{v[0]:b}" for v in words[:20])
        + "; -- some\n[23..30] : 111;\nend;\n"
    )  # fmt: skip
    assert np.array_equal(read(FORMATS["mif"], HEX, text.encode()), words)
    for old, new, message in (
        ("width = 8", "width = 9", "WIDTH 9"), ("depth=64", "depth=9", "DEPTH 9"),
        ("UNS", "ROMAN", "ROMAN"), ("111", "112", "line 5: '112' is no binary word"),
        ("end;", "", "no END"), ("depth=64", "depth=30", "DEPTH 30"),
        ("[23..30]", "[22..30]", "twice"),
            ("[23..30]", "[24..30]", "word 20: missing, at address 0x17"),
        ("[23..30]", "[23..64]", r"line 5: .*beyond DEPTH 64"),
    ):  # fmt: skip
        with pytest.raises(VectorError, match=message):
            read(FORMATS["mif"], HEX, text.replace(old, new).encode())


@pytest.mark.parametrize("name", FORMATS)
def test_truncated_and_foreign_files_are_refused(name):
    """Cut anywhere before the last word, or of another kind: one line that names the file."""
    form = FORMATS[name]
    file = word_file(form, 8)
    data = written(form, file, some_words(file))
    last = form.line_or_offset(file, 27)
    cut = last if not form.lines else len(b"\n".join(data.split(b"\n")[: last - 1]))
    others = [written(FORMATS[n], word_file(None, 8), some_words(file)) for n in FORMATS]
    kin = [{"hex", "mem"}, {"bin", "bin_be"}, {"coe", "coe2", "coe10"}, {"dec", "csv"}]
    alike = next((names for names in kin if name in names), {name})  # they read each other's
    bad = [data[:k] for k in range(0, cut, 7)] + [b"", b"\x00" * 9, b"\xff\xfe", b"<html>\n"]
    bad += [o for n, o in zip(FORMATS, others, strict=True) if n not in alike]
    for wrong in bad:
        with pytest.raises(IntgoldError, match="dump") as caught:
            read(form, file, wrong)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_random_damage(name, full):
    """Any damage: refused in one line, or as many words as there are."""
    form, rng = FORMATS[name], Random(name)
    refused = 0
    for _ in range(3000 if full else 300):
        bits = rng.choice(widths(name))
        file = word_file(form, bits, *rng.choice(VARIANTS))
        data = bytearray(written(form, file, some_words(file)))
        at = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[at : at + rng.randrange(1, 20)]
        elif kind == 2:
            data[at:at] = bytes(rng.choice(b"0123456789abcdefxzXZ@:;,-/*%{}\n \x00\xff")
                                for _ in range(rng.randrange(1, 9)))  # fmt: skip
        else:
            data[at:at] = data[at : at + 30]
        try:
            assert len(read(form, file, bytes(data))) == COUNT * RUN
        except IntgoldError as error:
            refused += 1
            assert "\n" not in str(error) and re.search("dump", str(error))
    assert refused > 50


def test_the_end_of_a_piece_is_no_end_of_a_header():
    """A reader takes a megabyte at a time; a header may end anywhere near."""
    form = FORMATS["c"]
    file = word_file(form, 8)
    words = some_words(file)
    data = written(form, file, words)
    for size in range(2**20 - 4, 2**20 + 12):
        longer = b"\n" * (size - len(data)) + data
        assert np.array_equal(read(form, file, longer), words), size


def test_a_comment_with_a_semicolon():
    """Of a MIF file: to the end of its line, wherever a piece ends."""
    form = FORMATS["mif"]
    file = word_file(form, 8)
    words = some_words(file)
    data = written(form, file, words)
    for end in (b"-- done; bye", b"-- done; bye\n", b"% a; b %\n-- c;d\n"):
        assert np.array_equal(read(form, file, data + end), words)
