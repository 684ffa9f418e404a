"""Pictures for people, by matplotlib (extra ``plot``)."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ... import golden
from ...errors import IntgoldError
from ...host.affine import dequantize, quantize_input
from ...model.graph import Model, Op
from ...ops.fields import DTYPE_RANGE
from ...quantize.fusion import fuse
from ...quantize.inference import Batch, FloatNetwork
from ...support.file_kinds import MADE_BY, PICTURE
from ...support.files_beside_others import FilesInto
from ...support.safe_files import replacing
from .layer_error import LayerError, layer_errors
from .sweep import SweepRow, named, pareto

_ERRORS, _ACTIVATIONS = "errors.png", "activations.png"
_GREY = "0.75"
_LINES = ("-", "--", ":", "-.")  # of the models, which often lie on one another


def check_plot(path: str | os.PathLike[str]) -> None:
    """Raise IntgoldError unless matplotlib is there and the file's name ends as it must."""
    PICTURE.suffix(path)
    _pyplot()


def _pyplot() -> Any:
    try:
        import matplotlib
    except ImportError:
        raise IntgoldError("pictures need matplotlib: pip install 'intgold[plot]'") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def save_picture(figure: Any, path: str | os.PathLike[str], **options: Any) -> None:
    """Write a figure with the mark by which it is known again; `options` are those of savefig."""
    stream, suffix = io.BytesIO(), PICTURE.suffix(path)
    says = {"Software" if suffix == ".png" else "Creator": MADE_BY}
    figure.savefig(stream, format=suffix[1:], dpi=120, metadata=says, **options)
    with replacing(path, PICTURE) as file:
        file.write(stream.getvalue())


def _save(figure: Any, path: str | os.PathLike[str]) -> None:
    save_picture(figure, path, bbox_inches="tight", pad_inches=0.2)
    _pyplot().close(figure)


def plot_all(
    network: FloatNetwork,
    models: Mapping[str, Model],
    images: Batch,
    folder: str | os.PathLike[str],
) -> list[Path]:
    """Draw errors, histograms and activations into a folder; return the paths.

    Parameters
    ----------
    network : FloatNetwork
    models : mapping of str to Model
        Quantised from it.
    images : ndarray or mapping of str to ndarray
        See `FloatNetwork.batch`; the first 1,000 are drawn.
    folder : path
        May hold other files.

    Raises
    ------
    IntgoldError
        When a file of such a name is there and `plot_all` did not leave it so.
    """
    few = {name: array[:1_000] for name, array in network.batch(images).items()}
    files = pictures_into(folder, models)
    errors = {name: layer_errors(network, model, few) for name, model in models.items()}
    paths = [files.add(_ERRORS, lambda path: plot_errors(errors, path))]
    for name, model in models.items():
        draw = functools.partial(plot_histograms, network, model, few)
        paths.append(files.add(f"histograms_{name}.png", draw))
    if _curved(models):
        draw = functools.partial(plot_activations, network, models)
        paths.append(files.add(_ACTIVATIONS, draw))
    return paths


def pictures_into(folder: str | os.PathLike[str], models: Mapping[str, Model]) -> FilesInto:
    """Return the files of `plot_all`, once it is known that they may be written."""
    names = [_ERRORS, *(f"histograms_{name}.png" for name in models)]
    return FilesInto(folder, "comparison", [*names, _ACTIVATIONS] if _curved(models) else names)


def _curved(models: Mapping[str, Model]) -> bool:
    return any(op.kind in ("lut", "pwl") for model in models.values() for op in model.ops)


