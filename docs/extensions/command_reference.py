"""The page of all commands and options, made from the parsers of the command itself."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from sphinx.application import Sphinx

from intgold import cli

PAGE = "reference/commands"


def show(app: Sphinx, docname: str, source: list[str]) -> None:
    """Add a section for each command to the page."""
    if docname == PAGE:
        source[0] += "\n" + "\n".join(_commands())


def _commands() -> Iterator[str]:
    parser = cli._parser()
    (choice,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    shown = {action.dest for action in choice._choices_actions}
    for name, command in choice.choices.items():
        if name in shown:
            yield from _command(name, command)


def _command(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    title = f"intgold {name}"
    yield from (title, "-" * len(title), "", f".. program:: {title}", "")
    yield from (escaped(parser.description or ""), "")
    usage = parser.format_usage().removeprefix("usage: ").splitlines()
    yield from _block("\n".join([usage[0], *(f"    {line.strip()}" for line in usage[1:])]))
    for group in parser._action_groups:
        actions = [a for a in group._group_actions if a.help != argparse.SUPPRESS]
        if not actions:
            continue
        yield from (f".. rubric:: {escaped((group.title or '').capitalize())}", "")
        for action in actions:
            yield from _option(parser, action)
    epilog = (parser.epilog or "").removeprefix("examples:")
    if epilog.strip():
        yield from (".. rubric:: Examples", "")
        yield from _block(epilog)


def _option(parser: argparse.ArgumentParser, action: argparse.Action) -> Iterator[str]:
    formatter = cli._HelpFormatter(parser.prog)
    yield from (f".. option:: {formatter._format_action_invocation(action)}", "")
    yield from (f"   {escaped(formatter._expand_help(action)) if action.help else ''}", "")


def _block(text: str) -> Iterator[str]:
    lines = text.strip("\n").splitlines()
    indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    yield from (".. code-block:: text", "", *(f"   {line[indent:]}" for line in lines), "")


def escaped(text: str) -> str:
    """Return prose for reStructuredText, on one line."""
    return re.sub(r"([\\*`|_])", r"\\\1", " ".join(text.split()))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the reading of pages."""
    app.connect("source-read", show)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
