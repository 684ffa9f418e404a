"""Images per second of every way to run the shipped models, as ratios of one run.

    python benchmarks/speed.py [--rounds 7] [--images 1000]

All ways take turns, round after round; a row gives the median.  Machines differ and are noisy:
compare rows of one table, not tables.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import intgold
from intgold import native
from intgold.host.affine import pixel_values
from intgold.quantize.inference import FloatNetwork
from intgold.vectors.cases.stimulus import stimulus

MODELS = Path(intgold.__file__).parent / "models"


def ways(images: np.ndarray) -> dict[str, tuple[int, Callable[[], object]]]:
    """Return name -> (images per call, call)."""
    lut, pwl, relu = (intgold.load(name) for name in intgold.SHIPPED)
    few = images[: max(1, len(images) // 10)]
    cores = os.cpu_count() or 1
    result: dict[str, tuple[int, Callable[[], object]]] = {}

    def add(name: str, x: np.ndarray, call: Callable[[np.ndarray], object]) -> None:
        result[name] = (len(x), lambda: call(x))

    add("golden, lut", few, lambda x: lut.run(x, backend="golden"))
    for name, model in (("lut", lut), ("pwl", pwl), ("relu", relu)):
        add(f"c {native.isa_name()}, {name}", images, lambda x, m=model: m.run(x))
    add(f"c, lut, {cores} threads", images, lambda x: lut.run(x, threads=cores))
    add("c, lut, every tensor traced", few, lambda x: lut.run(x, trace=True))
    add("c, lut, one image a call", images[:1], lambda x: lut.run(x))
    reals = pixel_values(images.view(np.uint8) ^ 0x80)
    network = FloatNetwork.load(MODELS / "mnist_float.npz")
    add("float32 NumPy", reals[: len(few)], network.run)
    if importlib.util.find_spec("torch"):
        _add_torch(add, network, reals)
    return result


def _add_torch(add: Callable[..., None], network: FloatNetwork, reals: np.ndarray) -> None:
    import torch

    from intgold.quantize.pytorch.runner import torch_runner

    torch.set_num_threads(1)
    call = torch_runner(network)
    add("float32 torch, 1 thread", reals, call)
    add("float32 torch, one image a call", reals[:1], call)


def measure(call: Callable[[], object]) -> float:
    """Return seconds per call, over at least 0.2 s."""
    calls, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < 0.2:
        call()
        calls += 1
    return passed / calls


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Images per second of every way to run.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=1000)
    options = parser.parse_args()
    images = stimulus(intgold.load(), "builtin", options.images, 0)["image"]
    table = ways(images)
    seconds: dict[str, list[float]] = {name: [] for name in table}
    for _ in range(options.rounds):
        for name, (_, call) in table.items():
            seconds[name].append(measure(call))
    rates = {n: table[n][0] / statistics.median(s) for n, s in seconds.items()}
    base = rates["float32 NumPy"]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
          f"Python {platform.python_version()}, NumPy {np.__version__}")  # fmt: skip
    print(f"{'way':34}{'images/s':>10}{'us/image':>10}{'x float NumPy':>15}")
    for name, rate in rates.items():
        print(f"{name:34}{rate:10.0f}{1e6 / rate:10.1f}{rate / base:15.2f}")
    one, many = (
        1e6 / rates[n] for n in ("c, lut, one image a call", f"c {native.isa_name()}, lut")
    )
    print(f"Python overhead of one call: {one - many:.0f} us")


if __name__ == "__main__":
    main()
