"""Commands under the names of version 0.1: each one documented then is still understood."""

import shlex
from pathlib import Path

import pytest

from intgold import cli
from intgold.cli.renamed import current

COMMANDS = (Path(__file__).parent / "commands_of_0_1.txt").read_text().splitlines()
OLD = {"golden": "regress", "explore": "sweep"}


@pytest.mark.parametrize("line", COMMANDS)
def test_documented_commands_of_0_1(line):
    """Every example that help and docs of version 0.1 showed parses, to the command of today."""
    program, name, *rest = shlex.split(line)
    assert program == "intgold"
    given, note = current([name, *rest])
    options = cli._parser().parse_args(given)
    today = OLD.get(name, name)
    if name == "vectors" and {"--op", "--merge"} & set(rest):
        today = "merge" if "--merge" in rest else "op-vectors"
    assert options.command == today
    assert bool(note) == (today != name)


@pytest.mark.parametrize("old, today", [
    ("vectors --op=lut --random 3 -o -", "op-vectors lut --random 3 -o -"),
    ("vectors -o DIR --op lut --seed 2", "op-vectors lut --seed 2 -o DIR"),
    ("vectors -o DIR --merge a b", "merge a b -o DIR"),
    ("golden --count 3", "regress --count 3"),
    ("verify golden --dut --op", "verify golden --dut --op"),
    ("", ""),
])  # fmt: skip
def test_current(old, today):
    assert current(old.split())[0] == today.split()


def test_an_old_name_does_the_same_and_says_so(capsys):
    """The output is that of today's command; the note goes to the standard error."""
    outputs = []
    for arguments in (["vectors", "--op", "lut", "-o", "-"], ["op-vectors", "lut", "-o", "-"]):
        assert cli.main(arguments) == 0
        outputs.append(capsys.readouterr())
    old, today = outputs
    assert old.out == today.out != ""
    assert today.err == ""
    assert old.err == (
        "intgold op-vectors: intgold vectors --op is now: intgold op-vectors; "
        "the old name works until version 0.3\n"
    )
