"""What a model says of images, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from ..host.host_ops import TAIL
from ..host.host_tail import HostValues, run_host_tail
from ..images.labels import check_labels
from ..model.graph import Model
from ..run.backends import run
from ..run.classify import check_predictable, decide, is_decided
from ..support.arguments import checked
from ..support.moved import renamed
from ..support.quoting import short_repr
from .host_report import ARITHMETIC, host_document, host_ends, image_values, left_line
from .terminal import beside, draw, printable

_MAX_ROWS = 10


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says of each of n images.

    Parameters
    ----------
    model : Model
    names : sequence of str
    x : ndarray of int8, shape (n, *input shape)
        What the model was given.
    output : ndarray, shape (n, ...)
        Its first output: the logits.
    classes : ndarray of int32, shape (n,)
        The answers.
    labels : ndarray of integers, shape (n,), optional
    host : HostValues, optional
        Of a file whose tail is left to the host: what it computes from the outputs.
    """

    model: Model
    names: Sequence[str]
    x: np.ndarray
    output: np.ndarray
    classes: np.ndarray
    labels: np.ndarray | None = None
    host: HostValues | None = None

    __repr__ = short_repr

    @property
    def right(self) -> int:
        """How many answers are those of the labels."""
        return 0 if self.labels is None else int((self.classes == self.labels).sum())

    def accuracy(self) -> str:
        """Return the line that says how many answers are right."""
        return f"{self.right} of {len(self.names)} right, {self.right / len(self.names):.2%}"

    def logits(self, index: int) -> list[int] | None:
        """Return the output of one image; None where it is already the class."""
        if is_decided(self.model):
            return None
        logits: list[int] = self.output[index].reshape(-1).tolist()
        return logits

    def reals(self, values: Sequence[int]) -> list[float] | None:
        """Return the reals that values of the output stand for; None without a scale."""
        tensor = self.model.tensor(self.model.outputs[0])
        if tensor.scale is None:
            return None
        of_one = np.array(values, tensor.dtype).reshape(tensor.shape)
        return self.model.dequantize(of_one).reshape(-1).tolist()

    def margin(self, index: int) -> tuple[int, int] | None:
        """Return the runner-up's class and by how much the answer is ahead of it."""
        logits = self.logits(index)
        if logits is None:
            return None
        first = int(self.classes[index])
        # Ties go to the lowest index, here too.
        second = max((n for n in range(len(logits)) if n != first), key=lambda n: logits[n])
        return second, logits[first] - logits[second]

    def details(self, index: int, style: str | None, encoding: str | None) -> str:
        """Return what there is to say of one image, over several lines.

        Parameters
        ----------
        index : int
        style : str or None
            Of the picture, one of `intgold.predict.terminal.STYLES`; None for no picture.
        encoding : str or None
            Of the stream that it is for.
        """
        title = f"{printable(self.names[index], encoding)}: {self.classes[index]}"
        if self.labels is not None:
            same = self.classes[index] == self.labels[index]
            title += f", label {self.labels[index]}: {'right' if same else 'wrong'}"
        lines = self._table(index)
        picture = picture_of(self.x[index]) if style else None
        if style and picture is not None:
            lines = beside(draw(picture, style), lines)
        return "\n".join([title, *lines])

    def _table(self, index: int) -> list[str]:
        logits, margin = self.logits(index), self.margin(index)
        if logits is None or margin is None:
            return []
        scale = self.model.tensor(self.model.outputs[0]).scale
        runner_up, ahead = margin
        real = "" if scale is None else f" = {ahead * scale:.4g}"
        shown, note = list(range(len(logits))), []
        if len(logits) > _MAX_ROWS:
            shown = sorted(shown, key=lambda n: -logits[n])[:_MAX_ROWS]  # ties by class
            note = [f"the {_MAX_ROWS} largest of {len(logits)}"]
        lines = [f"margin {ahead}{real}, over {runner_up}", "", f"class {'logit':>11}"]
        reals, scores = self.reals(logits), self._scores(index)
        if reals is not None:
            lines[-1] += f"{'real':>11}"
        lines[-1] += "".join(f"  {kind:>11}" for kind in scores)
        for n in shown:
            mark = ">" if n == self.classes[index] else " "
            end = "" if reals is None else f"{reals[n]:11.3f}"
            end += "".join(f"  {of[n]:{max(11, len(kind))}.6f}" for kind, of in scores.items())
            lines.append(f"{mark} {n:3} {logits[n]:11}{end}")
        if scores:
            note.append(f"{', '.join(scores)}: {ARITHMETIC}")
        return lines + note + ([] if self.host is None else left_line(self.host))

    def _scores(self, index: int) -> dict[str, list[float]]:
        """Return what the host computes from each logit of an image, by the last op's kind."""
        if self.host is None:
            return {}
        return {
            self.host.ends[name].kind.lower(): values[index].reshape(-1).tolist()
            for name, values in host_ends(self.host).items()
            if self.host.sources.get(name) == self.model.outputs[0]
            if values[index].size == self.output[index].size
        }

    def document(self) -> dict[str, Any]:
        """Return all of it as what JSON can hold."""
        tensor = self.model.tensor(self.model.outputs[0])
        images = []
        for i, name in enumerate(self.names):
            image: dict[str, Any] = {"name": name, "answer": int(self.classes[i])}
            if self.labels is not None:
                image["label"] = int(self.labels[i])
            logits, margin = self.logits(i), self.margin(i)
            if logits is not None and margin is not None:
                image |= {"logits": logits, "reals": self.reals(logits), "margin": margin[1]}
            if self.host is not None:
                image["host"] = image_values(self.host, i)
            images.append(image)
        document: dict[str, Any] = {
            "model": self.model.name,
            "sha256": self.model.sha256,
            "scale": tensor.scale,
            "zero_point": tensor.zero_point,
            "images": images,
        }
        if self.host is not None:
            document["host"] = host_document(self.host)
        if self.labels is not None:
            document |= {"right": self.right, "count": len(images)}
        return document


