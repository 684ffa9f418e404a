"""Plain words: texts and sources use none that a reader would have to look up, or read twice."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = (
    "python", "csrc", "docs", "examples", "README.md", "SPEC.md", "ARCHITECTURE.md",
    "CONTRIBUTING.md",
)  # fmt: skip
SUFFIXES = {".c", ".cpp", ".h", ".md", ".py", ".rst", ".sv"}

WORDS = {
    "behind": ("behind", "after, later"),
    "told": ("told", "reported, says, stated"),
    "apart": ("apart", "separately, distinguish, except"),
    "greatest": ("greatest", "max, largest"),
    "least": (r"(?<!at )least(?!([ -]significant|-squares))", "min, smallest"),
    "alone": ("alone", "only, by itself"),
    "so many": (r"so\s+many", "the number's name, N"),
    "otherwise": (r"(?<![,.;]\s)otherwise", "differently"),
    "makes": ("makes", "produces, gives"),
    "hold against": (r"(hold|holds|held|holding)\s+[^.;:]{0,40}\bagainst", "compare with"),
    "as X has it": (r"as\s+([^.;:,]|\.\d){1,30}\s(has|have)\s+(it|them)", "as in X"),
}
"""A pattern of whole words, and what to write instead."""

_FROZEN = "bytes of golden/ hold it"
_RECORDED = "a recorded output, as the benchmark prints it"
ALLOWED = {
    ("python/intgold/vectors/cases/op_cases.py", "cells of -7 in front, {after} behind"): _FROZEN,
    ("python/intgold/vectors/cases/op_cases.py", "of the values tells the axes apart"): _FROZEN,
    ("python/intgold/vectors/cases/op_cases.py", "the greatest depth; equal"): _FROZEN,
    ("python/intgold/vectors/cases/op_cases.py", "zero point -128: the greatest sums"): _FROZEN,
    (
        "python/intgold/vectors/cases/op_cases.py",
        "the greatest multiplier by the least right_shift",
    ): _FROZEN,
    (
        "python/intgold/vectors/cases/requantize.py",
        "ends of int32 by the least and greatest multiplier",
    ): _FROZEN,
    ("python/intgold/vectors/cases/requantize.py", "the least right_shift: the"): _FROZEN,
    ("python/intgold/vectors/sets/documents.py", '"reads", "makes"'): _FROZEN,
    ("docs/benchmarks.md", "C alone"): _RECORDED,
    ("docs/op_benchmarks.md", "least of 60 samples"): _RECORDED,
    ("python/intgold/vectors/freeze.py", "a test makes it again"): "repeats it",
    ("python/intgold/vectors/cases/corners/softmax.py", "makes the first sum a tie"): "turns into",
    (
        "python/intgold/verify/report/explanation.py",
        "the same cause makes {finding.op}",
    ): "makes wrong",
    (
        "python/intgold/verify/diagnose/hypotheses/weights.py",
        "one unsigned operand makes all unsigned",
    ): "turns into",
    (
        "python/intgold/verify/diagnose/hypotheses/operands.py",
        "one unsigned operand makes all unsigned",
    ): "turns into",
    ("python/intgold/vectors/memory/rule.py", "the least or the most significant"): "of bits",
}
"""(file, text in it): why it stays."""


@cache
def texts():
    """Every text and source by its path, without what is allowed there."""
    found = {}
    for place in PLACES:
        at = ROOT / place
        for path in sorted(at.rglob("*")) if at.is_dir() else [at]:
            if path.suffix not in SUFFIXES:
                continue
            name, text = path.relative_to(ROOT).as_posix(), path.read_text()
            for file, allowed in ALLOWED:
                if file == name:
                    text = text.replace(allowed, "\n" * allowed.count("\n"))
            found[name] = text
    return found


def lines(text, word):
    """The lines of a text, from 1, with a word; a word may go on in the next line."""
    for match in re.finditer(rf"\b(?:{WORDS[word][0]})\b", text, re.IGNORECASE):
        yield text.count("\n", 0, match.start()) + 1


@pytest.mark.parametrize("word", WORDS)
def test_no_text_has(word):
    """Say what to write instead: a reader knows that one at once."""
    places = [f"{name}:{line}" for name, text in texts().items() for line in lines(text, word)]
    assert places == [], f"{word}: better {WORDS[word][1]}"


def test_what_is_allowed_is_there():
    """Nothing stays allowed that is gone."""
    for file, text in ALLOWED:
        assert text in (ROOT / file).read_text(), (file, text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("nothing is left behind", "behind"),
        ("each is Told so", "told"),
        ("what tells them\napart", "apart"),
        ("the greatest", "greatest"),
        ("of least error", "least"),
        ("one alone", "alone"),
        ("a word of so\nmany bits", "so many"),
        ("done otherwise", "otherwise"),
        ("what it makes", "makes"),
        ("what the rules were held against", "hold against"),
        ("holds every model against the engine", "hold against"),
        ("as SPEC 9.3 has it", "as X has it"),
    ],
)
def test_a_word_is_found(text, word):
    """In either case, in any line; the words that only look like it are left."""
    assert list(lines(f"\n{text}.", word)) != []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("at least one", "least"),
        ("the least significant bit", "least"),
        ("a least-squares line", "least"),
        ("`told_apart_by`", "told"),
        ("Either fits. Otherwise y is int8", "otherwise"),
        ("a set holds it; against that", "hold against"),
        ("as long as it has them", "told"),
    ],
)
def test_plain_words_are_left(text, word):
    """Standard terms, and names in code."""
    assert list(lines(text, word)) == []
