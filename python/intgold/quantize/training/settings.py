"""The settings of a training; no torch."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import IntgoldError


@dataclass(frozen=True)
class TrainingSettings:
    """What a training does; the same settings on the same machine give the same network.

    Parameters
    ----------
    epochs : int
    seed : int
        Of the first weights, the order of the images and the augmentation.
    strength : float
        Of the augmentation, see `intgold.quantize.training.augment.augment`.
    quick : bool
        A few epochs on a few thousand images, for tests: `epochs` is then at most 4.
    activations : {"selu_gelu", "relu"}
    threads : int, optional
        Of torch; by default as many as it takes.  Another count may give another network.

    Raises
    ------
    IntgoldError
        When a setting is out of range.
    """

    epochs: int = 80
    seed: int = 0
    strength: float = 0.75
    quick: bool = False
    activations: str = "selu_gelu"
    threads: int | None = None

    def __post_init__(self) -> None:
        threads = self.threads
        if self.epochs < 1 or not 0 <= self.strength <= 2 or (threads is not None and threads < 1):
            raise IntgoldError(
                f"train: {self.epochs} epochs, strength {self.strength}, threads {threads}: epochs "
                "and threads are at least 1, strength is from 0 to 2"
            )
