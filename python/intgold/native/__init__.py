"""The C engine of csrc/ from Python: every op by itself, and whole models.

The functions have the names and signatures of `intgold.golden` and give the same bits.
"""

from ..support.moved import renamed
from .engine import ISAS, NativeModel, acquire_isa, built, compiler, isa_name, variants
from .single_op import FUNCTIONS

add = FUNCTIONS["add"]
argmax = FUNCTIONS["argmax"]
avg_pool2d = FUNCTIONS["avg_pool2d"]
concat = FUNCTIONS["concat"]
conv2d = FUNCTIONS["conv2d"]
depthwise_conv2d = FUNCTIONS["depthwise_conv2d"]
fully_connected = FUNCTIONS["fully_connected"]
gather = FUNCTIONS["gather"]
global_avg_pool = FUNCTIONS["global_avg_pool"]
log_softmax = FUNCTIONS["log_softmax"]
log_softmax_float32 = FUNCTIONS["log_softmax_float32"]
lut = FUNCTIONS["lut"]
lut2d = FUNCTIONS["lut2d"]
matmul = FUNCTIONS["matmul"]
max_pool2d = FUNCTIONS["max_pool2d"]
maximum = FUNCTIONS["maximum"]
minimum = FUNCTIONS["minimum"]
mul = FUNCTIONS["mul"]
pad = FUNCTIONS["pad"]
pwl = FUNCTIONS["pwl"]
rescale = FUNCTIONS["rescale"]
reshape = FUNCTIONS["reshape"]
resize_bilinear = FUNCTIONS["resize_bilinear"]
softmax = FUNCTIONS["softmax"]
softmax_float32 = FUNCTIONS["softmax_float32"]
strided_copy = FUNCTIONS["strided_copy"]
transpose_conv2d = FUNCTIONS["transpose_conv2d"]

__all__ = [
    "FUNCTIONS",
    "ISAS",
    "NativeModel",
    "acquire_isa",
    "add",
    "argmax",
    "avg_pool2d",
    "built",
    "compiler",
    "concat",
    "conv2d",
    "depthwise_conv2d",
    "fully_connected",
    "gather",
    "global_avg_pool",
    "isa_name",
    "log_softmax",
    "log_softmax_float32",
    "lut",
    "lut2d",
    "matmul",
    "max_pool2d",
    "maximum",
    "minimum",
    "mul",
    "pad",
    "pwl",
    "rescale",
    "reshape",
    "resize_bilinear",
    "softmax",
    "softmax_float32",
    "strided_copy",
    "transpose_conv2d",
    "variants",
]

__getattr__ = renamed(__name__)
