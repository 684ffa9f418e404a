"""ONNX Runtime: the network as ONNX; variants f32 and int8 (QDQ, uint8 activations, per channel).

Input and output are bound once (IOBinding).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from .network import CLASSES, SHAPE, Layer, Network


class Runner:
    """A session whose input and output are bound."""

    def __init__(self, model: bytes, batch: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        value_of = onnxruntime.OrtValue.ortvalue_from_numpy
        self._x = value_of(np.zeros((batch, 1, *SHAPE[:2]), np.float32))
        self._y = value_of(np.zeros((batch, CLASSES), np.float32))
        self._binding = self._session.io_binding()
        self._binding.bind_ortvalue_input("image", self._x)
        self._binding.bind_ortvalue_output("logits", self._y)

    def feed(self, images: np.ndarray) -> None:
        """Write the images."""
        self._x.update_inplace(np.ascontiguousarray(images.reshape(self._x.shape())))

    def run(self) -> None:
        """Compute the batch."""
        self._session.run_with_iobinding(self._binding)

    def answers(self) -> np.ndarray:
        """Return the logits."""
        return self._y.numpy()


class _Calibration(CalibrationDataReader):
    """Images, one batch at a time."""

    def __init__(self, images: np.ndarray, batch: int) -> None:
        whole = len(images) // batch * batch
        self._batches = iter(images[:whole].reshape(-1, batch, 1, *SHAPE[:2]))

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next batch by the name of the input."""
        x = next(self._batches, None)
        return None if x is None else {"image": x}


def build(network: Network, batch: int, calibration: np.ndarray, variant: str) -> Runner:
    """Return a runner."""
    model = to_onnx(network, batch)
    if variant == "f32":
        return Runner(model.SerializeToString(), batch)
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "f32.onnx"), Path(folder, "int8.onnx")
        quant_pre_process(model, str(source))
        quantize_static(
            str(source), str(made), _Calibration(calibration, batch), per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
        return Runner(made.read_bytes(), batch)


def to_onnx(network: Network, batch: int) -> onnx.ModelProto:
    """Return the network as ONNX, opset 20, ``image`` (n, 1, 28, 28) to ``logits``."""
    nodes, constants, x = [], [], "image"
    for layer in network.layers:
        last = layer is network.layers[-1]
        node = _node(layer, x, "logits" if last else layer.name, constants)
        nodes.append(node)
        x = node.output[0]
    graph = helper.make_graph(
        nodes, network.name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (batch, 1, *SHAPE[:2]))],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, (batch, CLASSES))],
        constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    return model


def _node(layer: Layer, x: str, y: str, constants: list[onnx.TensorProto]) -> onnx.NodeProto:
    def constant(name: str, value: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind: str, *inputs: str, **fields: object) -> onnx.NodeProto:
        return helper.make_node(kind, [x, *inputs], [y], layer.name, **fields)

    if layer.kind == "conv2d":
        weights = constant(f"{layer.name}_weights", layer.oihw())
        bias = constant(f"{layer.name}_bias", layer.bias)
        return node("Conv", weights, bias, pads=[1] * 4, kernel_shape=[3, 3])
    if layer.kind == "fully_connected":
        weights = constant(f"{layer.name}_weights", layer.weights)
        return node("Gemm", weights, constant(f"{layer.name}_bias", layer.bias), transB=1)
    if layer.kind == "max_pool2d":
        return node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    if layer.kind == "global_avg_pool":  # the axes as a constant, and nothing to flatten
        return node("ReduceMean", constant("axes", np.array([2, 3])), keepdims=0)
    if layer.kind == "gelu_tanh":
        return node("Gelu", approximate="tanh")
    return node({"relu": "Relu", "selu": "Selu"}[layer.kind])
