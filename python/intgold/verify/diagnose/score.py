"""What a dump says for a cause: bits of evidence against bits of freedom."""

from __future__ import annotations

from dataclasses import dataclass

MARGIN = 10.0
"""Bits by which the evidence must exceed the freedom: noise does so once in a thousand dumps."""


@dataclass(frozen=True)
class Score:
    """What a dump says for a cause.

    Parameters
    ----------
    simpler, searched : int
        The most differing values that a simpler cause produces, of those that were tried; of how
        many on the images that were searched.  The cause produces all.
    evidence : float
        Bits that state the differing values as noise around anything else that was tried.
    freedom : float
        Bits that state the cause.
    images : int
        On which the evidence was weighed.
    doubt : str
        Why it is not named, whatever its bits; "".
    """

    simpler: int
    searched: int
    evidence: float
    freedom: float
    images: int
    doubt: str = ""

    @property
    def named(self) -> bool:
        """Whether the dump decides for it by itself; `ranking.decided` names more."""
        return not self.doubt and self.evidence >= self.freedom + MARGIN