def plot_sweep(rows: Sequence[SweepRow], path: str | os.PathLike[str]) -> None:
    """Draw what each configuration costs and gives; a line joins those that no other beats.

    Raises
    ------
    IntgoldError
        When matplotlib is absent or the file cannot be written.
    """
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=(9, 6))

    def height(row: SweepRow) -> float:
        return 100 * (1 - row.accuracy) if row.accuracy is not None else float(row.differing)

    widths = sorted({row.multiplier_bits for row in rows})
    for i, bits in enumerate(widths):
        chosen = [row for row in rows if row.multiplier_bits == bits]
        axes.scatter(
            [row.constant_bytes for row in chosen], [height(row) for row in chosen],
            marker="osD^vP*X"[i % 8], s=30, alpha=0.8, label=f"{bits}-bit multipliers",
        )  # fmt: skip
    front = pareto(rows)
    axes.step(
        [row.constant_bytes for row in front], [height(row) for row in front],
        where="post", color="0.4", linewidth=1, zorder=0.8, label="no other is better",
    )  # fmt: skip
    for i, row in enumerate(front, start=1):
        axes.annotate(
            str(i), (row.constant_bytes, height(row)), xytext=(-9, -11 - 8 * (i % 3)),
            textcoords="offset points", fontsize=8,
        )  # fmt: skip
    listed = [f"{i}  {height(row):.2f}  {named(row.choices)}" for i, row in enumerate(front, 1)]
    axes.text(1.02, 1.0, "\n".join(listed), transform=axes.transAxes, va="top", fontsize=8)
    axes.set_yscale("log")
    axes.margins(y=0.12)  # the numbers below the lowest points stay above the axis
    axes.set_axisbelow(True)
    axes.set_xlabel("constants in bytes: weights at their bits, biases, multipliers, tables")
    wrong = rows[0].accuracy is not None
    axes.set_ylabel("wrong answers in %" if wrong else "answers that differ from float")
    axes.grid(color="0.9", which="both")
    axes.legend(fontsize=8)
    axes.set_title(f"{len(rows)} ways to quantise one network (lower and further left is better)")
    _save(figure, path)


def plot_errors(errors: Mapping[str, Sequence[LayerError]], path: str | os.PathLike[str]) -> None:
    """Draw the signal to quantisation noise of every layer, a line for each model by name."""
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=(9, 4.5))
    for i, (name, of_model) in enumerate(errors.items()):
        # Equal curves stay visible: rings of different sizes, one inside the other.
        axes.plot(
            [e.tensor for e in of_model], [e.sqnr for e in of_model],
            marker="o", markersize=5 + 4 * i, fillstyle="none" if i else "full",
            linestyle=("-", "--", ":", "-.")[i % 4], label=name,
        )  # fmt: skip
    axes.set_ylabel("signal to quantisation noise in dB (higher is better)")
    axes.tick_params(axis="x", rotation=30)
    axes.grid(color="0.9")
    axes.legend()
    axes.set_title("Error of each layer against the float network")
    _save(figure, path)


