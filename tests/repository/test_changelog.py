"""The changelog keeps to its headings, and every release says what became of the numbers."""

import re
from pathlib import Path

import intgold

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CHANGELOG.md").read_text()


def releases():
    """Heading of each version -> names of the headings below it."""
    parts = re.split(r"^## (.+)$", TEXT, flags=re.M)[1:]
    return {
        heading: re.findall(r"^### (.+)$", body, re.M)
        for heading, body in zip(parts[::2], parts[1::2], strict=True)
    }


def test_headings_are_those_of_contributing():
    """The table in CONTRIBUTING names them; what comes next stands first."""
    rules = (ROOT / "CONTRIBUTING.md").read_text()
    rules = rules[rules.index("## The changelog") : rules.index("## Release")]
    named = re.findall(r"^\| ([A-Z]\w+) \|", rules, re.M)
    assert len(named) == 5 and next(iter(releases())) == "Unreleased"
    for heading, below in releases().items():
        assert set(below) <= set(named) and len(below) == len(set(below)), heading


def test_a_release_states_its_numbers():
    """Version and date, Numerics among the headings; the newest is at most this version."""
    released = list(releases())[1:]
    for heading in released:
        assert re.fullmatch(r"\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)", heading), heading
        assert "Numerics" in releases()[heading], heading
    stated = [tuple(map(int, h.split(" ")[0].split("."))) for h in released]
    assert stated == sorted(stated, reverse=True)
    assert all(v <= tuple(map(int, re.findall(r"\d+", intgold.__version__))) for v in stated)
