"""Calls of many choices: as one value, by name, and for a while as version 0.1 took them."""

import dataclasses
import inspect

import numpy as np
import pytest

import intgold
from intgold import InputError
from intgold.support.deprecation import once_by_position
from intgold.vectors import OpSetOptions, SetOptions, write_op_sets, write_set


def everything(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_options_and_keywords_are_the_same_set(tmp_path):
    """Keywords go before fields of the options."""
    model = intgold.load()
    write_set(model, tmp_path / "a", SetOptions(count=3, formats=["hex"], ops=["conv1"]))
    write_set(model, tmp_path / "b", count=3, formats=["hex"], ops=["conv1"])
    write_set(model, tmp_path / "c", SetOptions(count=5, formats=["hex"], ops=["conv1"]), count=3)
    made = everything(tmp_path / "a")
    assert len(made) > 5 and made == everything(tmp_path / "b") == everything(tmp_path / "c")


def test_calls_of_version_0_1_warn(tmp_path):
    """By position: source, count, seed, formats, backend; of an op: random, seed, formats."""
    model = intgold.load()
    with pytest.warns(DeprecationWarning, match="write_set: give source, count, seed, formats by"):
        write_set(model, tmp_path / "a", "builtin", 2, 7, ("npy",))
    write_set(model, tmp_path / "b", count=2, seed=7, formats=("npy",))
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    with pytest.warns(DeprecationWarning, match=r"write_op_sets: give random, seed by .* 0\.3"):
        write_op_sets("lut", tmp_path / "c", 2, 1, formats=["lines"])
    write_op_sets("lut", tmp_path / "d", OpSetOptions(random=2, seed=1), formats=["lines"])
    assert everything(tmp_path / "c") == everything(tmp_path / "d")


@pytest.mark.parametrize("options", [SetOptions, OpSetOptions])
def test_fields_are_checked_as_arguments_are(options):
    """The line names the call, the field and the value; NumPy's integers become Python's."""
    call = {SetOptions: "write_set", OpSetOptions: "write_op_sets"}[options]
    with pytest.raises(InputError, match=f"{call}: seed: str 'x' instead of a whole number"):
        options(seed="x")
    assert type(options(seed=np.int64(3)).seed) is int
    with pytest.raises(dataclasses.FrozenInstanceError):
        options().seed = 1
    with pytest.raises(TypeError, match="bogus"):
        options(bogus=1)


def test_a_surplus_argument_is_pythons_error(tmp_path):
    """Too many by position, or one that is also given by name."""
    model = intgold.load()
    with pytest.raises(TypeError):
        write_set(model, tmp_path / "x", "builtin", 1, 2, 3, 4, 5, 6, 7)
    with pytest.raises(TypeError), pytest.warns(DeprecationWarning):
        write_set(model, tmp_path / "x", "builtin", 1, count=1)
    assert not (tmp_path / "x").exists()


def test_a_marked_function_keeps_its_signature():
    """And takes by name whatever it took."""

    def f(a, *, b=1, **more):
        return a, b, more

    with pytest.warns(DeprecationWarning, match="f: give b, c by name"):
        assert once_by_position(1, "b", "c")(f)(0, 2, 3) == (0, 2, {"c": 3})
    assert once_by_position(1, "b", unless=str)(f)(0, b=4) == (0, 4, {})
    assert list(inspect.signature(once_by_position(1, "b")(f)).parameters) == ["a", "b", "more"]
