"""Slow oracle: the integer arithmetic of SPEC.md, clauses 2 to 5, written only from that text.

It shares no code with the package and imports only the standard library. Integers are Python's
unbounded ones, tensors are nested lists of one image in the order of clause 3, and the formulas
are as literal as they can be: no speed, no legality checks (an illegal model is not its business).

A requantize is a list of entries ``(form, multiplier, right_shift, multiplier_low)`` of length 1
or the number of channels, or None where clause 5 allows it.
"""

from collections.abc import Callable
from fractions import Fraction

# Clauses 1 and 2: notation and rounding. Python's ``//`` on integers is floor of the quotient.


def sign(p):
    """-1, 0 or 1 (clause 1)."""
    if p < 0:
        return -1
    return 1 if p > 0 else 0


def clamp(v, lo, hi):
    """``max(lo, min(v, hi))`` (clause 1)."""
    return max(lo, min(v, hi))


def bits(p):
    """Return the number of binary digits of p >= 0, 0 for 0 (clause 1)."""
    return len(f"{p:b}") if p else 0


def up(p, t):
    """To nearest, ties toward plus infinity (clause 2.1)."""
    return p if t == 0 else (p + 2 ** (t - 1)) // 2**t


def away(p, t):
    """To nearest, ties away from zero (clause 2.2)."""
    return p if t == 0 else sign(p) * ((abs(p) + 2 ** (t - 1)) // 2**t)


def even(p, t):
    """To nearest, of two equally near the even one (clause 2.3)."""
    exact = Fraction(p, 2**t)
    below = exact.numerator // exact.denominator
    above = below + 1
    if exact - below != above - exact:
        return below if exact - below < above - exact else above
    return below if below % 2 == 0 else above


def down(p, t):
    """Toward minus infinity (clause 2.4)."""
    return p // 2**t


def zero(p, t):
    """Toward zero (clause 2.5)."""
    return sign(p) * (abs(p) // 2**t)


def sig(p, b):
    """Round p to b significant bits, ties to the even neighbour (clause 2.6)."""
    k = max(bits(abs(p)) - b, 0)
    return even(p, k) * 2**k


def divide_away(p, n):
    """Divide to nearest, ties away from zero (clause 2.7)."""
    return sign(p) * ((abs(p) + n // 2) // n)


def divide_up(p, n):
    """Divide to nearest, ties toward plus infinity (clause 2.8)."""
    return (p + n // 2) // n


# Clause 4: requantize.


def scale(acc: int, form: str, multiplier: int, right_shift: int, multiplier_low: int = 0) -> int:
    """R(acc) of one requantize entry (clause 4.2)."""
    m, t = multiplier, right_shift
    single = dict(single=up, single_away=away, single_even=even, single_down=down, single_zero=zero)
    if form in single:
        return single[form](acc * m, t)
    if form in ("double", "double_up"):
        h = up(acc * 2 ** max(31 - t, 0) * m, 31)
        second = away if form == "double" else up
        return second(h, max(t - 31, 0))
    if form == "float32":
        a = sig(acc, 24)
        p = sig(a * m, 24)
        return even(p, t)
    if form == "float64":
        d = m * 2**22 + multiplier_low
        return away(sig(acc * d, 53), t + 22)
    raise ValueError(f"no form {form!r} in clause 4.2")


def entry_of(entries, c):
    """Return the item for channel c of a list of 1 or of one per channel (clauses 4.1 and 5)."""
    return entries[0] if len(entries) == 1 else entries[c]


# Helpers on nested lists, and the windows of clause 5.0.


def each(function, *tensors):
    """Apply a function of integers to every value of equally shaped tensors of any rank."""
    if isinstance(tensors[0], list):
        return [each(function, *parts) for parts in zip(*tensors, strict=True)]
    return function(*tensors)


def each_row(function, x):
    """Apply a function to every row, the run of values along the last dimension."""
    if isinstance(x[0], list):
        return [each_row(function, part) for part in x]
    return function(x)


def flat(x):
    """Return the values of a tensor in C order (clause 3)."""
    if not isinstance(x, list):
        return [x]
    return [value for part in x for value in flat(part)]


def map_image(function, x_shape, kernel, stride, padding, dilation, channels):
    """Compute ``function(taps, oc)`` for every (oy, ox, oc) of a windowed op (clause 5.0).

    taps is the list of the valid ``(ky, kx, iy, ix)`` of the output position.
    """
    (in_h, in_w), (kernel_h, kernel_w) = x_shape, kernel
    (stride_h, stride_w), (dilation_h, dilation_w) = stride, dilation
    pad_top, pad_bottom, pad_left, pad_right = padding
    out_h = (in_h + pad_top + pad_bottom - ((kernel_h - 1) * dilation_h + 1)) // stride_h + 1
    out_w = (in_w + pad_left + pad_right - ((kernel_w - 1) * dilation_w + 1)) // stride_w + 1
    image = []
    for oy in range(out_h):
        rows = [(ky, oy * stride_h - pad_top + ky * dilation_h) for ky in range(kernel_h)]
        rows = [(ky, iy) for ky, iy in rows if 0 <= iy <= in_h - 1]
        line = []
        for ox in range(out_w):
            columns = [(kx, ox * stride_w - pad_left + kx * dilation_w) for kx in range(kernel_w)]
            columns = [(kx, ix) for kx, ix in columns if 0 <= ix <= in_w - 1]
            taps = [(ky, kx, iy, ix) for ky, iy in rows for kx, ix in columns]
            line.append([function(taps, oc) for oc in range(channels)])
        image.append(line)
    return image


def finish(acc, *, requantize, y_zero_point, act_min, act_max):
    """Return (y, acc), y by clause 4.3, or (acc, acc) where requantize is None (clause 5).

    The ops below that end so take these four fields as ``**output``.
    """
    if requantize is None:
        return acc, acc

    def finish_row(row):
        r = [scale(value, *entry_of(requantize, c)) for c, value in enumerate(row)]
        return [clamp(y_zero_point + value, act_min, act_max) for value in r]

    return each_row(finish_row, acc), acc


# Clause 5: ops.


def conv2d(
    x, *, x_zero_point, weights, weight_zero_point, bias, stride, padding, dilation, **output
):
    """Convolution, weights [oc][ky][kx][ic]; returns (y, acc) (clause 5.1)."""

    def accumulate(taps, oc):
        wz = entry_of(weight_zero_point, oc)
        acc = bias[oc]
        for ky, kx, iy, ix in taps:
            for w, value in zip(weights[oc][ky][kx], x[iy][ix], strict=True):
                acc += (w - wz) * (value - x_zero_point)
        return acc

    kernel = (len(weights[0]), len(weights[0][0]))
    shape = (len(x), len(x[0]))
    acc = map_image(accumulate, shape, kernel, stride, padding, dilation, len(weights))
    return finish(acc, **output)


def depthwise_conv2d(
    x, *, x_zero_point, weights, weight_zero_point, bias, stride, padding, dilation, **output
):
    """Depthwise convolution, weights [ky][kx][oc]; returns (y, acc) (clause 5.2)."""
    out_c, in_c = len(weights[0][0]), len(x[0][0])

    def accumulate(taps, oc):
        wz = entry_of(weight_zero_point, oc)
        ic = oc // (out_c // in_c)
        acc = bias[oc]
        for ky, kx, iy, ix in taps:
            acc += (weights[ky][kx][oc] - wz) * (x[iy][ix][ic] - x_zero_point)
        return acc

    kernel = (len(weights), len(weights[0]))
    shape = (len(x), len(x[0]))
    acc = map_image(accumulate, shape, kernel, stride, padding, dilation, out_c)
    return finish(acc, **output)


def fully_connected(x, *, x_zero_point, weights, weight_zero_point, bias, **output):
    """Matrix times the flattened input, weights [oc][ic]; returns (y, acc) (clause 5.3)."""
    vector = flat(x)
    acc = []
    for oc, row in enumerate(weights):
        wz = entry_of(weight_zero_point, oc)
        products = [(w - wz) * (v - x_zero_point) for w, v in zip(row, vector, strict=True)]
        acc.append(bias[oc] + sum(products))
    return finish(acc, **output)


def lut(x, *, table):
    """Table of 256 answers (clause 5.4)."""
    return each(lambda value: table[value + 128], x)


def pwl(x, *, breakpoints, slope, offset, frac_bits, act_min, act_max):
    """Straight segments; returns (y, acc) (clause 5.5)."""

    def accumulate(value):
        k = sum(1 for b in breakpoints if b <= value) - 1
        return slope[k] * value + offset[k]

    acc = each(accumulate, x)
    return each(lambda a: clamp(up(a, frac_bits), act_min, act_max), acc), acc


def max_pool2d(x, *, kernel, stride, padding, act_min, act_max):
    """Largest valid value of each window (clause 5.6)."""

    def pool(taps, c):
        return clamp(max(x[iy][ix][c] for _, _, iy, ix in taps), act_min, act_max)

    shape = (len(x), len(x[0]))
    return map_image(pool, shape, kernel, stride, padding, (1, 1), len(x[0][0]))


def avg_pool2d(x, *, x_zero_point, kernel, stride, padding, form, y_zero_point, act_min, act_max):
    """Mean of the valid values of each window; returns (y, acc) (clause 5.7)."""
    if form not in ("raw_away", "raw_up", "centred_away"):
        raise ValueError(f"no form {form!r} in clause 5.7")
    centre = x_zero_point if form == "centred_away" else 0

    def accumulate(taps, c):
        return sum(x[iy][ix][c] - centre for _, _, iy, ix in taps)

    def count(taps, c):
        return len(taps)

    def divide(acc, n):
        v = divide_up(acc, n) if form == "raw_up" else divide_away(acc, n)
        return clamp(v + (y_zero_point if form == "centred_away" else 0), act_min, act_max)

    window = ((len(x), len(x[0])), kernel, stride, padding, (1, 1), len(x[0][0]))
    acc = map_image(accumulate, *window)
    return each(divide, acc, map_image(count, *window)), acc


def global_avg_pool(x, *, x_zero_point, **output):
    """Sum of each channel, requantized; returns (y, acc) of shape (1, 1, C) (clause 5.8)."""
    channels = range(len(x[0][0]))
    acc = [[[sum(cell[c] - x_zero_point for line in x for cell in line) for c in channels]]]
    return finish(acc, **output)


def add(
    x1, x2, *, x1_zero_point, x2_zero_point, form, left_shift, requantize1, requantize2, **output
):
    """Sum, difference or its square by way of a shared scale; returns (y, acc) (clause 5.9)."""
    joined = {
        "shared_scale": lambda u1, u2: u1 + u2,
        "shared_scale_difference": lambda u1, u2: u1 - u2,
        "shared_scale_squared_difference": lambda u1, u2: (u1 - u2) ** 2,
    }[form]

    def accumulate(value1, value2):
        u1 = scale((value1 - x1_zero_point) * 2**left_shift, *requantize1[0])
        u2 = scale((value2 - x2_zero_point) * 2**left_shift, *requantize2[0])
        return joined(u1, u2)

    acc = each(accumulate, x1, x2)
    return finish(acc, **output)


# The constants K(b) of clause 5.10.2.
SOFTMAX_K = dict(
    enumerate((1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242), start=24)
)


def softmax_p(a, b):
    """P(a, b) of clause 5.10."""
    return up(a * b, 31)


def sat(a):
    """Saturate to int32 (clause 5.10)."""
    return clamp(a, -(2**31), 2**31 - 1)


def softmax_q(c):
    """Q(c): exp on [-1/4, 0) (clause 5.10.3)."""
    z = c + 2**28
    z2 = softmax_p(z, z)
    z3 = softmax_p(z2, z)
    z4 = away(softmax_p(z2, z2), 2)
    p = away(softmax_p(z4 + z3, 715827883) + z2, 1)
    return 1895147668 + softmax_p(1895147668, z + p)


def softmax_exp(a):
    """EXP(a) for a <= 0 (clause 5.10.2)."""
    if a == 0:
        return 2**31 - 1
    r = a % 2**24 - 2**24
    d = r - a
    v = softmax_q(32 * r)
    for b in range(24, 31):
        if d // 2**b % 2 == 1:
            v = softmax_p(v, SOFTMAX_K[b])
    return v


def softmax_rec(c):
    """REC(c): 1 / (1 + c) (clause 5.10.4)."""
    h = (c + 2**31) // 2
    v = 1515870810 + softmax_p(h, -1010580540)
    for _ in range(3):
        f = 2**29 - softmax_p(h, v)
        v = v + sat(4 * softmax_p(v, f))
    return sat(2 * v)


def softmax(x, *, multiplier, left_shift):
    """Softmax of every row (clauses 5.10.1 and 5.10.5)."""
    limit = -(31 * 2**26 // 2**left_shift)

    def softmax_row(row):
        largest = max(row)
        diff = [value - largest for value in row]
        counts = [d >= limit for d in diff]
        e = [
            softmax_exp(softmax_p(d * 2**left_shift, multiplier)) if counted else 0
            for d, counted in zip(diff, counts, strict=True)
        ]
        s = sum(away(v, 12) for v in e)
        shift = 32 - bits(s)
        g = softmax_rec(s * 2**shift - 2**31)
        return [
            clamp(away(softmax_p(g, v), 35 - shift) - 128, -128, 127) if counted else -128
            for v, counted in zip(e, counts, strict=True)
        ]

    return each_row(softmax_row, x)


def log_softmax_log(s):
    """LOG(s): the logarithm of a value from 1 on (clause 5.26.1)."""
    n = bits(s)
    if bits(softmax_p(s, 1518500250)) == n:
        r, e = s * 2 ** (31 - n), (n - 20) * 2**25 + 3 * 2**23
    else:
        r, e = 2 * softmax_p(s * 2 ** (31 - n), 1518500250), (n - 20) * 2**25 + 2**23
    p, q = (r + 1805811302) // 2, 2 * (r - 1805811301)
    w = softmax_p(q, q)
    num = softmax_p(q, r) + softmax_p(softmax_p(q, w), 117049297)
    den = softmax_p(p, 1057819769 + q + softmax_p(w, 127690142)) + softmax_p(q, 638450708)
    return 2 * (softmax_p(e, 1488522236) + softmax_p(away(num, 6), softmax_rec(den)))


def log_softmax(x, *, multiplier, left_shift):
    """Logarithm of the softmax of every row (clause 5.26)."""
    limit = -(31 * 2**26 // 2**left_shift)

    def row_of(row):
        diff = [value - max(row) for value in row]
        a = [softmax_p(d * 2**left_shift, multiplier) if d >= limit else None for d in diff]
        d = log_softmax_log(sum(away(softmax_exp(v), 12) for v in a if v is not None))
        return [-128 if v is None else clamp(away(v - d, 22) + 127, -128, 127) for v in a]

    return each_row(row_of, x)


def rescale(x, *, requantize):
    """Requantize int32 to int32, saturating (clause 5.11)."""

    def rescale_row(row):
        return [sat(scale(v, *entry_of(requantize, c))) for c, v in enumerate(row)]

    return each_row(rescale_row, x)


def argmax(x):
    """Index of the largest value of every row, the lowest of equals (clause 5.12)."""
    return each_row(lambda row: [row.index(max(row))], x)


def mul(x1, x2, *, x1_zero_point, x2_zero_point, **output):
    """Elementwise product; returns (y, acc) (clause 5.13)."""
    acc = each(lambda a, b: (a - x1_zero_point) * (b - x2_zero_point), x1, x2)
    return finish(acc, **output)


def concat(x1, x2, *, axis):
    """Join two tensors along an axis (clause 5.14)."""
    if axis == 0:
        return x1 + x2
    return [concat(row1, row2, axis=axis - 1) for row1, row2 in zip(x1, x2, strict=True)]


def pad(x, *, before, after, value):
    """Constant cells around a tensor (clause 5.15)."""
    if not before:
        return x
    inside = [pad(row, before=before[1:], after=after[1:], value=value) if isinstance(row, list)
              else row for row in x]  # fmt: skip
    return [blank(inside[0], value)] * before[0] + inside + [blank(inside[0], value)] * after[0]


def blank(like, value):
    """The constant in the shape of something."""
    return [blank(row, value) for row in like] if isinstance(like, list) else value


def reshape(x, *, shape):
    """The values in C order in another shape (clause 5.16)."""
    flat = list(values_of(x))
    for extent in reversed([n for n in shape[1:] if n]):
        flat = [flat[i : i + extent] for i in range(0, len(flat), extent)]
    return flat


def values_of(x):
    """The values in C order."""
    for row in x:
        yield from values_of(row) if isinstance(row, list) else [row]


def strided_copy(x, *, shape, counts, strides, offset):
    """The values at the addresses of nested counters, the last one fastest (clause 5.18)."""
    flat = list(values_of(x))
    addresses = [offset]
    for count, stride in zip(counts, strides, strict=True):
        addresses = [at + i * stride for at in addresses for i in range(count)]
    assert min(addresses) >= 0
    return reshape([flat[at] for at in addresses], shape=shape)


def gather(x, *, axis, indices):
    """Places along an axis, by a list (clause 5.19)."""
    if axis == 0:
        return [x[int(i)] for i in indices]
    return [gather(row, axis=axis - 1, indices=indices) for row in x]


def resize_bilinear(x, *, row0, row1, row_weight, column0, column1, column_weight, frac_bits, form):
    """Weighted sums of four values each; returns (y, acc) (clause 5.21)."""
    one = 2**frac_bits
    acc = []
    for r0, r1, w in zip(row0, row1, row_weight, strict=True):
        row = []
        for c0, c1, v in zip(column0, column1, column_weight, strict=True):
            cells = zip(x[r0][c0], x[r0][c1], x[r1][c0], x[r1][c1], strict=True)
            row.append([(one - w) * ((one - v) * a + v * b) + w * ((one - v) * c + v * d)
                        for a, b, c, d in cells])  # fmt: skip
        acc.append(row)
    rounded = {"up": up, "away": away}[form]
    return each(lambda a: rounded(a, 2 * frac_bits), acc), acc


def maximum(x1, x2):
    """The larger of two values (clause 5.22)."""
    return each(lambda a, b: a if a > b else b, x1, x2)


def minimum(x1, x2):
    """The smaller of two values (clause 5.23)."""
    return each(lambda a, b: a if a < b else b, x1, x2)


def lut2d(x1, x2, *, table):
    """The entry of a pair of values (clause 5.24)."""
    return each(lambda a, b: table[a + 128][b + 128], x1, x2)


def matmul(x1, x2, *, x1_zero_point, x2_zero_point, bias, **output):
    """Each row of x1 by each row of x2; returns (y, acc) (clause 5.25)."""

    def product(rows, columns):
        return [[start + sum((a - x1_zero_point) * (b - x2_zero_point)
                             for a, b in zip(row, column, strict=True))
                 for start, column in zip(bias, columns, strict=True)]
                for row in rows]  # fmt: skip

    batches = isinstance(x1[0][0], list)
    acc = [product(*pair) for pair in zip(x1, x2, strict=True)] if batches else product(x1, x2)
    return finish(acc, **output)


def softmax_float32_v(b):
    """V(b) of clause 5.17."""
    return b if b < 2**23 else (2**23 + b % 2**23) * 2 ** (b // 2**23 - 1)


def softmax_float32(x, *, form, table):
    """Softmax of every row by a table of float32 exponentials (clause 5.17)."""

    def r_of(p, t):
        if form == "rounded":
            return up(p, t)
        assert form == "half_added"
        return down(sig(p + 2 ** (t - 1), 24), t)

    def softmax_row(row):
        e = [softmax_float32_v(table[255 + value - max(row)]) for value in row]
        s = 0
        for v in e:
            s = sig(s + v, 24)
        j = bits(s) - 24
        g = divide_up(2**47, s // 2**j)
        return [clamp(r_of(sig(v * g, 24), 39 + j) - 128, -128, 127) for v in e]

    return each_row(softmax_row, x)


# INV(i) and C(i) of clause 5.27.1.
LOGF_INV = (
    403207537546817408, 386319263048273728, 370788839817751552, 356458835818373440,
    343195250759117120, 330883313090930688, 319424150354333632, 308732128243838592,
    298732706777278912, 288230376151711744, 273613054968132992, 257996434376053760,
    244327748420476096, 232034527784289696, 220919100795796896, 210819941461986368,
)  # fmt: skip
LOGF_C = (
    -96756439276236256, -84423846346022320, -72597350984689264, -61237047579453256,
    -50307571856423616, -39777436906555392, -29618486291478904, -19805440296907568,
    -10315516921124924, 0, 15001001067328264, 31940051115490000,
    47629931991455808, 62509642983553920, 76658760458169872, 90145683372171408,
)  # fmt: skip


def logf_m(a, b):
    """M(a, b) of clause 5.27.1."""
    return down(a * b, 58)


def logf(s):
    """LOGF(s): the logarithm of a float32 from 1 on (clause 5.27.1)."""
    j = bits(s) - 24
    f = s // 2**j - 2**23
    i = (f - 3342336) % 2**23 // 2**19
    z, k = (s // 2**j * 2**35, j - 126) if f < 3342336 else (s // 2**j * 2**34, j - 125)
    r = logf_m(z, LOGF_INV[i]) - 2**58
    r2 = logf_m(r, r)
    u = logf_m(96112369020745376, r) - 144115115609035312 + logf_m(-72315105438085952, r2)
    v = LOGF_C[i] + k * 199786072581291488 + r + logf_m(u, r2)
    return sig(v, 24) * 2**91


def log_softmax_float32(x, *, form, scale_bits, table):
    """Logarithm of the softmax of every row in float32 (clause 5.27)."""
    shift = {"signed": 0, "unsigned": 128}[form]
    w = softmax_float32_v(scale_bits)

    def row_of(row):
        s = 0
        for value in row:
            s = sig(s + softmax_float32_v(table[255 + value - max(row)]), 24)
        c = sig(sig(w * (max(row) + shift), 24) + logf(s), 24)
        d = [sig(sig(w * (value + shift), 24) - c, 24) for value in row]
        return [clamp(even(v, 145) + 127, -128, 127) for v in d]

    return each_row(row_of, x)


def transpose_conv2d(
    x, *, x_zero_point, weights, weight_zero_point, bias, stride, padding, **output
):
    """Transposed convolution, weights [oc][ky][kx][ic]; returns (y, acc) (clause 5.20)."""
    (in_h, in_w), (stride_h, stride_w) = (len(x), len(x[0])), stride
    kernel_h, kernel_w = len(weights[0]), len(weights[0][0])
    pad_top, pad_bottom, pad_left, pad_right = padding
    out_h = (in_h - 1) * stride_h + kernel_h - pad_top - pad_bottom
    out_w = (in_w - 1) * stride_w + kernel_w - pad_left - pad_right

    def pairs_of(place, kernel, stride, size):
        return [(k, i) for k in range(kernel) for i in range(size) if place - k == i * stride]

    def accumulate(oy, ox, oc):
        wz = entry_of(weight_zero_point, oc)
        acc = bias[oc]
        for ky, iy in pairs_of(oy + pad_top, kernel_h, stride_h, in_h):
            for kx, ix in pairs_of(ox + pad_left, kernel_w, stride_w, in_w):
                for w, value in zip(weights[oc][ky][kx], x[iy][ix], strict=True):
                    acc += (w - wz) * (value - x_zero_point)
        return acc

    channels = range(len(weights))
    acc = [
        [[accumulate(oy, ox, oc) for oc in channels] for ox in range(out_w)] for oy in range(out_h)
    ]
    return finish(acc, **output)


FUNCTIONS: dict[str, Callable] = {
    "conv2d": conv2d,
    "depthwise_conv2d": depthwise_conv2d,
    "fully_connected": fully_connected,
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
    "transpose_conv2d": transpose_conv2d,
    "resize_bilinear": resize_bilinear,
    "maximum": maximum,
    "minimum": minimum,
    "lut2d": lut2d,
    "matmul": matmul,
    "log_softmax": log_softmax,
    "log_softmax_float32": log_softmax_float32,
}
"""Every op by its name, in clause order."""
