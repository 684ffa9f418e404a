"""Proofs of softmax and softmax_float32."""

from fractions import Fraction

import numpy as np

import slow_oracle
from slow_oracle import sig


def softmax_one(ran):
    assert ran.x.shape[-1] == 1 and ran.x.size == 256 and (ran.y == 127).all()


def softmax_equal(ran):
    """Each probability is 1/depth in units of 1/256, to the nearest."""
    depth = ran.x.shape[-1]
    assert depth == int(ran.case.name.rsplit("_", 1)[1])
    assert all(len(set(row)) == 1 for row in ran.x.tolist())
    assert (np.abs((ran.y + 128) * depth - 256) * 2 <= depth).all()


def softmax_dominant(ran):
    place = 0 if ran.case.name.endswith("first") else ran.x.shape[-1] - 1
    assert ran.x[0].argmax() == place
    assert ran.y[0, place] == 127 and sorted(ran.y[0])[:-1] == [-128] * (ran.x.shape[-1] - 1)


def softmax_limit(ran):
    """The first row is at the least difference that counts, the second one beyond."""
    shift = ran.op["left_shift"]
    assert shift == int(ran.case.name.rsplit("_", 1)[1])
    limit = -(31 * 2**26 // 2**shift)
    diff = (ran.x - ran.x.max(axis=1, keepdims=True)).tolist()
    assert [sorted(set(row)) for row in diff] == [sorted({limit, 0}), [limit - 1, 0]]
    if shift >= 30:  # a row that counts or not shows in the largest value
        assert ran.y[0, 7] != ran.y[1, 7]
    assert (ran.y[1][np.array(diff[1]) < 0] == -128).all()


def softmax_flat(ran):
    assert ran.op["left_shift"] == 0 and len(set(ran.x[0].tolist())) > 50
    assert len(set(ran.y.ravel().tolist())) == 1


def softmax_multiplier(ran):
    want = {"multiplier_high": 2**31 - 1, "multiplier_low": 2**30}[ran.case.name]
    assert ran.op["multiplier"] == want
    fields = {"multiplier": 3 * 2**29, "left_shift": ran.op["left_shift"]}
    assert slow_oracle.softmax(ran.x.tolist(), **fields) != ran.y.tolist()


def every_difference(ran):
    """Each of the seven constants of exp is used by a value that counts."""
    m, shift = ran.op["multiplier"], ran.op["left_shift"]
    taken = 0
    for diff in (ran.x[0] - ran.x.max()).tolist():
        assert diff >= -(31 * 2**26 // 2**shift)
        a = slow_oracle.softmax_p(diff * 2**shift, m)
        if a:
            taken |= (a % 2**24 - 2**24) - a
    assert taken >> 24 == 0b1111111


def softmax_pairs(ran):
    assert sorted((ran.x[:, 0] - ran.x[:, 1]).tolist()) == list(range(256))
    assert {-128, 127, 0} <= set(ran.y.ravel().tolist())


def softmax_rows(ran):
    """Each row as if it were the only one."""
    op = {n: ran.op[n] for n in ("multiplier", "left_shift")}
    assert ran.x.ndim == 4 and ran.x[0, 0, 0].tolist() != ran.x[0, 1, 0].tolist()
    for row, y in zip(ran.x.reshape(-1, 3).tolist(), ran.y.reshape(-1, 3).tolist(), strict=True):
        assert slow_oracle.softmax(row, **op) == y


# softmax_float32: what a reason says is a step of slow_oracle, and another step gives another y.

ONE = 127 << 23
TINY = Fraction(1, 2**149)


def with_other_step(ran, **steps):
    """y of the first row with `total` (of a sum), `inverse` or `product` of another kind."""
    row = ran.x[0].tolist()
    e = [slow_oracle.softmax_float32_v(int(ran.op["table"][255 + v - max(row)])) for v in row]
    total, product = steps.get("total", to_24), steps.get("product", to_24)
    s = 0
    for v in e:
        s = total(s + v)
    j = slow_oracle.bits(s) - 24
    g = steps.get("inverse", lambda s: slow_oracle.divide_up(2**47, s))(s // 2**j)
    scaled = [slow_oracle.up(product(v * g), 39 + j) - 128 for v in e]
    return np.clip(scaled, -128, 127).tolist()


def to_24(p):
    return sig(p, 24)


def cut(p):
    surplus = max(slow_oracle.bits(p) - 24, 0)
    return p // 2**surplus * 2**surplus


def halves_up(p):
    surplus = max(slow_oracle.bits(p) - 24, 0)
    return slow_oracle.up(p, surplus) * 2**surplus


def exact(p):
    return p


def to_25_then_24(p):
    """Only a guard bit: what lies below it is cut off first."""
    surplus = max(slow_oracle.bits(p) - 25, 0)
    return sig(p // 2**surplus * 2**surplus, 24)


def shows(**steps):
    """A proof that the steps of SPEC give y, and the other steps another one."""

    def proof(ran):
        assert with_other_step(ran) == ran.y[0].tolist() != with_other_step(ran, **steps)

    return proof


def terms(ran):
    """The real terms of the first row's sum, in its order."""
    row = ran.x[0].tolist()
    table = ran.op["table"].tolist()
    return [slow_oracle.softmax_float32_v(table[255 + v - max(row)]) * TINY for v in row]


def sum_tie(*first):
    """The sum begins with these terms and comes to a tie with the last of them."""

    def check(ran):
        assert terms(ran)[: len(first)] == list(first)
        ties = sum(first) * 2**24
        assert ties.denominator == 1 and ties.numerator % 2 == 1

    return check


def both(*proofs):
    """All of some proofs."""

    def proof(ran):
        for each in proofs:
            each(ran)

    return proof


def float32_pairs(ran):
    """Every entry is used, from 1 down to subnormal values; y falls with the difference."""
    table = ran.op["table"]
    assert sorted((ran.x[:, 0] - ran.x[:, 1]).tolist()) == list(range(256))
    assert table[255] == ONE and (table[table < 2**23]).max() > 0 and (table > 0).sum() > 250
    assert ran.y[:, 1].tolist() == sorted(ran.y[:, 1].tolist(), reverse=True)
    assert {0, -128} <= set(ran.y[:, 1].tolist())


def float32_zeros(ran):
    assert not ran.op["table"][:255].any()
    assert ran.y[1:].tolist() == [[127, -128]] * 255 and ran.y[0].tolist() == [0, 0]


def float32_ties(ran):
    """Two values of each row are odd numbers of half units and go up."""
    for row, y in zip(ran.x.tolist(), ran.y.tolist(), strict=True):
        table = ran.op["table"].tolist()
        e = [slow_oracle.softmax_float32_v(table[255 + v - max(row)]) * TINY for v in row]
        assert sum(e) == 2
        for share, made in zip(e[1:], y[1:], strict=True):
            units = 128 * share
            assert units.denominator == 2 and made + 128 == units + Fraction(1, 2)


def float32_order(ran):
    """The same terms in another order: another y of the last."""
    assert sorted(ran.x[0].tolist()) == sorted(ran.x[1].tolist())
    assert ran.y[0, -1] == ran.y[1, -1] + 1
    assert set(terms(ran)[1:-1]) == {Fraction(1, 2**24)}


def float32_below_half(ran):
    """p of the last value is 2^(T-1) - 2^(T-25)."""
    e = terms(ran)
    s = sum(v / TINY for v in e)
    s = sig(int(s), 24)
    j = slow_oracle.bits(s) - 24
    t = 39 + j
    p = sig(int(e[-1] / TINY) * slow_oracle.divide_up(2**47, s // 2**j), 24)
    assert p == 2 ** (t - 1) - 2 ** (t - 25)
    assert ran.y[0, -1] == {"rounded": -128, "half_added": -127}[ran.op["form"]]
    assert ran.case.name.endswith(ran.op["form"])


def float32_subnormal(ran):
    """Without the subnormal entry, or with it as a normal one, y is another."""
    table = ran.op["table"].tolist()
    (at,) = [i for i, bits in enumerate(table) if 0 < bits < 2**23]
    fields = {"form": "rounded", "table": table}
    row = ran.x[0].tolist()
    assert slow_oracle.softmax_float32(row, **fields) == ran.y[0].tolist()
    others = []
    for bits in (0, table[at] + 2**23):
        fields["table"] = [bits if i == at else b for i, b in enumerate(table)]
        others.append(slow_oracle.softmax_float32(row, **fields))
    assert ran.y[0].tolist() in (others[0], others[1]) and others[0] != others[1]


def float32_rows(ran):
    """Each row as if it were the only one."""
    fields = {"form": ran.op["form"], "table": ran.op["table"].tolist()}
    for row, y in zip(ran.x.reshape(-1, 3).tolist(), ran.y.reshape(-1, 3).tolist(), strict=True):
        assert slow_oracle.softmax_float32(row, **fields) == y


HALF_ULP = Fraction(1, 2**24)
PROOFS = {
    "softmax": {
        "one_value": softmax_one,
        r"equal_\d+": softmax_equal,
        r"dominant_\w+": softmax_dominant,
        r"limit_\d+": softmax_limit,
        "left_shift_0": softmax_flat,
        r"multiplier_(high|low)": softmax_multiplier,
        "every_difference": every_difference,
        "pairs": softmax_pairs,
        "rows": softmax_rows,
    },
    "softmax_float32": {
        "one_value": softmax_one,
        r"equal_\d+": softmax_equal,
        r"dominant_\w+": softmax_dominant,
        "pairs": float32_pairs,
        "zeros": float32_zeros,
        "ties": float32_ties,
        "sum_tie_down": both(sum_tie(1, HALF_ULP), shows(total=halves_up)),
        "sum_tie_up": both(sum_tie(1, 2 * HALF_ULP, HALF_ULP), shows(total=cut)),
        "sum_above_tie": shows(total=to_25_then_24),
        "subnormal_tie": both(float32_subnormal, shows(total=halves_up)),
        "subnormal_counts": both(float32_subnormal, shows(total=to_25_then_24)),
        "sum_rounds_each_time": both(sum_tie(1, HALF_ULP), shows(total=exact)),
        "quotient": shows(inverse=lambda s: 2**47 // s),
        "product": both(shows(product=exact), shows(product=cut)),
        "order": float32_order,
        r"below_half_\w+": float32_below_half,
        "rows": float32_rows,
    },
}
