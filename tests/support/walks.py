"""The files of intgold that a call passes, and where it comes back to one that it had left."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import intgold

_ROOT = Path(intgold.__file__).parent


@dataclass
class Walk:
    """`files` in the order of their first call; `returns`: (file, the file that called it back)."""

    files: list[str] = field(default_factory=list)
    returns: set[tuple[str, str]] = field(default_factory=set)


def walk(call: Callable[[], object]) -> Walk:
    """Trace one call in this thread, without the files of ``support/``."""
    found, stack = Walk(), [""]
    names: dict[Any, str] = {}

    def name_of(code: Any) -> str:
        if code not in names:
            path = Path(code.co_filename)
            inside = path.is_relative_to(_ROOT)
            name = path.relative_to(_ROOT).as_posix() if inside else ""
            names[code] = "" if name.startswith("support/") else name
        return names[code]

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            name = name_of(frame.f_code) or stack[-1]
            if name != stack[-1]:
                if name in stack:
                    found.returns.add((name, stack[-1]))
                if name not in found.files:
                    found.files.append(name)
            stack.append(name)
        elif event == "return" and len(stack) > 1:
            stack.pop()

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
    return found
