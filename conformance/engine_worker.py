"""Runs TFLite files on one real engine; called in the environment that has it.

    python engine_worker.py ENGINE FOLDER

FOLDER holds NAME.tflite and NAME.npz: the batches x0, x1, ... and the indices of the tensors,
``inputs``, ``outputs`` and ``tensors``.  The answers go to NAME.answer.npz, outputI and tensorI by
index, or to NAME.refused where the engine does not take the file.  ``tensors`` are looked at in a
second run that keeps all of them, since keeping them may change how an engine goes about its work.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

KERNELS = {
    "litert_reference": "BUILTIN_REF",
    "litert_optimised_x86": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
    "xnnpack": "BUILTIN",
}


def main(engine: str, folder: str) -> None:
    """Answer every file of a folder."""
    run = _tflm if engine == "tflm" else _litert(KERNELS[engine])
    for path in sorted(Path(folder).glob("*.tflite")):
        held = np.load(path.with_suffix(".npz"))
        inputs, outputs, tensors = (held[k].tolist() for k in ("inputs", "outputs", "tensors"))
        batches = [held[f"x{i}"] for i in range(len(inputs))]
        data = path.read_bytes()
        try:
            with _heard() as said:
                answer = _named("output", outputs, run(data, inputs, batches, outputs, False))
                if tensors:
                    answer |= _named("tensor", tensors, run(data, inputs, batches, tensors, True))
        except (RuntimeError, ValueError) as error:
            path.with_suffix(".refused").write_text(" ".join([str(error), *said]))
            continue
        np.savez(path.with_suffix(".answer.npz"), **answer)


def _image(tensor):
    """Return a tensor without the batch of 1, which one inside a file may have lost."""
    return (tensor[0] if tensor.shape[0] == 1 else tensor).copy()


@contextmanager
def _heard():
    """Keep what an engine writes to stderr: TFLM says there, not in its error, what it lacks."""
    said, stderr = [], os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            file.seek(0)
            said += file.read().decode(errors="replace").split()


def _named(what, indices, images):
    """Return the tensors of many images by name, each as one array."""
    rows = list(images)
    return {f"{what}{i}": np.stack([row[at] for row in rows]) for at, i in enumerate(indices)}


def _litert(kernels):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    def run(data, inputs, batches, wanted, keep):
        made = Interpreter(
            model_content=data, num_threads=1, experimental_preserve_all_tensors=keep,
            experimental_op_resolver_type=OpResolverType[kernels],
        )  # fmt: skip
        made.allocate_tensors()
        for image in range(len(batches[0])):
            for index, x in zip(inputs, batches, strict=True):
                made.set_tensor(index, x[image : image + 1])
            made.invoke()
            yield [_image(made.get_tensor(index)) for index in wanted]

    return run


def _tflm(data, inputs, batches, wanted, keep):
    from tflite_micro.python.tflite_micro import runtime

    config = runtime.InterpreterConfig
    made = runtime.Interpreter.from_bytes(
        data, arena_size=64 << 20,
        intrepreter_config=config.kPreserveAllTensors if keep else config.kAllocationRecording,
    )  # fmt: skip
    for image in range(len(batches[0])):
        for place, x in enumerate(batches):
            made.set_input(x[image : image + 1], place)
        made.invoke()
        if keep:
            yield [_image(made.GetTensor(index, 0)["tensor_data"]) for index in wanted]
        else:
            yield [_image(made.get_output(place)) for place in range(len(wanted))]


if __name__ == "__main__":
    main(*sys.argv[1:])
