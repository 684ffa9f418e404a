"""MNIST from its four IDX files: found, checked against their SHA-256, fetched."""

from __future__ import annotations

import hashlib
import os
import tempfile
from http.client import HTTPException
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..support.safe_files import replacing
from .idx import idx_header, read_idx

# SHA-256 of the uncompressed files: a gzip wrapping may differ from copy to copy, these may not.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
DEFAULT_DIRECTORY = Path("data/mnist")
HELD_OUT = 5_000
"""Training images that are kept for validation."""
_SPLIT_SEED = 5  # the same whatever the seed of a training
_SPLITS = {"train": ("train", 60_000), "test": ("t10k", 10_000)}
_IMAGE_SIZE = (28, 28)
_ABSENT = "holds no {} (raw or .gz): put it there, or run `intgold data`"


def _locate(directory: Path, name: str) -> Path | None:
    """Return the raw file or the one in gzip, whichever is there; the raw one first."""
    for candidate in (directory / name, directory / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    return None


def _missing(directory: Path) -> list[str]:
    return [name for name in MNIST_SHA256 if _locate(directory, name) is None]


def find_mnist() -> Path | None:
    """Return the folder with the four MNIST files, or None when there is none.

    `MNIST_DIR` is looked at first, then `data/mnist` below the current folder.

    Raises
    ------
    DataError
        When `MNIST_DIR` is set and does not hold all four: a wrong setting is not an absent one.
    """
    setting = os.environ.get("MNIST_DIR")
    if setting:
        missing = _missing(Path(setting))
        if missing:
            raise DataError(f"MNIST_DIR={setting}: {_ABSENT.format(missing[0])}")
        return Path(setting)
    return None if _missing(DEFAULT_DIRECTORY) else DEFAULT_DIRECTORY


def load_mnist(
    split: str, directory: str | os.PathLike[str] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Load one half of MNIST, its bytes checked against the published SHA-256.

    Parameters
    ----------
    split : {"train", "test"}
    directory : path, optional
        Where the files lie; by default where `find_mnist` finds them.

    Returns
    -------
    images : ndarray, uint8 (n, 28, 28, 1)
    labels : ndarray, uint8 (n,)
        n is 60,000 for train and 10,000 for test.

    Raises
    ------
    DataError
        When a file is missing, damaged or another than the published one.
    """
    if split not in _SPLITS:
        raise DataError(f"split {split!r} is none of {', '.join(_SPLITS)}")
    folder = find_mnist() if directory is None else Path(directory)
    if folder is None:
        raise DataError(
            "MNIST is not here: run `intgold data`, or "
            + _by_hand(Path(os.environ.get("MNIST_DIR") or DEFAULT_DIRECTORY))
        )
    prefix, count = _SPLITS[split]
    images = _load_checked(folder, f"{prefix}-images-idx3-ubyte", (count, *_IMAGE_SIZE))
    labels = _load_checked(folder, f"{prefix}-labels-idx1-ubyte", (count,))
    return images[..., np.newaxis], labels


def split_validation(count: int = 60_000) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices to train on and the 5,000 held out, always the same, int64."""
    order = np.random.Generator(np.random.PCG64(_SPLIT_SEED)).permutation(count)
    return np.sort(order[HELD_OUT:]), np.sort(order[:HELD_OUT])


def _by_hand(directory: Path) -> str:
    return f"put {', '.join(MNIST_SHA256)} (raw or .gz) into {directory} or set MNIST_DIR"


def _load_checked(directory: Path, name: str, shape: tuple[int, ...]) -> np.ndarray:
    path = _locate(directory, name)
    if path is None:
        raise DataError(f"{directory}: {_ABSENT.format(name)}")
    array = read_idx(path, shape)
    digest = hashlib.sha256(idx_header(shape) + array.tobytes()).hexdigest()
    if digest != MNIST_SHA256[name]:
        raise DataError(f"{path}: SHA-256 {digest}, published is {MNIST_SHA256[name]}")
    return array


def fetch_mnist(directory: str | os.PathLike[str] = DEFAULT_DIRECTORY) -> Path:
    """Download MNIST with torchvision and leave the four raw files in `directory`.

    Files that are there already, and are the published ones, are kept; where all four are, nothing
    is downloaded.

    Returns
    -------
    Path
        `directory`.

    Raises
    ------
    DataError
        When torchvision is missing, does not fit the installed torch, cannot download, or brings
        other bytes than the published ones.
    """
    target = Path(directory)
    missing = _missing(target)
    for name in MNIST_SHA256:
        if name not in missing:  # another data set has files of these names
            _load_checked(target, name, _shape_of(name))
    if not missing:
        return target
    try:
        # torchvision beside a torch of another build raises RuntimeError when imported.
        from torchvision.datasets import MNIST

        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download.", dir=target) as folder:
            MNIST(root=folder, train=True, download=True)
            for name in missing:
                _place(Path(folder, "MNIST", "raw"), target, name)
    except (ImportError, RuntimeError, OSError, HTTPException) as error:
        digests = ", ".join(f"{name} (SHA-256 {sha})" for name, sha in MNIST_SHA256.items())
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"torchvision cannot fetch MNIST ({reason}); put these four files into {target}, "
            f"raw or .gz: {digests}"
        ) from error
    return target


def _place(raw: Path, target: Path, name: str) -> None:
    """Put one downloaded file, once its bytes are known to be right, into the target folder."""
    shape = _shape_of(name)
    array = _load_checked(raw, name, shape)
    with replacing(target / name, None) as file:
        file.write(idx_header(shape) + array.tobytes())


def _shape_of(name: str) -> tuple[int, ...]:
    prefix, _, kind = name.partition("-")
    count = next(n for p, n in _SPLITS.values() if p == prefix)
    return (count, *_IMAGE_SIZE) if kind.startswith("images") else (count,)
