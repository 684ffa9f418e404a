"""Which options of an op are read, by the names of the schema."""

from __future__ import annotations

from collections.abc import Mapping

OPTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "CONV_2D": (
        "Conv2DOptions",
        ("Padding", "StrideW", "StrideH", "DilationWFactor", "DilationHFactor",
         "FusedActivationFunction"),
    ),
    "DEPTHWISE_CONV_2D": (
        "DepthwiseConv2DOptions",
        ("Padding", "StrideW", "StrideH", "DilationWFactor", "DilationHFactor",
         "FusedActivationFunction", "DepthMultiplier"),
    ),
    "TRANSPOSE_CONV": (
        "TransposeConvOptions", ("Padding", "StrideW", "StrideH", "FusedActivationFunction"),
    ),
    "FULLY_CONNECTED": (
        "FullyConnectedOptions", ("FusedActivationFunction", "WeightsFormat", "KeepNumDims"),
    ),
    "ADD": ("AddOptions", ("FusedActivationFunction",)),
    "SUB": ("SubOptions", ("FusedActivationFunction",)),
    "MUL": ("MulOptions", ("FusedActivationFunction",)),
    "DIV": ("DivOptions", ("FusedActivationFunction",)),
    "BATCH_MATMUL": ("BatchMatMulOptions", ("AdjX", "AdjY")),
    "AVERAGE_POOL_2D": (
        "Pool2DOptions",
        ("Padding", "StrideW", "StrideH", "FilterWidth", "FilterHeight",
         "FusedActivationFunction"),
    ),
    "MAX_POOL_2D": (
        "Pool2DOptions",
        ("Padding", "StrideW", "StrideH", "FilterWidth", "FilterHeight",
         "FusedActivationFunction"),
    ),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "SUM": ("ReducerOptions", ("KeepDims",)),
    "SOFTMAX": ("SoftmaxOptions", ("Beta",)),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", "FusedActivationFunction")),
    "RESIZE_BILINEAR": ("ResizeBilinearOptions", ("AlignCorners", "HalfPixelCenters")),
    "LEAKY_RELU": ("LeakyReluOptions", ("Alpha",)),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask", "Offset"),
    ),
    "GATHER": ("GatherOptions", ("Axis", "BatchDims")),
    "REDUCE_PROD": ("ReducerOptions", ("KeepDims",)),
    "PACK": ("PackOptions", ("Axis", "ValuesCount")),
    "UNPACK": ("UnpackOptions", ("Axis", "Num")),
    "SPLIT": ("SplitOptions", ("NumSplits",)),
    "MIRROR_PAD": ("MirrorPadOptions", ("Mode",)),
    "DEPTH_TO_SPACE": ("DepthToSpaceOptions", ("BlockSize",)),
    "SPACE_TO_DEPTH": ("SpaceToDepthOptions", ("BlockSize",)),
    "RESIZE_NEAREST_NEIGHBOR": (
        "ResizeNearestNeighborOptions", ("AlignCorners", "HalfPixelCenters"),
    ),
    "REDUCE_MAX": ("ReducerOptions", ("KeepDims",)),
    "REDUCE_MIN": ("ReducerOptions", ("KeepDims",)),
    "GELU": ("GeluOptions", ("Approximate",)),
}  # fmt: skip
"""Of the ops that have options: their table, and what is read of it."""
LISTS: Mapping[str, tuple[str, str]] = {
    "RESHAPE": ("ReshapeOptions", "NewShape"),
    "SQUEEZE": ("SqueezeOptions", "SqueezeDims"),
}
"""Of ops that may have a list as an option: its table and name."""
CUSTOM = frozenset({"custom TFLite_Detection_PostProcess"})
"""Custom ops of which all numbers of their options are read."""
