"""Dilated convolutions as old converters write them: phases of the image as a batch, and back.

SPACE_TO_BATCH_ND puts every b-th row and column into an image of its own, a convolution without
dilation runs on each, BATCH_TO_SPACE_ND puts the results back.  That is one convolution of dilation
b; cells of padding and crops become its padding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ....contracts import Algorithm, Contract
from ....errors import ImportFileError
from ..file.reader import FileGraph, FileOp, FileTensor

_CONVOLUTIONS = {"CONV_2D": (1, 2), "DEPTHWISE_CONV_2D": (1, 2)}
"""The axes of rows and columns of their weights."""
_SAME = 0
_MAX_PADDING = 2**15


def fold_dilations(graph: FileGraph, contract: Contract) -> FileGraph:
    """Return the graph with one convolution for each such chain; the label is the convolution's.

    Raises
    ------
    ImportFileError
        Where the cells that the engine puts around the image are no padding of a convolution.
    """
    uses = Counter(at for op in graph.ops for at in op.inputs) + Counter(graph.outputs)
    makers = {at: op for op in graph.ops for at in op.outputs}
    folded: dict[int, FileOp] = {}
    gone: set[int] = set()
    for last in graph.ops:
        chain = _chain(last, makers, uses)
        made = chain and _one_convolution(graph.tensors, *chain, contract)
        if chain and made:
            gone |= {chain[0].index, chain[1].index}
            folded[last.index] = made
    ops = [folded.get(op.index, op) for op in graph.ops if op.index not in gone]
    return replace(graph, ops=tuple(ops))


def _chain(
    last: FileOp, makers: Mapping[int, FileOp], uses: Mapping[int, int]
) -> tuple[FileOp, FileOp, FileOp] | None:
    """Return the three ops that end with this one, where nothing else reads what is between."""
    if last.kind != "BATCH_TO_SPACE_ND":
        return None
    convolution = makers.get(last.inputs[0])
    if convolution is None or convolution.kind not in _CONVOLUTIONS:
        return None
    first = makers.get(convolution.inputs[0])
    if first is None or first.kind != "SPACE_TO_BATCH_ND":
        return None
    unshared = uses[last.inputs[0]] == uses[convolution.inputs[0]] == 1
    return (first, convolution, last) if unshared else None


def _one_convolution(
    tensors: Sequence[FileTensor],
    first: FileOp,
    convolution: FileOp,
    last: FileOp,
    contract: Contract,
) -> FileOp | None:
    x, weights = tensors[first.inputs[0]], tensors[convolution.inputs[1]]
    operands = [tensors[op.inputs[i]].data for op in (first, last) for i in (1, 2)]
    plain = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}
    if any(convolution.options[name] != value for name, value in plain.items()):
        return None
    if any(v is None for v in operands) or len(weights.shape) != 4 or len(x.shape) != 4:
        return None
    block, cells, other_block, crops = (np.asarray(v, np.int64) for v in operands)
    shapes_fit = cells.shape == crops.shape == (2, 2) and block.shape == (2,)
    if not shapes_fit or not np.array_equal(block, other_block) or block.min() < 1:
        return None
    if not (_alike(x, tensors[convolution.inputs[0]]) and _alike(
        tensors[last.inputs[0]], tensors[last.outputs[0]])):  # fmt: skip
        return None
    rule = contract.rule("SPACE_TO_BATCH_ND", x.dtype)
    if rule is None:
        return None
    if rule.algorithm is Algorithm.CELLS_OF_0 and cells.any() and x.zero_point.any():
        raise ImportFileError(
            f"{first}: its cells are the byte 0 in {contract.engine}, which the convolution after "
            "it does not take for padding"
        )
    reach = np.array([weights.shape[axis] - 1 for axis in _CONVOLUTIONS[convolution.kind]])
    before = reach // 2 if convolution.options["Padding"] == _SAME else 0 * reach
    after = reach - before if convolution.options["Padding"] == _SAME else 0 * reach
    padding = (cells - crops + np.stack([before, after], axis=1) * block[:, None]).ravel()
    if padding.min() < 0 or padding.max() > _MAX_PADDING:
        return None
    dilation = {"DilationHFactor": int(block[0]), "DilationWFactor": int(block[1])}
    options = {**convolution.options, **dilation, "Sides": tuple(padding.tolist())}
    inputs = (first.inputs[0], *convolution.inputs[1:])
    return replace(convolution, inputs=inputs, outputs=last.outputs, options=options)


def _alike(a: FileTensor, b: FileTensor) -> bool:
    """Return whether bytes of both stand for the same reals."""
    return np.array_equal(a.scale, b.scale) and np.array_equal(a.zero_point, b.zero_point)
