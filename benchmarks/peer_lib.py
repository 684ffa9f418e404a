"""Builds the engine as a library that any harness can time without Python: out/peer/.

    python benchmarks/peer_lib.py        prints its path; make peer does the same

peer_lib.c says what it offers.  The models lut, pwl and relu are compiled in.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "out" / "peer" / "libintgold_peer.so"
MODELS = ("lut", "pwl", "relu")


def build() -> Path:
    """Build the library and return its path."""
    import intgold
    from intgold.exporters import write_c

    LIBRARY.parent.mkdir(parents=True, exist_ok=True)
    models = LIBRARY.parent / "models.c"
    write_c([intgold.load(name) for name in MODELS], models)
    sources = [*sorted((ROOT / "csrc").rglob("*.c")), ROOT / "benchmarks" / "peer_lib.c", models]
    subprocess.run(
        [os.environ.get("CC", "cc"), "-O3", "-shared", "-fPIC", "-DINTGOLD_MODEL_TABLE", "-I",
         ROOT / "csrc", *sources, "-o", LIBRARY],
        check=True,
    )  # fmt: skip
    return LIBRARY


if __name__ == "__main__":
    print(build())
