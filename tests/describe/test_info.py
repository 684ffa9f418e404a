"""Descriptions and data sheets say what the model holds and what golden computes."""

import json
import re
import subprocess
from dataclasses import replace
from random import Random

import numpy as np
import pytest

import intgold
import tools
from compilers import BUILDS, engine_objects
from intgold import IntgoldError, native
from intgold.cli import main
from intgold.describe.data_sheet import data_sheet, worked_rows
from intgold.describe.data_sheet import worked_examples as walks
from intgold.describe.data_sheet.arithmetic_trace import (
    ArithmeticTrace,
    formula,
    reciprocal,
    trace_requantize,
)
from intgold.describe.data_sheet.formulas import _AVERAGES, _FORMULAS
from intgold.describe.footprint import arena_sizes, footprint, multiply_adds
from intgold.describe.summary import description
from intgold.document.blocks import Heading, Preformatted
from intgold.document.html_page import to_html
from intgold.document.markdown import to_markdown
from intgold.golden.requantize import scale
from intgold.host.multiplier import requantize_for
from intgold.native.compiled import ffi, lib
from intgold.native.lowering import lower
from intgold.ops.fields import FORMS
from intgold.ops.table import OPS
from intgold.vectors.cases.op_cases import directed_models
from intgold.vectors.cases.random_models import random_model


def test_every_op_has_a_walk_and_a_formula():
    assert set(walks._WALKS) == set(_FORMULAS) | {"avg_pool2d"} == set(OPS)
    assert all(formula(form) for form in FORMS)
    assert set(_AVERAGES) == {"raw_away", "raw_up", "centred_away"}  # of avg_pool2d


@pytest.mark.parametrize("form", FORMS)
def test_steps_are_golden(form):
    """R(acc) by the sheet's own arithmetic is golden's: ties, ends, wide products."""
    rng = Random(form)
    for _ in range(300):
        real = 2.0 ** rng.randint(-25, 4) * rng.choice((0.5, 0.75, rng.random() + 0.5))
        by = requantize_for([real], form, rng.choice((31, 4)))
        entry = (form, int(by.multiplier[0]), int(by.right_shift[0]), int(by.multiplier_low[0]))
        ends = [0, 1, -1, 2**20 + 1, -(2**20), rng.randrange(-(2**24), 2**24)]
        if form not in ("double", "double_up"):
            ends += [2**31 - 1, -(2**31), 2**24 + 1]
        want = scale(np.array([ends], np.int32).T, by).ravel()
        assert [trace_requantize(ArithmeticTrace(), acc, *entry) for acc in ends] == want.tolist()


def test_sheets_of_all_kinds_of_models():
    """Every worked element comes to golden's value (a sheet that does not is refused)."""
    kinds, elements = set(), 0
    for model in (*directed_models(), *(random_model(seed) for seed in range(60))):
        blocks = data_sheet(model)
        kinds |= {op.kind for op in model.ops}
        elements += sum(isinstance(b, Heading) and b.level == 3 for b in blocks)
    assert kinds == set(OPS) and elements > 500


