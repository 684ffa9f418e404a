"""Every link, file and command that a text of the repository names is there (no network used)."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

import tools
from intgold.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]
TEXTS = sorted(
    path
    for folder in (".", ".github", "csrc", "docs", "examples", "golden")
    for path in (ROOT / folder).glob("*.md" if folder == "." else "**/*.md")
)


OF_TODAY = [path for path in TEXTS if path.name != "CHANGELOG.md"]
"""A changelog names what there was."""


def name_of(path):
    return str(path.relative_to(ROOT))


def prose(text):
    """A Markdown text without its blocks and spans of code."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))


@cache
def anchors(path):
    """The anchors of a Markdown text: its headings in small letters, spaces as hyphens."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.M | re.S)
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_links_lead_somewhere(path):
    """Relative links are files of the repository, with the heading that they name."""
    for target, anchor in re.findall(
        r"\]\((?!\w+:)([^)#\s]*)#?([^)\s]*)\)", prose(path.read_text())
    ):
        place = path.parent / target if target else path
        assert place.exists(), target
        assert not anchor or anchor in anchors(place.resolve()), (target, anchor)


def test_links_are_checked():
    """The texts hold links, with and without a heading."""
    found = [
        link for path in TEXTS for link in re.findall(r"\]\(([^)]+)\)", prose(path.read_text()))
    ]
    assert len(found) > 40 and sum("#" in link for link in found) >= 1


def test_named_files_exist():
    """Every file that a text names in code with its folder is known to git."""
    tools.need("git")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    known = set(listed.stdout.splitlines())
    pattern = (
        r"`((?:tests|csrc|python|benchmarks|golden|docs|rtl|examples|conformance)/[\w/.-]+\.\w+)`"
    )
    named = {(path, name) for path in OF_TODAY for name in re.findall(pattern, path.read_text())}
    assert len(named) > 60
    assert {(name_of(path), name) for path, name in named if name not in known} == set()


def commands(text):
    """The `intgold` commands in spans and blocks of code, each with the words after it."""
    for block in re.findall(r"^```\w*\n(.*?)^```$", text, re.M | re.S):
        for line in block.splitlines():
            if found := re.match(r"(?:\$ )?intgold ([a-z]+)(?: (.*))?$", line):
                yield found[1], (found[2] or "").split("#")[0]
    for found in re.finditer(r"`intgold ([a-z]+)([^`\n]*)`", text):
        yield found[1], found[2]


@pytest.mark.parametrize("path", OF_TODAY, ids=name_of)
def test_named_commands_exist(path, capsys):
    """Every `intgold` command in code is one, and its options are options."""
    for command, words in commands(path.read_text()):
        assert command in COMMANDS, command
        main([command, "--help"])
        shown = capsys.readouterr().out
        for option in re.findall(r"(?<!\S)--[\w-]+", words):
            assert option in shown, (command, option)


def test_commands_are_checked():
    assert sum(len(list(commands(path.read_text()))) for path in OF_TODAY) > 60
