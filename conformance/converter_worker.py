"""Makes the random networks with the public TFLite converter; called where TensorFlow is.

    python converter_worker.py FOLDER

FOLDER gets random_0.tflite, random_1.tflite, ...: int8 throughout, calibrated on random images.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from random_networks import COUNT, Layer, Plan, network

CALIBRATION = 40


def main(folder: str) -> None:
    """Write every network into a folder."""
    for seed in range(COUNT):
        Path(folder, f"random_{seed}.tflite").write_bytes(converted(network(seed)))


def converted(plan: Plan) -> bytes:
    """Return the .tflite file of a plan, quantised to int8."""
    module = tf.Module()
    module.run = tf.function(
        _graph(plan),
        input_signature=[tf.TensorSpec([1, *s], tf.float32) for s in plan.inputs],
    )
    function = module.run.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _images(plan)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.as_dtype(plan.dtype)
    converter._experimental_disable_per_channel = not plan.per_channel
    return converter.convert()


def _images(plan: Plan):
    rng = np.random.default_rng([plan.seed, *b"images"])
    for _ in range(CALIBRATION):
        yield [rng.normal(size=(1, *shape)).astype(np.float32) for shape in plan.inputs]


def _graph(plan: Plan):
    """Return the function of a plan: its weights are drawn before it is traced."""
    rng = np.random.default_rng([plan.seed, *b"weights"])
    held = [_weights(rng, plan, layer) for layer in plan.layers]

    def run(*images):
        values = list(images)
        for layer, weights in zip(plan.layers, held, strict=True):
            values.append(_made(layer, [values[i] for i in layer.inputs], weights))
        return [values[i] for i in plan.outputs]

    return run


def _weights(rng: np.random.Generator, plan: Plan, layer: Layer):
    """Return the constants of a layer: weights and bias, each channel of another reach."""
    shape, channels = plan.shape(layer.inputs[0]), layer.shape[-1]
    kernel = layer.fields.get("kernel", ())
    shapes = {
        "conv": (*kernel, shape[-1], channels),
        "depthwise": (*kernel, shape[-1], channels // shape[-1]),
        "dense": (shape[-1], channels),
        "times": (channels,),
        "plus": (channels,),
    }
    if layer.kind not in shapes:
        return None
    if layer.kind in ("times", "plus"):
        return rng.normal(size=channels).astype(np.float32)
    count = np.prod(kernel) if layer.kind == "depthwise" else np.prod((*kernel, shape[-1]))
    reach = np.sqrt(2 / count) * 10 ** rng.uniform(-0.4, 0.4, shapes[layer.kind][-1])
    weights = rng.normal(size=shapes[layer.kind]) * reach
    return weights.astype(np.float32), rng.normal(scale=0.1, size=channels).astype(np.float32)


ACTIVATIONS = {
    "none": lambda x: x,
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "hard_swish": lambda x: x * tf.nn.relu6(x + 3.0) * (1 / 6),
    "leaky_relu": lambda x: tf.nn.leaky_relu(x, 0.1),
    "gelu": lambda x: tf.nn.gelu(x, approximate=True),
    "logistic": tf.nn.sigmoid,
    "tanh": tf.nn.tanh,
}


def _made(layer: Layer, x: list, weights):
    fields = layer.fields
    if layer.kind in ACTIVATIONS:
        return ACTIVATIONS[layer.kind](x[0])
    window = {k: fields[k] for k in ("padding",) if k in fields}
    if "stride" in fields:
        window["strides"] = [1, *fields["stride"], 1]
    plain = {
        "conv": lambda: tf.nn.conv2d(x[0], weights[0], **window) + weights[1],
        "depthwise": lambda: tf.nn.depthwise_conv2d(x[0], weights[0], **window) + weights[1],
        "dense": lambda: tf.matmul(x[0], weights[0]) + weights[1],
        "add": lambda: x[0] + x[1],
        "sub": lambda: x[0] - x[1],
        "mul": lambda: x[0] * x[1],
        "times": lambda: x[0] * weights,
        "plus": lambda: x[0] + weights,
        "concat": lambda: tf.concat(x, -1),
        "max_pool": lambda: tf.nn.max_pool2d(x[0], fields["kernel"], **window),
        "avg_pool": lambda: tf.nn.avg_pool2d(x[0], fields["kernel"], **window),
        "pad": lambda: tf.pad(x[0], [(0, 0), *fields["sides"], (0, 0)]),
        "mean": lambda: tf.reduce_mean(x[0], [1, 2], keepdims=fields["keepdims"]),
        "flatten": lambda: tf.reshape(x[0], [1, -1]),
        "softmax": lambda: tf.nn.softmax(x[0]),
    }
    return ACTIVATIONS[fields.get("activation", "none")](plain[layer.kind]())


if __name__ == "__main__":
    main(sys.argv[1])
