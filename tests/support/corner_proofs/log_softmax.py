"""Proofs of log_softmax and log_softmax_float32."""

import math
from fractions import Fraction

import numpy as np

import slow_oracle

from .softmax import every_difference, exact, to_24


def is_log(probability, y):
    """Whether y holds the logarithm of a probability, to the nearest."""
    return abs(16 * math.log(probability) - (y - 127)) <= 0.5 + 2**-12


def one_value(ran):
    assert ran.x.shape[-1] == 1 and ran.x.size == 256 and (ran.y == 127).all()


def equal(ran):
    depth = ran.x.shape[-1]
    assert depth == int(ran.case.name.rsplit("_", 1)[1])
    assert all(len(set(row)) == 1 for row in ran.x.tolist())
    assert len(set(ran.y.ravel().tolist())) == 1 and is_log(1 / depth, int(ran.y[0, 0]))


def dominant(ran):
    place = 0 if ran.case.name.endswith("first") else ran.x.shape[-1] - 1
    assert ran.x[0].argmax() == place
    assert ran.y[0, place] == 127 and sorted(ran.y[0])[:-1] == [-128] * (ran.x.shape[-1] - 1)


def sums(ran):
    """Row k has k + 1 equal values that count; both ways to a significand are taken."""
    halves = set()
    for k, (row, y) in enumerate(zip(ran.x.tolist(), ran.y.tolist(), strict=True)):
        assert row == [90] * (k + 1) + [-128] * (63 - k)
        assert len(set(y[: k + 1])) == 1 and is_log(1 / (k + 1), y[0])
        s = (k + 1) * 2**19
        halves.add(slow_oracle.bits(slow_oracle.softmax_p(s, 1518500250)) == slow_oracle.bits(s))
    assert halves == {False, True}


def flat(ran):
    assert ran.op["left_shift"] == 0 and len(set(ran.x[0].tolist())) > 50
    assert len(set(ran.y.ravel().tolist())) == 1 and is_log(1 / ran.x.shape[-1], int(ran.y[0, 0]))


def only_the_largest(ran):
    assert ran.op["left_shift"] == 31
    for row, y in zip(ran.x.tolist(), ran.y.tolist(), strict=True):
        assert row.count(max(row)) == 1
        assert y == [127 if v == max(row) else -128 for v in row]


def multiplier(ran):
    assert (
        ran.op["multiplier"]
        == {"multiplier_high": 2**31 - 1, "multiplier_low": 2**30}[ran.case.name]
    )
    fields = {"multiplier": 3 * 2**29, "left_shift": ran.op["left_shift"]}
    assert slow_oracle.log_softmax(ran.x.tolist(), **fields) != ran.y.tolist()


def tie(ran):
    """a - d is an odd number of halves; the nearer unit of an even number is the other one."""
    (row,), m, shift = ran.x.tolist(), ran.op["multiplier"], ran.op["left_shift"]
    a = [slow_oracle.softmax_p((v - max(row)) * 2**shift, m) for v in row]
    s = sum(slow_oracle.away(slow_oracle.softmax_exp(v), 12) for v in a)
    halves, rest = divmod(a[-1] - slow_oracle.log_softmax_log(s), 2**21)
    assert rest == 0 and halves % 2 == 1 and halves < 0
    assert ran.y[0, -1] == 127 + (halves - 1) // 2
    odd = (halves - 1) // 2 % 2 == 1
    assert ran.case.name == ("tie_to_odd" if odd else "tie_to_even")


def pairs(ran):
    assert sorted((ran.x[:, 0] - ran.x[:, 1]).tolist()) == list(range(256))
    assert {-128, 127} <= set(ran.y.ravel().tolist()) and len(set(ran.y[:, 1].tolist())) > 100


def rows(ran):
    """Each row as if it were the only one."""
    op = {n: ran.op[n] for n in ("multiplier", "left_shift")}
    assert ran.x.ndim == 4 and ran.x[0, 0, 0].tolist() != ran.x[0, 1, 0].tolist()
    for row, y in zip(ran.x.reshape(-1, 3).tolist(), ran.y.reshape(-1, 3).tolist(), strict=True):
        assert slow_oracle.log_softmax(row, **op) == y


# log_softmax_float32: a reason says a step of slow_oracle; another step gives another y.


