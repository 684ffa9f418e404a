"""What a real engine answers to files: asked in a process and an environment of its own."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import EngineError
from ...support.quoting import short_repr
from . import real_engines


@dataclass(frozen=True, eq=False)
class EngineRequest:
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
    at_once : int
        Images that the file takes at once.
    """

    __repr__ = short_repr

    data: bytes
    inputs: Mapping[int, np.ndarray]
    outputs: tuple[int, ...]
    tensors: tuple[int, ...] = ()
    at_once: int = 1


@dataclass(frozen=True, eq=False)
class Answer:
    """What an engine answers: the outputs of a file, and its tensors where all are kept."""

    __repr__ = short_repr

    outputs: Mapping[int, np.ndarray]
    tensors: Mapping[int, np.ndarray]


def answer_as_int8(values: np.ndarray) -> np.ndarray:
    """Return uint8 as x ^ 0x80, bool as 0 and 1, and what is of another dtype as it is."""
    if values.dtype == np.uint8:
        return (values ^ np.uint8(0x80)).view(np.int8)
    return values.astype(np.int8) if values.dtype == bool else values


def engine_answers(
    python: str | Path, contract: str, stimuli: Mapping[str, EngineRequest]
) -> dict[str, Answer | str]:
    """Return an engine's answer to each file, uint8 and bool as int8, or the text of its refusal.

    Parameters
    ----------
    python : path
        The interpreter of an environment with the engine's package.
    contract : str
        The one that is named after the engine.

    Raises
    ------
    EngineError
        When the engine ends its process, or its package is not there, with the end of what it says.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for stem, given in stimuli.items():
            (folder / f"{stem}.tflite").write_bytes(given.data)
            arrays: dict[str, Any] = {f"x{i}": x for i, x in enumerate(given.inputs.values())}
            np.savez(
                folder / f"{stem}.npz", inputs=np.array(list(given.inputs)),
                outputs=np.array(given.outputs, np.int64),
                tensors=np.array(given.tensors, np.int64), at_once=np.array(given.at_once),
                **arrays,
            )  # fmt: skip
        done = subprocess.run(
            [python, real_engines.__file__, contract, folder],
            capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).split("\n")[-1]
            raise EngineError(
                f"the engine of {contract} ended with status {done.returncode}: {last}"
            )
        return {stem: _answer(folder / stem, given) for stem, given in stimuli.items()}


def _answer(stem: Path, given: EngineRequest) -> Answer | str:
    refusal = Path(f"{stem}.refused")
    if refusal.exists():
        return refusal.read_text()
    with np.load(f"{stem}.answer.npz") as held:
        return Answer(
            {i: answer_as_int8(held[f"output{i}"]) for i in given.outputs},
            {i: answer_as_int8(held[f"tensor{i}"]) for i in given.tensors},
        )