@checked
def predict_images(
    model: Model,
    images: np.ndarray,
    names: Sequence[str],
    labels: np.ndarray | None = None,
    backend: str = "c",
    threads: int = 1,
    isa: str = "auto",
) -> Predictions:
    """Run a model on images and return all that it says of them.

    Parameters
    ----------
    model : Model
    images : ndarray
        As `Model.predict` takes them.
    names : sequence of str
        One for each image.
    labels : ndarray, optional
    backend, threads, isa
        As in `intgold.run.backends.run`; they cannot change a bit.

    Raises
    ------
    InputError
        When the images do not fit, or the model gives more than one answer per image.
    """
    check_predictable(model)
    x = model.quantize_input(images)
    check_labels(labels, len(x), class_count(model))
    if len(names) != len(x):
        raise InputError(f"names: {len(names)} for {len(x)} images")
    outputs = run(model, x, backend=backend, threads=threads, isa=isa).outputs
    output = outputs[model.outputs[0]]
    host = run_host_tail(model, outputs) if TAIL in model.metadata else None
    return Predictions(model, names, x, output, decide(model, output), labels, host)


def class_count(model: Model) -> int:
    """Return how many classes a model tells from each other."""
    made = {op.output: op for op in model.ops}
    last = made[model.outputs[0]]
    tensor = last.inputs[0] if is_decided(model) else last.output
    return model.tensor(tensor).shape[-1]


def picture_of(x: np.ndarray) -> np.ndarray | None:
    """Return an int8 input as bytes to look at, uint8 (height, width); None when it has no such.

    The smallest int8 is 0, the largest 255; three channels give their mean.
    """
    if x.ndim != 3 or x.shape[2] not in (1, 3):
        return None
    mean: np.ndarray = (x.astype(np.int64) + 128).sum(2) // x.shape[2]
    return mean.astype(np.uint8)


__getattr__ = renamed(__name__)
