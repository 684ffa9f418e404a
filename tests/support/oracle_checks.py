"""A model through the slow oracle and both engines."""

import numpy as np

import slow_oracle
from agreement import assert_equal
from intgold import Model, Requantize


def plain(value):
    """Return arrays as nested lists and a Requantize as a list of entries."""
    if isinstance(value, Requantize):
        columns = (value.multiplier, value.right_shift, value.multiplier_low)
        return list(zip(value.form, *(c.tolist() for c in columns), strict=True))
    return value.tolist() if isinstance(value, np.ndarray) else value


def run_slowly(model: Model, inputs: dict[str, list]):
    """Run one image, given as nested lists; return tensors and accumulators by tensor name."""
    live, tensors, accumulators = dict(inputs), {}, {}
    for op in model.ops:
        arguments = {n: plain(v) for n, v in model.arguments(op).items()}
        result = slow_oracle.FUNCTIONS[op.kind](*(live[n] for n in op.inputs), **arguments)
        if op.spec.accumulator:
            result, accumulators[op.output] = result
        live[op.output] = tensors[op.output] = result
    return tensors, accumulators


def check(model: Model, x: dict[str, np.ndarray], where: str):
    """Every tensor and accumulator of every image, oracle against both engines."""
    runs = {b: model.run(x, backend=b, trace=True) for b in ("golden", "c")}
    for i in range(len(x[model.inputs[0]])):
        tensors, accumulators = run_slowly(model, {n: a[i].tolist() for n, a in x.items()})
        for backend, run in runs.items():
            for name, want in tensors.items():
                got = run.tensors[name][i]
                assert_equal(np.array(want, got.dtype), got, f"{where} {backend} {name} {i}")
            for name, want in accumulators.items():
                got = run.accumulators[name][i]
                assert_equal(np.array(want, got.dtype), got, f"{where} {backend} {name} acc {i}")
            assert set(run.accumulators) == set(accumulators)
