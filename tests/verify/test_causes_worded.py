"""What the report says of a cause is right in the device's own terms, counts and facts included."""

import json
import re

import numpy as np
import pytest
from test_report import told

import thin_evidence as thin
from intgold.cli import main
from intgold.vectors.arrays.contents import ArraySpec
from intgold.vectors.sets.generate import write_set
from intgold.vectors.sets.manifest import read_manifest
from intgold.verify.diagnose.datapath import Datapath
from intgold.verify.diagnose.hypotheses import HYPOTHESES, Evidence
from intgold.verify.diagnose.search import bugs_of
from intgold.verify.error_statistics import ErrorStatistics
from small_sets import layout_of, network, write_dump

BY_NAME = {h.name: h for h in HYPOTHESES}
SIGNED = {"weights_unsigned", "argmax_unsigned"}
"""Of values that are signed on every device."""


def test_whatever_speaks_of_signs_or_of_0_has_words_for_unsigned_bytes():
    """Every hypothesis on int8 activations whose text is of signed bytes has another for bytes."""
    speaks = {
        h.name
        for h in HYPOTHESES
        if re.search(r"unsigned| 0[ ,.;]| -1?\d", f"{h.name} {h.explanation}")
    }
    about = {n for n in speaks if not n.startswith(("argmax", "multiplier", "right_shift"))}
    about -= {"multiplier_of_channel_0", *SIGNED}
    assert {"input_unsigned", "padding_0", "relu_at_0", "maximum_unsigned"} <= about
    assert {n for n in about if BY_NAME[n].of_bytes is None} == set()
    for h in HYPOTHESES:
        if h.of_bytes:
            words = h.worded(of_bytes=True, of_accumulators=False)
            assert not words.name.endswith("unsigned") and words.explanation != h.explanation
            assert h.worded(of_bytes=False, of_accumulators=False) is h


def diagnosed(folder, op, name, label, layout, capsys):
    """verify's text and JSON of the small network with a bug in an op, right after it."""
    model = network()
    write_set(model, folder / "set", count=4, formats=["hex"], layout=layout_of(layout, folder))
    plan, _ = read_manifest(folder / "set")
    x = {n: np.concatenate([*_read(folder, plan, f"stimulus/{n}")]) for n in model.inputs}
    tensors = {**x, **model.run(x, trace=True).tensors}
    step = next(o for o in model.ops if o.name == op)
    path = Datapath.of(model, step, tuple(tensors[n] for n in step.inputs))
    y = path.results()[1]
    bugs = bugs_of(Evidence(path, {"output": y}, {"output": y}), [BY_NAME[name]])
    bug = next(b for b in bugs if b.variant.label == label)
    (entry,) = [e for e in plan.entries if e.path == f"outputs/{step.output}"]
    write_dump(plan, folder / "dut", "hex", {entry: bug.variant.edit(path).results()[1]})
    command = ["verify", str(folder / "set"), "--dut", str(folder / "dut"), "--partial"]
    capsys.readouterr()
    assert main(command) == 1
    text = capsys.readouterr().out
    assert main([*command, "--json"]) == 1
    return text, json.loads(capsys.readouterr().out)


def _read(folder, plan, path):
    from intgold.vectors.sets.reader import read_entry

    (entry,) = [e for e in plan.entries if e.path == path]
    return read_entry(folder / "set", plan, entry)


BYTES = '[default]\nencoding = "offset_binary"\n'


@pytest.mark.parametrize(
    ("op", "name", "label", "said", "words"),
    [
        ("conv1", "input_unsigned", "the zero point too", "input_signed", "x ^ 0x80"),
        ("conv1", "padding_0", "", "padding_byte_128", "the byte 128"),
        ("conv1", "relu_at_0", "", "relu_at_128", "the byte 128"),
        ("lut1", "table_index_unsigned", "", "table_index_signed", "x ^ 0x80"),
        ("pool1", "maximum_unsigned", "", "maximum_signed", "as signed"),
        ("pool1", "maximum_from_0", "", "maximum_from_128", "the byte 128"),
    ],
)
def test_a_device_of_unsigned_bytes(op, name, label, said, words, tmp_path, capsys):
    """Its causes are stated in its bytes; the same bug of an int8 device keeps its name."""
    (tmp_path / "bytes").mkdir()
    text, document = diagnosed(tmp_path / "bytes", op, name, label, BYTES, capsys)
    names = {n for c in document["ops"][0]["causes"] for n in c["names"]}
    assert said in names and name not in names, names
    assert words in text and "read as unsigned" not in text
    (tmp_path / "int8").mkdir()
    text, document = diagnosed(tmp_path / "int8", op, name, label, "", capsys)
    names = {n for c in document["ops"][0]["causes"] for n in c["names"]}
    assert name in names and said not in names


def test_accumulators_alone_in_another_order(tmp_path, capsys):
    """The outputs are right: the report names the accumulators and their key of the layout."""
    bench = thin.Bench(tmp_path, 4)
    acc = bench.accumulators["conv"]
    moved = np.ascontiguousarray(acc.transpose(0, 3, 1, 2)).reshape(acc.shape)
    text, document, page = told(bench, capsys, conv=bench.tensors["conv"], conv_acc=moved)
    names = {n for c in document["ops"][0]["causes"] for n in c["names"]}
    assert names == {"accumulators_in_other_order"}
    for said in (text, page):
        assert "Only the accumulators are in another order" in said
        assert "order of [accumulator] in the dump" in said
        assert "output buffer" not in said
    both = np.ascontiguousarray(bench.tensors["conv"].transpose(0, 3, 1, 2)).reshape(acc.shape)
    text = told(bench, capsys, conv=both, conv_acc=moved)[0]
    assert "output_in_other_order" in text and "Only the accumulators" not in text


