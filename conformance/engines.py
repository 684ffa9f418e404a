"""The real engines: environments that have them, and what they answer.

    >>> from engines import answer_as_int8, answers
    >>> found = answers("tflm", {"dense": Stimulus(data, {0: batch}, (3,))})
    >>> found["dense"].outputs[3]          # or found["dense"] is the text of a refusal

An engine runs in an environment of its own in out/conformance.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

from intgold.study.engines import real_engines
from intgold.study.engines.engine_answers import Answer, answer_as_int8, engine_answers
from intgold.study.engines.engine_answers import EngineRequest as Stimulus

__all__ = ["Answer", "Stimulus", "answer_as_int8", "answers", "environment", "run_worker"]

HERE = Path(__file__).parent
OUT = HERE.parent / "out" / "conformance"
VERSIONS = {"ai-edge-litert": "2.3.0", "tflite-micro": "0.dev20261023182759"}
PACKAGES = {
    contract: f"{name}=={VERSIONS[name]}" for contract, name in real_engines.PACKAGES.items()
}
"""The engine of each contract, by the package that brings it."""


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


def answers(contract: str, stimuli: Mapping[str, Stimulus]) -> dict[str, Answer | str]:
    """Return what the engine makes of each file, as int8, or the text of its refusal."""
    return engine_answers(environment(PACKAGES[contract]), contract, stimuli)
