"""The bugs of planted_bugs.py still fit the sources; `make prove` plants them."""

from planted_bugs import BUGS, ROOT


def test_every_bug_can_be_planted():
    """Its text occurs exactly once, and the bug changes it."""
    for bug in BUGS:
        assert (ROOT / bug.file).read_text().count(bug.old) == 1, bug.name
        assert bug.old != bug.new, bug.name
    assert len({bug.name for bug in BUGS}) == len(BUGS)


def test_the_claims_say_how_many():
    """Its figure is that of the list."""
    assert f": {len(BUGS)} planted ones" in (ROOT / "docs" / "claims.md").read_text()
