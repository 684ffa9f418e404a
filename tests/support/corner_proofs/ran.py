"""A case that ran, and what several proofs ask of it: exact values, ties, clamps."""

import itertools
from fractions import Fraction

import numpy as np

from intgold.ops.fields import FORMS, Requantize
from intgold.vectors.cases.op_corners import Case

HALF = Fraction(1, 2)


class Ran:
    """A case with its golden results, and the formulas of SPEC on exact fractions."""

    def __init__(self, case: Case):
        self.case, self.model, self.op = case, case.model, case.model.ops[0]
        run = case.model.run(case.x, backend="golden", trace=True)
        self.y = run.tensors["y"].astype(np.int64)
        self.acc = run.accumulators["y"].astype(np.int64) if "y" in run.accumulators else None
        self.x = next(iter(case.x.values())).astype(np.int64)
        self.zero = {t.name: t.zero_point for t in case.model.tensors}

    def entries(self, name="requantize"):
        """(form, m, t, low) of each entry."""
        by = self.op[name]
        parts = (by.multiplier, by.right_shift, by.multiplier_low)
        return list(zip(by.form, *(p.tolist() for p in parts), strict=True))

    def channels(self):
        """(entry, accumulators, outputs) of each channel, as lists."""
        count = self.acc.shape[-1]
        accs, ys = (a.reshape(-1, count).T.tolist() for a in (self.acc, self.y))
        found = self.entries()
        return list(zip(found * (count // len(found)), accs, ys, strict=True))

    def forms(self):
        """The forms of all of the op's requantize fields."""
        return {f for v in self.op.fields.values() if isinstance(v, Requantize) for f in v.form}


def exact(acc, entry):
    """The real number that R(acc) rounds."""
    _, m, t, low = entry
    return Fraction(acc * (m * 2**22 + low), 2 ** (t + 22))


def is_tie(value):
    return value % 1 == HALF


def kinds_of_ties(values):
    """(is negative, parity of the floor) of the values that are ties."""
    return {(v < 0, (v.numerator // v.denominator) % 2) for v in values if is_tie(v)}


ALL_KINDS = set(itertools.product((False, True), (0, 1)))


def ties_in_every_form(ran, only=False):
    """Ties of both signs and parities in a channel of each form; with `only`, nothing else."""
    assert {e[0] for e, _, _ in ran.channels()} == set(FORMS)
    by_form = {form: [] for form in FORMS}
    for entry, accs, _ in ran.channels():
        by_form[entry[0]] += [exact(a, entry) for a in accs]
    for values in by_form.values():
        assert kinds_of_ties(values) == ALL_KINDS
        assert not only or all(map(is_tie, values))


def clamped_by_one(ran, values):
    """The values before the clamp reach one inside, at and outside each end; none is lost."""
    lo, hi = ran.op["act_min"], ran.op["act_max"]
    values = np.asarray(values).ravel()
    wanted = {lo - 1, lo, hi, hi + 1} if lo > -128 and hi < 127 else {lo - 1, lo, lo + 1}
    assert wanted <= set(values.tolist())
    assert ran.y.ravel().tolist() == np.clip(values, lo, hi).tolist()


def one_value(ran, values):
    """Nothing but act_min comes out, whatever the value was."""
    assert len(set(np.asarray(values).ravel().tolist())) > 2
    assert set(ran.y.ravel().tolist()) == {ran.op["act_min"]} == {ran.op["act_max"]}
