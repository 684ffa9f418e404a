"""Signals that ask a command to stop: one line, nothing half-written, exit status 128 + number.

This module is loaded before all others, NumPy among them, so that a signal meanwhile ends in a
line too: it imports next to nothing.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager

TYPE_CHECKING = False  # type checkers take it as true; `typing` would cost milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

WORDS = {
    getattr(signal, name): word
    for name, word in (
        ("SIGINT", "interrupted"), ("SIGTERM", "terminated"), ("SIGHUP", "the terminal was closed"),
    )
    if hasattr(signal, name)
}  # fmt: skip


class Stopped(KeyboardInterrupt):
    """A signal of `WORDS` asks to stop.

    Attributes
    ----------
    kept : str
        What is left on purpose, and how to go on; absent where nothing is.
    """

    kept: str


class Seen:
    """The signal that came, if one did; an exception that it raised may end as another."""

    number = 0
    over = False
    """Nothing is left to be stopped."""


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Have the signals handled so meanwhile; one that is ignored, as by nohup, stays ignored."""
    import threading

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in WORDS}
    before = {n: h for n, h in before.items() if h is not None and h != signal.SIG_IGN}
    for number in before:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def end_at_once() -> None:
    """Have the signals end this process with a line: there is nothing to be tidied yet."""
    for number in WORDS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    try:
        os.write(2, f"intgold: {WORDS[number]}\n".encode())
    finally:
        os._exit(128 + number)


@contextmanager
def raising() -> Iterator[Seen]:
    """Raise `Stopped` at the first signal meanwhile; a second one ends the process at once."""
    seen = Seen()

    def stop(number: int, frame: FrameType | None) -> None:
        if seen.over:
            return
        if seen.number:
            os._exit(128 + number)
        seen.number = number
        raise Stopped

    with _handled(stop):
        yield seen


def default() -> None:
    """Have the signals end the process without a word: all has been said."""
    for number in WORDS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
