"""``intgold sweep``."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import IntgoldError
from ..support.file_kinds import PICTURE, SWEEP_CSV, SWEEP_JSON
from .common import add_network, batch_and_labels, show_progress, write_file
from .paths import InputPath, OutputOf

HELP = "try quantisation choices: accuracy, bytes and bits of each"
EXAMPLES = """
  intgold sweep mnist --mnist                                the default sweep, 50 models
  intgold sweep mnist --mnist --csv sweep.csv --plot sweep.png
  intgold sweep mnist --mnist --activation lut,pwl:4 --multiplier-bits 1,8,31
  intgold sweep net.npz --images x.npy --labels y.npy --calibrate c.npy --weight-bits 8,4,2"""

_LISTS: dict[str, type] = {
    "calibration": str, "activation": str, "per_channel": bool, "weight_bits": int,
    "weight_scales": str, "multiplier_bits": int, "form": str,
}  # fmt: skip


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_network(parser)
    parser.add_argument("--mnist", action="store_true", help="MNIST: test images, calibration")
    parser.add_argument(
        "--images", type=InputPath, metavar="FILE",
        help="test data: .npy as the network takes it, or a folder with a NAME.npy for each "
        "input; IDX of bytes",
    )  # fmt: skip
    parser.add_argument(
        "--labels", type=InputPath, metavar="FILE", help="their labels: .npy or IDX"
    )
    parser.add_argument(
        "--calibrate", type=InputPath, metavar="FILE", help="the same to calibrate on"
    )
    parser.add_argument("--golden", type=int, default=1_000, metavar="N",
                        help="images that both engines run")  # fmt: skip
    parser.add_argument(
        "--csv", type=OutputOf(SWEEP_CSV), metavar="FILE", help="write the rows (.csv)"
    )
    parser.add_argument(
        "--json", type=OutputOf(SWEEP_JSON), metavar="FILE", help="write the rows (.json)"
    )
    parser.add_argument(
        "--plot", type=OutputOf(PICTURE), metavar="FILE", help="draw them (.png, .svg or .pdf)"
    )
    parser.add_argument("--processes", type=int, default=0, metavar="N",
                        help="0 takes as many as there are cores")  # fmt: skip
    group = parser.add_argument_group(
        "choices", "each takes values with commas between; all combinations are tried"
    )
    for name, kind in _LISTS.items():
        values = "yes,no" if kind is bool else "A,B,..."
        group.add_argument(f"--{name.replace('_', '-')}", metavar=values, default=None)


def _values(name: str, text: str) -> list[Any]:
    parts, kind = text.split(","), _LISTS[name]
    try:
        if kind is bool:
            return [{"yes": True, "no": False}[part] for part in parts]
        return [kind(part) for part in parts]
    except (ValueError, KeyError):
        what = "yes and no" if kind is bool else "integers"
        option = f"--{name.replace('_', '-')} {text}"
        raise IntgoldError(f"{option}: not {what} with commas between") from None


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..quantize.data_files import read_batch
    from ..quantize.shipped import calibration_bytes, load_network
    from ..study.quantisation import sweep as sweeps
    from ..study.quantisation import sweep_files
    from ..study.quantisation.plots import check_plot, plot_sweep

    lists = {name: _values(name, text) for name in _LISTS if (text := getattr(options, name))}
    sweep = sweeps.product_sweep(lists) if lists else sweeps.default_sweep()
    if options.plot:
        check_plot(options.plot)
    network = load_network(options.network)
    images, labels = batch_and_labels(options, network)
    if options.calibrate:
        seen = read_batch(network, options.calibrate)
    elif options.mnist:
        seen = {network.inputs[0].name: calibration_bytes()}
    else:
        raise IntgoldError("--calibrate is needed beside --images: ranges are found on it")
    rows = sweeps.run_sweep(
        network, sweep, sweeps.SweepData(seen, images, labels, options.golden),
        processes=options.processes, progress=show_progress(options),
    )  # fmt: skip
    print(sweeps.sweep_table(rows))
    differing = sum(row.golden_differing for row in rows)
    verdict = "golden = c" if differing == 0 else "GOLDEN AND C DIFFER"
    print("const B: weights and multipliers packed to their bits, six bits a shift (info counts "
          "whole bytes)")  # fmt: skip
    count = min(len(array) for array in images.values())
    print(f"{len(rows)} models, {count} images; both engines ran {rows[0].golden_images} of "
          f"them, {differing} differing values: {verdict}")  # fmt: skip
    for path, text in ((options.csv, sweep_files.csv_text), (options.json, sweep_files.json_text)):
        if path:
            write_file(path, text(rows))
    if options.plot:
        plot_sweep(rows, options.plot)
    return 0 if differing == 0 else 1
