"""What runs here: versions, CPU, engine variant, compiler."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np

import intgold

from .. import native


def about() -> dict[str, str]:
    """Return a line for each thing that a report of a failure needs."""
    return {
        "intgold": f"{intgold.__version__}, SPEC {intgold.SPEC_VERSION}",
        "Python": f"{platform.python_version()}, NumPy {np.__version__}",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "CPU": cpu(),
        "engine": f"{native.isa_name()}, built by {native.compiler()}",
    }


def cpu() -> str:
    """Return the name of the CPU, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