def test_counts_are_of_one_population(tmp_path, capsys):
    """Outputs and accumulators that differ are counted as one, and by what is explained too."""
    bench = thin.Bench(tmp_path, 4)
    op = bench.model.ops[0]
    path = Datapath.of(bench.model, op, (bench.x["x"],)).with_fields(padding=(2, 0, 1, 1))
    acc, y = path.results()
    text, document, _ = told(bench, capsys, conv=y, conv_acc=acc)
    n = int((y != bench.tensors["conv"]).sum() + (acc != bench.accumulators["conv"]).sum())
    assert f"explains {n} of {n} differing values (accumulators and outputs); " in text
    (finding, *_) = document["ops"]
    assert finding["differing"] == n
    for cause in finding["causes"]:
        assert cause["explains"] == cause["searched"] == n >= cause["simpler_explains"]
    assert "that were searched" not in text


def test_counts_of_more_images_than_are_searched(tmp_path, capsys):
    """Where the search looks at some images, the report says so at the number."""
    bench = thin.Bench(tmp_path, 20)
    op = bench.model.ops[0]
    path = Datapath.of(bench.model, op, (bench.x["x"],))
    y = path.with_fields(padding=(2, 0, 1, 1)).results()[1]
    text, document, _ = told(bench, capsys, conv=y)
    (cause, *_) = document["ops"][0]["causes"]
    n = int((y != bench.tensors["conv"]).sum())
    some = int((y[:8] != bench.tensors["conv"][:8]).sum())
    assert (cause["explains"], cause["searched"]) == (n, some)
    few = f"no simpler one explains more than {cause['simpler_explains']} of the {some} on the"
    assert few + " images searched" in text


@pytest.mark.parametrize("delta", [4934, -9, 1 << 20])
def test_a_difference_that_is_always_the_same_is_that_number(delta, tmp_path, capsys):
    """A missing bias of one channel: not a range of powers of two."""
    bench = thin.Bench(tmp_path, 2)
    acc = bench.accumulators["conv"].copy()
    acc[..., 3] += delta
    text = told(bench, capsys, conv_acc=acc)[0]
    assert f"only channel 3, always {delta:+d}\n" in text
    assert f"  Got - expected: {delta:+d} {acc[..., 3].size} times\n" in text


def tally(want, got, stored=int):
    """Of two arrays of rows, image by image."""
    entry = ArraySpec("output", "y", "y", "int8", want.shape[1:], "HWC", True)
    found = ErrorStatistics(entry, len(want), stored)
    for image in range(len(want)):
        found.add(image, want[image : image + 1], got[image : image + 1])
    return found


def test_a_range_is_shown_where_its_differences_differ():
    """Every bin of one difference is that difference, others their ends; counts add up."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        want = rng.integers(-128, 128, (3, 2, 2, 3)).astype(np.int8)
        got = np.where(rng.random(want.shape) < 0.2, rng.integers(-128, 128, want.shape), want)
        deltas = (got.astype(int) - want)[got != want]
        shown = tally(want, got).histogram()
        assert sum(n for _, n in shown) == len(deltas)
        for text, n in shown:
            lo, hi = (int(t) for t in (text.split("..") if ".." in text else (text, text)))
            inside = deltas[(deltas >= lo) & (deltas <= hi)]
            assert len(inside) == n
            assert (len(set(inside.tolist())) == 1) == (".." not in text)


def test_a_result_that_stays_the_same_is_a_fact():
    """From an image on, or always; in the device's numbers; not of images that are right."""
    want = np.random.default_rng(0).integers(-128, 128, (6, 3, 3, 2)).astype(np.int8)
    got = want.copy()
    got[3:] = 0
    assert "got is always 0 from image 3 on" in tally(want, got).sentences()
    assert "got is always 128 from image 3 on" in tally(want, got, lambda v: v + 128).sentences()
    got[:] = -5
    assert "got is always -5" in tally(want, got).sentences()
    got[5, 0, 0, 0] = 7
    assert not [s for s in tally(want, got).sentences() if "got is" in s]
    right = np.zeros_like(want)
    wrong = right.copy()
    wrong[0, 1, 1, 1] = 1
    assert not [s for s in tally(right, wrong).sentences() if "got is" in s]


@pytest.mark.parametrize("entries", [{11: 50}, {11: 50, -128: 3}])
def test_inputs_of_a_table_at_which_it_differs(entries, tmp_path, capsys):
    """An entry that is wrong: the report says at which input, in text and JSON."""
    bench = thin.Bench(tmp_path, 4)
    table = bench.model.ops[1]["table"].copy()
    for q, error in entries.items():
        table[q + 128] = (int(table[q + 128]) + error + 128) % 256 - 128
    y = table[bench.tensors["conv"].astype(int) + 128]
    assert np.isin(bench.tensors["conv"][y != bench.tensors["table"]], list(entries)).all()
    fact = f"only where the op reads {' or '.join(map(str, sorted(entries)))}"
    text, document, page = told(bench, capsys, conv=bench.tensors["conv"], table=y)
    assert f"  {fact}\n" in text and document["ops"][0]["facts"] == [fact]
    assert fact in page.replace("Only", "only")
