"""Pictures of differences as SVG, coloured by the style of the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...document.blocks import Figure

_MAX_MAPS = 32
_MAX_CELLS = 64
_SIDE = 112


def error_maps(places: np.ndarray) -> list[Figure]:
    """Return a map for each channel: how often each place differs.

    Parameters
    ----------
    places : ndarray of int, shape of an image of the array
        How many images differ there.
    """
    maps = _by_channel(places)
    most = max(1, int(places.max()))
    shown = sorted(range(len(maps)), key=lambda c: -int(maps[c].sum()))[:_MAX_MAPS]
    return [_map(c, maps[c], most) for c in sorted(shown)]


def _by_channel(places: np.ndarray) -> np.ndarray:
    """Return (channels, rows, columns); a vector is one row."""
    if places.ndim > 3:
        places = places.sum(axis=0)
    if places.ndim == 3 and places.shape[0] * places.shape[1] > 1:
        return places.transpose(2, 0, 1)
    return places.reshape(1, 1, -1)


def _map(channel: int, values: np.ndarray, most: int) -> Figure:
    values = _smaller(values)
    rows, columns = values.shape
    cell = max(2.0, _SIDE / max(rows, columns))
    width, height = columns * cell, rows * cell
    cells = []
    for y in range(rows):
        for x in np.flatnonzero(values[y]).tolist():
            strength = 0.25 + 0.75 * int(values[y, x]) / most
            cells.append(
                f'<rect class="cell" x="{x * cell:.2f}" y="{y * cell:.2f}" width="{cell:.2f}" '
                f'height="{cell:.2f}" opacity="{strength:.2f}"/>'
            )
    wrong = int((values > 0).sum())
    svg = (
        f'<svg width="{width:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="channel {channel}: {wrong} places differ">'
        f'<rect class="ground" width="{width:.0f}" height="{height:.0f}"/>{"".join(cells)}</svg>'
    )
    return Figure(svg, f"channel {channel}: {wrong}")


def _smaller(values: np.ndarray) -> np.ndarray:
    """Return a map of at most `_MAX_CELLS` cells a side: each is the maximum of its part."""
    for axis in (0, 1):
        size = values.shape[axis]
        step = -(-size // _MAX_CELLS)
        if step > 1:
            starts = np.arange(0, size, step)
            values = np.maximum.reduceat(values, starts, axis=axis)
    return values


def legend(places: np.ndarray, count: int) -> str:
    """Return what the maps show."""
    maps = _by_channel(places)
    shown = f", the {_MAX_MAPS} with most" if len(maps) > _MAX_MAPS else ""
    return (
        f"A map for each channel{shown}: a cell is a place of the output that differs, the "
        f"stronger the more of the {count} images. Below it: how many places."
    )


def histogram(counts: Sequence[tuple[str, int]]) -> Figure:
    """Return a bar for each size of difference, with its count."""
    most = max((n for _, n in counts), default=1)
    rows, step = [], 22
    for i, (label, n) in enumerate(counts):
        width = max(1.0, 280 * n / most)
        y = i * step
        rows.append(
            f'<text x="118" y="{y + 15}" text-anchor="end">{label}</text>'
            f'<rect class="bar" x="126" y="{y + 4}" width="{width:.1f}" height="14"/>'
            f'<text x="{132 + width:.1f}" y="{y + 15}">{n:,}</text>'
        )
    height = max(1, len(counts)) * step
    return Figure(
        f'<svg width="500" height="{height}" role="img" aria-label="histogram of Got - '
        f'expected">{"".join(rows)}</svg>'
    )
