"""The bugs of planted_bugs.py still fit the sources; `make prove` plants them."""

import re

from planted_bugs import BUGS, ROOT

_NAME = re.compile(r"\b[A-Za-z_]\w*")


def test_every_bug_can_be_planted():
    """Its text occurs exactly once, and the bug changes it."""
    for bug in BUGS:
        assert (ROOT / bug.file).read_text().count(bug.old) == 1, bug.name
        assert bug.old != bug.new, bug.name
    assert len({bug.name for bug in BUGS}) == len(BUGS)


def test_a_bug_in_c_uses_names_that_are_there():
    """One that breaks the build is no bug; intrinsics, which the compiler brings, aside."""
    files = [path for path in (ROOT / "csrc").rglob("*") if path.suffix in (".c", ".h")]
    known = {name for path in files for name in _NAME.findall(path.read_text())}
    for bug in (bug for bug in BUGS if bug.file.startswith("csrc/")):
        text = (ROOT / bug.file).read_text().replace(bug.old, bug.new)
        unknown = {name for name in _NAME.findall(text) if not name.startswith("_mm")} - known
        assert not unknown, (bug.name, unknown)


def test_the_claims_say_how_many():
    """Its figure is that of the list."""
    assert f": {len(BUGS)} planted ones" in (ROOT / "docs" / "claims.md").read_text()
