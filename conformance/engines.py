"""The real engines: environments that have them, and what they answer.

    >>> from engines import answers, as_int8
    >>> found = answers("tflm", {"dense": Stimulus(data, {0: batch}, (3,))})
    >>> found["dense"].outputs[3]          # or found["dense"] is the text of a refusal

An engine runs in an environment of its own in out/conformance (see engine_worker.py).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
OUT = HERE.parent / "out" / "conformance"
PACKAGES = {
    "litert_reference": "ai-edge-litert==2.3.0",
    "litert_optimised_x86": "ai-edge-litert==2.3.0",
    "xnnpack": "ai-edge-litert==2.3.0",
    "tflm": "tflite-micro==0.dev20261023182759",
}
"""The engine of each contract, by the package that brings it."""


@dataclass(frozen=True)
class Stimulus:
    """A file, a batch for each input tensor, and the tensors to answer with.

    Parameters
    ----------
    data : bytes
    inputs : mapping of int to ndarray
        In the order of the file.
    outputs : tuple of int
        The outputs of the file.
    tensors : tuple of int
        Tensors to look at in a second run, which keeps them all.
    """

    data: bytes
    inputs: Mapping[int, np.ndarray]
    outputs: tuple[int, ...]
    tensors: tuple[int, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What an engine makes of a file: its outputs, and its tensors where all are kept."""

    outputs: Mapping[int, np.ndarray]
    tensors: Mapping[int, np.ndarray]


def environment(package: str) -> Path:
    """Return the interpreter of an environment with the package."""
    folder = OUT / package.split("=")[0]
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        print(f"conformance: installing {package}", file=sys.stderr, flush=True)
        subprocess.run([python, "-m", "pip", "install", "-q", package], check=True)
        (folder / "ready").touch()
    return python


def run_worker(*command: str | Path) -> None:
    """Run a command; what it says is shown where it fails, since engines talk a lot.

    Raises
    ------
    SystemExit
        When its status is not 0.
    """
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        script = Path(command[1]).name
        raise SystemExit(f"{done.stdout}{done.stderr}\n{script}: status {done.returncode}")


def as_int8(values: np.ndarray) -> np.ndarray:
    """Return int8, or uint8 as x ^ 0x80."""
    return (values ^ np.uint8(0x80)).view(np.int8) if values.dtype == np.uint8 else values


def answers(contract: str, stimuli: Mapping[str, Stimulus]) -> dict[str, Answer | str]:
    """Return what the engine makes of each file, as int8, or the text of its refusal."""
    python = environment(PACKAGES[contract])
    with tempfile.TemporaryDirectory(dir=OUT) as name:
        folder = Path(name)
        for stem, given in stimuli.items():
            (folder / f"{stem}.tflite").write_bytes(given.data)
            arrays = {f"x{i}": x for i, x in enumerate(given.inputs.values())}
            np.savez(
                folder / f"{stem}.npz", inputs=list(given.inputs), outputs=given.outputs,
                tensors=np.array(given.tensors, np.int64), **arrays,
            )  # fmt: skip
        run_worker(python, HERE / "engine_worker.py", contract, folder)
        return {stem: _answer(folder / stem, given) for stem, given in stimuli.items()}


def _answer(stem: Path, given: Stimulus) -> Answer | str:
    refusal = Path(f"{stem}.refused")
    if refusal.exists():
        return refusal.read_text()
    with np.load(f"{stem}.answer.npz") as held:
        return Answer(
            {i: as_int8(held[f"output{i}"]) for i in given.outputs},
            {i: as_int8(held[f"tensor{i}"]) for i in given.tensors},
        )
