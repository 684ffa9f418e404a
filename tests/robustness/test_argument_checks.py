"""The check of arguments itself: it follows annotations, costs one look, says what is wanted."""

import itertools
import os
from collections.abc import Sequence

import numpy as np
import pytest

import intgold
from argument_calls import Hostile
from intgold import InputError, IntgoldError, golden, native
from intgold.ops.fields import Requantization
from intgold.ops.table import OPS
from intgold.quantize.choices import Choices
from intgold.support.arguments import checked, fits, wanted


def test_the_check_is_the_annotation():
    """A function of one's own: every kind of annotation, taken and refused."""

    @checked
    def function(a: "int | None", b: "tuple[int, ...]" = (), *c: "str", **d: "float") -> str:
        return "taken"

    assert function(None) == function(3, [1, 2], "x", y=1) == function(np.int8(1)) == "taken"
    for call in (
        lambda: function("3"), lambda: function(True), lambda: function(1, (2.5,)),
        lambda: function(1, (), 7), lambda: function(1, d="x"),
    ):  # fmt: skip
        with pytest.raises(InputError, match="function: [abcd]: .* instead of"):
            call()
    with pytest.raises(TypeError, match="missing"):
        function()
    assert fits("x", "int | str") and fits(Hostile(), object)


def test_a_usual_call_binds_nothing(monkeypatch):
    """Arguments that are of their type exactly, by place or name, cost one look."""

    def function(a: int, b: "str | None" = None, *c: str, d: "np.ndarray | None" = None, **e: int):
        return a

    function = checked(function)
    monkeypatch.setattr("inspect.Signature.bind", lambda *a, **k: pytest.fail("bound"))
    assert function(1) == function(1, "x") == function(a=1, b=None, d=np.empty(0)) == 1
    for call in (
        lambda: function(True), lambda: function(2**63), lambda: function(-(2**63) - 1),
        lambda: function(1, 2), lambda: function(1, "x", "y"), lambda: function(1, d=[]),
        lambda: function(1, e=2), lambda: function(1, c="x"),
    ):  # fmt: skip
        with pytest.raises(pytest.fail.Exception, match="bound"):
            call()


@pytest.mark.parametrize("wrong", [(True, 2), (2.0, 2), (2, 0)])
def test_a_check_that_is_remembered_is_of_equal_types(wrong):
    """True and 2.0 equal 1 and 2: a call that was right before does not let them pass."""
    x = np.zeros((1, 4, 4, 1), np.int8)
    rest = dict(stride=(1, 1), padding=(0, 0, 0, 0), act_min=-128, act_max=127)
    for engine, odd in itertools.product((golden, native), (wrong, list(wrong))):
        engine.max_pool2d(x, kernel=(1, 2), **rest), engine.max_pool2d(x, kernel=(2, 2), **rest)
        with pytest.raises(IntgoldError, match="kernel"):
            engine.max_pool2d(x, kernel=odd, **rest)
    with pytest.raises(IntgoldError, match="act_max"):
        golden.max_pool2d(x, kernel=(2, 2), **{**rest, "act_max": 127.0})


def test_ops_without_sums_are_never_refused_by_the_proof():
    """Those that a call does not prove have no accumulator and no requantize."""
    without = [spec for spec in OPS.values() if not spec.can_overflow]
    assert len(without) == 15
    for spec in without:
        assert not spec.accumulator
        assert not any(isinstance(t, Requantization) for t in spec.fields.values())


@pytest.mark.parametrize(("hint", "words"), [
    (Sequence[int], "a list of whole numbers of 64 bits"),
    (tuple[int, ...] | None, "a list of whole numbers of 64 bits or None"),
    (tuple[int, int], "2 whole numbers of 64 bits"),
    (Sequence[float], "a list of real numbers"),
    (Sequence[str], "a list of text"),
    (Sequence[str | os.PathLike[str]], "a list of paths"),
    (Sequence[Sequence[bool]], "a list of lists of True or False"),
    (Sequence[intgold.Model], "a list of Models"),
    (Sequence[Choices], "a list of Choices"),
    (dict[str, np.ndarray], "a mapping of text to a NumPy array"),
])  # fmt: skip
def test_annotations_in_words(hint, words):
    """What is wanted reads as English."""
    assert wanted(hint) == words
