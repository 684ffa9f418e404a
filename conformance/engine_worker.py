"""Runs TFLite files on one real engine; called in the environment that has it.

    python engine_worker.py ENGINE FOLDER

FOLDER holds NAME.tflite and NAME.npz (x0, x1, ... and the indices of the tensors); the answers go
to NAME.answer.npz, or NAME.refused where the engine does not take the file.
"""

from __future__ import annotations

import sys
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
        batches = [held[f"x{i}"] for i in range(len(held["inputs"]))]
        try:
            answer = run(path.read_bytes(), batches, held["inputs"].tolist(), int(held["output"]))
        except (RuntimeError, ValueError) as error:
            path.with_suffix(".refused").write_text(str(error))
            continue
        np.savez(path.with_suffix(".answer.npz"), y=answer)


def _litert(kernels):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    def run(data, batches, inputs, output):
        made = Interpreter(
            model_content=data, num_threads=1,
            experimental_op_resolver_type=OpResolverType[kernels],
        )  # fmt: skip
        made.allocate_tensors()
        found = []
        for image in range(len(batches[0])):
            for index, x in zip(inputs, batches, strict=True):
                made.set_tensor(index, x[image : image + 1])
            made.invoke()
            found.append(made.get_tensor(output)[0].copy())
        return np.stack(found)

    return run


def _tflm(data, batches, inputs, output):
    from tflite_micro.python.tflite_micro import runtime

    made = runtime.Interpreter.from_bytes(data, arena_size=8 << 20)
    found = []
    for image in range(len(batches[0])):
        for place, x in enumerate(batches):
            made.set_input(x[image : image + 1], place)
        made.invoke()
        found.append(made.get_output(0)[0].copy())
    return np.stack(found)


if __name__ == "__main__":
    main(*sys.argv[1:])
