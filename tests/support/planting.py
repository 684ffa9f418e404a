"""Devices with a bug: an op of a shipped network with a hypothesis planted, or corrupted."""

from dataclasses import dataclass
from functools import cache, lru_cache
from random import Random

import numpy as np

import intgold
from intgold.vectors.cases.stimulus import stimulus
from intgold.verify.diagnose.datapath import Datapath
from intgold.verify.diagnose.hypotheses import HYPOTHESES, Evidence
from intgold.verify.diagnose.ranking import decided, rank_causes
from intgold.verify.diagnose.search import Bug, Cause, Trial, bugs_of, differing, trials

IMAGES = 8
FIXED = [h for h in HYPOTHESES if not h.solved]


@dataclass(frozen=True, eq=False)
class Place:
    """An op of a shipped network on eight images."""

    name: str
    path: Datapath
    y: np.ndarray

    def evidence(self, got: np.ndarray) -> Evidence:
        """What the device made, only its output."""
        return Evidence(self.path, {"output": self.y}, {"output": got})

    def made(self, *bugs: Bug) -> np.ndarray:
        """The output with these bugs."""
        return np.ascontiguousarray(Cause(self.path.op, bugs).plant(self.path).results()[1])


@lru_cache(1)
def _trials(evidence: Evidence) -> list[Trial]:
    """What is asked for twice of one dump is tried once."""
    return trials(evidence)


def single_causes(evidence: Evidence) -> list[Cause]:
    """Every single bug that produces what the device made."""
    return [Cause(evidence.path.op, (t.bug,)) for t in _trials(evidence) if not t.differing]


def named_causes(evidence: Evidence) -> list[Cause]:
    """Those of them that are named on eight images."""
    tries = _trials(evidence)
    fitting = [Cause(evidence.path.op, (t.bug,)) for t in tries if not t.differing]
    found = rank_causes(fitting, tries, differing(evidence.path, evidence), evidence)
    return list(decided(found))


@cache
def places() -> list[Place]:
    """Every op of both shipped networks; those that they share once."""
    found, seen = [], set()
    for name in ("lut", "pwl"):
        model = intgold.load(name)
        x = stimulus(model, "builtin", IMAGES, 0)
        tensors = {**x, **model.run(x, trace=True).tensors}
        for op in model.ops:
            path = Datapath.of(model, op, tuple(tensors[n] for n in op.inputs))
            y = tensors[op.output]
            key = (op.name, op.kind, y.tobytes())
            if key not in seen:
                seen.add(key)
                found.append(Place(f"{name}.{op.name}", path, y))
    return found


def planted(place: Place) -> list[tuple[Bug, np.ndarray]]:
    """Every variant that changes anything there, with what the device produces."""
    bugs = list(bugs_of(place.evidence(place.y), FIXED))
    made = [(bug, place.made(bug)) for bug in bugs]
    return [(bug, y) for bug, y in made if not np.array_equal(y, place.y)]


def corrupted(place: Place, rng: Random) -> tuple[str, np.ndarray]:
    """Values changed as no datapath changes them: at least six, at places with no pattern."""
    y, noise = place.y.copy(), np.random.default_rng(rng.randrange(2**32))
    kind = rng.choice(["scattered", "one image", "one channel", "block", "noise"])
    flat = y.reshape(len(y), -1, y.shape[-1])
    images = [rng.randrange(len(y))] if kind == "one image" else range(len(y))
    channels = [rng.randrange(y.shape[-1])] if kind == "one channel" else range(y.shape[-1])
    share = {"scattered": 0.002, "noise": 0.5}.get(kind, 0.1)
    mask = np.zeros(flat.shape, bool)
    mask[np.ix_(images, range(flat.shape[1]), channels)] = True
    if kind == "block":
        mask[:, flat.shape[1] // 2 + 1 :] = False
        mask[len(y) // 2 :] = False
    mask &= noise.random(flat.shape) < share
    while mask.sum() < 6:
        mask.flat[noise.integers(mask.size)] = True
    deltas = noise.integers(1, 256, int(mask.sum()))
    flat[mask] = (flat[mask].astype(np.int64) + deltas).astype(y.dtype)
    return kind, y
