"""Lines for a testbench: what is read back, and that each line by itself gives its results."""

import itertools
import re
from fractions import Fraction

import numpy as np
import pytest

import slow_oracle
from intgold import InputError, VectorError
from intgold.ops.fields import FORMS, INT32_MAX, INT32_MIN, INTEGER_FORMS
from intgold.ops.table import OPS
from intgold.vectors.cases.op_corners import Case, corner_cases, random_case
from intgold.vectors.cases.random_models import random_model
from intgold.vectors.op_vectors.lines import BITS, op_lines, read_op_lines
from intgold.vectors.op_vectors.requantize import (
    COLUMNS,
    RequantizeLine,
    read_requantize_lines,
    requantize_lines,
)

AVG_FORMS = ("raw_away", "centred_away", "raw_up")
SOFTMAX_FORMS = ("rounded", "half_added")
LOG_SOFTMAX_FORMS = ("signed", "unsigned")


def all_cases(op):
    return [*corner_cases(op), *(random_case(op, seed) for seed in range(3))]


def rounded(acc, v, suffix=""):
    """R(acc) of the entry whose parts are on the line or among the constants."""
    parts = (v[n + suffix] for n in ("multiplier", "right_shift", "multiplier_low"))
    return slow_oracle.scale(acc, FORMS[v["form" + suffix]], *parts)


def output(acc, v):
    """SPEC 4.3, or the accumulator itself where a line has no requantize."""
    if "form" not in v:
        return acc
    return slow_oracle.clamp(v["y_zero_point"] + rounded(acc, v), v["act_min"], v["act_max"])


# For each op (acc or None, y) of the values of a line and the constants, in plain integers.


def weighted(v):
    pairs = zip(v["x"], v["weights"], strict=True)
    products = [(w - v["weight_zero_point"]) * (x - v["x_zero_point"]) for x, w in pairs]
    acc = v["bias"] + sum(products)
    return acc, output(acc, v)


def lut(v):
    return None, v["table"][v["x"] + 128]


def pwl(v):
    k = sum(b <= v["x"] for b in v["breakpoints"]) - 1
    acc = v["slope"][k] * v["x"] + v["offset"][k]
    return acc, slow_oracle.clamp(slow_oracle.up(acc, v["frac_bits"]), v["act_min"], v["act_max"])


def max_pool2d(v):
    assert not any(v["x"][v["valid"] :])
    return None, slow_oracle.clamp(max(v["x"][: v["valid"]]), v["act_min"], v["act_max"])


def avg_pool2d(v):
    cells, form = v["x"][: v["valid"]], AVG_FORMS[v["form_of_op"]]
    centred = form == "centred_away"
    acc = sum(cells) - (v["x_zero_point"] * len(cells) if centred else 0)
    divide = slow_oracle.divide_up if form == "raw_up" else slow_oracle.divide_away
    mean = divide(acc, len(cells)) + (v["y_zero_point"] if centred else 0)
    return acc, slow_oracle.clamp(mean, v["act_min"], v["act_max"])


def global_avg_pool(v):
    acc = sum(x - v["x_zero_point"] for x in v["x"])
    return acc, output(acc, v)


def add(v):
    u = [
        rounded((v[f"x{i}"] - v[f"x{i}_zero_point"]) << v["left_shift"], v, str(i)) for i in (1, 2)
    ]
    acc = sum(u) if v["form_of_op"] == 0 else (u[0] - u[1]) ** v["form_of_op"]
    return acc, output(acc, v)


def mul(v):
    acc = (v["x1"] - v["x1_zero_point"]) * (v["x2"] - v["x2_zero_point"])
    return acc, output(acc, v)


def softmax(v):
    return None, slow_oracle.softmax(v["x"], multiplier=v["multiplier"], left_shift=v["left_shift"])


def log_softmax(v):
    fields = {n: v[n] for n in ("multiplier", "left_shift")}
    return None, slow_oracle.log_softmax(v["x"], **fields)