def with_other_step(ran, **steps):
    """y of the first row with `total`, `product`, `subtrahend`, `difference` or `log` of another
    kind, or with the bytes of the other form.
    """
    row, table = ran.x[0].tolist(), ran.op["table"].tolist()
    w = slow_oracle.softmax_float32_v(ran.op["scale_bits"])
    total, product, subtrahend, difference = (
        steps.get(n, to_24) for n in ("total", "product", "subtrahend", "difference")
    )
    shift = 128 if (ran.op["form"] == "unsigned") != steps.get("other_form", False) else 0
    s = 0
    for value in row:
        s = total(s + slow_oracle.softmax_float32_v(table[255 + value - max(row)]))
    c = subtrahend(product(w * (max(row) + shift)) + steps.get("log", slow_oracle.logf)(s))
    d = [difference(product(w * (value + shift)) - c) for value in row]
    return np.clip([slow_oracle.even(v, 145) + 127 for v in d], -128, 127).tolist()


def shows(**steps):
    """A proof that the steps of SPEC give y, and the other steps another one."""

    def proof(ran):
        assert with_other_step(ran) == ran.y[0].tolist() != with_other_step(ran, **steps)

    return proof


def nearest_log(s):
    """The float32 nearest to the logarithm."""
    found = math.log(Fraction(s, 2**149))
    return int(Fraction(float(np.float32(found))) * 2**149)


def exact_then_24(s):
    """The sum of float32 values that is exact: rounded by the logarithm only."""
    return slow_oracle.logf(to_24(s))


def every_interval(ran):
    """The sums 1 to 64 fall in all sixteen intervals of clause 5.27.1."""
    for k, (row, y) in enumerate(zip(ran.x.tolist(), ran.y.tolist(), strict=True)):
        assert row == [90] * (k + 1) + [-128] * (63 - k)
        assert len(set(y[: k + 1])) == 1 and is_log(1 / (k + 1), y[0])
    significands = [(k << 23) >> (k.bit_length() - 1) for k in range(1, 65)]
    assert {(f - 2**23 - 3342336) % 2**23 >> 19 for f in significands} == set(range(16))


def float32_pairs(ran):
    assert ran.op["scale_bits"] == 123 << 23
    pairs(ran)


def float32_ends(ran):
    least = ran.case.name == "scale_least"
    assert ran.op["scale_bits"] == (1 if least else 240 << 23)
    if least:
        assert np.array_equal(ran.y[:, 0], ran.y[:, 1]) and len(set(ran.y[:, 0].tolist())) > 5
    else:
        assert ran.y.tolist() == [[127, 127], *[[127, -128]] * 255]


def float32_ties(ran):
    """16*d is an odd number of halves, s is 1."""
    assert ran.op["scale_bits"] == 122 << 23 and not ran.op["table"][:255].any()
    for (top, other), y in zip(ran.x.tolist(), ran.y.tolist(), strict=True):
        assert (top - other) % 2 == 1 and y == [127, 127 + slow_oracle.even(other - top, 1)]
    assert (ran.y[:, 1] % 2 == 1).all()


def float32_order(ran):
    """The same terms in another order: another y of the smaller values."""
    assert sorted(ran.x[0].tolist()) == sorted(ran.x[1].tolist())
    assert ran.y[0].tolist() == [127] * 4001 and ran.y[1].tolist() == [126] * 4000 + [127]


def float32_rows(ran):
    """Each row as if it were the only one."""
    fields = {n: ran.op[n] for n in ("form", "scale_bits")} | {"table": ran.op["table"].tolist()}
    for row, y in zip(ran.x.reshape(-1, 3).tolist(), ran.y.reshape(-1, 3).tolist(), strict=True):
        assert slow_oracle.log_softmax_float32(row, **fields) == y


def of_form(ran):
    assert ran.op["form"] == ran.case.name
    shows(other_form=True)(ran)


PROOFS = {
    "log_softmax": {
        "one_value": one_value,
        r"equal_\d+": equal,
        r"dominant_\w+": dominant,
        "sums": sums,
        "left_shift_0": flat,
        "left_shift_31": only_the_largest,
        r"multiplier_(high|low)": multiplier,
        r"tie_to_\w+": tie,
        "every_difference": every_difference,
        "pairs": pairs,
        "rows": rows,
    },
    "log_softmax_float32": {
        r"one_value_\w+": one_value,
        r"equal_\d+": equal,
        r"dominant_\w+": dominant,
        "sums": every_interval,
        "pairs": float32_pairs,
        r"scale_\w+": float32_ends,
        "ties": float32_ties,
        "order": float32_order,
        "sum_rounds_each_time": shows(total=exact, log=exact_then_24),
        "not_the_nearest": shows(log=nearest_log),
        r"signed|unsigned": of_form,
        "product": shows(product=exact),
        "subtrahend": shows(subtrahend=exact),
        "difference": shows(difference=exact),
        "rows": float32_rows,
    },
}
