"""The shipped models, made from the shipped float weights and ranges.

python tools/build_shipped_models.py               quantise again: the same bytes
python tools/build_shipped_models.py --calibrate   first calibrate again (needs MNIST)
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from intgold.model.graph import Model
from intgold.quantize.calibrate import Ranges, calibrate
from intgold.quantize.choices import Choices
from intgold.quantize.inference import FloatNetwork
from intgold.quantize.quantizer import quantize_network
from intgold.quantize.shipped import MODELS, RECIPES, calibration_images


def build(source: str | os.PathLike[str] = MODELS) -> dict[str, Model]:
    """Return the integer models by name, quantised from the networks and ranges in a folder."""
    models = {}
    for name, (prefix, activation) in RECIPES.items():
        network = FloatNetwork.load(Path(source) / f"mnist_{prefix}float.npz")
        ranges = Ranges.load(Path(source) / f"mnist_{prefix}ranges.json")
        choices = Choices(activation=activation)
        models[name] = quantize_network(network, ranges, choices, f"mnist_{name}")
    return models


def write(folder: str | os.PathLike[str] = MODELS, *, recalibrate: bool = False) -> list[Path]:
    """Write ``mnist_<name>.npz`` of every recipe beside the float networks; return the paths."""
    if recalibrate:
        images = calibration_images()
        for prefix in sorted({prefix for prefix, _ in RECIPES.values()}):
            network = FloatNetwork.load(Path(folder) / f"mnist_{prefix}float.npz")
            calibrate(network, images).save(Path(folder) / f"mnist_{prefix}ranges.json")
    paths = []
    for name, model in build(folder).items():
        paths.append(Path(folder) / f"mnist_{name}.npz")
        model.save(paths[-1])
    return paths


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the shipped models again.")
    parser.add_argument("--calibrate", action="store_true", help="find the ranges again (MNIST)")
    for path in write(recalibrate=parser.parse_args().calibrate):
        print(path)
