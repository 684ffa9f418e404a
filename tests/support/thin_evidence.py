"""Dumps that say little: a small network of every op kind, sets of few images, noise and upsets."""

from functools import cache
from pathlib import Path

import numpy as np

from intgold.model.builder import Builder
from intgold.ops.fields import Requantize
from intgold.vectors.sets.generate import write_set
from intgold.verify.comparison import compare_dump
from intgold.verify.diagnose.diagnosis import diagnose
from intgold.verify.dump import Dump

OPS = ("conv", "table", "pool", "deep", "mean", "sum", "pwl", "gap", "fc", "top")


@cache
def network():
    """All of OPS; the biases of the last layer make every class about as likely."""
    x = {"x": np.random.default_rng(0).integers(-128, 128, (64, 12, 12, 2), np.int8)}
    logits = _network(np.zeros(10, int)).run(x, trace=True).tensors["fc"]
    return _network(-np.median(logits, axis=0).astype(int))


def _network(last_bias):
    """conv2d, lut, max_pool2d, depthwise, avg_pool2d, add, pwl, global_avg_pool, fc, argmax."""
    rng = np.random.default_rng(7)

    def weights(*shape):
        return rng.integers(-60, 61, shape)

    b = Builder("thin")
    x = b.input("x", (12, 12, 2), zero_point=-5)
    y = b.op(
        "conv2d",
        x,
        name="conv",
        zero_point=-20,
        weights=weights(8, 3, 3, 2),
        bias=rng.integers(-900, 900, 8),
        padding=1,
        requantize=Requantize.of(2**30, 37),
    )
    y = b.op("lut", y, name="table", zero_point=3, table=rng.integers(-128, 128, 256))
    y = b.op("max_pool2d", y, name="pool", zero_point=3, kernel=2)
    y = b.op(
        "depthwise_conv2d",
        y,
        name="deep",
        zero_point=1,
        weights=weights(3, 3, 8),
        bias=rng.integers(-900, 900, 8),
        padding=1,
        requantize=Requantize.of(2**30, 37),
    )
    z = b.op(
        "avg_pool2d",
        y,
        name="mean",
        zero_point=1,
        kernel=(3, 3),
        stride=1,
        padding=1,
        form="centred_away",
    )
    y = b.op(
        "add",
        y,
        z,
        name="sum",
        zero_point=1,
        left_shift=20,
        form="shared_scale",
        requantize1=Requantize.of(2**30, 31),
        requantize2=Requantize.of(2**30, 31),
        requantize=Requantize.of(2**30, 50),
    )
    y = b.op(
        "pwl",
        y,
        name="pwl",
        zero_point=-9,
        breakpoints=[-128, -30, 5, 40],
        slope=[3, 14, 22, 9],
        offset=[-400, -50, -100, 300],
        frac_bits=4,
    )
    y = b.op(
        "global_avg_pool", y, name="gap", zero_point=-9, requantize=Requantize.of(2**31 - 9, 35)
    )
    y = b.op(
        "fully_connected", y, name="fc", weights=weights(10, 8), bias=last_bias, requantize=None
    )
    b.op("argmax", y, name="top")
    return b.model()  # fmt: skip


class Bench:
    """A set of some images, and devices that dump something else.

    Parameters
    ----------
    folder : Path
    count : int
    model : Model, optional
    """

    def __init__(self, folder, count, model=None):
        self.folder, self.count = Path(folder), count
        self.model = model or network()
        x = {
            n: np.random.default_rng(count).integers(
                -128, 128, (count, *self.model.tensor(n).shape), np.int8
            )
            for n in self.model.inputs
        }
        write_set(self.model, self.folder / "set", source=x, formats=["npy"])
        run = self.model.run(x, trace=True)
        self.x, self.tensors, self.accumulators = x, {**x, **run.tensors}, run.accumulators

    def finding(self, pairs=False, **arrays):
        """Diagnose a dump of these arrays."""
        dump = Dump(self.folder / "set", self.write_dump(**arrays), partial=True)
        return diagnose(dump, compare_dump(dump), pairs=pairs)

    def write_dump(self, **arrays):
        """Write a dump of these arrays, by op; ``op_acc`` are accumulators. Return its folder."""
        dut = self.folder / "dut"
        for role in ("outputs", "accumulators"):
            (dut / role).mkdir(parents=True, exist_ok=True)
            for old in (dut / role).iterdir():
                old.unlink()
        for name, array in arrays.items():
            role = "accumulators" if name.endswith("_acc") else "outputs"
            np.save(dut / role / f"{name.removesuffix('_acc')}.npy", np.ascontiguousarray(array))
        return dut

    def all_from(self, op, y):
        """All outputs that a device dumps which produces `y` for an op and is right after it."""
        from intgold import golden

        live = {**self.tensors, op: y}
        at = [o.name for o in self.model.ops].index(op)
        for after in self.model.ops[at + 1 :]:
            made = golden.FUNCTIONS[after.kind](
                *(live[n] for n in after.inputs), **self.model.arguments(after)
            )
            live[after.output] = made[0] if after.spec.accumulator else made
        return {o.output: live[o.output] for o in self.model.ops}


def noise(y, share, rng, classes=0):
    """Replace a share of the values (one at least) by random ones that differ."""
    made = y.copy()
    flat = made.reshape(-1)
    chosen = rng.random(flat.size) < share
    chosen[rng.integers(flat.size)] = True
    if classes:
        flat[chosen] = (flat[chosen] + rng.integers(1, classes, chosen.sum())) % classes
    elif made.dtype == np.int8:
        flat[chosen] = flat[chosen].view(np.uint8) ^ rng.integers(1, 256, chosen.sum(), np.uint8)
    else:
        spread = max(2, int(np.abs(y).max()))
        flat[chosen] += rng.integers(1, spread, chosen.sum()) * rng.choice([-1, 1], chosen.sum())
    return made


def upset(y, rng, bit=None):
    """Flip one bit of one value."""
    made = y.copy()
    at = rng.integers(made.size)
    bit = int(rng.integers(8 * made.itemsize)) if bit is None else bit
    raw = made.reshape(-1).view(f"u{made.itemsize}")
    raw[at] ^= raw.dtype.type(1 << bit)
    return made
