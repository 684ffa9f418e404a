"""Labels: the class of each image, checked."""

from __future__ import annotations

import numpy as np

from ..errors import InputError


def check_labels(labels: np.ndarray | None, count: int, classes: int) -> None:
    """Raise InputError unless there are no labels, or a class for each of `count` images."""
    if labels is None:
        return
    if labels.dtype.kind not in "iu" or labels.shape != (count,):
        advice = label_advice(labels)
        raise InputError(
            f"labels: {labels.dtype} {labels.shape} instead of integers ({count},){advice}"
        )
    invalid = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(invalid):
        raise InputError(
            f"labels: {labels[invalid[0]]} at ({invalid[0]},) is no class; "
            f"they are 0 to {classes - 1}"
        )


def label_advice(labels: np.ndarray) -> str:
    """Return how class numbers are made of labels that are none, or nothing."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        return ": class numbers are wanted; y.argmax(1) produces them from a row for each"
    if labels.dtype.kind in "fb" or labels.ndim == 2:
        return (
            ": class numbers are wanted; y.astype(numpy.int64).ravel() gives them, if y holds them"
        )
    return ""
