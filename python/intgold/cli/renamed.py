"""Commands under the names that they had before version 0.2; they work until 0.3."""

from __future__ import annotations

from collections.abc import Sequence

_NAMES = {"golden": "regress", "explore": "sweep"}
_OPTIONS = {"--op": "op-vectors", "--merge": "merge"}
"""Of ``vectors``: what were two options are now commands."""


def current(arguments: Sequence[str]) -> tuple[list[str], str]:
    """Return a command line in today's words, and a note of what was old in it, else ``""``."""
    command, rest = arguments[:1], list(arguments[1:])
    if not command:
        return [], ""
    name = command[0]
    if name in _NAMES:
        return [_NAMES[name], *rest], _note(f"intgold {name}", _NAMES[name])
    if name == "vectors":
        for i, text in enumerate(rest):
            option, equals, value = text.partition("=")
            if option in _OPTIONS:
                values = [value, *rest[i + 1 :]] if equals else rest[i + 1 :]
                today = _OPTIONS[option]
                return [today, *values, *rest[:i]], _note(f"intgold vectors {option}", today)
    return [*command, *rest], ""


def _note(old: str, today: str) -> str:
    return f"{old} is now: intgold {today}; the old name works until version 0.3"