def log_softmax_float32(v):
    fields = {"form": LOG_SOFTMAX_FORMS[v["form_of_op"]], "scale_bits": v["scale_bits"]}
    return None, slow_oracle.log_softmax_float32(v["x"], **fields, table=v["table"])


def softmax_float32(v):
    form = SOFTMAX_FORMS[v["form_of_op"]]
    return None, slow_oracle.softmax_float32(v["x"], form=form, table=v["table"])


def rescale(v):
    return None, slow_oracle.sat(rounded(v["x"], v))


def argmax(v):
    return None, v["x"].index(max(v["x"]))


def concat(v):
    """The input and the place in it follow from the place in y."""
    axis, origin = v["axis"], list(v["at"])
    second = origin[axis] >= v["x1_extent"]
    origin[axis] -= v["x1_extent"] * second
    assert (v["input"], v["input_at"]) == (1 + second, origin)
    return None, v["x"]


def pad(v):
    """Whether a value is of x, and its place there, follow from the place in y."""
    origin = [i - b for i, b in zip(v["at"], v["before"], strict=False)]
    if not v["inside"]:
        assert v["x"] == 0 and v["input_at"] == [0] * len(origin)
        return None, v["value"]
    assert v["input_at"] == origin
    return None, v["x"]


def reshape(v):
    return None, v["x"]


def strided_copy(v):
    """The address follows from the number of the value."""
    rest, address = v["n"], v["offset"]
    for count, stride in zip(reversed(v["counts"]), reversed(v["strides"]), strict=True):
        address += rest % count * stride
        rest //= count
    assert (rest, address) == (0, v["address"])
    return None, v["x"]


def gather(v):
    """The place in x follows from the place in y."""
    origin = list(v["at"])
    origin[v["axis"]] = v["indices"][origin[v["axis"]]]
    assert origin == v["input_at"]
    return None, v["x"]


def resize_bilinear(v):
    one, w, u = 2 ** v["frac_bits"], v["row_weight"], v["column_weight"]
    a, b, c, d = v["x"]
    acc = (one - w) * ((one - u) * a + u * b) + w * ((one - u) * c + u * d)
    rounded = (slow_oracle.up, slow_oracle.away)[v["form_of_op"]]
    return acc, rounded(acc, 2 * v["frac_bits"])


def maximum(v):
    return None, max(v["x1"], v["x2"])


def minimum(v):
    return None, min(v["x1"], v["x2"])


def lut2d(v):
    return None, v["table"][256 * (v["x1"] + 128) + v["x2"] + 128]


def matmul(v):
    centred = [[x - v[f"{n}_zero_point"] for x in v[n]] for n in ("x1", "x2")]
    acc = v["bias"] + sum(a * b for a, b in zip(*centred, strict=True))
    return acc, output(acc, v)


FORMULAS = {
    "conv2d": weighted,
    "depthwise_conv2d": weighted,
    "fully_connected": weighted,
    "lut": lut,
    "pwl": pwl,
    "max_pool2d": max_pool2d,
    "avg_pool2d": avg_pool2d,
    "global_avg_pool": global_avg_pool,
    "add": add,
    "softmax": softmax,
    "rescale": rescale,
    "argmax": argmax,
    "mul": mul,
    "concat": concat,
    "pad": pad,
    "reshape": reshape,
    "softmax_float32": softmax_float32,
    "strided_copy": strided_copy,
    "gather": gather,
    "transpose_conv2d": weighted,
    "resize_bilinear": resize_bilinear,
    "maximum": maximum,
    "minimum": minimum,
    "lut2d": lut2d,
    "matmul": matmul,
    "log_softmax": log_softmax,
    "log_softmax_float32": log_softmax_float32,
}


@pytest.mark.parametrize("op", list(OPS))
def test_a_line_gives_its_own_results(op):
    """acc and y of every line follow from only its words and the constants."""
    for case in all_cases(op):
        (block,) = read_op_lines("\n".join(op_lines(case)))
        assert (block.op, block.case, block.reason) == (op, case.name, case.reason)
        for row in block.rows:
            acc, y = FORMULAS[op](block.constants | row)
            assert (row.get("acc"), row["y"]) == (acc, y), f"{case.name}: {row}"
            assert ("acc" in row) == OPS[op].accumulator


