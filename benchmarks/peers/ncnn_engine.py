"""ncnn: its files written here; variants f32 and int8 (symmetric, from the largest magnitudes).

ncnn takes one image at a time: a batch of N is N calls.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import ncnn
import numpy as np

from .network import CLASSES, SHAPE, Layer, Network

_INT8_TAG = np.uint32(0x000D4B38).tobytes()
_F32_TAG = np.uint32(0).tobytes()


class Runner:
    """A net that reads images from memory of ours."""

    def __init__(self, param: Path, weights: Path, batch: int) -> None:
        self._net = ncnn.Net()
        self._net.opt.num_threads = 1
        for name in ("use_fp16_storage", "use_fp16_arithmetic", "use_fp16_packed",
                     "use_bf16_storage", "use_vulkan_compute"):  # fmt: skip
            setattr(self._net.opt, name, False)
        if self._net.load_param(str(param)) or self._net.load_model(str(weights)):
            raise RuntimeError("ncnn does not take the files")
        self._images = np.zeros((batch, *SHAPE[:2]), np.float32)
        self._inputs = [ncnn.Mat(image) for image in self._images]

    def feed(self, images: np.ndarray) -> None:
        """Write the images."""
        self._images[:] = images.reshape(self._images.shape)

    def run(self) -> None:
        """Compute the batch, image by image."""
        self._outputs = [self._one(x) for x in self._inputs]

    def _one(self, x: ncnn.Mat) -> ncnn.Mat:
        extractor = self._net.create_extractor()
        extractor.input("image", x)
        return extractor.extract("logits")[1]

    def answers(self) -> np.ndarray:
        """Return the logits."""
        return np.array([np.array(y) for y in self._outputs]).reshape(-1, CLASSES)


def build(network: Network, batch: int, calibration: np.ndarray, variant: str) -> Runner:
    """Return a runner."""
    greatest = _greatest(network, calibration) if variant == "int8" else None
    lines, parts = [f"Input image 0 1 image 0={SHAPE[1]} 1={SHAPE[0]} 2=1"], []
    before = "image"
    for layer in network.layers:
        last = layer is network.layers[-1]
        name = "logits" if last else layer.name
        scale = 127 / greatest[layer.name] if greatest and layer.weights is not None else None
        kind, fields, data = _layer(layer, scale)
        lines.append(f"{kind} {layer.name} 1 1 {before} {name} {fields}".rstrip())
        parts.append(data)
        before = name
    with tempfile.TemporaryDirectory() as folder:
        param, weights = Path(folder, "net.param"), Path(folder, "net.bin")
        param.write_text("\n".join(["7767517", f"{len(lines)} {len(lines)}", *lines]) + "\n")
        weights.write_bytes(b"".join(parts))
        return Runner(param, weights, batch)


def _layer(layer: Layer, scale: float | None) -> tuple[str, str, bytes]:
    """Return type, parameters and weights of a layer; `scale` of its input makes it int8."""
    if layer.kind == "conv2d":
        count = layer.weights.size
        fields = f"0={len(layer.bias)} 1=3 4=1 5=1 6={count}"
        return _with_weights(
            "Convolution", fields + " 8=2" * bool(scale), layer.oihw(), layer, scale
        )
    if layer.kind == "fully_connected":
        fields = f"0={len(layer.bias)} 1=1 2={layer.weights.size}" + " 8=2" * bool(scale)
        return _with_weights("InnerProduct", fields, layer.weights, layer, scale)
    fields = {
        "relu": ("ReLU", ""), "selu": ("SELU", ""), "gelu_tanh": ("GELU", "0=1"),
        "max_pool2d": ("Pooling", "0=0 1=2 2=2 5=1"),
        "global_avg_pool": ("Pooling", "0=1 4=1"),
    }[layer.kind]  # fmt: skip
    return (*fields, b"")


def _with_weights(
    kind: str, fields: str, weights: np.ndarray, layer: Layer, scale: float | None
) -> tuple[str, str, bytes]:
    if scale is None:
        return kind, fields, _F32_TAG + weights.tobytes() + layer.bias.tobytes()
    rows = weights.reshape(len(weights), -1)
    scales = (127 / np.abs(rows).max(1)).astype(np.float32)
    values = np.round(rows * scales[:, None]).astype(np.int8).tobytes()
    values += bytes(-len(values) % 4)
    data = _INT8_TAG + values + layer.bias.tobytes() + scales.tobytes()
    return kind, fields, data + np.float32(scale).tobytes()


def _greatest(network: Network, calibration: np.ndarray) -> dict[str, float]:
    """Return the largest magnitude at the input of each layer with weights, as f32 ncnn has it."""
    from .pytorch import to_torch, torch

    x, found = torch.from_numpy(calibration).permute(0, 3, 1, 2), {}
    with torch.no_grad():
        for layer, module in zip(network.layers, to_torch(network), strict=True):
            found[layer.name] = float(x.abs().max())
            x = module(x)
    return found
