"""THE op table: every op by its name; ``<op>.py`` declares it, `OpKind` has the columns.

The golden model (``golden/<op>.py``), the C engine (``csrc/ops/<op>.c``), the bindings, the
artefact, the int32 proof and the tests all work from this table, and
``tests/golden/test_op_table.py`` proves that they cover the same set.  An op works on one image at
a time; shapes here have no batch dimension.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import (
    add,
    argmax,
    avg_pool2d,
    concat,
    conv2d,
    depthwise_conv2d,
    fully_connected,
    gather,
    global_avg_pool,
    log_softmax,
    log_softmax_float32,
    lut,
    lut2d,
    matmul,
    max_pool2d,
    maximum,
    minimum,
    mul,
    pad,
    pwl,
    rescale,
    reshape,
    resize_bilinear,
    softmax,
    softmax_float32,
    strided_copy,
    transpose_conv2d,
)
from .kind import OpKind

OPS: Mapping[str, OpKind] = {
    module.OP.name: module.OP
    for module in (
        conv2d,
        depthwise_conv2d,
        fully_connected,
        lut,
        pwl,
        max_pool2d,
        avg_pool2d,
        global_avg_pool,
        add,
        softmax,
        rescale,
        argmax,
        mul,
        concat,
        pad,
        reshape,
        softmax_float32,
        strided_copy,
        gather,
        transpose_conv2d,
        resize_bilinear,
        maximum,
        minimum,
        lut2d,
        matmul,
        log_softmax,
        log_softmax_float32,
    )
}
"""In SPEC order."""
