"""Single values of a softmax and its logarithm worked through: each hangs on its whole row."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...model.graph import Op
from .arithmetic_trace import (
    ArithmeticTrace,
    away,
    clamped,
    even,
    exp_of,
    float32_of,
    reciprocal,
    significand,
    some_of,
    up,
)

RowWalk = Callable[[Op, list[int], int, ArithmeticTrace], int]
"""Of an op, a row of its input and a place in it: returns the value there."""
_SUMS = 8
"""Partial sums that are written out."""


def _softmax(op: Op, row: list[int], at: int, steps: ArithmeticTrace) -> int:
    found = _exponentials(op, row, at, steps)
    if found is None:
        return -128
    _, e, total = found
    leading = 32 - total.bit_length()
    g = reciprocal((total << leading) - 2**31)
    product = up(g * e, 31)
    shifted = away(product, 35 - leading)
    steps.say(f"L = {leading};  g = REC({total}*2^{leading} - 2^31) = {g};  P(g, e) = {product}")
    return clamped(steps, shifted, -128, -128, 127)


def _log_softmax(op: Op, row: list[int], at: int, steps: ArithmeticTrace) -> int:
    found = _exponentials(op, row, at, steps)
    if found is None:
        return -128
    a, _, total = found
    d = _logarithm(total, steps)
    steps.say(f"a - d = {a} - {d} = {a - d};  away({a - d}, 22) = {away(a - d, 22)}")
    return clamped(steps, away(a - d, 22), 127, -128, 127)


def _exponentials(
    op: Op, row: list[int], at: int, steps: ArithmeticTrace
) -> tuple[int, int, int] | None:
    """Return a and e of a value and s of its row (SPEC 5.10); None where it does not count."""
    top, limit = max(row), -((31 << 26) >> op["left_shift"])
    steps.say(f"row {some_of(row)}: the largest is {top}")
    diff = [v - top for v in row]
    if diff[at] < limit:
        steps.say(f"diff = {row[at]} - {top} = {diff[at]}, below {limit}: does not count, y = -128")
        return None
    scaled = [up((d << op["left_shift"]) * op["multiplier"], 31) for d in diff]
    e = [exp_of(a) if d >= limit else 0 for a, d in zip(scaled, diff, strict=True)]
    total = sum(away(v, 12) for v in e)
    steps.say(f"diff = {row[at]} - {top} = {diff[at]};  a = P({diff[at]}*2^{op['left_shift']}, "
              f"{op['multiplier']}) = {scaled[at]}")  # fmt: skip
    steps.say(f"e = EXP({scaled[at]}) = {e[at]};  s = sum of away(e(i), 12) = {total}")
    return scaled[at], e[at], total


def _logarithm(s: int, steps: ArithmeticTrace) -> int:
    """Return LOG(s) (SPEC 5.26.1)."""
    n = s.bit_length()
    top = s << (31 - n)
    if up(s * 1518500250, 31).bit_length() == n:
        r, exponent, how = top, ((n - 20) << 25) + 3 * 2**23, f"s*2^{31 - n}"
    else:
        r, exponent = 2 * up(top * 1518500250, 31), ((n - 20) << 25) + 2**23
        how = f"2*P(s*2^{31 - n}, 1518500250)"
    steps.say(f"n = bits(s) = {n};  r = {how} = {r};  E = {exponent}")
    p, q = (r + 1805811302) // 2, 2 * (r - 1805811301)
    w = up(q * q, 31)
    num = up(q * r, 31) + up(up(q * w, 31) * 117049297, 31)
    den = up(p * (1057819769 + q + up(w * 127690142, 31)), 31) + up(q * 638450708, 31)
    steps.say(f"p = {p};  q = {q};  w = {w};  num = {num};  den = {den}")
    logarithm = up(exponent * 1488522236, 31)
    made = 2 * (logarithm + up(away(num, 6) * reciprocal(den), 31))
    steps.say(f"P(E, 1488522236) = {logarithm};  REC(den) = {reciprocal(den)};  d = {made}")
    return made


def _softmax_float32(op: Op, row: list[int], at: int, steps: ArithmeticTrace) -> int:
    e, total = _float32_sum(op, row, at, steps)
    j = total.bit_length() - 24
    g = ((1 << 47) + (total >> j + 1)) // (total >> j)
    p, t = significand(e * g, 24), 39 + j
    with_half = p + (1 << t - 1)
    rounded = significand(with_half, 24) if op["form"] == "half_added" else with_half
    steps.say(f"s = {_power(total)} * 2^-149;  S = {total >> j}, j = {j};  g = {g}")
    steps.say(f"p = e * 2^149 * g to 24 significant bits = {_power(p)};  T = {t}")
    if op["form"] == "half_added":
        steps.say(f"p + 2^(T-1) to 24 significant bits = {_power(rounded)}")
        steps.say(f"r = {_power(rounded)} >> {t} = {rounded >> t}")
    else:
        steps.say(f"r = (p + 2^(T-1)) >> {t} = {rounded >> t}")
    return clamped(steps, rounded >> t, -128, -128, 127)


def _log_softmax_float32(op: Op, row: list[int], at: int, steps: ArithmeticTrace) -> int:
    _, total = _float32_sum(op, row, at, steps)
    logarithm = _float32_logarithm(total, steps)
    w, shift = float32_of(op["scale_bits"]), 128 if op["form"] == "unsigned" else 0
    top, b = max(row) + shift, row[at] + shift
    first, product = significand(w * top, 24), significand(w * b, 24)
    c = significand(first + logarithm, 24)
    d = significand(product - c, 24)
    r = even(d, 145)
    steps.say(f"w = {op['scale_bits']:08x} = {_power(w)};  F(w*{top}) = {_power(first)};  "
              f"c = F(F(w*{top}) + LOGF(s)) = {_power(c)}")  # fmt: skip
    steps.say(f"F(w*{b}) = {_power(product)};  d = F(F(w*{b}) - c) = {_power(d)};  "
              f"r = even(d, 145) = {r}")  # fmt: skip
    return clamped(steps, r, 127, -128, 127)


def _float32_sum(op: Op, row: list[int], at: int, steps: ArithmeticTrace) -> tuple[int, int]:
    """Return e of a value and s of its row in units of 2^-149 (SPEC 5.17)."""
    top = max(row)
    entries = [int(op["table"][255 + v - top]) for v in row]
    e = [float32_of(b) for b in entries]
    sums = [0]
    for v in e:
        sums.append(significand(sums[-1] + v, 24))
    index = 255 + row[at] - top
    steps.say(f"row {some_of(row)}: the largest is {top}")
    steps.say(f"e = table[255 + {row[at]} - {top}] = table[{index}] = {entries[at]:08x} "
              f"= {_power(e[at])} * 2^-149")  # fmt: skip
    shown = [_power(v) for v in sums[1:]]
    if len(shown) > _SUMS:
        shown[_SUMS // 2 : 1 - _SUMS // 2] = [f"... ({len(e)} in all)"]
    steps.say(f"e(0), + e(1), ..., each sum to 24 significant bits, in 2^-149: {', '.join(shown)}")
    return e[at], sums[-1]


def _float32_logarithm(s: int, steps: ArithmeticTrace) -> int:
    """Return LOGF(s) in units of 2^-149 (SPEC 5.27.1)."""
    j = s.bit_length() - 24
    f = (s >> j) - 2**23
    i = (f - 3342336) % 2**23 >> 19
    z, k = ((s >> j) << 35, j - 126) if f < 3342336 else ((s >> j) << 34, j - 125)
    inverse, logarithm = _CENTRES[i]
    r = (z * inverse >> 58) - 2**58
    r2 = r * r >> 58
    u = (96112369020745376 * r >> 58) - 144115115609035312 + (-72315105438085952 * r2 >> 58)
    v = logarithm + k * 199786072581291488 + r + (u * r2 >> 58)
    made = significand(v, 24) << 91
    steps.say(f"s = {_power(s)} * 2^-149;  f = {f};  i = {i};  z = {z};  k = {k}")
    steps.say(f"r = M(z, {inverse}) - 2^58 = {r};  r2 = {r2};  u = {u}")
    steps.say(f"v = {logarithm} + k*199786072581291488 + r + M(u, r2) = {v};  "
              f"LOGF(s) = {_power(made)}")  # fmt: skip
    return made


_CENTRES = (
    (403207537546817408, -96756439276236256),
    (386319263048273728, -84423846346022320),
    (370788839817751552, -72597350984689264),
    (356458835818373440, -61237047579453256),
    (343195250759117120, -50307571856423616),
    (330883313090930688, -39777436906555392),
    (319424150354333632, -29618486291478904),
    (308732128243838592, -19805440296907568),
    (298732706777278912, -10315516921124924),
    (288230376151711744, 0),
    (273613054968132992, 15001001067328264),
    (257996434376053760, 31940051115490000),
    (244327748420476096, 47629931991455808),
    (232034527784289696, 62509642983553920),
    (220919100795796896, 76658760458169872),
    (210819941461986368, 90145683372171408),
)
"""INV(i) and C(i) of SPEC 5.27.1."""


def _power(value: int) -> str:
    """Return a value of up to 24 significant bits as a significand and a power of two."""
    surplus = max(abs(value).bit_length() - 24, 0)
    return f"{value >> surplus} * 2^{surplus}"


ROW_WALKS: Mapping[str, RowWalk] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "softmax_float32": _softmax_float32,
    "log_softmax_float32": _log_softmax_float32,
}
"""One walk per op of rows."""
