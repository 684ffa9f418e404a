"""LiteRT: TFLite files that TensorFlow converts, run by the kernels that the variant names.

Variants: ``<kernels> f32`` or ``<kernels> int8``, kernels being reference, builtin (optimised, no
delegate) or XNNPACK.  int8 takes and gives int8.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from .network import SELU_ALPHA, SELU_SCALE, SHAPE, Layer, Network

Tensor = Any  # of TensorFlow, which only a conversion imports
KERNELS = {
    "reference": OpResolverType.BUILTIN_REF,
    "builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "XNNPACK": OpResolverType.AUTO,
}


class Runner:
    """An interpreter whose input and output are views of its own memory."""

    def __init__(self, model: bytes, kernels: str) -> None:
        self._interpreter = Interpreter(
            model_content=model, num_threads=1, experimental_op_resolver_type=KERNELS[kernels]
        )
        self._interpreter.allocate_tensors()
        self._x = self._interpreter.get_input_details()[0]
        self._y = self._interpreter.get_output_details()[0]
        self.run = self._interpreter.invoke

    def feed(self, images: np.ndarray) -> None:
        """Write the images, quantised where the network takes int8."""
        scale, zero_point = self._x["quantization"]
        if scale:
            images = np.clip(np.round(images / scale) + zero_point, -128, 127).astype(np.int8)
        self._interpreter.set_tensor(self._x["index"], images)

    def answers(self) -> np.ndarray:
        """Return the logits."""
        scale, zero_point = self._y["quantization"]
        y = self._interpreter.get_tensor(self._y["index"])
        return (y.astype(np.float32) - zero_point) * scale if scale else y


def build(network: Network, batch: int, calibration: np.ndarray, variant: str) -> Runner:
    """Return a runner."""
    kernels, dtype = variant.split()
    return Runner(_tflite(network, batch, kernels, dtype, calibration), kernels)


def _tflite(
    network: Network, batch: int, kernels: str, dtype: str, calibration: np.ndarray
) -> bytes:
    import tensorflow as tf  # converts only, and costs seconds

    signature = [tf.TensorSpec((batch, *SHAPE), tf.float32)]

    @tf.function(input_signature=signature)
    def apply(x):
        for layer in network.layers:
            x = _apply(tf, layer, x, kernels)
        return x

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [apply.get_concrete_function()], tf.Module()
    )
    if dtype == "int8":
        whole = len(calibration) // batch * batch
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [calibration[i : i + batch]] for i in range(0, whole, batch)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def _apply(tf: ModuleType, layer: Layer, x: Tensor, kernels: str) -> Tensor:
    if layer.kind == "conv2d":
        y = tf.nn.conv2d(x, layer.weights.transpose(1, 2, 3, 0), 1, "SAME")
        return tf.nn.bias_add(y, layer.bias)
    if layer.kind == "fully_connected":
        return tf.nn.bias_add(tf.matmul(x, layer.weights, transpose_b=True), layer.bias)
    if layer.kind == "max_pool2d":
        return tf.nn.max_pool2d(x, 2, 2, "VALID")
    if layer.kind == "global_avg_pool":
        return tf.reduce_mean(x, (1, 2))
    if layer.kind == "selu":  # TFLite has ELU only
        if kernels == "reference":  # which lack even that
            positive = tf.nn.relu(x)
            # Not minimum(x, 0): the converter gives x its range, without the positive half.
            return SELU_SCALE * (positive + SELU_ALPHA * (tf.exp(x - positive) - 1.0))
        c = (SELU_ALPHA - 1) / SELU_ALPHA
        return SELU_SCALE * SELU_ALPHA * (tf.nn.elu(x) - c * tf.nn.relu(x))
    return tf.nn.relu(x) if layer.kind == "relu" else tf.nn.gelu(x, approximate=True)
