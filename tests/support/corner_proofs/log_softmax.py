"""Proofs of log_softmax."""

import math

import slow_oracle

from .softmax import every_difference


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
}