def plot_histograms(
    network: FloatNetwork, model: Model, images: Batch, path: str | os.PathLike[str]
) -> None:
    """Draw the values of every tensor: the float network's, and how often each int8 is taken.

    Parameters
    ----------
    images : ndarray or mapping of str to ndarray
        See `FloatNetwork.batch`.
    """
    pyplot = _pyplot()
    batch = network.batch(images)
    reals = network.trace(batch)
    x = {name: quantize_input(model, array, name) for name, array in batch.items()}
    run = model.run(x, trace=True)
    pairs = [("logits" if node.logits else node.name, node.ranged) for node in fuse(network)]
    columns = 3
    rows = -(-len(pairs) // columns)
    figure, axes = pyplot.subplots(rows, columns, figsize=(12, 2.6 * rows), squeeze=False)
    for axis, (tensor, layer) in zip(axes.flat, pairs, strict=False):
        _histogram(axis, model, tensor, reals[layer].ravel(), run.tensors[tensor].ravel())
    for axis in axes.flat[len(pairs) :]:
        axis.axis("off")
    figure.suptitle(
        "Values of each tensor, counted per LSB: float in grey, the model in blue, "
        "the ends of its range in red"
    )
    figure.tight_layout()
    _save(figure, path)


def _histogram(axis: Any, model: Model, name: str, reals: np.ndarray, integers: np.ndarray) -> None:
    tensor = model.tensor(name)
    assert tensor.scale is not None
    if tensor.dtype == "int8":
        ends = dequantize(np.array(DTYPE_RANGE["int8"], np.int8), tensor)
        edges = (np.arange(-128, 129) - 0.5 - tensor.zero_point) * tensor.scale
    else:
        ends = np.array([min(reals.min(), 0), max(reals.max(), 0)], np.float64)
        edges = np.linspace(ends[0], ends[1], 257)
    width = edges[1] - edges[0]
    beyond = (reals < edges[0]) | (reals > edges[-1])
    below = int(np.ceil(max(edges[0] - reals.min(), 0) / width))
    above = int(np.ceil(max(reals.max() - edges[-1], 0) / width))
    wide = edges[0] + width * np.arange(-below, len(edges) + above)
    axis.hist(reals, wide, color=_GREY, log=True)
    counts, _ = np.histogram(dequantize(integers, tensor), edges)
    occupied = counts > 0
    axis.plot((edges[:-1] + edges[1:])[occupied] / 2, counts[occupied], ".", color="tab:blue", ms=2)
    for end in ends:
        axis.axvline(end, color="tab:red", linewidth=0.8)
    used = len(np.unique(integers)) if tensor.dtype == "int8" else None
    detail = "int32" if used is None else f"{used} of 256 used, {beyond.mean():.2%} clipped"
    axis.set_title(f"{name}: {detail}", fontsize=8)
    axis.tick_params(labelsize=7)


def plot_activations(
    network: FloatNetwork, models: Mapping[str, Model], path: str | os.PathLike[str]
) -> None:
    """Draw each activation: the function, what the models make of all 256 inputs, the error."""
    from ...quantize.activations import activation_function

    pyplot = _pyplot()
    layers = {layer.name: layer for layer in network.layers}
    first = next(iter(models.values()))
    names = [op.name for op in first.ops if op.kind in ("lut", "pwl") and op.name in layers]
    if not names:
        raise IntgoldError(f"model {first.name}: no activation to draw")
    figure, axes = pyplot.subplots(2, len(names), figsize=(5.5 * len(names), 6), squeeze=False)
    q = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
    for column, name in enumerate(names):
        layer, (top, bottom) = layers[name], axes[:, column]
        for i, (label, model) in enumerate(models.items()):
            style: dict[str, Any] = {"linestyle": _LINES[i % 4], "linewidth": 1.6 - 0.4 * min(i, 2)}
            op = next(op for op in model.ops if op.name == name)
            x, y = model.tensor(op.inputs[0]), model.tensor(op.output)
            reals = dequantize(q[0], x)
            expected = activation_function(layer.kind, layer.alpha, layer.beta)(reals)
            made = dequantize(_answers(model, op, q)[0], y)
            if i == 0:
                top.plot(reals, expected, color="0.3", linewidth=1, label=layer.kind)
            top.step(reals, made, where="mid", label=label, **style)
            if op.kind == "pwl":
                starts = dequantize(op["breakpoints"], x)
                top.plot(starts, np.interp(starts, reals, made), "k|", markersize=9)
            assert y.scale is not None
            bottom.plot(reals, (made - expected) / y.scale, label=label, **style)
        top.set_title(f"{name} (| where a segment begins)")
        bottom.set_ylabel("error in LSB of the output")
        bottom.set_xlabel("input")
        for axis in (top, bottom):
            axis.grid(color="0.9")
            axis.legend(fontsize=8)
    figure.tight_layout()
    _save(figure, path)


def _answers(model: Model, op: Op, q: np.ndarray) -> np.ndarray:
    """Return what an activation op produces from int8 inputs."""
    made = golden.FUNCTIONS[op.kind](q, **model.arguments(op))
    return np.asarray(made[0] if op.spec.accumulator else made)
