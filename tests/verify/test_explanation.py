"""One explanation in two media: a page unfolds what a terminal sums up; what was tried is true."""

import re
from dataclasses import replace

import numpy as np
import pytest
from test_report import assert_page_says

import thin_evidence as thin
from intgold.document.blocks import Heading
from intgold.document.html_page import to_html
from intgold.document.terminal import to_terminal
from intgold.verify.diagnose.datapath import Datapath
from intgold.verify.diagnose.hypotheses import HYPOTHESES, Evidence, contracts
from intgold.verify.diagnose.search import bugs_of
from intgold.verify.report.explanation import explanation


@pytest.fixture(scope="module")
def finding(tmp_path_factory):
    """A conv2d whose shift lacks its constant: two causes."""
    bench = thin.Bench(tmp_path_factory.mktemp("bench"), 8)
    acc = bench.accumulators["conv"].astype(np.int64)
    got = np.clip((acc >> 7) - 20, -128, 127).astype(np.int8)
    (found,) = bench.finding(conv=got)
    return found, bench, got


def shown(findings):
    """The explanation of findings in a terminal, and on a page."""
    blocks = explanation(findings, findings[0].op)
    text, page = to_terminal(blocks), to_html([Heading("h"), *blocks], "verify")
    assert_page_says(text, page)
    return text, page


def test_how_much_was_tried(finding):
    """As many hypotheses as have a variant of this op, fewer than the table has."""
    found, bench, got = finding
    path = Datapath.of(bench.model, bench.model.ops[0], (bench.x["x"],))
    y = path.results()[1]
    bugs = list(bugs_of(Evidence(path, {"output": got}, {"output": y})))
    names = {bug.hypothesis.name for bug in bugs}
    assert (found.hypotheses, found.variants) == (len(names), len(bugs))
    assert 0 < len(names) < len(HYPOTHESES)
    text, _ = shown([found])
    assert f"; tried {len(names)} of {len(HYPOTHESES)} hypotheses, in {len(bugs)} variants" in text
    text, _ = shown([replace(found, pairs=12)])
    assert f"in {len(bugs)} variants and 12 pairs" in text


def test_ops_of_one_contract_are_one_line_and_unfold(finding):
    """The terminal names the ops; the page has the causes of each."""
    found, *_ = finding
    (by,) = [h for h in HYPOTHESES if h.name == contracts.NAME]
    cause = found.causes[0]
    bug = replace(cause.bugs[0], hypothesis=by, variant=replace(cause.bugs[0].variant, label="z"))
    first = replace(found, causes=(replace(cause, bugs=(bug,)),), consistent=())
    text, page = shown([first, *(replace(first, op=f"op{i}") for i in range(40))])
    lines = text.splitlines()
    assert lines[0] == "every op that is wrong computes by the contract z"
    assert text.count("cause: one of those tried fits") == 1
    (at,) = [i for i, line in enumerate(lines) if line.startswith("the same is wrong of op0, ")]
    assert lines[-1].endswith("op39") and all(len(line) <= 100 for line in lines[at:])
    details = re.search("<details><summary>The same is wrong of (.*?)</details>", page, re.S)[1]
    assert details.count("Cause: one of those tried fits.") == 40
    assert all(f"Reproduces every value of op{i} on" in details for i in range(40))
