"""Requantize in every form: exhaustively at small widths, at every tie, at the ends of int32."""

import itertools
from fractions import Fraction
from random import Random

import numpy as np
import pytest

import slow_oracle
from intgold import ModelError, Requantize, golden, native
from intgold.golden import rounding
from intgold.golden.requantize import scale
from intgold.ops.fields import FORMS, INT32_MAX, INT32_MIN, SINGLE_FORMS

CORNERS = [INT32_MIN, INT32_MIN + 1, -(2**30), -(2**24) - 1, -(2**24), -257, -128, -2, -1, 0]
CORNERS += [1, 2, 127, 128, 255, 2**24, 2**24 + 1, 2**24 + 3, 2**30, INT32_MAX - 1, INT32_MAX]


def wanted(accs, form, m, t, low=0):
    """The third opinion on R(acc), for each value."""
    return np.array([slow_oracle.scale(int(a), form, m, t, low) for a in accs], np.int64)


def check(accs, form, m, t, low=0):
    """Golden and C (saturated by rescale) equal the oracle."""
    by = Requantize.of(m, t, form, low)
    accs = np.asarray(accs, np.int32).reshape(1, -1, 1)
    want = wanted(accs.ravel(), form, m, t, low)
    got = scale(accs, by).ravel()
    assert np.array_equal(want, got), first_difference(accs, want, got, form, m, t, low)
    if form.startswith("double") and t < 31:
        # rescale takes any int32, which the left shift of these forms cannot.
        want, got = np.clip(want, -128, 127), biases(native, accs.ravel(), by)
        assert np.array_equal(biases(golden, accs.ravel(), by), got)
    else:
        got = native.rescale(accs, requantize=by).ravel()
        want = np.clip(want, INT32_MIN, INT32_MAX)
        assert np.array_equal(golden.rescale(accs, requantize=by).ravel(), got)
    assert np.array_equal(want, got), first_difference(accs, want, got, form, m, t, low)


def biases(engine, accs, by, y_zero_point=0, act_min=-128, act_max=127):
    """The int8 result of each accumulator, as the bias of a channel with weight 0."""
    y, acc = engine.fully_connected(
        np.zeros((1, 1), np.int8), x_zero_point=0, weights=np.zeros((len(accs), 1), np.int8),
        weight_zero_point=np.zeros(1, np.int8), bias=accs, requantize=by,
        y_zero_point=y_zero_point, act_min=act_min, act_max=act_max,
    )  # fmt: skip
    assert np.array_equal(acc.ravel(), accs)
    return y.ravel()


def first_difference(accs, want, got, form, m, t, low):
    i = int(np.argmax(want != got))
    return f"{form} m={m} low={low} t={t} acc={accs.ravel()[i]}: {want[i]} expected, {got[i]} got"


def normalised(form, m, t):
    """The same real multiplier in the normal form that `float32` and `float64` need."""
    if form in ("float32", "float64") and m:
        up = 31 - m.bit_length()
        m, t = m << up, t + up
    return m, t


@pytest.mark.parametrize("form", FORMS)
def test_every_small_accumulator_multiplier_and_shift(form, full):
    """All acc of 9 bits, all multipliers of 5 bits, shifts 1 to 9: ties by the thousand."""
    accs = np.arange(-256, 257)
    bits = 7 if full else 5
    for m, t in itertools.product(range(2**bits), range(1, bits + 5)):
        m, t = normalised(form, m, t)
        # The double forms shift left first; multipliers of their own range come below.
        if form.startswith("double"):
            m, t = m << (31 - bits), min(t + 31 - bits, 62)
        check(accs, form, m, t)


def test_ties_tell_all_single_forms_apart():
    """On exact ties of either sign and parity the five single forms differ as their names say."""
    ties = np.array([-5, -3, -1, 1, 3, 5], np.int32).reshape(1, -1, 1)
    results = {f: tuple(scale(ties, Requantize.of(1, 1, f)).ravel().tolist()) for f in SINGLE_FORMS}
    assert len(set(results.values())) == len(SINGLE_FORMS)
    assert results["single"] == (-2, -1, 0, 1, 2, 3)
    assert results["single_away"] == (-3, -2, -1, 1, 2, 3)
    assert results["single_even"] == (-2, -2, 0, 0, 2, 2)
    assert results["single_down"] == (-3, -2, -1, 0, 1, 2)
    assert results["single_zero"] == (-2, -1, 0, 0, 1, 2)


def test_double_forms_differ_from_single_and_from_each_other():
    """Two roundings are not one: found by search, and the C engine shows the same difference."""
    rng = Random(1)
    found = set()
    for _ in range(20_000):
        acc, m, t = rng.randint(-(2**20), 2**20), rng.randrange(2**30, 2**31), rng.randint(33, 40)
        values = {f: slow_oracle.scale(acc, f, m, t) for f in ("single", "double", "double_up")}
        for a, b in itertools.combinations(values, 2):
            if values[a] != values[b] and (a, b) not in found:
                found.add((a, b))
                x = np.array([[[acc]]], np.int32)
                for f in (a, b):
                    got = native.rescale(x, requantize=Requantize.of(m, t, f))
                    assert got.item() == values[f]
            assert abs(values[a] - values[b]) <= 1
    # double and double_up part only on ties of the second rounding below zero.
    acc, m, t = -3, 2**30, 32
    values = [slow_oracle.scale(acc, f, m, t) for f in ("single", "double", "double_up")]
    assert {("single", "double"), ("single", "double_up")} <= found or len(set(values)) > 1
    tie = [slow_oracle.scale(-(2**1), f, 2**30, 32) for f in ("double", "double_up")]
    assert tie == [-1, 0]


