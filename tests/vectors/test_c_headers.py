"""Arrays in C that others write: what is read is what a compiler makes of them, or an error."""

import io
import subprocess
from math import prod
from random import Random

import numpy as np
import pytest

import tools
from intgold import VectorError
from intgold.vectors.formats import FORMATS
from intgold.vectors.formats.word_file import WordFile
from intgold.vectors.sets.generate import write_set
from intgold.verify import verify
from small_sets import network


def read(text, count, bits=8):
    """The words of an array, where `count` of them are wanted."""
    file = WordFile("x", "x", bits, 1, count, "int8", (1, count), signed=bits == 8)
    return np.concatenate([*FORMATS["c"].read("x.h", file, io.BytesIO(text.encode()))])


def listed(*counts):
    """Rows in braces, of as many ones as `counts` says."""
    return "{" + ",\n".join("{" + ", ".join("1" * n) + "}" for n in counts) + "}"


ROW = "a row of {} elements instead of {}"
REFUSED = {
    "three rows": ("x[3][32]", listed(32, 8, 24), 64,
        "line 3: " + ROW.format(8, 32) + "; C fills what lacks with 0"),
    "by an open extent": ("x[][32]", listed(8, 24, 32), 64, "line 2: " + ROW.format(8, 32)),
    "no extent is a number": ("x[A][B]", listed(3, 3, 2), 8, "line 4: " + ROW.format(2, 3)),
    "all too short": ("x[2][4]", listed(3, 3), 6, ROW.format(3, 4)),
    "a row is missing": ("x[4][2]", listed(2, 2, 2), 6, "6 elements, but 8 are declared"),
    "too many rows": ("x[2][2]", listed(2, 2, 2), 6, "6 elements, but 4 are declared"),
    "a flat list": ("x[3][4]", "{1,2,3,4,5,6,7,8}", 8, "8 elements, but 12 are declared"),
    "a flat list of open rows": ("x[][4]", "{1,2,3,4,5,6}", 6, "6 elements are no rows of 4"),
    "one dimension": ("x[9]", "{1,2,3}", 3, "3 elements, but 9 are declared"),
    "a macro": ("x[N]", "{1,2,3}", 3, "3 elements, but 9 are declared"),
    "rows and values": ("x[2][2]", "{{1,2},3,4}", 4, "an element in 0 inner braces, others in 1"),
    "values and rows": ("x[2][2]", "{1,2,{3,4}}", 4, "an element in 1 inner braces, others in 0"),
    "deep": ("x[2][1][2]", "{{{1,2}},{{3}}}", 3, ROW.format(1, 2)),
    "not closed": ("x[2][2]", "{{1,2},{3,4}", 4, "'{' without '}'"),
    "closed twice": ("x[4]", "{1,2},3,4}", 4, "'}' without '{'"),
    "braces between": ("x[2]", "{1}{2}", 2, "is no word"),
    "closed before": ("x[2]", "{}1,{2}", 2, "is no word"),
    "many dimensions": ("x" + "[1]" * 99, "{1}", 1, "an array of 99 dimensions"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_elements_that_are_not_given_are_missed(case):
    """Rows of unequal length, fewer elements than declared, braces of no array: one line."""
    array, values, count, message = REFUSED[case]
    with pytest.raises(VectorError) as caught:
        read(f"#define N (9)\nconst int8_t {array} = {values};", count)
    said = str(caught.value)
    assert message in said and "\n" not in said, said


@pytest.mark.parametrize("declared", ["[3][9]", "[ROWS][9]", "[][9]", "[0x3u][9u]"])
def test_words_of_many_bytes(declared):
    """Each is a row of bytes; as many rows as are declared must be there."""
    row = "{" + "0x1u," * 9 + "}"
    text = "#define ROWS 3\nstatic const uint8_t x{} = {{{}}};"
    assert read(text.format(declared, ",".join([row] * 3)), 3, 72).shape == (3, 9)
    if declared == "[][9]":
        assert read(text.format(declared, ",".join([row] * 2)), 2, 72).shape == (2, 9)
    else:
        with pytest.raises(VectorError, match="18 elements, but 27 are declared"):
            read(text.format(declared, ",".join([row] * 2)), 2, 72)


def test_a_dump_of_ragged_rows_is_not_equal(tmp_path):
    """All right values, in rows that C would fill up: no verdict, but an error with the line."""
    write_set(network(), tmp_path / "set", count=2, formats=["npy"])
    (source,) = (tmp_path / "set" / "outputs").glob("pool1.npy")
    values = np.load(source).reshape(2, -1)
    (tmp_path / "dut" / "outputs").mkdir(parents=True)
    header, run = tmp_path / "dut" / "outputs" / "pool1.h", values.shape[1]
    flat = [str(v) for v in values.ravel().tolist()]
    for cut, right in ((run, True), (run - 3, False)):
        rows = ",\n".join("{" + ",".join(part) + "}" for part in (flat[:cut], flat[cut:]))
        header.write_text(f"const int8_t x[2][{run}] = {{{rows}}};\n")
        if right:
            assert verify(tmp_path / "set", tmp_path / "dut", partial=True).equal
        else:
            with pytest.raises(VectorError, match=f"line 1: a row of {cut} elements instead of "):
                verify(tmp_path / "set", tmp_path / "dut", partial=True)


class Initialiser:
    """A random array in C, whole or with elements dropped or moved into other rows."""

    def __init__(self, rng, number):
        self.rng, self.given = rng, 0
        extents = [rng.randint(1, 4) for _ in range(rng.randint(1, 3))]
        self.whole = rng.random() < 0.5
        self.rows = rng.randint(0, len(extents))  # levels of braces inside the outer ones
        self.macros = ""
        values = self._text(extents, 0)
        shown = [self._shown(e, f"A{number}_{i}") for i, e in enumerate(extents)]
        if rng.random() < 0.3:
            shown[0] = ""
        brackets = "".join(f"[{e}]" for e in shown)
        self.text = f"{self.macros}signed char a{number}{brackets} = {values};\n"

    def _shown(self, extent, name):
        kind = self.rng.randrange(5)
        if kind < 2:
            self.macros += f"#define {name} {('(%d)', '%du')[kind] % extent}\n"
            return name
        return (str(extent), hex(extent), f" {extent}U ")[kind - 2]

    def _text(self, extents, depth):
        if depth < self.rows:
            parts = [self._text(extents[1:], depth + 1) for _ in range(self._count(extents[0]))]
        else:
            parts = [self._value() for _ in range(self._count(prod(extents)))]
        return "{" + ", ".join(parts) + "}"

    def _count(self, count):
        if self.whole or self.rng.random() < 0.7:
            return count
        return max(1, count + self.rng.choice((-2, -1, 1)))

    def _value(self):
        self.given += 1
        return str(self.rng.choice((-1, 1)) * self.rng.randint(1, 127))


def compiled(arrays, folder):
    """The bytes of arrays, as a C compiler makes them."""
    names = [f"a{i}" for i in range(len(arrays))]
    show = "\n".join(f"show((signed char *){n}, sizeof {n});" for n in names)
    (folder / "a.c").write_text(
        "#include <stdio.h>\n" + "".join(a.text for a in arrays)
        + "static void show(signed char *x, unsigned long n)\n"
        '{ while (n--) printf("%d ", *x++); puts(""); }\n'
        f"int main(void) {{ {show} return 0; }}\n"
    )  # fmt: skip
    tools.need("gcc")
    subprocess.run(["gcc", "-w", "a.c", "-o", "a"], cwd=folder, check=True)
    ran = subprocess.run([folder / "a"], capture_output=True, text=True, check=True)
    return [[int(v) for v in line.split()] for line in ran.stdout.splitlines()]


def test_what_is_read_is_what_a_compiler_makes(tmp_path):
    """Of random arrays, whole ones are taken; no other bytes than the compiler's ever are."""
    rng, taken, refused = Random(5), 0, 0
    arrays = [Initialiser(rng, i) for i in range(600)]
    for array, made in zip(arrays, compiled(arrays, tmp_path), strict=True):
        try:
            words = read(array.text, array.given)
        except VectorError as error:
            assert not array.whole, f"{array.text}: {error}"
            refused += 1
            continue
        assert words.view(np.int8).ravel().tolist() == made, array.text
        taken += 1
    assert taken > 300 and refused > 100
