"""Only the published MNIST files are taken; what else is met is named."""

from __future__ import annotations

import gzip
import hashlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import tools
from intgold.errors import DataError
from intgold.images import mnist
from intgold.images.idx import idx_header


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, bytes]:
    """Stand-in for MNIST: four small files, their digests and counts in the tables."""
    rng = np.random.default_rng(0)
    arrays = {
        "train-images-idx3-ubyte": rng.integers(0, 256, (6, 28, 28)),
        "train-labels-idx1-ubyte": rng.integers(0, 10, 6),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (4, 28, 28)),
        "t10k-labels-idx1-ubyte": rng.integers(0, 10, 4),
    }
    files = {
        name: idx_header(array.shape) + array.astype(np.uint8).tobytes()
        for name, array in arrays.items()
    }
    assert files.keys() == mnist.MNIST_SHA256.keys()
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(mnist, "MNIST_SHA256", digests)
    monkeypatch.setattr(mnist, "_SPLITS", {"train": ("train", 6), "test": ("t10k", 4)})
    monkeypatch.delenv("MNIST_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    return files


def lay(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files, every second one in gzip."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, content) in enumerate(files.items()):
        if number % 2:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)


def test_finds_the_files(small, monkeypatch, tmp_path: Path) -> None:
    """MNIST_DIR first, then data/mnist, then None; an incomplete MNIST_DIR is an error."""
    assert mnist.find_mnist() is None
    lay(tmp_path / "data/mnist", small)
    assert mnist.find_mnist() == Path("data/mnist")
    lay(tmp_path / "elsewhere", small)
    monkeypatch.setenv("MNIST_DIR", str(tmp_path / "elsewhere"))
    assert mnist.find_mnist() == tmp_path / "elsewhere"
    (tmp_path / "elsewhere/t10k-images-idx3-ubyte").unlink()
    with pytest.raises(DataError, match="MNIST_DIR=.*holds no t10k-images-idx3-ubyte"):
        mnist.find_mnist()


def test_loads_both_halves(small, tmp_path: Path) -> None:
    """Images come as (n, 28, 28, 1) uint8 beside their labels, and the halves differ."""
    lay(tmp_path / "data/mnist", small)
    for split, count in (("train", 6), ("test", 4)):
        images, labels = mnist.load_mnist(split)
        assert images.shape == (count, 28, 28, 1) and labels.shape == (count,)
        assert images.dtype == labels.dtype == np.uint8
        prefix = mnist._SPLITS[split][0]
        assert images.tobytes() == small[f"{prefix}-images-idx3-ubyte"][16:]
        assert labels.tobytes() == small[f"{prefix}-labels-idx1-ubyte"][8:]
    with pytest.raises(DataError, match="'validation'"):
        mnist.load_mnist("validation")


def test_says_what_to_do_without_mnist(small, tmp_path: Path) -> None:
    """The message names the command, the four files and the folder."""
    with pytest.raises(DataError, match="run `intgold data`") as caught:
        mnist.load_mnist("train")
    assert all(name in str(caught.value) for name in small)
    assert "data/mnist" in str(caught.value)
    with pytest.raises(DataError, match="nowhere: holds no train-images"):
        mnist.load_mnist("train", tmp_path / "nowhere")


def test_refuses_other_bytes_than_the_published(small, tmp_path: Path) -> None:
    """One pixel changed, everything else right: the SHA-256 tells."""
    changed = bytearray(small["train-images-idx3-ubyte"])
    changed[-1] ^= 1
    small["train-images-idx3-ubyte"] = bytes(changed)
    lay(tmp_path / "data/mnist", small)
    mnist.load_mnist("test")
    with pytest.raises(DataError, match="train-images-idx3-ubyte: SHA-256 .* published"):
        mnist.load_mnist("train")


def stand_in(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], error=None) -> list:
    """Put a torchvision into sys.modules that 'downloads' `files`, or raises; return its calls."""
    calls = []

    def mnist(root: str, train: bool, download: bool) -> None:
        calls.append((root, train, download))
        if error is not None:
            raise error
        raw = Path(root, "MNIST", "raw")
        raw.mkdir(parents=True)
        for name, content in files.items():
            (raw / name).write_bytes(content)
            (raw / f"{name}.gz").write_bytes(gzip.compress(content))

    package, datasets = ModuleType("torchvision"), ModuleType("torchvision.datasets")
    datasets.MNIST = mnist  # type: ignore[attr-defined]
    package.datasets = datasets  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.datasets", datasets)
    return calls


def test_fetch_leaves_the_four_files(small, monkeypatch, tmp_path: Path) -> None:
    """Four raw files, nothing else; a second call downloads nothing."""
    calls = stand_in(monkeypatch, small)
    assert mnist.fetch_mnist() == Path("data/mnist")
    assert {p.name: p.read_bytes() for p in (tmp_path / "data/mnist").iterdir()} == small
    assert mnist.load_mnist("test")[0].shape == (4, 28, 28, 1)
    assert len(calls) == 1 and calls[0][1:] == (True, True)
    mnist.fetch_mnist()
    assert len(calls) == 1


def test_fetch_refuses_other_bytes(small, monkeypatch, tmp_path: Path) -> None:
    """A download that is not the published file does not reach the folder."""
    name = next(iter(small))
    stand_in(monkeypatch, small | {name: small[name][:-1] + b"\x55"})
    with pytest.raises(DataError, match=f"{name}: SHA-256"):
        mnist.fetch_mnist(tmp_path / "target")
    assert list((tmp_path / "target").iterdir()) == []


def by_hand(message: str) -> bool:
    """Tell whether the message lists the four files with their digests."""
    return all(f"{name} (SHA-256 {sha})" in message for name, sha in mnist.MNIST_SHA256.items())


@pytest.mark.parametrize("error", [RuntimeError("no mirror\nmore"), OSError(28, "disk full")])
def test_a_failed_download_says_what_to_put_where(small, monkeypatch, tmp_path, error) -> None:
    """One line with the reason, the four files, their digests and the folder."""
    stand_in(monkeypatch, small, error)
    with pytest.raises(DataError, match="cannot fetch MNIST") as caught:
        mnist.fetch_mnist(tmp_path / "target")
    message = str(caught.value)
    assert by_hand(message) and str(tmp_path / "target") in message and "\n" not in message


def test_a_torchvision_that_does_not_load(small, monkeypatch, tmp_path: Path) -> None:
    """Absent, or raising RuntimeError on import as it does beside another build of torch."""
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(DataError, match="cannot fetch MNIST") as caught:
        mnist.fetch_mnist()
    assert by_hand(str(caught.value))
    package = tmp_path / "packages/torchvision"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('operator nms does not exist')\n")
    monkeypatch.delitem(sys.modules, "torchvision")
    monkeypatch.delitem(sys.modules, "torchvision.datasets", raising=False)
    monkeypatch.syspath_prepend(tmp_path / "packages")
    with pytest.raises(DataError, match="operator nms does not exist") as caught:
        mnist.fetch_mnist()
    assert by_hand(str(caught.value))


def test_the_real_files() -> None:
    """MNIST itself: 60,000 and 10,000 images, 5,923 and 980 of them zeros."""
    tools.need("MNIST")
    for split, count, zeros in (("train", 60_000, 5_923), ("test", 10_000, 980)):
        images, labels = mnist.load_mnist(split)
        assert images.shape == (count, 28, 28, 1)
        assert int((labels == 0).sum()) == zeros
        assert images.max() == 255 and labels.max() == 9
