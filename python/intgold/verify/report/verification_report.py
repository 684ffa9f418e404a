"""Everything that is known of a dump: the comparison, the causes, the arithmetic; text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ...describe.data_sheet.worked_examples import TracedOp, worked_lines
from ...document.blocks import DocumentBlock, Preformatted, Remark, Section
from ...document.terminal import to_terminal
from ...model.graph import Op
from ...support.quoting import short_repr
from ...support.safe_files import canonical_json
from ...vectors.arrays import contents
from ..comparison import DumpComparison, compare_dump, place
from ..diagnose.diagnosis import diagnose
from ..diagnose.finding import OpFinding, cause_groups, contracts_of
from ..diagnose.search import Cause
from ..dump import Dump
from .explanation import explanation
from .stages import Stages, stages_of


@dataclass(frozen=True, eq=False)
class VerificationReport:
    """Everything that is known of a dump.

    Parameters
    ----------
    dump : Dump
    comparison : DumpComparison
    findings : tuple of OpFinding
    worked : tuple of str
        The golden arithmetic of the first wrong element, line by line.
    causes_sought : bool
    stages : Stages
        The first wrong element as the device computed it, with the simplest cause that is named.
    """

    __repr__ = short_repr

    dump: Dump
    comparison: DumpComparison
    findings: tuple[OpFinding, ...]
    worked: tuple[str, ...]
    causes_sought: bool = True
    stages: Stages = field(default_factory=Stages)

    def __str__(self) -> str:
        blocks = [*self.explanation(), *self.arithmetic()]
        return "\n".join([str(self.comparison), *([to_terminal(blocks)] if blocks else [])])

    def explanation(self) -> list[DocumentBlock]:
        """Return why the dump differs, or why no cause of its first difference was sought."""
        first = self.comparison.first
        if first is None:
            return []
        blocks: list[DocumentBlock] = []
        if self.causes_sought and first.op not in {f.op for f in self.findings}:
            only = f"cause: not sought: of {first.op}, only partial accumulators differ"
            blocks.append(Remark(only))
        return [*blocks, *explanation(self.findings, first.op)]

    def arithmetic(self) -> list[DocumentBlock]:
        """Return how the first wrong value came about, and how it should have."""
        blocks = self.stages.blocks()
        if self.worked:
            head = "the first wrong value, as it should be, in full:"
            blocks.append(Section(Remark(head), (Preformatted("\n".join(self.worked)),)))
        return blocks

    def document(self) -> bytes:
        """Return canonical JSON."""
        first = self.comparison.first
        at = {} if first is None else {**_plain(asdict(first)), "place": place(first)}
        if at:
            at["spots"] = at.pop("locations")  # the key of the format
        return canonical_json(
            {
                "set": str(self.dump.vectors),
                "dump": str(self.dump.dut),
                "model": self.dump.plan.model.name,
                "model_sha256": self.dump.plan.model.sha256,
                "equal": self.comparison.equal,
                "images": self.comparison.images,
                "set_images": self.comparison.set_images,
                "values": self.comparison.values,
                "missing": self.comparison.missing,
                "arrays": [
                    {
                        "op": c.op, "kind": c.kind, "tensor": c.tensor, "role": c.role,
                        "values": c.values, "of": c.of, "differing": c.differing,
                        "where": c.tally.sentences() if c.differing else [],
                        "got_less_expected": [list(pair) for pair in c.tally.histogram()],
                        "words_with_other_padding": c.strays,
                    }
                    for c in self.comparison.comparisons
                ],
                "first": at or None,
                "ops": [_finding(f) for f in self.findings],
                "contracts": contracts_of(self.findings),
                "worked": list(self.worked),
                "as_the_device_computed_it": {
                    "cause": self.stages.cause,
                    "stages": [
                        {"name": s.name, "wanted": s.expected, "got": s.got}
                        for s in self.stages.stages
                    ],
                },
            }
        )  # fmt: skip


def verification_report(
    dump: Dump, *, causes: bool = True, products: int | None = None, progress: bool = False
) -> VerificationReport:
    """Compare a dump with its set, and say why they differ.

    Parameters
    ----------
    dump : Dump
    causes : bool
        Look for them.
    products : int, optional
        Work the first wrong element through, with this many products written out.
    progress : bool
        Show bars.
    """
    comparison = compare_dump(dump, progress=progress)
    findings = diagnose(dump, comparison, progress=progress) if causes and comparison.first else []
    worked = (
        _worked(dump, comparison, products) if products is not None and comparison.first else []
    )
    stages = stages_of(dump, comparison.first, tuple(findings)) if comparison.first else Stages()
    return VerificationReport(dump, comparison, tuple(findings), tuple(worked), causes, stages)


def _worked(dump: Dump, comparison: DumpComparison, products: int) -> list[str]:
    first, model = comparison.first, dump.plan.model
    assert first is not None
    op = next(o for o in model.ops if o.name == first.op)
    traced = _traced(dump, op, first.image)
    where = first.coordinate[1:] if first.role == "partial" else first.coordinate
    return worked_lines(traced, (0, *where), products)


def _traced(dump: Dump, op: Op, image: int) -> TracedOp:
    """Return the golden tensors around an op, of one image."""
    model = dump.plan.model
    x = {n: dump.expected(contents.stimulus_spec(model.tensor(n)), [image]) for n in model.inputs}
    run = model.run(x, trace=True)
    live = {**x, **run.tensors}
    acc = run.accumulators.get(op.output)
    return TracedOp(model, op, [live[n] for n in op.inputs], live[op.output], acc)


def _finding(finding: OpFinding) -> dict[str, Any]:
    return {
        "op": finding.op,
        "kind": finding.kind,
        "inputs": finding.inputs,
        "differing": finding.differing,
        "facts": list(finding.facts),
        "not_dumped_before": list(finding.not_dumped),
        "right_from_wrong_inputs": finding.propagates and not finding.read_by,
        "read_by": finding.read_by,
        "causes": [_group(causes, finding) for causes in cause_groups(finding.causes)],
        "consistent": [_group(causes, finding) for causes in cause_groups(finding.consistent)],
        "would_tell": list(finding.needed_evidence),
        "would_confirm": finding.would_confirm,
        "images": finding.images,
        "told_apart_by": [asdict(found) for found in finding.discriminations],
        "close": [
            {"variant": label, "differing": left, "of": of}
            for label, left, of in finding.close_matches
        ],
        "hypotheses_tried": finding.hypotheses,
        "variants_tried": finding.variants,
        "pairs_tried": finding.pairs,
    }


def _group(causes: Sequence[Cause], finding: OpFinding) -> dict[str, Any]:
    """Return causes of one op and of the same hypotheses; the weight is that of the simplest."""
    first, score = causes[0], causes[0].score
    assert score is not None
    return {
        "op": first.op.name,
        "kind": first.op.kind,
        "names": list(first.names),
        "variants": [str(cause) for cause in causes],
        "explanations": [bug.hypothesis.explanation for bug in first.bugs],
        "look_at": [bug.hypothesis.look_at for bug in first.bugs],
        "explains": finding.differing,
        "simpler_explains": score.simpler,
        "searched": score.searched,
        "evidence_bits": round(score.evidence),
        "freedom_bits": round(score.freedom),
        "doubt": score.doubt,
    }


def _plain(value: Any) -> Any:
    """Return what JSON takes: tuples as lists, NumPy's integers as int."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return int(value) if isinstance(value, np.integer) else value
