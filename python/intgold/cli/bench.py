"""``intgold bench``."""

from __future__ import annotations

import argparse
import json

import intgold

from ..errors import IntgoldError
from ..support.file_kinds import PICTURE
from ..support.progress import Progress
from .common import add_model, show_progress
from .paths import OutputOf

HELP = "measure the C engine: images per second, the time of each op, and its bound"
EXAMPLES = """
  intgold bench lut                        every variant of the kernels that this CPU runs
  intgold bench lut --isa avx2,portable --batch 1,64,2048 --threads 1,2
  intgold bench model.npz --rounds 101 --json
  intgold bench lut --plot bench.svg       needs matplotlib: pip install 'intgold[plot]'

Ops that run as one are one row. The roofline is what the variant's own dot-product instruction does
in registers only; roofline+tail adds the time of requantizing and looking up the values that
leave the row, by the variant's own kernels only. Both are measured in the same run. Images per
second are by the clock on the wall; ops by the time that the thread is on its core. "x 1 thread" is
what threads gain at the largest batch, and "dot product" what the roofline's loop gains by them."""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    parser.add_argument("--isa", metavar="A,B", help="variants (default: all that run here)")
    parser.add_argument("--batch", metavar="N,M", default="1,256", help="images a call")
    parser.add_argument("--threads", metavar="N,M", help="(default: 1, 2, 4 ... all cores)")
    parser.add_argument("--rounds", type=int, default=50, metavar="N", help="of every measurement")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON, in seconds")
    parser.add_argument(
        "--plot", type=OutputOf(PICTURE), metavar="FILE", help="draw the ops (.svg, .png or .pdf)"
    )


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..bench import bench, rounds_of

    if options.plot:
        from ..bench.plot import plot_report
        from ..study.quantisation.plots import check_plot

        check_plot(options.plot)
    batches, threads = _numbers("--batch", options.batch), _numbers("--threads", options.threads)
    isas = options.isa.split(",") if options.isa else []
    model = intgold.load(options.model)
    total = rounds_of(isas, threads, options.rounds)
    with Progress[int](
        total=total, unit="round", label="bench", show=show_progress(options)
    ) as bar:
        report = bench(model, isas, batches, threads, options.rounds, bar.update)
    if options.plot:
        plot_report(report, options.plot)
    print(json.dumps(report.document(), indent=1) if options.json else report)
    return 0


def _numbers(option: str, text: str | None) -> list[int]:
    try:
        return [] if text is None else [int(part) for part in text.split(",")]
    except ValueError:
        raise IntgoldError(f"{option} {text}: not integers with commas between") from None