@pytest.mark.parametrize("form", FORMS)
def test_random_and_corner_operands(form, full):
    """Ends of int32, both sides of 2^24, all shifts, random and power-of-two multipliers."""
    rng = Random(FORMS.index(form))
    for t in range(1, 63):
        for _ in range(40 if full else 4):
            m = rng.choice([0, 1, 2**30, 2**31 - 1, rng.randrange(2**31), 1 << rng.randrange(31)])
            low = rng.choice([0, 1, 2**21, 2**22 - 1]) if form == "float64" else 0
            if form in ("float32", "float64"):
                m = rng.choice([2**30, 2**31 - 128, rng.randrange(2**30, 2**31)])
                m &= ~0x7F if form == "float32" else ~0
            accs = CORNERS + [rng.randint(INT32_MIN, INT32_MAX) for _ in range(20)]
            accs += [rng.randint(-(2**20), 2**20) for _ in range(20)]
            if form.startswith("double"):  # the pre-shifted acc is proved to fit
                accs = [a >> max(31 - t, 0) for a in accs]
            if form.startswith("double") and t < 31:
                with pytest.raises(ModelError, match="pre-shifted"):
                    native.rescale(
                        np.ones((1, 1, 1), np.int32), requantize=Requantize.of(m, t, form)
                    )
            check(accs, form, m, t, low)


@pytest.mark.parametrize("form", FORMS)
def test_every_tie_of_a_layer_sized_accumulator(form):
    """acc*m odd multiples of 2^(t-1): each is an exact half, of both signs."""
    for t in (2, 5, 9, 14):
        accs = [s * (2 * k + 1) * 2 ** (t - 2) for k in range(200) for s in (1, -1)]
        m, shift = normalised(form, 2, t)
        if form.startswith("double"):
            m, shift = 2**30, t + 29
            accs = [a for a in accs if abs(a) << max(31 - shift, 0) <= INT32_MAX]
        halves = [Fraction(a * m, 2**shift) % 1 == Fraction(1, 2) for a in accs]
        assert halves and all(halves), "not a tie"
        check(accs, form, m, shift)


@pytest.mark.parametrize("form", FORMS)
def test_int8_result(form):
    """Zero point before the clamp; act_min and act_max; per channel: both C paths."""
    rng = Random(FORMS.index(form))
    channels = 64
    for _ in range(40):
        m = [rng.randrange(2**30, 2**31) & ~0x7F for _ in range(channels)]
        t = [rng.randint(31, 45) for _ in range(channels)]
        accs = [rng.randint(-(2**14), 2**14) * 2 ** rng.choice((0, 8)) for _ in range(channels)]
        zero, lo, hi = rng.choice([(0, -128, 127), (-128, -128, 127), (5, 5, 100), (127, -3, 90)])
        want = [
            min(max(zero + slow_oracle.scale(a, form, mm, tt), lo), hi)
            for a, mm, tt in zip(accs, m, t, strict=True)
        ]
        by = Requantize.of(m, t, form)
        for engine in (golden, native):
            got = biases(engine, np.array(accs, np.int32), by, zero, lo, hi)
            assert got.tolist() == want, engine.__name__


def test_float32_form_is_float32_hardware():
    """Equal to acc (float32) times s (float32), nearest even, on the CPU's own float32."""
    rng = np.random.default_rng(3)
    accs = rng.integers(INT32_MIN, INT32_MAX, 4000).astype(np.int32)
    accs[::2] >>= rng.integers(0, 24, 2000).astype(np.int32)
    differs_from_single = 0
    for t in (31, 38, 45, 52):
        m = int(rng.integers(2**23, 2**24)) * 2**7
        s = np.float32(m * 2.0**-t)
        want = np.rint(accs.astype(np.float32) * s).astype(np.int64)
        x = accs.reshape(1, -1, 1)
        assert np.array_equal(want, scale(x, Requantize.of(m, t, "float32")).ravel())
        differs_from_single += int((want != scale(x, Requantize.of(m, t)).ravel()).sum())
    assert differs_from_single > 0


def test_float64_form_is_float64_hardware():
    """Equal to acc times d in the CPU's float64, then half away from zero."""
    rng = np.random.default_rng(4)
    accs = rng.integers(INT32_MIN, INT32_MAX, 4000)
    accs[::2] >>= rng.integers(0, 24, 2000)
    for t in (31, 33, 40, 50):
        d53 = int(rng.integers(2**52, 2**53))
        m, low = d53 >> 22, d53 & (2**22 - 1)
        product = accs.astype(np.float64) * (d53 * 2.0 ** -(t + 22))
        whole = np.trunc(product)
        want = (whole + np.sign(product) * (np.abs(product - whole) >= 0.5)).astype(np.int64)
        x = accs.astype(np.int32).reshape(1, -1, 1)
        assert np.array_equal(want, scale(x, Requantize.of(m, t, "float64", low)).ravel())


@pytest.mark.parametrize("name", ["up", "away", "even", "down", "zero"])
def test_rounding_shifts(name):
    """golden.rounding against exact fractions, every value of 9 bits and every shift to 8."""
    p = np.arange(-512, 513, dtype=np.int64)
    for t in range(9):
        want = [slow_oracle_round(name, int(v), t) for v in p]
        assert getattr(rounding, name)(p, t).tolist() == want


def slow_oracle_round(name, p, t):
    """Round p / 2^t by comparing the fraction with a half."""
    exact = Fraction(p, 2**t)
    floor = exact.numerator // exact.denominator
    rest = exact - floor
    if name == "down" or rest == 0:
        return floor
    if name == "zero":
        return floor if p > 0 else floor + 1
    if rest != Fraction(1, 2):
        return floor + (rest > Fraction(1, 2))
    return {
        "up": floor + 1,
        "away": floor + 1 if p > 0 else floor,
        "even": floor + floor % 2,
    }[name]
