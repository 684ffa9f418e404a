"""What long work has done so far: a bar on a terminal, elsewhere a line every ten seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_active: list[Progress[Any]] = []
_left: list[str] = []  # how far the work was that ended early

FIRST, EVERY = 1.0, 10.0
"""Seconds until the first line, so that what is quickly done prints none, and between lines."""


class Progress(Generic[T]):
    """The state of one piece of work; a context manager, or iterated over.

    Parameters
    ----------
    over : iterable, optional
        What to iterate over; each item counts as one.
    total, initial : int
    unit : str
        Of what is counted, in the singular.
    label : str
    show : bool
        False shows nothing.
    scaled : bool
        Show large numbers as 1.2M.
    """

    def __init__(
        self, over: Iterable[T] = (), *, label: str, unit: str, show: bool,
        total: int | None = None, initial: int = 0, scaled: bool = False,
    ) -> None:  # fmt: skip
        self._over, self._label, self._unit, self._scaled = over, label, unit, scaled
        self.total = len(over) if total is None and isinstance(over, Sized) else total
        self.done = self._initial = initial
        self._facts = ""
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._bar: Any = None
        self._thread = threading.Thread(target=self._show, args=(sys.stderr,), daemon=True)
        _active.append(self)  # from here on a signal may end it
        _left.clear()
        show = show and sys.stderr is not None
        bar = _tqdm() if show else None  # before the thread needs it
        if bar is not None and sys.stderr.isatty():
            self._bar = bar(
                total=self.total, initial=initial, unit=unit, desc=label, unit_scale=scaled
            )
        if show and self._bar is None:
            self._thread.start()

    def __enter__(self) -> Progress[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if isinstance(error, KeyboardInterrupt):
            return  # `ended` wants to know how far it was
        self.close()

    def close(self) -> None:
        """Show nothing more."""
        self._ended.set()
        if self._bar is not None:
            self._bar.close()
        if self._thread.is_alive():
            self._thread.join(1)  # its line comes before what follows the work
        if self in _active:
            _active.remove(self)
            if self.done != self.total:
                _left.append(self.text())

    def __iter__(self) -> Iterator[T]:
        with self:
            for item in self._over:
                yield item
                self.update()

    def update(self, count: int = 1) -> None:
        """Count more as done."""
        self.done += count
        if self._bar is not None:
            self._bar.update(count)

    def facts(self, **facts: str) -> None:
        """Show something beside the numbers."""
        self._facts = "".join(f", {name} {value}" for name, value in facts.items())
        if self._bar is not None:
            self._bar.set_postfix(facts)

    def text(self) -> str:
        """Return what is done of how much."""
        of = "" if self.total is None else f" of {self._number(self.total)}"
        unit = self._unit if self._unit == "B" or self.total == 1 else f"{self._unit}s"
        return f"{self._label}: {self._number(self.done)}{of} {unit}{self._facts}"

    def _number(self, value: int) -> str:
        return _tqdm().format_sizeof(value, divisor=1000) if self._scaled else f"{value:,}"

    def _show(self, stream: Any) -> None:
        """Write lines until the work is done; the last of them when all is done, after others."""
        pause, shown = FIRST, False
        while not self._ended.wait(pause):
            self._line(stream, self._left())
            pause, shown = EVERY, True
        if shown and self.done == self.total:
            self._line(stream, "")

    def _line(self, stream: Any, left: str) -> None:
        took = _tqdm().format_interval(time.monotonic() - self._started)
        with suppress(OSError, ValueError):  # nobody reads, or it was closed: that ends no work
            stream.write(f"{self.text()}, {took}{left}\n")
            stream.flush()

    def _left(self) -> str:
        made, took = self.done - self._initial, time.monotonic() - self._started
        if not made or self.total is None:
            return ""
        left = took / made * (self.total - self.done)
        return f", about {_tqdm().format_interval(max(left, 0))} left"


def _tqdm() -> Any:
    """Return the class of bars; most commands show none, and start sooner without it."""
    from tqdm import tqdm

    return tqdm


def ended() -> str:
    """End all bars and lines; return how far the innermost was, "" where there was none."""
    while _active:
        _active[-1].close()
    text = _left[0] if _left else ""
    _left.clear()
    return text