@pytest.mark.parametrize("op", list(OPS))
def test_lines_are_the_run_in_order(op):
    """One line per output value (a softmax: per row), in C order, equal to what C computes."""
    for case in all_cases(op):
        (block,) = read_op_lines("\n".join(op_lines(case)))
        run = case.model.run(case.x, backend="c", trace=True)
        name = case.model.ops[0].output
        parts = {"y": run.tensors[name]} | ({"acc": run.accumulators[name]}
                                            if name in run.accumulators else {})  # fmt: skip
        for part, want in parts.items():
            assert np.array_equal(np.array([r[part] for r in block.rows]).ravel(), want.ravel())
        if op in ("lut", "pwl", "rescale", "softmax", "argmax", "softmax_float32",
                  "log_softmax", "log_softmax_float32"):  # fmt: skip
            x = case.x[case.model.inputs[0]]
            assert np.array_equal(np.array([r["x"] for r in block.rows]).ravel(), x.ravel())


@pytest.mark.parametrize("op", ["conv2d", "depthwise_conv2d"])
def test_padded_taps_are_the_zero_point(op):
    """A window of only padding holds the zero point of the input in every tap."""
    case = next(c for c in corner_cases(op) if c.name == "hot_pixels")
    (block,) = read_op_lines("\n".join(op_lines(case)))
    assert {len(row["x"]) for row in block.rows} == {15}
    first = block.rows[0]  # output (0, 0) under padding 1 above and 3 to the left
    assert first["x"] == [7] * 5 + [7, 7, 7, 8, 7] + [7] * 5


def test_words_are_fixed_in_width():
    """Every word has the digits of its column's dtype; every line of a case is equally long."""
    for op in OPS:
        for case in all_cases(op):
            lines = list(op_lines(case))
            assert not any("\n" in line for line in lines)
            (block,) = read_op_lines("\n".join(lines))
            widths = [BITS[c.dtype] // 4 for c in block.columns for _ in range(c.words)]
            values = [line for line in lines if not line.startswith("//")]
            assert len({len(line) for line in values}) == 1
            assert [len(word) for word in values[0].split(" ")] == widths
            assert all(re.fullmatch("[0-9a-f ]+", line) for line in values)


def test_cases_follow_each_other():
    """Several cases in one text come back as several blocks."""
    cases = list(corner_cases("lut"))
    blocks = read_op_lines("\n".join(line for case in cases for line in op_lines(case)))
    assert [b.case for b in blocks] == [c.name for c in cases]


def test_a_model_of_two_ops_has_no_lines():
    model = next(m for m in map(random_model, range(99)) if len(m.ops) > 1)
    with pytest.raises(InputError, match=f"a model of {len(model.ops)} ops instead of one"):
        next(op_lines(Case("two", "two ops", model, {})))


LUT = "\n".join(op_lines(next(corner_cases("lut"))))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\n80 80\n", "\n80 80 80\n", r"line 5: 3 words instead of 2"),
        ("\n80 80\n", "\n80\n", r"line 5: 1 words instead of 2"),
        ("\n80 80\n", "\n80 xx\n", r"line 5: 'xx' is not int8 in hexadecimal"),
        ("\n80 80\n", "\n80 080\n", r"line 5: '080' is not int8"),
        ("\n80 80\n", "\n80 -1\n", r"line 5: '-1' is not int8"),
        ("x:int8 ", "x:int9 ", r"line 4: 'x:int9' is not NAME:DTYPE"),
        ("x:int8 ", "x ", r"line 4: 'x' is not NAME:DTYPE"),
        ("x:int8 ", "y:int8 ", r"line 4: a column twice"),
        ("table:int8[256] 80", "table:int8[256]", r"line 3: 255 words instead of 256"),
        ("table:int8[256]", "table:int8[99999999999]", r"line 3: 'table:int8\[9+\]' is not NAME"),
        ("// op lut, case", "// no op", r"line 1: .* before the first case"),
        ("// columns: ", "// no columns: ", r"line 5: 2 words instead of 0"),
        (LUT[LUT.index("\n80 80\n") :], "", r"case identity of lut: no lines"),
        (LUT, "", r"no line"),
        (LUT, "80 80", r"line 1: '80 80' before the first case"),
    ],
)
def test_damaged_op_lines_are_refused(old, new, message):
    """The error names the line and the word."""
    assert LUT.count(old) == 1
    with pytest.raises(VectorError, match=message):
        read_op_lines(LUT.replace(old, new))


