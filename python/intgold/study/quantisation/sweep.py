"""A sweep over the choices of quantisation: what each costs, and what it gives."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ...describe.footprint import footprint
from ...errors import InputError
from ...host.affine import quantize_input
from ...images.labels import check_labels
from ...model.graph import Model
from ...ops.fields import FORMS, Requantize
from ...quantize.calibrate import Ranges, calibrate
from ...quantize.choices import Choices
from ...quantize.inference import Batch, FloatNetwork
from ...quantize.quantizer import quantize_network
from ...run.classify import decide
from ...support.arguments import checked, fit_fields
from ...support.deprecation import once_by_position
from ...support.moved import renamed
from ...support.progress import Progress
from ...support.quoting import short_repr, shown
from ...support.text_table import columns
from ...support.workers import Workers
from .layer_error import layer_errors

__all__ = [
    "SweepData",
    "SweepRow",
    "default_sweep",
    "named",
    "pareto",
    "product_sweep",
    "run_sweep",
    "sweep_table",
]

_SHIFT_BITS = 6  # a right_shift is in [1, 62]


@dataclass(frozen=True)
class SweepRow:
    """One configuration.

    Parameters
    ----------
    choices : Choices
    accuracy : float or None
        Share of right answers, in [0, 1]; None without labels.
    differing : int
        Answers that are not those of the float network.
    worst_layer : str
    worst_sqnr : float
        The smallest signal to quantisation noise of any tensor, in dB.
    parameter_bytes : int
        Weights at `weight_bits` each, and biases.
    table_bytes : int
    multiplier_bits : int
        Of one multiplier.
    constant_bytes : int
        Parameters, tables, and of each requantize entry the multiplier and six bits of shift.
    accumulator_bits : int
        Of the widest accumulator, by the proof of SPEC 7.
    golden_images, golden_differing : int
        Images that both engines ran, and values of all tensors and accumulators that differ.
    sha256 : str
        Of the model.
    """

    choices: Choices
    accuracy: float | None
    differing: int
    worst_layer: str
    worst_sqnr: float
    parameter_bytes: int
    table_bytes: int
    multiplier_bits: int
    constant_bytes: int
    accumulator_bits: int
    golden_images: int
    golden_differing: int
    sha256: str


def default_sweep() -> list[Choices]:
    """Return the configurations of a sweep for which nothing is said.

    Every multiplier width of 1, 4, 8, 16, 31 bits with tables and with 2, 4, 8, 16 segments; and
    every other choice by itself.
    """
    sweep = [
        Choices(activation=activation, multiplier_bits=bits)
        for activation in ("lut", "pwl:2", "pwl:4", "pwl:8", "pwl:16")
        for bits in (31, 16, 8, 4, 1)
    ]
    sweep += [
        Choices(weight_bits=bits, weight_scales=scales)
        for bits in (7, 6, 5, 4, 3, 2)
        for scales in ("max", "mse")
    ]
    sweep += [Choices(calibration=c) for c in ("percentile:99.99", "percentile:99.9", "mse")]
    sweep += [Choices(per_channel=False), Choices(weight_scales="mse")]
    return sweep + [Choices(form=form) for form in FORMS if form != "single"]


@checked
def product_sweep(values: Mapping[str, Sequence[Any]]) -> list[Choices]:
    """Return every combination of the values given for each choice, the last varying fastest.

    Raises
    ------
    InputError
        Naming the choice that there is not.
    ModelError
        When a value is none that the choice can have.
    """
    known = [field.name for field in fields(Choices)]
    for name in values:
        if name not in known:
            raise InputError(
                f"product_sweep: values: no choice {shown(name)}; known: {', '.join(known)}"
            )
    return [
        Choices(**dict(zip(values, chosen, strict=True)))
        for chosen in itertools.product(*values.values())
    ]


@dataclass(frozen=True, eq=False)
class _Job:
    """What every configuration has in common."""

    __repr__ = short_repr

    network: FloatNetwork
    ranges: Mapping[str, Ranges]
    batch: dict[str, np.ndarray]
    labels: np.ndarray | None
    answers: np.ndarray
    golden_images: int


@dataclass(frozen=True, eq=False)
class SweepData:
    """What a sweep calibrates and measures with; `run_sweep` takes each field by name, too.

    Parameters
    ----------
    calibration_images, images : ndarray or mapping of str to ndarray
        See `FloatNetwork.batch`.
    labels : ndarray, optional
        Of `images`.
    golden_images : int
        This many images, the first ones, are run by both engines, and every value is compared;
        layer errors are taken over them too.

    Raises
    ------
    InputError
        When a field is not of its type.
    """

    __repr__ = short_repr

    calibration_images: Batch
    images: Batch
    labels: np.ndarray | None = None
    golden_images: int = 1_000

    def __post_init__(self) -> None:
        fit_fields(self, "run_sweep")


@once_by_position(
    2, "calibration_images", "images", "labels", "golden_images", "processes", "progress",
    unless=SweepData,
)  # fmt: skip
@checked
def run_sweep(
    network: FloatNetwork,
    sweep: Sequence[Choices],
    data: SweepData | None = None,
    *,
    processes: int = 0,
    progress: bool = False,
    **parts: Any,
) -> list[SweepRow]:
    """Quantise a network under each of the choices and measure the models, on all cores.

    Parameters
    ----------
    network : FloatNetwork
        That gives one answer per example.
    sweep : sequence of Choices
    data : SweepData, optional
        What to calibrate and to measure with.
    processes : int
        0 takes as many as there are cores. A script does its work under
        ``if __name__ == "__main__":``, or each process would do all of it again.
    progress : bool
        Show a bar.
    **parts
        Fields of `SweepData` by name, which go before those of `data`.

    Raises
    ------
    InputError
        When there is nothing to do.
    ModelError
        When a configuration cannot be quantised.
    """
    data = SweepData(**parts) if data is None else replace(data, **parts)
    batch = network.by_name(data.images)
    count = min(len(array) for array in batch.values())
    given = {"configurations": len(sweep), "images": count, "golden images": data.golden_images}
    for name, number in given.items():
        if number < 1:
            raise InputError(f"{number} {name}: 1 at least is needed")
    if processes < 0:
        raise InputError(f"processes {processes}: 0 stands for all cores, N for N processes")
    network.check_predictable()
    check_labels(data.labels, count, math.prod(network.output_shape))
    methods = dict.fromkeys(choices.calibration for choices in sweep)
    answers = network.predict(batch, progress=progress)
    ranges = {
        method: calibrate(network, data.calibration_images, method, progress=progress)
        for method in methods
    }
    job = _Job(network, ranges, batch, data.labels, answers, min(data.golden_images, count))
    workers = min(processes or os.cpu_count() or 1, len(sweep))
    with Workers(workers, _start, job) as pool:
        rows = pool.map(_measure, sweep)
        return list(Progress(rows, total=len(sweep), unit="model", label="sweep", show=progress))


_job: _Job | None = None


def _start(job: _Job) -> None:
    global _job
    _job = job


def _measure(choices: Choices) -> SweepRow:
    """Quantise and measure one configuration, in a worker process."""
    assert _job is not None
    return measure(_job, choices)


def measure(job: _Job, choices: Choices) -> SweepRow:
    """Return the row of one configuration."""
    model = quantize_network(job.network, job.ranges[choices.calibration], choices)
    x = {name: quantize_input(model, array, name) for name, array in job.batch.items()}
    answers = decide(model, model.run(x).output)
    few = {name: array[: job.golden_images] for name, array in job.batch.items()}
    worst = min(layer_errors(job.network, model, few), key=lambda e: e.sqnr)
    costs = footprint(model)
    parameters = -(-costs.weights * choices.weight_bits // 8) + costs.biases
    entries = sum(
        value.count
        for op in model.ops
        for value in op.fields.values()
        if isinstance(value, Requantize)
    )
    return SweepRow(
        choices=choices,
        accuracy=None if job.labels is None else float((answers == job.labels).mean()),
        differing=int((answers != job.answers).sum()),
        worst_layer=worst.tensor,
        worst_sqnr=worst.sqnr,
        parameter_bytes=parameters,
        table_bytes=costs.tables,
        multiplier_bits=choices.significant_bits,
        constant_bytes=parameters
        + costs.tables
        + -(-entries * (choices.significant_bits + _SHIFT_BITS) // 8),
        accumulator_bits=max(b.bits for b in model.bounds.values() if b.bits is not None),
        golden_images=job.golden_images,
        golden_differing=_differing(model, few),
        sha256=model.sha256,
    )


def _differing(model: Model, images: Batch) -> int:
    """Return how many values of all tensors and accumulators differ between the engines."""
    from ...run.comparison import MismatchCount
    from ...run.digests import traced_chunks

    given = images if isinstance(images, Mapping) else {model.inputs[0]: images}
    x = {name: quantize_input(model, array, name) for name, array in given.items()}
    tally = MismatchCount()
    runs = (traced_chunks(model, x, backend, chunk=250) for backend in ("golden", "c"))
    for golden, c in zip(*runs, strict=True):
        tally.add(golden, c)
    return tally.differing


@checked
def pareto(rows: Sequence[SweepRow]) -> list[SweepRow]:
    """Return the rows that no other beats: fewer constant bytes, more right answers.

    Without labels, fewer answers that differ from the float network's.
    """
    best: list[SweepRow] = []
    for row in sorted(rows, key=lambda r: (r.constant_bytes, -_merit(r))):
        if not best or _merit(row) > _merit(best[-1]):
            best.append(row)
    return best


def _merit(row: SweepRow) -> float:
    return -row.differing if row.accuracy is None else row.accuracy


@checked
def named(choices: Choices) -> str:
    """Return the choices that are not the default, in a few words."""
    default = Choices()
    words = [
        f"{f.name}={_word(getattr(choices, f.name))}"
        for f in fields(Choices)
        if getattr(choices, f.name) != getattr(default, f.name)
    ]
    return " ".join(words) or "default"


def _word(value: Any) -> str:
    return mapping_text(value) if isinstance(value, Mapping) else str(value)


def mapping_text(value: Mapping[str, Any]) -> str:
    """Return ``layer:choice,layer:choice``."""
    return ",".join(f"{layer}:{how}" for layer, how in value.items())


_NUMBERS = {
    "accuracy": "accuracy", "differing": "differ", "worst_layer": "worst layer",
    "worst_sqnr": "SQNR dB", "parameter_bytes": "param B", "table_bytes": "table B",
    "multiplier_bits": "mult bits", "constant_bytes": "const B", "accumulator_bits": "acc bits",
    "golden_differing": "golden!=c",
}  # fmt: skip


@checked
def sweep_table(rows: Sequence[SweepRow]) -> str:
    """Return the rows as aligned lines; * marks those that no other beats."""
    front = pareto(rows)
    lines = [("", "choices", *_NUMBERS.values())]
    for row in rows:
        cells = ["*" if any(row is r for r in front) else "", named(row.choices)]
        for name in _NUMBERS:
            value = getattr(row, name)
            if name == "accuracy":
                cells.append("-" if value is None else f"{value:.2%}")
            else:
                cells.append(f"{value:.1f}" if name == "worst_sqnr" else str(value))
        lines.append(tuple(cells))
    return "\n".join(columns(lines, left={0, 1, 2 + list(_NUMBERS).index("worst_layer")}))


__getattr__ = renamed(__name__)
