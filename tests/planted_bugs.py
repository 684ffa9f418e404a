"""Plants realistic bugs, one at a time, in a copy of the sources; the suite must kill each.

    python tests/planted_bugs.py            all of them, a table at the end
    python tests/planted_bugs.py padding    those with the word in their name

A bug is one replacement of a text that occurs exactly once, in the C engine (recompiled) or in
the golden model.  It is killed when a test fails; a bug that breaks the build is no bug.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from intgold import native

sys.path.insert(0, str(Path(__file__).parent / "support"))
from compilers import engine_objects, source

ROOT = Path(__file__).parents[1]
COMPILER = ("gcc", "-O1", "-fPIC", "-w")
SUITE = (
    "native/test_engines_agree.py",
    "native/test_variants.py",
    "native/test_copies.py",
    "golden/test_requantize.py",
    "golden/test_slow_oracle.py",
    "native/test_requantize_kernels.py",
    "native/test_softmax_float32.py",
)


ISA_OF = {
    "convolve.h": "avx2",
    "lane_epilogue.h": "avx2",
    "lane_forms.h": "avx2",
    "window_loops.h": "avx2",
    "kernels_avx2.c": "avx2",
    "kernels_avx2_depthwise.c": "avx2",
    "kernels_avx2_epilogue.c": "avx2",
    "kernels_avx2_pools.c": "avx2",
    "kernels_avx2_values.c": "avx2",
    "kernels_avx512_epilogue.c": "avx512vnni",
    "kernels_avx512_pools.c": "avx512vnni",
    "kernels_avx512vnni.c": "avx512vnni",
    "kernels_avxvnni.c": "avxvnni",
    "requantize_avx2.h": "avx2",
}
"""The variant that a CPU must run for the tests to see a bug of the file; the others always run."""
BYTES = "avx512vnni"
"""The same for bugs of words of four bytes, which portable C and AVX2 have not."""


@dataclass(frozen=True)
class Bug:
    """Text `old` of `file` becomes `new`; `isa`: the variant that it is in."""

    name: str
    file: str
    old: str
    new: str
    isa: str = "portable"


def c(name: str, file: str, old: str, new: str, isa: str | None = None) -> Bug:
    """Return a bug of the C engine."""
    path = source(file).relative_to(ROOT).as_posix()
    return Bug(f"c: {name}", path, old, new, isa or ISA_OF.get(file, "portable"))


def golden(name: str, file: str, old: str, new: str) -> Bug:
    """Return a bug of the golden model."""
    return Bug(f"golden: {name}", f"python/intgold/golden/{file}", old, new)


_UP = "INTGOLD_FORM_SINGLE: return intgold_round_up("
_AWAY = "INTGOLD_FORM_SINGLE_AWAY: return intgold_round_away("
_EVEN = "INTGOLD_FORM_SINGLE_EVEN: return intgold_round_even("
_DOWN = "INTGOLD_FORM_SINGLE_DOWN: return intgold_round_down("
_ZERO = "INTGOLD_FORM_SINGLE_ZERO: return intgold_round_zero("

BUGS = (
    # Rounding forms swapped, each way that a hand would slip.
    c("single rounds away", "requantize.h", _UP, _UP.replace("round_up", "round_away")),
    c("single_away rounds up", "requantize.h", _AWAY, _AWAY.replace("round_away", "round_up")),
    c("single_even rounds up", "requantize.h", _EVEN, _EVEN.replace("round_even", "round_up")),
    c("single_down truncates", "requantize.h", _DOWN, _DOWN.replace("round_down", "round_zero")),
    c("single_zero floors", "requantize.h", _ZERO, _ZERO.replace("round_zero", "round_down")),
    c("double rounds up at last", "requantize.h",
      "return intgold_round_away(intgold_high(", "return intgold_round_up(intgold_high("),
    c("double_up rounds away at last", "requantize.h",
      "return intgold_round_up(intgold_high(", "return intgold_round_away(intgold_high("),
    c("double skips its left shift", "requantize.h",
      "left_shift = by->right_shift < 31 ? 31 - by->right_shift : 0", "left_shift = 0"),
    c("float32 keeps the accumulator whole", "requantize.h",
      "intgold_to_significand(acc, 24) *", "(int64_t)acc *"),
    c("float32 skips its second rounding", "requantize.h",
      "intgold_to_significand(product, 24)", "product"),
    c("float64 truncates at 53 bits", "requantize.h",
      "(lost > half || (lost == half && (floor & 1)))", "0"),
    c("float64 drops the low bits", "requantize.h", "(low >> 22)", "0"),
    c("fast path floors", "kernels_portable.c",
      "intgold_round_up((int64_t)*sums", "intgold_round_down((int64_t)*sums"),
    c("right_shift off by one", "kernels_portable.c",
      "by->multiplier, by->right_shift)", "by->multiplier, by->right_shift - 1)"),
    c("per-channel multiplier of channel 0", "requantize.h",
      "by->count == 1 ? 0 : channel", "0 * channel"),
    c("clamp before the zero point", "requantize.h",
      "intgold_clamp(intgold_scale_acc(acc, by) + y_zero_point, act_min, act_max)",
      "(intgold_clamp(intgold_scale_acc(acc, by), act_min, act_max) + y_zero_point)"),
    c("unsigned clamp", "kernels_portable.c",
      "intgold_clamp(scaled + epilogue->y_zero_point, min, max)",
      "intgold_clamp(scaled + epilogue->y_zero_point, min & 255, max & 255)"),
    # Convolution.
    c("zero point forgotten in padding", "conv2d.c",
      "intgold_encoded_zero(at.kernels->input_encoding, op->x_zero_point)",
      "intgold_encoded_zero(at.kernels->input_encoding, 0)", BYTES),
    c("bias missing", "kernels_portable.c", "a1 = by->bias[1]", "a1 = 0"),
    c("bias missing in the last channel", "conv2d_plan.c",
      "i < channels ? start_of", "i < channels - 1 ? start_of"),
    c("24-bit accumulator", "kernels_portable.c", "sums0[2] = a2,",
      "sums0[2] = ((a2 + (1 << 23)) & 0xffffff) - (1 << 23),"),
    c("transposed kernel", "weights.h", "(size_t)(run % weights->n_runs)",
      "(size_t)(weights->n_runs - 1 - run % weights->n_runs)"),
    c("channel stride", "conv2d_plan.c", "(size_t)op->dilation_w * (size_t)op->in_c",
      "(size_t)op->dilation_w"),
    c("wrong pad side", "conv2d.c", "before = at->op->pad_left;", "before = at->op->pad_right;"),
    c("stride of the other axis", "conv2d.c", "oy * op->stride_h", "oy * op->stride_w"),
    c("dilation ignored", "conv2d_plan.c", "row_step = op->dilation_h", "row_step = 1"),
    c("weight zero point of channel 0", "weights.h",
      "weights->zero_point_count == 1 ? 0 : oc", "0"),
    c("last row of a strip", "conv2d.c", "(int32_t)intgold_conv2d_in_rows(op, out_rows)",
      "(int32_t)intgold_conv2d_in_rows(op, out_rows) - 1"),
    c("rows at once: only the first", "conv2d_band.c", "of->rows * of->pixels", "of->pixels"),
    c("rows at once: pool of an odd width", "conv2d_band.c", "(at->pooled && by->out_w % 2)", "0"),
    c("rows at once: pairs overlap", "conv2d_band.c", "const int32_t row = of->row + 2 * i;",
      "const int32_t row = of->row + i;"),
    c("depthwise input channel", "depthwise_conv2d.c", "*to++ = x[i]",
      "*to++ = x[j ? i / (size_t)op->in_c * (size_t)op->in_c : i]"),
    c("depthwise wrong pad side", "depthwise_conv2d.c", "op->pad_top + ky", "op->pad_bottom + ky"),
    c("transposed kernel not mirrored", "transpose_conv2d.c",
      "for (j = rows->taps - 1; j >= 0; j--)", "for (j = 0; j < rows->taps; j++)"),
    c("transposed phase of the wrong tap", "transpose_conv2d.c",
      "made.tap = place % axis->stride", "made.tap = i"),
    c("transposed padding lost", "transpose_conv2d.c",
      "made.before = made.taps - 1 - first", "made.before = made.taps - 1"),
    c("transposed rows interleaved by the other stride", "transpose_conv2d.c",
      "dense.row * (size_t)op->stride_h", "dense.row * (size_t)op->stride_w"),
    c("transposed inputs cut off are read", "conv2d.c", "row.first = before < 0 ? -before : 0",
      "row.first = 0"),
    c("transposed bias of no tap", "transpose_conv2d.c",
      "if (tap >= axis->kernel) return made;", "if (tap > axis->kernel) return made;"),
    # The other ops.
    c("LUT index offset", "kernels_portable.c", "table[x[i] + 128]", "table[(x[i] + 129) & 255]"),
    c("LUT index unsigned", "kernels_portable.c", "table[x[i] + 128]", "table[x[i] & 255]"),
    c("segment one too far", "pwl.c",
      "op->breakpoints[k] > x[i]", "k && op->breakpoints[k] >= x[i]"),
    c("pwl truncates", "pwl.c", "intgold_round_up(sum", "intgold_round_zero(sum"),
    c("pool window", "max_pool2d.c", "right = left + op->kernel_w", "right = left + op->kernel_h"),
    c("pools side by side: one too many", "max_pool2d.c",
      "(op->in_w - right) / op->stride_w + 1", "(op->in_w - right) / op->stride_w + 2"),
    c("pools side by side: wrong step", "max_pool2d.c",
      "at.step = (size_t)op->stride_w", "at.step = (size_t)op->kernel_w"),
    c("pool starts at 0", "max_pool2d.c", "window_max(&at, op->act_min,",
      "window_max(&at, 0,"),
    c("average counts padded cells", "avg_pool2d.c",
      "(found.bottom - found.top) * (found.right - found.left)", "op->kernel_h * op->kernel_w"),
    c("average forgets the output zero point", "avg_pool2d.c", " + op->y_zero_point", ""),
    c("half of n rounded up", "rounding.h", "(p + n / 2) / n :", "(p + (n + 1) / 2) / n :"),
    c("global pool per tensor", "global_avg_pool.c", "kernels->epilogue(epilogue, first, n,",
      "kernels->epilogue(epilogue, 0, n,"),
    c("add swaps zero points", "add.c", "fill(made->x2, sign, op->x2_zero_point,",
      "fill(made->x2, sign, op->x1_zero_point,"),
    c("add swaps multipliers", "add.c", "op->left_shift, &op->requantize2)",
      "op->left_shift, &op->requantize1)"),
    c("mul centres one factor", "kernels_portable.c",
      "(x2[i] - zero_point2)", "x2[i]"),
    c("mul in vectors: signs in both halves", "kernels_avx2_values.c",
      "_mm256_and_si256(first, ALL_LANES(0xFFFF))", "first"),
    c("a line without its fraction", "kernels_avx2_pools.c",
      "low = avx2_line_sums(&lines->line[0], _mm256_unpacklo_epi8(fraction, x));",
      "low = avx2_line_sums(&lines->line[0], _mm256_unpacklo_epi8(_mm256_setzero_si256(), x));"),
    c("the larger of two lines in half of a vector", "kernels_avx2_pools.c",
      "high = _mm256_max_epi16(\n            high, ", "high = ("),
    c("a line without its lower bound", "kernels_avx2_pools.c",
      "_mm256_max_epi8(y, _mm256_set1_epi8((char)lines->min))", "y"),
    c("concat swaps its inputs", "concat.c", "copy(y, x1, depth1);", "copy(y, x2, depth1);"),
    c("short copies lose their end", "copy.h",
      "memcpy(to + count - 8, from + count - 8, 8);", ""),
    c("strided copy repeats what is not made yet", "strided_copy.c", " && k < w->in_order", ""),
    c("pad of long rows", "pad.c", "made.after2 = op->after1 * op->in2;",
      "made.after2 = op->after1;"),
    c("add: no doubt where R is far from a half", "add.c",
      "error + steps_off(op, lo, hi, places) + 1", "1", "avx2"),
    c("add: a shift where requantize multiplies", "add.c",
      "if (multiplier != 1 || shift < 0", "if (shift < 0", "avx2"),
    c("add: half of what R is off", "add.c", "above > most ? above : most", "most", "avx2"),
    c("add: lines beyond int32", "add.c", "intgold_magnitude(base) >\n",
      "intgold_magnitude(base) < 0 *\n", "avx2"),
    c("add: half of the divisor beyond int32", "add.c", " || most > INT32_MAX", "", "avx2"),
    c("difference adds", "add.c", "SHARED_SCALE ? 1 : -1", "SHARED_SCALE ? 1 : 1"),
    c("resize exchanges column weights", "resize_bilinear.c",
      "sums[i] = first * a[i] + second * b[i]", "sums[i] = second * a[i] + first * b[i]"),
    c("resize row weight of the column", "resize_bilinear.c",
      "second = op->row_weight[oy]", "second = op->row_weight[0]"),
    c("resize rounds up for away", "resize_bilinear.c",
      "intgold_round_away_32(sums[i], shift)", "intgold_round_up_32(sums[i], shift)"),
    c("resize ties down", "rounding.h", "const int32_t sum = p + (int32_t)intgold_half(t);",
      "const int32_t sum = p + (int32_t)intgold_half(t) - 1;"),
    c("maximum of unsigned bytes", "maximum.c", "x1[i] > x2[i]",
      "(uint8_t)x1[i] > (uint8_t)x2[i]"),
    c("maximum takes the smaller", "maximum.c", "x1[i] > x2[i]", "x1[i] < x2[i]"),
    c("minimum of unsigned bytes", "minimum.c", "x1[i] < x2[i]",
      "(uint8_t)x1[i] < (uint8_t)x2[i]"),
    c("minimum takes the larger", "minimum.c", "x1[i] < x2[i]", "x1[i] > x2[i]"),
    c("pairs of unsigned bytes", "lut2d.c", "x2[i] + 128]", "(uint8_t)x2[i]]"),
    c("pairs exchanged", "lut2d.c", "(x1[i] + 128) * 256 + x2[i]", "(x2[i] + 128) * 256 + x1[i]"),
    c("matmul of the first batch", "matmul.c", "x2 + b * (size_t)op->columns", "x2 + 0 * b"),
    c("matmul writes over a batch", "matmul.c", "call->acc + made", "call->acc + row"),
    c("matmul with the first zero point", "matmul.c",
      "zero_point = (int8_t)op->x2_zero_point;\n    const int8_t *x1",
      "zero_point = (int8_t)op->x1_zero_point;\n    const int8_t *x1"),
    c("a square of the sum", "add.c", "SHARED_SCALE ? 1 : -1;",
      "SHARED_SCALE_DIFFERENCE ? -1 : 1;"),
    c("a difference not squared", "add.c", "sums[i] *= sums[i]", "sums[i] *= 1"),
    c("pad exchanges front and back", "pad.c", "front = (size_t)op->before2",
      "front = (size_t)op->after2"),
    c("pad forgets the rows behind", "pad.c", "op->value, (size_t)op->after1",
      "op->value, (size_t)0"),
    c("strided copy joins counters that do not join", "strided_copy.c",
      "outer->x_step == inner.x_step * inner.count", "inner.x_step == 1"),
    c("strided copy transposes a block wrongly", "strided_copy.c",
      "swap_blocks(rows, 2, 0x0000ffff0000ffff)", "swap_blocks(rows, 2, 0x000000ff000000ff)"),
    c("strided copy does not rewind", "strided_copy.c",
      "from -= w->dims[k].count * w->dims[k].x_step;", ""),
    c("gather takes the neighbour", "gather.c", "op->indices[i] *", "op->indices[i ? i - 1 : 0] *"),
    c("gather stays in the first row", "gather.c",
      "x += op->in_extent * (ptrdiff_t)op->depth;", ""),
    c("softmax limit", "fixed_point.h", "diff >= -(((int64_t)31", "diff > -(((int64_t)31"),
    c("float32 sum of halves up", "float32_value.c",
      "intgold_round_even(exact, excess)", "intgold_round_up(exact, excess)"),
    c("float32 subnormal taken as normal", "float32_value.h",
      "field > 0 ? fraction + 0x800000 : fraction", "fraction + 0x800000"),
    c("float32 sum without a sticky bit", "float32_value.c",
      "((int64_t)1 << 36), down)", "((int64_t)1 << 36), down) >> 35 << 35"),
    c("float32 exponentials, halves up", "rounding.h",
      "intgold_half(t) - 1 + odd", "intgold_half(t) + 0 * odd"),
    c("float32 exponentials without a carry", "float32_value.c",
      "up + (int)(exact >> (24 + up))", "up"),
    c("float32 half added as the other form", "softmax_float32.c",
      "exact + half_last > half - ((int64_t)1 << (shift - 25))", "0"),
    c("fixed point sure of all", "softmax_float32.c", "return unsure == 0;", "return 1;"),
    c("fixed point as sure of long rows", "softmax_float32.c", "depth + depth / 8 + 8", "4"),
    c("fixed point of half the steps", "softmax_float32.c",
      "depth + depth / 8 + 8", "depth / 2 + 4"),
    c("fixed point of entries that lose nothing", "softmax_float32.c",
      "lost = (uint64_t)1 << 32", "lost = 0"),
    c("float32 product truncated", "softmax_float32.c",
      "intgold_round_up(exact + half_last,", "intgold_round_up(exact,"),
    c("softmax last factor", "fixed_point.c", "bit <= 30", "bit < 28"),
    c("float32 logarithm of the centre alone", "float32_value.c",
      "power * ln_2 + r +", "power * ln_2 +"),
    c("float32 logarithm without its cube", "float32_value.c",
      "product_58(cube, r) + half", "half"),
    c("log_softmax_float32 of signed bytes", "log_softmax_float32.c",
      "_FLOAT32_UNSIGNED ? 128 : 0", "_FLOAT32_UNSIGNED ? 0 : 0"),
    c("log_softmax_float32 tie away", "log_softmax_float32.c",
      "intgold_round_even(v.significand", "intgold_round_away(v.significand"),
    c("logarithm of sums from 2", "log_softmax.c", "(bits - 20) *", "(bits - 21) *"),
    c("logarithm without its cube", "log_softmax.c",
      "intgold_fixed_product(intgold_fixed_product(q, q2), 117049297)", "0"),
    c("log_softmax tie up", "log_softmax.c",
      "intgold_round_away(a - log_sum, 22)", "intgold_round_up(a - log_sum, 22)"),
    c("rescale wraps", "rescale.c",
      "intgold_clamp(intgold_scale_acc(x[c], &entry), INT32_MIN, INT32_MAX)",
      "(uint32_t)intgold_scale_acc(x[c], &entry)"),
    c("argmax tie to the highest", "argmax.c", "x[i] > x[best]", "x[i] >= x[best]"),
    c("argmax of int8, tie to the highest", "argmax.c", "(ARGMAX_BLOCK - 1 - i));", "i);"),
    c("argmax of int8, tie of a short row", "argmax.c", "x[i] > largest", "x[i] >= largest"),
    c("argmax of int8, later block wins a tie", "argmax.c", "x[at] > x[best]", "x[at] >= x[best]"),
    c("argmax of int8, unsigned", "argmax.c", "(x[i] * ARGMAX_BLOCK",
      "((x[i] ^ -128) * ARGMAX_BLOCK"),
    c("argmax of int8 read as int32", "engine.c", "model->tensors[op->inputs[0]].dtype",
      "INTGOLD_INT32"),
    # The engine.
    c("every image is the first", "engine.c", "(const char *)inputs[i] + (size_t)image",
      "(const char *)inputs[i] + (size_t)0 * (size_t)image"),
    c("odd pixel of a tile", "kernels_portable.c", "i + 1 < strip->columns ? i + 1 : i", "i"),
    c("pool before a table that falls", "fuse.c", "if (table[i] < table[i - 1]) return 0;", ""),
    c("fused although others read it", "fuse.c", "readers(model, made) == 1", "made >= 0"),
    # The fast kernels.
    c("weights in too few parts", "weights.h", "== -128) return 3;", "== -128) return 2;",
      BYTES),
    c("folded rows swapped", "weights.h", "r - weights->fold_shift : r", "r : r"),
    c("shared rows shifted twice", "conv2d_plan.c", "? 2 * later : 0", "? later : 0"),
    c("flip not in the sum", "weights.h", "INPUT_OFFSET_BINARY: return x_zero_point + 128;",
      "INPUT_OFFSET_BINARY: return x_zero_point + 127;", BYTES),
    c("AVX-512 floors", "kernels_avx512_epilogue.c", "1 + 2 * epilogue->y_zero_point",
      "2 * epilogue->y_zero_point"),
    c("AVX-512 shift of 32", "kernels_avx512_epilogue.c", "{33, 54, ", "{32, 54, "),
    c("AVX-512 shift of 62", "kernels_avx512_epilogue.c", "{33, 54, ", "{33, 62, "),
    c("AVX-512 odd lanes", "kernels_avx512_epilogue.c", "_mm512_srli_epi64(by.multiplier, 32)",
      "by.multiplier"),
    c("AVX-512 clamp", "kernels_avx512_epilogue.c", "_mm512_set1_epi8((char)epilogue->act_min)",
      "_mm512_set1_epi8(-128)"),
    c("AVX-512 last pixels", "kernels_avx512_epilogue.c", "if (left > 0)", "if (left > 1)"),
    c("AVX-512 pool", "kernels_avx512_epilogue.c", "at->below + right", "at->below + left"),
    c("AVX-512 four stores", "kernels_avx512_epilogue.c", "_mm512_extracti32x4_epi32(bytes, 3)",
      "_mm512_extracti32x4_epi32(bytes, 2)"),
    c("AVX-512 add: rests of the other input", "kernels_avx512_epilogue.c",
      "x2 + i, rest2 + i, live", "x2 + i, rest1 + i, live"),
    c("AVX-512 add: the slope of the other input", "kernels_avx512_epilogue.c",
      "on_line(by->slope2,", "on_line(by->slope1,"),
    c("AVX-512 pool of a window", "kernels_avx512_pools.c", "i < windows->rows", "i < 2"),
    c("blocks of any form are simple", "lane_forms.h",
      "own == INTGOLD_FORM_SINGLE && shift >=", "shift >="),
    c("single scaled up by its shift only", "lane_forms.h", "*multiplier *= 2;",
      "*multiplier += *multiplier / 2;"),
    c("blocks of two forms", "lane_forms.h", "form == INTGOLD_LANES_DEAD || one == form", "1"),
    c("a second block's form", "lane_epilogue.h", "done += LANES, blocks++", "done += LANES"),
    c("AVX-512 table", "kernels_avx512_pools.c", "_mm512_andnot_si512(low_bits, index)",
      "_mm512_and_si512(low_bits, index)"),
    c("VBMI halves swapped", "kernels_avx512_pools.c", "positive, negative));",
      "negative, positive));", "avx512vbmi"),
    c("AVX2 rows shared one run short", "convolve.h", "for (; s < n + shift;",
      "for (; s < n + shift - 1;"),
    c("AVX2 padding of depthwise", "kernels_avx2_depthwise.c", "memset(words, zero_point, count)",
      "memset(words, 0, count)"),
    c("AVX2 depthwise: the second tap", "kernels_avx2_depthwise.c",
      "x + strip->segments[s + 1] : a", "x + strip->segments[s] : a"),
    c("AVX2 depthwise: weights out of place", "kernels_avx2_depthwise.c",
      "{0, 1, 2, 3, 8, 9, 10, 11,", "{0, 1, 2, 3, 4, 5, 6, 7,"),
    c("AVX2 add: doubts not looked at", "kernels_avx2_values.c",
      "!_mm256_testz_si256(doubts, doubts)", "0"),
    c("AVX2 add: the last values", "kernels_avx2_values.c",
      "memcpy(rest2, x2 + i, (size_t)(count - i));", ""),
    c("AVX2 add: the zero point beyond int16", "kernels_avx2_values.c",
      "_mm256_adds_epi16(_mm256_packs_epi32(y[0],", "_mm256_add_epi16(_mm256_packs_epi32(y[0],"),
    c("AVX2 blend rounds up for away", "kernels_avx2_values.c", "if (!by->away)", "if (1)"),
    c("AVX2 blend: the next pixel too early", "kernels_avx2_values.c", "y += rest;",
      "y += by->channels % 8;"),
    c("AVX2 last inputs not loaded", "kernels_avx2.c", "if (i == count) return;",
      "if (i == count || count > 2 * HALF) return;"),
    c("AVX2 floors", "kernels_avx2_epilogue.c", "_mm256_add_epi32(high, by->half)", "high"),
    c("AVX2 shift of 32", "kernels_avx2_epilogue.c", "{33, 62, ", "{32, 62, "),
    c("AVX2 odd lanes", "kernels_avx2_epilogue.c",
      "avx2_odd_lanes(by.multiplier)", "by.multiplier"),
    c("AVX2 last pixel", "kernels_avx2_epilogue.c", "store_group(fold, &at, i, count - i,",
      "store_group(fold, &at, i, count - i - 1,"),
    c("AVX2 pool", "kernels_avx2_epilogue.c", "at->below + right", "at->below + left"),
    c("AVX2 pool of the last channels", "window_loops.h", "x + channels - FEW",
      "x + channels - FEW + 1"),
    c("AVX2 pools side by side: the first again", "window_loops.h",
      "windows.x + w * windows.step", "windows.x"),
    c("AVX2 table", "kernels_avx2_pools.c", "_mm256_subs_epi8(", "_mm256_sub_epi8("),
    c("AVX2 single_even rounds up", "requantize_avx2.h", "_mm256_add_epi64(below, odd)", "half"),
    c("AVX2 single_down truncates", "requantize_avx2.h",
      "bias = _mm256_and_si256(_mm256_sub_epi64(unit, one), _mm256_sub_epi64(zero, negative));",
      "bias = zero;"),
    c("AVX2 double_up rounds away", "requantize_avx2.h", "form == INTGOLD_FORM_DOUBLE_UP)", "0)"),
    c("AVX2 doubt of the float forms", "requantize_avx2.h", "INTGOLD_NEAREST_DOUBTFUL + 1", "0"),
    c("pairs of blocks of two forms", "lane_epilogue.h", "blocks->form == blocks[1].form", "1"),
    c("AVX-VNNI padding of depthwise", "kernels_avxvnni.c", "(char)(zero_point + 128)",
      "(char)zero_point"),
    c("AVX-VNNI words of the second half", "kernels_avxvnni.c",
      "_mm256_extracti128_si256(out[i], 1)", "_mm256_castsi256_si128(out[i])"),
    # The golden model.
    golden("up floors", "rounding.py", "return (p + _half(t)) >> t", "return p >> t"),
    golden("away rounds up", "rounding.py",
           "return ((abs(p) + _half(t)) >> t) * np.sign(p)", "return (p + _half(t)) >> t"),
    golden("even ties up", "rounding.py", "(floor & 1 == 1)", "(floor == floor)"),
    golden("down truncates", "rounding.py", "return p >> np.asarray(t, np.int64)",
           "return (abs(p) >> np.asarray(t, np.int64)) * np.sign(p)"),
    golden("zero floors", "rounding.py",
           "return (abs(p) >> np.asarray(t, np.int64)) * np.sign(p)",
           "return p >> np.asarray(t, np.int64)"),
    golden("double rounds up at last", "requantize.py",
           "return rounding.away(_high(acc, m, t)", "return rounding.up(_high(acc, m, t)"),
    golden("float32 rounds once", "requantize.py", "rounding.to_significand(acc, 24)", "acc"),
    golden("clamp unsigned", "_integers.py", "np.clip(y, act_min, act_max)",
           "np.clip(y, act_min & 255, act_max & 255)"),
    golden("bias missing", "windows.py", "acc[...] = bias", "acc[...] = 0 * bias"),
    golden("stride of the other axis", "windows.py",
           "kernel[1], stride[1], dilation[1], left):",
           "kernel[1], stride[0], dilation[1], left):"),
    golden("transposed kernel", "conv2d.py", "w[:, ky, kx].T", "w[:, -1 - ky, -1 - kx].T"),
    golden("wrong pad side", "windows.py", "(top, bottom, left, right) = x.shape, padding",
           "(bottom, top, right, left) = x.shape, padding"),
    golden("window loses its last row", "windows.py",
           "(in_size - 1 - offset) // stride + 1", "(in_size - 2 - offset) // stride + 1"),
    golden("dilation of the other axis", "windows.py",
           "kernel[0], stride[0], dilation[0], top):",
           "kernel[0], stride[0], dilation[1], top):"),
    golden("weight zero point of channel 0", "depthwise_conv2d.py",
           "weight_zero_point.astype(np.int32)", "weight_zero_point.astype(np.int32)[:1]"),
    golden("transposed kernel mirrored", "transpose_conv2d.py",
           "w[:, ky, kx].T", "w[:, -1 - ky, kx].T"),
    golden("transposed cut at the other side", "transpose_conv2d.py",
           "stride[1], 1, padding[2])", "stride[1], 1, padding[3])"),
    golden("LUT index offset", "lut.py", "+ 128]", "+ 127]"),
    golden("segment one too far", "pwl.py", 'side="right"', 'side="left"'),
    golden("add shifts after scaling", "add.py",
           "(x2.astype(np.int64) - x2_zero_point) << left_shift, requantize2)",
           "x2.astype(np.int64) - x2_zero_point, requantize2) << left_shift"),
    golden("mul centres by the other zero point", "mul.py",
           "np.int32(x2_zero_point)", "np.int32(x1_zero_point)"),
    golden("concat swaps its inputs", "concat.py", "[x1, x2]", "[x2, x1]"),
    golden("difference adds", "add.py", "else u1 - u2", "else u1 + u2"),
    golden("no square", "add.py", "acc = acc * acc", "acc = abs(acc)"),
    golden("pairs exchanged", "lut2d.py", "table[x1.astype(np.int16) + 128, x2.astype",
           "table[x2.astype(np.int16) + 128, x1.astype"),
    golden("matmul without its bias", "matmul.py", "bias + rows", "0 * bias + rows"),
    golden("matmul with one zero point", "matmul.py", "np.int32(x2_zero_point)",
           "np.int32(x1_zero_point)"),
    golden("resize takes a row for both", "resize_bilinear.py", "(row0, row1)", "(row0, row0)"),
    golden("resize rounds to even", "resize_bilinear.py",
           '"up": rounding.up', '"up": rounding.even'),
    golden("maximum is one input", "maximum.py", "np.maximum(x1, x2)", "x1"),
    golden("minimum of magnitudes", "minimum.py", "np.minimum(x1, x2)",
           "np.where(abs(x1.astype(int)) < abs(x2.astype(int)), x1, x2)"),
    golden("pad exchanges its sides", "pad.py", "zip(before, after,", "zip(after, before,"),
    golden("reshape in Fortran order", "reshape.py", "if n))", "if n), order='F')"),
    golden("gather along the next axis", "gather.py", "axis=axis + 1", "axis=-axis - 1"),
    golden("gather of sorted indices", "gather.py", "x.take(indices,", "x.take(sorted(indices),"),
    golden("stride without its sign", "strided_copy.py", "* stride", "* abs(stride)"),
    golden("offset counted twice", "strided_copy.py", "offset, np.int64)", "2 * offset, np.int64)"),
    golden("argmax tie to the highest", "argmax.py",
           "np.argmax(x, axis=-1, keepdims=True)",
           "x.shape[-1] - 1 - np.argmax(x[..., ::-1], axis=-1, keepdims=True)"),
    golden("softmax limit", "fixed_point.py", "diff >= -(", "diff > -("),
    golden("float32 logarithm of twice the value", "float32_values.py",
           "(exponent + lower) *", "(exponent + 1) *"),
    golden("log_softmax_float32 of signed bytes", "log_softmax_float32.py", "128 if", "0 if"),
    golden("log_softmax without the logarithm", "log_softmax.py", "a - log(total)", "a"),
    golden("logarithm of one significand", "fixed_point.py",
           "bit_length(product(x, _SQRT_HALF)) == bits", "bits > 0"),
    golden("log_softmax tie to even", "log_softmax.py",
           "rounding.away(a - log(total), 22)", "rounding.even(a - log(total), 22)"),
    golden("float32 quotient cut off", "softmax_float32.py",
           "rounding.divide_up(np.full_like(total, 2**47), total)", "2**47 // total"),
    golden("float32 product kept exact", "softmax_float32.py",
           "rounding.to_significand(e * inverse, 24)", "e * inverse"),
    golden("rescale wraps", "rescale.py",
           "np.clip(scale(x, requantize), INT32_MIN, INT32_MAX)", "scale(x, requantize)"),
)  # fmt: skip


class Copy:
    """A copy of the sources that can be patched, built and tested."""

    def __init__(self, folder: Path, compiler: tuple[str, ...] = COMPILER) -> None:
        self.folder, self._compiler = folder, compiler
        for part in ("csrc", "python", "tests", "setup.py", "pyproject.toml", "README.md"):
            own = ROOT / part
            copy = shutil.copytree if own.is_dir() else shutil.copy
            copy(own, folder / part)
        generated = folder / "_intgold.c"
        subprocess.run(
            [sys.executable, "-c",
             "from intgold.native.build import ffi; ffi.emit_c_code(__import__('sys').argv[1])",
             generated],
            check=True, cwd=folder, env=self.environment(),
        )  # fmt: skip
        self._glue = folder / "_intgold.o"
        self._gcc("-c", generated, "-o", self._glue)

    def environment(self) -> dict[str, str]:
        """Return what a program needs to run the copy."""
        return {**os.environ, "PYTHONPATH": str(self.folder / "python"), "CI": ""}

    def _gcc(self, *arguments: object) -> None:
        include = sysconfig.get_paths()["include"]
        flags = ["-shared", "-DPy_LIMITED_API", f"-I{include}", "-Icsrc"]
        subprocess.run([*self._compiler, *flags, *map(str, arguments)], check=True, cwd=self.folder)

    def build(self) -> None:
        """Compile the C engine as it is now."""
        module = next((self.folder / "python/intgold/native").glob("_intgold*.so"))
        engine = engine_objects(self._compiler, self.folder / "csrc")
        self._gcc(self._glue, *engine, module.with_name("measure.c"), "-o", module)

    def first_failure(self) -> str | None:
        """Run the suite; return the first test that fails, or None when all pass."""
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider",
             *(f"tests/{name}" for name in SUITE)],
            cwd=self.folder, env=self.environment(), capture_output=True, text=True,
        )  # fmt: skip
        if run.returncode == 0:
            return None
        lines = [x for x in run.stdout.splitlines() if x.startswith(("FAILED", "ERROR"))]
        return lines[0].split(" ")[1].removeprefix("tests/") if lines else "crash"


def plant(copy: Copy, bug: Bug) -> str | None:
    """Return the test that kills the bug, or None when it survives."""
    path = copy.folder / bug.file
    text = path.read_text()
    if text.count(bug.old) != 1 or bug.old == bug.new:
        sys.exit(f"{bug.name}: its text occurs {text.count(bug.old)} times in {bug.file}")
    path.write_text(text.replace(bug.old, bug.new))
    try:
        if bug.file.startswith("csrc/"):
            copy.build()
        return copy.first_failure()
    finally:
        path.write_text(text)
        if bug.file.startswith("csrc/"):
            copy.build()


def main() -> int:
    """Plant every bug that the command line names; return 1 when one survives or does not build."""
    words = sys.argv[1:]
    named = [b for b in BUGS if all(w in b.name for w in words)]
    bugs = [b for b in named if b.isa in native.variants()]
    if not bugs:
        sys.exit(f"no bug of a variant of this CPU is named {' '.join(words)}")
    started = time.monotonic()
    rows, survivors = [], 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        copy.build()
        if failed := copy.first_failure():
            sys.exit(f"the suite fails before any bug is planted: {failed}")
        for bug in tqdm(bugs, unit="bug"):
            try:
                killer = plant(copy, bug)
            except subprocess.CalledProcessError:  # gcc has said why
                rows.append((bug.name, "DOES NOT BUILD"))
                survivors += 1
            else:
                rows.append((bug.name, killer or "SURVIVED"))
                survivors += killer is None
    width = max(len(name) for name, _ in rows)
    for name, killer in rows:
        print(f"{name:{width}}  {killer}")
    for bug in named:
        if bug not in bugs:
            print(f"{bug.name:{width}}  not planted: this CPU does not run {bug.isa}")
    took = time.monotonic() - started
    print(f"{len(rows)} bugs, {survivors} survived or did not build, {took:.0f} s")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