# Requantize by itself.

WIDTHS = [(form, bits) for form in INTEGER_FORMS for bits in (1, 4, 8, 31)]
WIDTHS += [("float32", 24), ("float64", 53)]


def multiplier_of(line, form):
    """D, and the bits below right_shift that it has."""
    if form == "float64":
        return line.multiplier * 2**22 + line.multiplier_low, 22
    assert line.multiplier_low == 0
    return line.multiplier, 0


@pytest.mark.parametrize(("form", "bits"), WIDTHS)
def test_requantize_lines(form, bits):
    """R(acc) and y are the third opinion's; multipliers have these bits; all shifts are there."""
    found = read_requantize_lines("\n".join(requantize_lines(form, bits, 300, 7)))
    shifts, groups = set(), {}
    for reason, line in found:
        groups.setdefault(reason, []).append(line)
        d, extra = multiplier_of(line, form)
        unit = 2 ** (31 + extra - bits)
        assert d % unit == 0 and (d == 0 or (d // unit).bit_length() == bits)
        r = slow_oracle.scale(line.acc, form, line.multiplier, line.right_shift,
                              line.multiplier_low)  # fmt: skip
        assert line.r == r
        assert line.act_min <= line.act_max
        assert line.y == slow_oracle.clamp(line.zero_point + r, line.act_min, line.act_max)
        if form.startswith("double"):
            shifted = line.acc * 2 ** max(31 - line.right_shift, 0)
            assert INT32_MIN <= shifted <= INT32_MAX
        if d:
            shifts.add(line.right_shift)
    assert shifts == set(range(1, 63))
    directed = list(groups)[:-1]
    assert len(groups["300 random ones of seed 7"]) == 300 and list(groups)[-1].startswith("300")
    assert len(found) < 40_000 and len(directed) >= 6
    check_groups(groups, form)


def check_groups(groups, form):
    """What the reason of each directed group says, on exact fractions."""
    ends = {line.acc for line in groups["the ends of the accumulator at every right_shift"]}
    assert {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX} <= ends
    for reason, lines in groups.items():
        if "tie" in reason and "right_shift that has" in reason:
            distance = 1 if "above" in reason else -1 if "below" in reason else 0
            kinds = set()
            for line in lines:
                d, extra = multiplier_of(line, form)
                value = Fraction((line.acc - distance) * d, 2 ** (line.right_shift + extra))
                assert value % 1 == Fraction(1, 2)
                kinds.add((value < 0, value.numerator // value.denominator % 2))
            assert kinds == set(itertools.product((True, False), (0, 1)))
        elif reason == "ties of the first rounding":
            for line in lines:
                shifted = line.acc * 2 ** max(31 - line.right_shift, 0)
                assert Fraction(shifted * line.multiplier, 2**31) % 1 == Fraction(1, 2)
        elif reason == "the first rounding produces a tie that was not there":
            for line in lines:
                h = slow_oracle.up(line.acc * line.multiplier, 31)
                assert Fraction(h, 2 ** (line.right_shift - 31)) % 1 == Fraction(1, 2)
                exact = Fraction(line.acc * line.multiplier, 2**line.right_shift)
                assert exact % 1 != Fraction(1, 2)
            assert {line.acc > 0 for line in lines} == {True, False}
        elif reason == "products half-way between two significands":
            bits = 24 if form == "float32" else 53
            for line in lines:
                product = abs(line.acc * multiplier_of(line, form)[0])
                lost = product.bit_length() - bits
                assert product % 2**lost == 2 ** (lost - 1)
            assert lines
        elif reason.startswith("accumulators of 25 bits"):
            moved = [line for line in lines if slow_oracle.sig(line.acc, 24) != line.acc]
            assert {line.acc > 0 for line in moved} == {True, False}
        elif reason.startswith("3 by the nearest"):
            nearest = [
                slow_oracle.up(line.acc * multiplier_of(line, form)[0],
                               line.right_shift + multiplier_of(line, form)[1])
                for line in lines
            ]  # fmt: skip
            assert any(n != line.r for n, line in zip(nearest, lines, strict=True))
        elif reason.startswith("the zero point is added"):
            assert any(line.act_min == line.act_max for line in lines)
            assert {line.zero_point for line in lines} >= {-128, 127, 0}
            beyond = [line.zero_point + line.r for line in lines]
            assert max(beyond) > 127 and min(beyond) < -128


@pytest.mark.parametrize("form", FORMS)
def test_every_width_of_every_form(form):
    """1 to 31 bits; float32 has 24 only and float64 53 only, and the error says so."""
    for bits in range(60):
        legal = bits == {"float32": 24, "float64": 53}.get(form) or (
            form not in ("float32", "float64") and 1 <= bits <= 31
        )
        if legal:
            lines = requantize_lines(form, bits, 2, 0)
            assert next(lines) == f"// requantize, form {form}, multipliers of {bits} bits"
            assert next(lines).startswith("// columns: acc:int32 multiplier:int32 ")
        else:
            with pytest.raises(InputError, match="bits"):
                requantize_lines(form, bits, 2, 0)
    if form.startswith("float"):
        with pytest.raises(InputError, match=f"form {form} has multipliers of (24|53) bits only"):
            requantize_lines(form, 31, 2, 0)


def test_random_lines_are_those_of_their_seed():
    """The same again, a prefix of more, and others for another seed."""
    lines = [
        list(requantize_lines("double", 8, n, s))[-10:] for n, s in ((10, 1), (10, 1), (10, 2))
    ]
    assert lines[0] == lines[1] != lines[2]
    more = list(requantize_lines("double", 8, 5000, 1))[-5000:]
    assert more[:10] == lines[0]
    assert any(-128 < read.y < 127 for _, read in read_requantize_lines(
        "\n".join(["// columns: " + " ".join(map(str, COLUMNS)), *more])))  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("triple", 8, 1, 0), "form: 'triple' is none of single, "),
        (("single", 0, 1, 0), "bits: 0 is not a number from 1 to 31"),
        (("single", 8.0, 1, 0), "bits: 8.0 is not"),
        (("single", True, 1, 0), "bits: True is not"),
        (("single", 8, -1, 0), "count: -1 is not"),
        (("single", 8, 1, -1), "seed: -1 is not"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    """At once, not when the first line is asked for."""
    with pytest.raises(InputError, match=message):
        requantize_lines(*arguments)


def test_a_requantize_line():
    """The words of one line by hand: -6 by a quarter, ties up, zero point 5."""
    text = (
        "// columns: " + " ".join(map(str, COLUMNS)) + "\n// by hand\n"
        "fffffffa 40000000 00000000 20 05 80 7f ffffffffffffffff 04\n"
    )
    line = RequantizeLine(-6, 2**30, 0, 32, 5, -128, 127, -1, 4)
    assert read_requantize_lines(text) == [("by hand", line)]
    assert slow_oracle.scale(-6, "single", 2**30, 32) == -1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no line"),
        ("00 00", "line 1: a line before the columns"),
        ("// columns: acc:int32", "line 1: other columns than acc:int32 multiplier"),
        ("// columns: acc:int32 acc:int32", "line 1: a column twice"),
        ("// columns: " + " ".join(map(str, COLUMNS)) + "\n00 00", "line 2: 2 words instead of 9"),
    ],
)
def test_damaged_requantize_lines_are_refused(text, message):
    """The error names the line."""
    with pytest.raises(VectorError, match=message):
        read_requantize_lines(text)
