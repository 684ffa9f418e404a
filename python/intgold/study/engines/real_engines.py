"""The engines that contracts are named after, where a package brings them; run as a script.

    python real_engines.py CONTRACT FOLDER

FOLDER holds NAME.tflite and NAME.npz: the batches x0, x1, ... and the indices of the tensors,
``inputs``, ``outputs`` and ``tensors``.  The answers go to NAME.answer.npz, outputI and tensorI by
index, or to NAME.refused where the engine does not take the file.  ``tensors`` are looked at in a
second run that keeps all of them, since keeping them may change how an engine goes about its work.

No engine is a dependency.  This file reads nothing of intgold, since the environment that it runs
in may have only the engine; and it is a process of its own, since engines end theirs on some files.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES: Mapping[str, str] = {
    "litert_reference": "ai-edge-litert",
    "litert_optimised_x86": "ai-edge-litert",
    "xnnpack": "ai-edge-litert",
    "tflm": "tflite-micro",
}
"""Which package brings the engine of a contract; those that are left out have none."""
_KERNELS = {
    "litert_reference": "BUILTIN_REF",
    "litert_optimised_x86": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
    "xnnpack": "BUILTIN",
}
_ARENA_BYTES = 64 << 20


@dataclass(frozen=True, eq=False, repr=False)
class EngineJob:
    """A file, what it is fed with, and what is to be looked at.

    Parameters
    ----------
    data : bytes
        The .tflite file.
    inputs : mapping of int to ndarray
        A batch for each input tensor, in the order of the file.
    wanted : sequence of int
        Tensors to answer with: all outputs in the order of the file, or any tensors with `keep`.
    at_once : int
        Images that the file takes at once; a batch has a multiple of them.
    keep : bool
        Keep all tensors, which may change how an engine goes about its work.
    """

    data: bytes
    inputs: Mapping[int, np.ndarray]
    wanted: Sequence[int]
    at_once: int = 1
    keep: bool = False

    def runs(self) -> Iterator[dict[int, np.ndarray]]:
        """Yield the inputs of each run of the engine."""
        for start in range(0, len(next(iter(self.inputs.values()))), self.at_once):
            yield {at: x[start : start + self.at_once] for at, x in self.inputs.items()}

    def images(self, tensor: np.ndarray) -> list[np.ndarray]:
        """Return a tensor of a run as its images; one inside a file may have lost a batch of 1."""
        if self.at_once == 1 and tensor.shape[:1] != (1,):
            return [tensor.copy()]
        return list(tensor.copy())


def main(contract: str, folder: str) -> None:
    """Answer every file of a folder."""
    for path in sorted(Path(folder).glob("*.tflite")):
        held = np.load(path.with_suffix(".npz"))
        inputs, outputs, tensors = (held[k].tolist() for k in ("inputs", "outputs", "tensors"))
        batches = {at: held[f"x{i}"] for i, at in enumerate(inputs)}
        data, answer = path.read_bytes(), dict[str, Any]()
        try:
            for what, wanted in (("output", outputs), ("tensor", tensors)):
                if wanted:
                    keep = what == "tensor"
                    job = EngineJob(data, batches, wanted, int(held["at_once"]), keep)
                    found = run_engine(contract, job)
                    answer |= {f"{what}{i}": a for i, a in zip(wanted, found, strict=True)}
        except RuntimeError as error:
            path.with_suffix(".refused").write_text(str(error))
            continue
        np.savez(path.with_suffix(".answer.npz"), **answer)


def run_engine(contract: str, job: EngineJob) -> list[np.ndarray]:
    """Return what the engine of a contract produces: an array (images, ...) for each wanted tensor.

    Tensors are without the batch of 1, which one inside a file may have lost.

    Raises
    ------
    ImportError
        When the package is not here.
    RuntimeError
        When the engine refuses the file, with all that it says.
    """
    run = _tflm(job) if contract == "tflm" else _litert(job, _KERNELS[contract])
    try:
        with heard() as said:
            rows = [[job.images(tensor) for tensor in tensors] for tensors in run]
    except (RuntimeError, ValueError) as error:
        raise RuntimeError(" ".join([str(error), *said])) from None
    return [np.stack([image for row in rows for image in row[at]]) for at in range(len(job.wanted))]


@contextmanager
def heard() -> Iterator[list[str]]:
    """Keep what is written to stderr as words: engines say there, not in errors, what they lack."""
    said: list[str] = []
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            file.seek(0)
            said += file.read().decode(errors="replace").split()


def _litert(job: EngineJob, kernels: str) -> Iterator[list[np.ndarray]]:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    made = Interpreter(
        model_content=job.data, num_threads=1, experimental_preserve_all_tensors=job.keep,
        experimental_op_resolver_type=OpResolverType[kernels],
    )  # fmt: skip
    made.allocate_tensors()
    for inputs in job.runs():
        for index, x in inputs.items():
            made.set_tensor(index, x)
        made.invoke()
        yield [made.get_tensor(index) for index in job.wanted]


def _tflm(job: EngineJob) -> Iterator[list[np.ndarray]]:
    from tflite_micro.python.tflite_micro import runtime

    config = runtime.InterpreterConfig
    made = runtime.Interpreter.from_bytes(
        job.data, arena_size=_ARENA_BYTES,
        intrepreter_config=config.kPreserveAllTensors if job.keep else config.kAllocationRecording,
    )  # fmt: skip
    for inputs in job.runs():
        for place, x in enumerate(inputs.values()):
            made.set_input(x, place)
        made.invoke()
        if job.keep:
            yield [made.GetTensor(index, 0)["tensor_data"] for index in job.wanted]
        else:
            yield [made.get_output(place) for place in range(len(job.wanted))]


if __name__ == "__main__":
    main(*sys.argv[1:])
