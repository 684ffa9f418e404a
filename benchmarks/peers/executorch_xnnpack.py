"""ExecuTorch with the XNNPACK backend: variants f32 and int8 (pt2e, per channel)."""

from __future__ import annotations

import numpy as np
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
    XNNPACKQuantizer,
    get_symmetric_quantization_config,
)
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

from .network import SHAPE, Network
from .pytorch import calibrate, to_torch


class Runner:
    """A program's forward method on one tensor."""

    def __init__(self, program: bytes, batch: int) -> None:
        self._program = Runtime.get().load_program(program)
        self._forward = self._program.load_method("forward")
        self._x = torch.zeros(batch, 1, *SHAPE[:2])
        self._inputs = (self._x,)

    def feed(self, images: np.ndarray) -> None:
        """Write the images."""
        self._x.copy_(torch.from_numpy(np.ascontiguousarray(images)).reshape(self._x.shape))

    def run(self) -> None:
        """Compute the batch."""
        self._y = self._forward.execute(self._inputs)

    def answers(self) -> np.ndarray:
        """Return the logits."""
        return self._y[0].numpy()


def build(network: Network, batch: int, calibration: np.ndarray, variant: str) -> Runner:
    """Return a runner."""
    x = torch.zeros(batch, 1, *SHAPE[:2])
    module = to_torch(network)
    if variant == "int8":
        quantizer = XNNPACKQuantizer()
        quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True))
        prepared = prepare_pt2e(torch.export.export(module, (x,)).module(), quantizer)
        calibrate(prepared, x, calibration)
        module = convert_pt2e(prepared)
    exported = torch.export.export(module, (x,))
    lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
    return Runner(lowered.to_executorch().buffer, batch)
