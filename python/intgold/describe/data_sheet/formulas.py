"""What each op computes, as a formula of its own fields (SPEC 5)."""

from __future__ import annotations

from ...model.graph import Op

_FORMULAS = {
    "conv2d": "acc(oy,ox,oc) = bias(oc) + sum over valid taps of "
    "(x(iy,ix,ic) - zero_x) * (w(oc,ky,kx,ic) - zero_w(oc)), "
    "iy = oy*stride_h - pad_top + ky*dilation_h, ix alike; padded taps add nothing",
    "depthwise_conv2d": "acc(oy,ox,oc) = bias(oc) + sum over valid taps of "
    "(x(iy,ix,ic) - zero_x) * (w(ky,kx,oc) - zero_w(oc)), ic = oc div (out_c / in_c); "
    "iy = oy*stride_h - pad_top + ky*dilation_h, ix alike; padded taps add nothing",
    "fully_connected": "acc(oc) = bias(oc) + sum of (x(i) - zero_x) * (w(oc,i) - zero_w(oc)), "
    "x flattened as (height, width, channel)",
    "lut": "y = table[x + 128]",
    "pwl": "k = the last segment with breakpoint(k) <= x;  acc = slope(k)*x + offset(k);  "
    "y = clamp((acc + 2^(frac_bits-1)) >> frac_bits, act_min, act_max); acc itself for frac_bits 0",
    "max_pool2d": "y(oy,ox,c) = clamp(largest valid x(iy,ix,c), act_min, act_max), "
    "iy = oy*stride_h - pad_top + ky, ix alike; padded cells do not count",
    "global_avg_pool": "acc(c) = sum over height and width of (x - zero_x)",
    "add": "u1 = R1((x1 - zero_x1) * 2^left_shift), R1 by requantize1;  "
    "u2 alike by requantize2;  acc = u1 + u2; u1 - u2 in form shared_scale_difference, "
    "(u1 - u2)^2 in form shared_scale_squared_difference",
    "softmax": "diff(i) = x(i) - max x of the row; e(i) = 0 and y(i) = -128 where "
    "diff(i) < -floor(31*2^26 / 2^left_shift)\n"
    "P(a,b) = (a*b + 2^30) >> 31;  e(i) = EXP(P(diff(i)*2^left_shift, multiplier)), SPEC 5.10.2\n"
    "s = sum of away(e(i), 12);  L = 32 - bits(s);  g = REC(s*2^L - 2^31), SPEC 5.10.4\n"
    "y(i) = clamp(away(P(g, e(i)), 35 - L) - 128, -128, 127);  "
    "away(p,t) = sign(p) * ((|p| + 2^(t-1)) >> t)",
    "rescale": "y = R(x), saturated to int32",
    "argmax": "y = index of the largest value of the last dimension, ties to the lowest",
    "mul": "acc = (x1 - zero_x1) * (x2 - zero_x2)",
    "concat": "the values of x1, then those of x2, along the axis",
    "pad": "x with `before` cells before each dimension and `after` cells after it, all `value`",
    "reshape": "the values of x in C order, in another shape",
    "softmax_float32": "e(i) = float32 with the bits table[255 + x(i) - max x of the row]\n"
    "s = e(0) + e(1) + ... in this order, each sum to 24 significant bits, ties to even\n"
    "s = S * 2^(j-149), S of 24 bits;  g = floor((2^47 + floor(S/2)) / S)\n"
    "p(i) = e(i) * 2^149 * g to 24 significant bits;  T = 39 + j\n"
    "y(i) = clamp(r(i) - 128, -128, 127), r(i) = (p(i) + 2^(T-1)) >> T;  "
    "in form half_added p(i) + 2^(T-1) to 24 significant bits first",
    "strided_copy": "value n of y = value offset + i(0)*strides(0) + ... + i(5)*strides(5) of x, "
    "both in C order; i(0) ... i(5) are nested counters up to counts, i(5) the fastest",
    "gather": "along the axis, place i of y = place indices(i) of x",
    "transpose_conv2d": "acc(oy,ox,oc) = bias(oc) + sum of "
    "(x(iy,ix,ic) - zero_x) * (w(oc,ky,kx,ic) - zero_w(oc)) over the taps with an input: "
    "iy*stride_h = oy + pad_top - ky, iy in [0, in_h-1], ix alike; other taps add nothing",
    "resize_bilinear": "one = 2^frac_bits;  w = row_weight(oy);  v = column_weight(ox)\n"
    "top = (one - v)*x(row0(oy),column0(ox),c) + v*x(row0(oy),column1(ox),c);  bottom of row1(oy)\n"
    "acc = (one - w)*top + w*bottom;  y = acc / 4^frac_bits to nearest, halves by the form",
    "maximum": "y = max(x1, x2), as they are stored",
    "minimum": "y = min(x1, x2), as they are stored",
    "lut2d": "y = table[x1 + 128][x2 + 128]",
    "matmul": "acc(b,i,j) = bias(j) + sum over k of (x1(b,i,k) - zero_x1) * (x2(b,j,k) - zero_x2)",
    "log_softmax": "diff(i) = x(i) - max x of the row; y(i) = -128, without a part in s, where "
    "diff(i) < -floor(31*2^26 / 2^left_shift)\n"
    "P(a,b) = (a*b + 2^30) >> 31;  a(i) = P(diff(i)*2^left_shift, multiplier)\n"
    "s = sum of away(EXP(a(i)), 12), SPEC 5.10.2;  d = LOG(s), SPEC 5.26.1\n"
    "y(i) = clamp(away(a(i) - d, 22) + 127, -128, 127);  "
    "away(p,t) = sign(p) * ((|p| + 2^(t-1)) >> t)",
    "log_softmax_float32": "e(i) and s as of a softmax_float32;  F(p) = p to 24 significant bits, "
    "ties to even\n"
    "w = float32 with the bits scale_bits;  b(i) = x(i), in form unsigned x(i) + 128\n"
    "c = F(F(w * max b of the row) + LOGF(s)), SPEC 5.27.1;  d(i) = F(F(w * b(i)) - c)\n"
    "y(i) = clamp(r(i) + 127, -128, 127), r(i) = 16*d(i) to the nearest integer, ties to even",
}

_AVERAGES = {
    "raw_away": "acc = sum over the n valid cells of x;  "
    "y = clamp(sign(acc) * floor((|acc| + floor(n/2)) / n), act_min, act_max)",
    "raw_up": "acc = sum over the n valid cells of x;  "
    "y = clamp(floor((acc + floor(n/2)) / n), act_min, act_max)",
    "centred_away": "acc = sum over the n valid cells of (x - zero_x);  "
    "y = clamp(zero_y + sign(acc) * floor((|acc| + floor(n/2)) / n), act_min, act_max)",
}


def op_formula(op: Op) -> str:
    """Return the formula of an op, with what follows from its own fields."""
    if op.kind == "avg_pool2d":
        return f"{_AVERAGES[op['form']]};  cells as for a convolution, padded ones not counted"
    if "requantize" not in op.fields or op.kind == "rescale":
        return _FORMULAS[op.kind]
    last = "clamp(zero_y + R(acc), act_min, act_max)"
    return (
        f"{_FORMULAS[op.kind]}\ny = {last if op['requantize'] else 'acc, int32: not requantized'}"
    )
