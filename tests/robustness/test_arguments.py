"""Whatever a caller hands to a public function: it works, or one line says what is wrong.

Every function that checks its arguments is called with each of them replaced, one after another,
by values of every other type; nothing but an `IntgoldError` may come of it.
"""

import inspect
import itertools

import numpy as np
import pytest

import intgold
import tools
from argument_calls import FUNCTIONS, NEED_TORCH, STARTED, WRONG, attempt, calls, fresh_builder
from intgold import InputError, IntgoldError, golden, native
from intgold.ops.table import OPS
from intgold.quantize.choices import Choices
from intgold.quantize.inference import FloatNetwork
from intgold.quantize.layers import Layer
from intgold.support.arguments import Any as Unknown
from intgold.support.arguments import hints_of
from intgold.vectors.cases.random_models import random_inputs, random_model


def _started(*args, **kwargs):
    raise InputError(STARTED)


def test_every_checked_function_is_called(world):
    """None is left out of the table, and what the checks do not know are only arrays of torch."""
    table = calls(world)
    assert set(table) == set(FUNCTIONS) - NEED_TORCH and len(table) > 60
    for name, function in FUNCTIONS.items():
        unknown = {n for n, hint in hints_of(function).items() if hint is Unknown}
        meant = {n for n, p in inspect.signature(function).parameters.items()
                 if p.annotation == "Any"}  # fmt: skip
        assert unknown <= meant or name in NEED_TORCH, (name, unknown)


@pytest.mark.parametrize("path", [None, 3, b"lut", ["lut"], np.zeros(2), intgold])
def test_load_takes_a_name_or_a_path(path):
    """`load` checks by itself: the decorator would load NumPy with the package."""
    with pytest.raises(InputError, match="load: path: .* instead of a path"):
        intgold.load(path)


@pytest.mark.parametrize("label", WRONG)
def test_look_ups_of_a_model(label, world):
    """`tensor` and `arguments` cost no check, and refuse whatever a model does not have."""
    model = world["model"]
    with pytest.raises(IntgoldError, match="no tensor "):
        model.tensor(WRONG[label])
    with pytest.raises(IntgoldError, match="arguments: op: .* instead of a Op"):
        model.arguments(WRONG[label])


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - NEED_TORCH))
def test_wrong_arguments(name, world, tmp_path, monkeypatch):
    """Each argument by each wrong value: refused in one line, or legal; most are refused."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("intgold.study.quantisation.sweep.Workers", _started)
    monkeypatch.setattr("intgold.study.quantisation.compare._SECONDS", 0)
    function, valid = FUNCTIONS[name], calls(world)[name]
    positional = [valid.pop(n) for n in ("self", "cls") if n in valid]

    def call(arguments):
        bound = [p() if p is fresh_builder else p for p in positional]
        if name.endswith("Builder.op"):
            bound += [arguments["kind"], "x"]
            arguments = {n: v for n, v in arguments.items() if n != "kind"}
        return function(*bound, **arguments)

    if not name.startswith("importers"):
        assert attempt(lambda: call(valid)) is None
    for argument in valid:
        refused = 0
        for label, value in WRONG.items():
            try:
                refused += attempt(lambda: call({**valid, argument: value})) is not None  # noqa: B023
            except Exception as error:
                raise AssertionError(f"{name}: {argument} = {label}: {error!r}") from error
        parameter = inspect.signature(function).parameters.get(argument)  # or one of **choices
        meant_any = parameter is not None and parameter.annotation == "Any"
        assert refused >= len(WRONG) // 2 or meant_any, (argument, refused)


@pytest.mark.parametrize("engine", [golden, native], ids=["golden", "native"])
@pytest.mark.parametrize("kind", OPS)
def test_wrong_arguments_of_single_ops(kind, engine):
    """The functions of golden and native refuse alike what an op cannot be."""
    model = next(
        m for m in (random_model(s, (kind,), max_ops=1) for s in range(9)) if m.ops[0].kind == kind
    )
    op = model.ops[0]
    x = random_inputs(model, 2, 0)
    inputs = [x[n] for n in op.inputs]
    arguments = model.arguments(op)
    function = getattr(engine, kind)
    assert attempt(lambda: function(*inputs, **arguments)) is None
    for argument in arguments:
        for label, value in WRONG.items():
            legal = value is None and argument == "requantize"
            try:
                said = attempt(lambda: function(*inputs, **{**arguments, argument: value}))  # noqa: B023
            except Exception as error:
                raise AssertionError(f"{argument} = {label}: {error!r}") from error
            assert said or legal or label in ("-1", "int64"), (argument, label)
    for value in WRONG.values():
        assert attempt(lambda: function(value, *inputs[1:], **arguments))  # noqa: B023
    assert attempt(lambda: function(*inputs)) or not arguments
    assert attempt(lambda: function(*inputs, **arguments, surplus=1))


def test_models_are_checked(world):
    """Tensor, Op, Model, Requantize and Result take nothing else than what they say."""
    model = world["model"]
    op, tensor = model.ops[0], model.tensors[0]
    parts = {
        intgold.Tensor: dict(name="x", shape=(3,), dtype="int8", scale=0.5, zero_point=0),
        intgold.Op: dict(kind=op.kind, name="a", inputs=op.inputs, output="y",
                         fields=dict(op.fields)),
        intgold.Model: dict(name="m", tensors=model.tensors, ops=model.ops, inputs=model.inputs,
                            outputs=model.outputs, contract="c", metadata={}),
        intgold.Requantize.of: dict(multiplier=2**30, right_shift=31, form="single",
                                    multiplier_low=0),
        Layer: dict(name="x", kind="conv2d", weights=np.ones((1, 1, 1, 1), np.float32),
                    bias=np.ones(1, np.float32), stride=(1, 1), padding=(0, 0, 0, 0),
                    kernel=(0, 0), dilation=(1, 1), alpha=0.0, inputs=("image",)),
        FloatNetwork: dict(name="n", input_shape=(6, 6, 1), layers=world["network"].layers,
                           pixels=True),
        Choices: {},
    }  # fmt: skip
    parts[Choices] = {n: getattr(Choices(), n) for n in inspect.signature(Choices).parameters}
    for make, valid in parts.items():
        assert attempt(lambda: make(**valid)) is None  # noqa: B023
        for argument, (label, value) in itertools.product(valid, WRONG.items()):
            try:
                attempt(lambda: make(**{**valid, argument: value}))  # noqa: B023
            except Exception as error:
                raise AssertionError(f"{make}: {argument} = {label}: {error!r}") from error
    assert tensor.name
    tools.said.append(
        f"arguments: {len(FUNCTIONS)} functions, each argument by {len(WRONG)} values"
    )
