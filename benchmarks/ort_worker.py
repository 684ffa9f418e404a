"""One-op models in ONNX Runtime: the other side of ops.py, in an environment of its own.

Reads a line of JSON, answers with one:

    {"do": "load", "name": ..., "case": FILE}     -> {"ways": [names]}; case: see ops.py; none
                                                     where ONNX Runtime has no such op
    {"do": "output", "name": ..., "way": ..., "to": FILE}   -> {}, the output in FILE
    {"do": "time", "name": ..., "way": ..., "n": 100}       -> {"seconds": of n calls}

A way is a type of the activations: int8 as they come, or uint8 (x ^ 0x80).  Weights are int8 and
symmetric.  Tensors are NHWC, through the operators that ONNX Runtime itself puts in when it
optimises a model of convolutions (com.microsoft, channels_last): a single op would have
transposes around it.  Inputs and outputs are bound once (IOBinding); one thread.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"


class Graph:
    """What a one-op model is put together from.

    Parameters
    ----------
    case : dict of str to ndarray
        Fields and tensors of the op, as ops.py saved them.
    unsigned : bool
        Whether activations are uint8.
    """

    def __init__(self, case: dict[str, np.ndarray], unsigned: bool) -> None:
        self.case, self.unsigned = case, unsigned
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        """Return the name of a constant."""
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def activation(self, name: str) -> np.ndarray:
        """Return a tensor or zero point of activations in their type."""
        value = self.case[name]
        return np.asarray(value.view(np.uint8) ^ np.uint8(0x80)) if self.unsigned else value

    def quantisation(self, name: str, scale: float = 1.0) -> list[str]:
        """Return the names of scale and zero point of a tensor of activations."""
        point = self.activation("y_zero_point" if name == "y" else "x_zero_point")
        return [
            self.constant(f"{name}_scale", np.array(scale, np.float32)),
            self.constant(f"{name}_zero_point", point),
        ]

    def weights(self, values: np.ndarray) -> list[str]:
        """Return the names of weights, scales and zero points."""
        return [
            self.constant("w", np.ascontiguousarray(values)),
            self.constant("w_scale", self.case["scale"].astype(np.float32)),
            self.constant("w_zero_point", np.zeros(len(self.case["scale"]), np.int8)),
        ]


def conv2d(graph: Graph, kind: str = "conv2d") -> onnx.NodeProto:
    """Return the node of a convolution."""
    case = graph.case
    depthwise = kind == "depthwise_conv2d"
    weights = case["weights"]  # HWO or OHWI
    weights = weights.transpose(2, 0, 1)[:, None] if depthwise else weights.transpose(0, 3, 1, 2)
    top, bottom, left, right = case["padding"].tolist()
    return helper.make_node(
        "QLinearConv",
        ["x1", *graph.quantisation("x1"), *graph.weights(weights), *graph.quantisation("y"),
         graph.constant("bias", case["bias"])],
        ["y"], domain=MICROSOFT, channels_last=1, strides=case["stride"].tolist(),
        pads=[top, left, bottom, right], kernel_shape=weights.shape[2:],
        group=len(weights) if depthwise else 1,
    )  # fmt: skip


def depthwise_conv2d(graph: Graph) -> onnx.NodeProto:
    """Return the node of a depthwise convolution."""
    return conv2d(graph, "depthwise_conv2d")


def fully_connected(graph: Graph) -> onnx.NodeProto:
    """Return the node of a matrix product."""
    names = ["x1", *graph.quantisation("x1"), *graph.weights(graph.case["weights"].T)]
    names += [graph.constant("bias", graph.case["bias"]), *graph.quantisation("y")]
    return helper.make_node("QGemm", names, ["y"], domain=MICROSOFT)


def global_avg_pool(graph: Graph) -> onnx.NodeProto:
    """Return the node of a mean."""
    _, height, width, _ = graph.case["x1"].shape
    names = ["x1", *graph.quantisation("x1", float(graph.case["scale"][0]) * height * width)]
    return helper.make_node(
        "QLinearGlobalAveragePool", names + graph.quantisation("y"), ["y"], domain=MICROSOFT,
        channels_last=1,
    )  # fmt: skip


def add(graph: Graph) -> onnx.NodeProto:
    """Return the node of a sum."""
    names = [
        *("x1", *graph.quantisation("x1", float(graph.case["scale"][0]))),
        *("x2", *graph.quantisation("x2", float(graph.case["scale"][1]))),
        *graph.quantisation("y"),
    ]
    return helper.make_node("QLinearAdd", names, ["y"], domain=MICROSOFT)


def mul(graph: Graph) -> onnx.NodeProto:
    """Return the node of a product."""
    names = [
        *("x1", *graph.quantisation("x1", float(graph.case["scale"][0]))),
        *("x2", *graph.quantisation("x2")),
        *graph.quantisation("y"),
    ]
    return helper.make_node("QLinearMul", names, ["y"], domain=MICROSOFT)


def lut(graph: Graph) -> onnx.NodeProto:
    """Return the node of a leaky ReLU."""
    names = ["x1", *graph.quantisation("x1"), *graph.quantisation("y")]
    return helper.make_node("QLinearLeakyRelu", names, ["y"], domain=MICROSOFT, alpha=0.1)


def max_pool2d(graph: Graph) -> onnx.NodeProto:
    """Return the node of a pool."""
    top, bottom, left, right = graph.case["padding"].tolist()
    return helper.make_node(
        "NhwcMaxPool", ["x1"], ["y"], domain=MICROSOFT, strides=graph.case["stride"].tolist(),
        kernel_shape=graph.case["kernel"].tolist(), pads=[top, left, bottom, right],
    )  # fmt: skip


def moved(graph: Graph) -> onnx.NodeProto:
    """Return the node of an op that moves bytes, or blends them."""
    case = graph.case
    if str(case["node"]) == "Transpose":
        return helper.make_node("Transpose", ["x1"], ["y"], perm=case["perm"].tolist())
    if str(case["node"]) == "Gather":  # the first axis is the batch
        indices = graph.constant("indices", case["indices"])
        return helper.make_node("Gather", ["x1", indices], ["y"], axis=1)
    mode, nearest = str(case["mode"]), str(case["mode"]) == "nearest"
    return helper.make_node(
        "Resize", ["x1", "", "", graph.constant("sizes", case["y_shape"].astype(np.int64))], ["y"],
        mode=mode, nearest_mode="floor",
        coordinate_transformation_mode="asymmetric" if nearest else "align_corners",
    )  # fmt: skip


def extreme(graph: Graph) -> onnx.NodeProto:
    """Return the node of a maximum or minimum."""
    name = {"maximum": "Max", "minimum": "Min"}[str(graph.case["kind"])]
    return helper.make_node(name, ["x1", "x2"], ["y"])


NODES = {
    f.__name__: f
    for f in (conv2d, depthwise_conv2d, fully_connected, global_avg_pool, add, mul, lut, max_pool2d)
}
NODES |= dict.fromkeys(("maximum", "minimum"), extreme)
MOVED = ("strided_copy", "gather", "resize_bilinear")
NODES |= dict.fromkeys(MOVED, moved)
NAMED = (*MOVED, "lut")
"""Kinds that ONNX Runtime has a node for where the case names one."""


def has_op(case: dict[str, np.ndarray]) -> bool:
    """Return whether ONNX Runtime has the op on int8, by a node of its own."""
    return str(case["kind"]) in NODES and ("node" in case or str(case["kind"]) not in NAMED)


class Bound:
    """A session of one op, its input and output bound."""

    def __init__(self, case: dict[str, np.ndarray], unsigned: bool) -> None:
        graph = Graph(case, unsigned)
        node = NODES[str(case["kind"])](graph)
        dtype = TensorProto.UINT8 if unsigned else TensorProto.INT8
        inputs = [n for n in ("x1", "x2") if n in case]
        shapes = {n: case[n].shape for n in inputs} | {"y": tuple(case["y_shape"].tolist())}
        values = {n: helper.make_tensor_value_info(n, dtype, s) for n, s in shapes.items()}
        model = helper.make_model(
            helper.make_graph([node], "op", [values[n] for n in inputs], [values["y"]],
                              graph.constants),
            opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid(MICROSOFT, 1)],
            ir_version=10,
        )  # fmt: skip
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self.binding = self.session.io_binding()
        value_of = onnxruntime.OrtValue.ortvalue_from_numpy
        for name in inputs:
            self.binding.bind_ortvalue_input(name, value_of(graph.activation(name)))
        numpy_type = np.uint8 if unsigned else np.int8
        self.y = value_of(np.zeros(shapes["y"], numpy_type))
        self.binding.bind_ortvalue_output("y", self.y)
        self.unsigned = unsigned

    def output(self) -> np.ndarray:
        """Return the output as int8."""
        self.session.run_with_iobinding(self.binding)
        y = self.y.numpy()
        return (y ^ np.uint8(0x80)).view(np.int8) if self.unsigned else y

    def seconds(self, n: int) -> float:
        """Return the time of n calls."""
        run, binding = self.session.run_with_iobinding, self.binding
        run(binding)
        started = time.thread_time()
        for _ in range(n):
            run(binding)
        return time.thread_time() - started


def main() -> None:
    """Answer until the input ends."""
    sessions: dict[tuple[str, str], Bound] = {}
    for line in sys.stdin:
        asked, answer = json.loads(line), {}
        if asked["do"] == "load":
            with np.load(asked["case"]) as arrays:
                case = dict(arrays)
            answer["ways"] = ["int8", "uint8"] if has_op(case) else []
            for way in answer["ways"]:
                sessions[asked["name"], way] = Bound(case, way == "uint8")
        elif asked["do"] == "output":
            np.save(asked["to"], sessions[asked["name"], asked["way"]].output())
        else:
            answer["seconds"] = sessions[asked["name"], asked["way"]].seconds(asked["n"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