def test_a_wrong_sheet_is_refused(monkeypatch):
    """With a shift off by one, or a tap left out, there is no sheet."""
    model = intgold.load()

    def off(steps, acc, form, m, t, low):
        return trace_requantize(steps, acc, form, m, t + 1, low)

    with monkeypatch.context() as patch:
        patch.setattr(walks, "trace_requantize", off)
        with pytest.raises(IntgoldError, match=r"op conv1 at \(.*\): worked -?\d+, golden"):
            data_sheet(model)
    right = walks._taps
    monkeypatch.setattr(walks, "_taps", lambda *a: right(*a)[1:])
    with pytest.raises(IntgoldError, match="worked accumulator"):
        data_sheet(model)
    monkeypatch.setattr(worked_rows, "reciprocal", lambda c: reciprocal(c) // 2)
    for kind in ("softmax", "log_softmax"):
        with pytest.raises(IntgoldError, match="op op0 at .* worked"):
            data_sheet(random_model(9, (kind,), 1))


_SUM = r"acc = ([-\d+*() ]+?)(?: \+ \[\d+ more: (-?\d+)\])? = (-?\d+)"


def test_the_lines_compute():
    """The text itself is true: every sum in the shipped sheets, evaluated, is what it says."""
    found = 0
    for name in intgold.SHIPPED:
        for block in data_sheet(intgold.load(name)):
            for line in block.text.splitlines() if isinstance(block, Preformatted) else ():
                match = re.fullmatch(
                    r"acc = ([-\d+*() ]+?)(?: \+ \[\d+ more: (-?\d+)\])? = (-?\d+)", line
                )
                if match:
                    assert eval(match[1]) + int(match[2] or 0) == int(match[3]), line
                    found += 1
    assert found >= 30


def test_sheets_are_whole(tmp_path, capsys):
    """Three elements per op, the constants, in Markdown and in one page of HTML."""
    model = intgold.load()
    for suffix in ("md", "html"):
        path = tmp_path / f"lut.{suffix}"
        assert main(["info", "lut", "--sheet", str(path)]) == 0
        text = path.read_text()
        assert "1849289650" in text and model.sha256 in text
    markdown = to_markdown(data_sheet(model))
    sections = markdown.split("\n## ")[2:]
    assert len(sections) == len(model.ops)
    assert all(section.count("\n### ") == 3 for section in sections)
    page = to_html(data_sheet(model), "data sheet")
    assert page.count("<h3>") == 3 * len(model.ops) and not re.search("https?:", page)
    assert "-&gt; conv1" in page
    table = [
        int(v) for v in re.search(r"16 a line:\n\n```text\n(.*?)```", markdown, re.S)[1].split()
    ]
    assert table == model.ops[2]["table"].tolist()


@pytest.mark.parametrize("sheet", ["lut.txt", "nowhere/lut.md", "lut"])
def test_bad_sheets(sheet, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["info", "lut", "--sheet", sheet]) == 2
    err = capsys.readouterr().err
    assert err.startswith("intgold info: ") and sheet in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_json_is_the_model(capsys):
    """Every integer of the model but the weights, and the bounds of the proof."""
    for name in ("lut", "pwl"):
        assert main(["info", name, "--json"]) == 0
        told, model = json.loads(capsys.readouterr().out), intgold.load(name)
        assert told == json.loads(json.dumps(description(model)))
        assert told["sha256"] == model.sha256 and len(told["tensors"]) == len(model.tensors)
        for op, entry in zip(model.ops, told["ops"], strict=True):
            assert set(entry["fields"]) == set(op.fields)
            by = op.fields.get("requantize")
            if by is not None:
                assert entry["fields"]["requantize"]["multiplier"] == by.multiplier.tolist()
            if model.bounds[op.name].lo is not None:
                assert entry["accumulator"]["hi"] == model.bounds[op.name].hi.tolist()
        assert told["totals"]["multiply_adds"] == 1_863_104
        assert list(told["arena_bytes"]) == list(native.variants())
    for seed in range(30):
        json.dumps(description(random_model(seed)))


def test_footprint_counts_every_constant():
    """Bytes by kind of the shipped models; the ops' add up; the multiply-adds by hand."""
    model = intgold.load()
    used = footprint(model)
    assert (used.weights, used.biases, used.multipliers, used.tables) == (6156, 264, 285, 512)
    assert used.total == 7217 == sum(footprint(op).total for op in model.ops)
    macs = multiply_adds(model)
    assert macs["conv2"] == 28 * 28 * 16 * 9 * 8 and macs["fc"] == 320
    for seed in range(40):
        other = random_model(seed)
        arrays = [v for op in other.ops for v in op.fields.values()]
        bytes_of = sum(v.nbytes for v in arrays if isinstance(v, np.ndarray))
        assert footprint(other).total - footprint(other).multipliers == bytes_of


def test_arena_sizes_are_what_prepare_needs():
    """Of every variant: that many bytes suffice, one less is refused; the table says them."""
    for model in (intgold.load(), random_model(4)):
        sizes, text = arena_sizes(model), model.describe()
        assert list(sizes) == list(native.variants())
        for isa, size in sizes.items():
            native_model = native.NativeModel(lower(model), isa)
            arena, context = np.empty(size, np.uint8), ffi.new("intgold_context **")
            status = [
                lib.intgold_prepare(
                    native_model.model, native.ISAS[isa], ffi.from_buffer(arena), room, context
                )
                for room in (size - 1, size)
            ]
            assert status == [lib.INTGOLD_ERROR_BUFFER_TOO_SMALL, lib.INTGOLD_OK]
            assert model.prepare(isa).arena_size == size and f"{isa} {size:,}" in text


def test_the_engine_allocates_nothing(tmp_path):
    """No object of csrc/ refers to an allocator, or to anything outside but copies of memory."""
    tools.need("gcc")
    tools.need("nm")

    def symbols(objects, kind):
        listed = subprocess.run(
            ["nm", f"--{kind}-only", *objects], check=True, capture_output=True, text=True
        ).stdout
        return {line.split()[-1] for line in listed.splitlines() if re.search(r" \w \w+$", line)}

    command = BUILDS[0].command
    engine = engine_objects(command)
    needed = symbols(engine, "undefined") - symbols(engine, "defined")
    assert "memcpy" in needed
    ours = {name for name in needed if not name.startswith("__cpu_")}  # the CPU's features
    assert ours <= {"memcpy", "memset", "memmove", "_GLOBAL_OFFSET_TABLE_"}
    bad = tmp_path / "bad.c"
    bad.write_text("#include <stdlib.h>\nvoid *f(int n) { return malloc((size_t)n); }\n")
    subprocess.run([*command, "-c", bad, "-o", tmp_path / "bad.o"], check=True)
    assert "malloc" in symbols([tmp_path / "bad.o"], "undefined")


def test_the_table_lines_up():
    """One row per op, the bounds and bytes in it."""
    text = intgold.load().describe()
    for part in ("-112965..117177", "7,217 bytes", "1,863,104 multiply-adds"):
        assert part in text
    rows = text.splitlines()
    head = next(i for i, line in enumerate(rows) if line.startswith("op "))
    at = rows[head].index("bits")
    assert [row[at : at + 2] for row in rows[head + 2 : head + 4]] == ["18", "20"]


def test_metadata_is_printable(tmp_path, capsys):
    """What a file says of itself neither acts on a terminal nor begins a line, nor stops a page."""
    said = {"engine": "a\x1b[2J\n# b\ud800", "odd\n": "\x00"}
    model = replace(intgold.load(), metadata=said)
    model.save(tmp_path / "odd.npz")
    assert main(["info", str(tmp_path / "odd.npz")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.isprintable() for line in lines)
    assert r"engine: a\x1b[2J\n# b\ud800" in lines and r"odd\n: \x00" in lines
    for suffix in (".md", ".html"):
        page = tmp_path / f"sheet{suffix}"
        assert main(["info", str(tmp_path / "odd.npz"), "--sheet", str(page)]) == 0
        assert not re.search(r"[\x00-\x09\x0b-\x1f]|^# b", page.read_text(), re.M)
