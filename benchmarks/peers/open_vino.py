"""OpenVINO: the ONNX file read; variants f32, bf16 and int8 (NNCF, post-training)."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import numpy as np
import openvino as ov

from .network import SHAPE, Network
from .onnx_runtime import to_onnx


class Runner:
    """A compiled model and one request, whose input is memory of ours."""

    def __init__(self, compiled: ov.CompiledModel, batch: int) -> None:
        self._request = compiled.create_infer_request()
        self._images = np.zeros((batch, 1, *SHAPE[:2]), np.float32)
        self._x = ov.Tensor(self._images, shared_memory=True)
        self._request.set_input_tensor(self._x)

    def feed(self, images: np.ndarray) -> None:
        """Write the images."""
        self._images[:] = images.reshape(self._images.shape)

    def run(self) -> None:
        """Compute the batch; the Python layer of `infer` is left out."""
        self._request.start_async()
        self._request.wait()

    def answers(self) -> np.ndarray:
        """Return the logits."""
        return self._request.get_output_tensor().data


def build(network: Network, batch: int, calibration: np.ndarray, variant: str) -> Runner:
    """Return a runner."""
    core = ov.Core()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "f32.onnx")
        path.write_bytes(to_onnx(network, batch).SerializeToString())
        model = core.read_model(path)
    if variant == "int8":
        model = _quantized(model, batch, calibration)
    compiled = core.compile_model(model, "CPU", {
        "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if variant == "bf16" else "f32",
    })  # fmt: skip
    return Runner(compiled, batch)


def _quantized(model: ov.Model, batch: int, calibration: np.ndarray) -> ov.Model:
    import nncf

    logging.getLogger("nncf").setLevel(logging.ERROR)
    whole = len(calibration) // batch * batch
    batches = nncf.Dataset(calibration[:whole].reshape(-1, batch, 1, *SHAPE[:2]))
    return nncf.quantize(model, batches, subset_size=len(calibration) // batch)
