"""Whole networks in the live proof, as far as it can be seen without the engines."""

import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from intgold.contracts import CONTRACTS, contract_named
from intgold.errors import ImportFileError
from intgold.importers.tflite.convert import convert, convert_graph
from intgold.importers.tflite.file.reader import parse
from intgold.importers.tflite.graph.float_islands import CutGraph
from intgold.importers.tflite.handlers.table import HANDLERS
from intgold.study.engines.engine_check import asked_of
from intgold.study.engines.file_stimulus import file_stimulus

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

import batched_networks
import networks
from engines import PACKAGES, Answer
from one_op_models import made
from random_networks import COMMON, COUNT, network
from tflite_writer import Writer

PLANS = [network(seed) for seed in range(COUNT)]


def two_adds(first="add_0", second="y"):
    """A file of two ADDs, their tensors of these names."""
    w = Writer()
    x, y, z = (w.tensor((1, 3, 5), "int8", scale, -3) for scale in (0.5, 0.6, 0.7))
    w.op("ADD", [x, x], y, 1, "AddOptions")
    w.op("ADD", [y, x], z, 1, "AddOptions")
    graph = parse(w.finish([x], [z]))
    named = dict(zip((y, z), (first, second), strict=True))
    tensors = tuple(replace(t, name=named.get(t.index, t.name)) for t in graph.tensors)
    return replace(graph, tensors=tensors)


def found(alter=None):
    """The row of two ADDs against an engine that answers as the golden model does, altered."""
    graph = two_adds()
    converted = convert_graph(graph, contract_named("tflm"), "network")
    given = file_stimulus(graph, converted.cut, networks.IMAGES)
    run = converted.model.run(given.inputs[0], backend="golden", trace=True)
    tensors = dict(zip((1, 2), (a.copy() for a in run.tensors.values()), strict=True))
    outputs = {2: run.output.copy()}
    if alter:
        alter(outputs, tensors)
    row = networks.Row("two", "tflm", len(run.output))
    networks.compare(row, graph, converted, given, Answer(outputs, tensors))
    return row


def test_plans_come_of_the_seed():
    """The same seed gives the same plan; ten seeds give ten plans."""
    assert [network(seed) for seed in range(COUNT)] == PLANS
    assert len({str(plan.layers) for plan in PLANS}) == COUNT == 10


def test_plans_cover_what_they_are_for():
    """Every block, activation, type and number of ends is in some network; all shapes are legal."""
    layers = [layer for plan in PLANS for layer in plan.layers]
    kinds = Counter(layer.kind for layer in layers)
    fused = {layer.fields.get("activation") for layer in layers}
    wanted = {"conv", "depthwise", "dense", "add", "sub", "mul", "concat", "pad", "mean",
              "max_pool", "avg_pool", "softmax", "flatten", "gelu", "plus", "times",
              *COMMON}  # fmt: skip
    assert set(kinds) == wanted and fused == {None, "none", "relu", "relu6"}
    assert {plan.dtype for plan in PLANS} == {"int8", "uint8"}
    assert {plan.per_channel for plan in PLANS} == {True, False}
    assert {len(plan.inputs) for plan in PLANS} == {len(plan.outputs) for plan in PLANS} == {1, 2}
    assert any(layer.shape[-1] % 2 for layer in layers)
    assert min(min(layer.shape) for layer in layers) > 0
    assert sum(not {"gelu"} & {layer.kind for layer in plan.layers} for plan in PLANS) > 5


def test_networks_of_a_batch():
    """Files of 2 to 9 images are models of one, and the stimulus holds whole batches."""
    plans = [batched_networks.network(seed) for seed in range(batched_networks.COUNT)]
    assert plans == [batched_networks.network(seed) for seed in range(batched_networks.COUNT)]
    batches, ends, dtypes = set(), set(), set()
    for data in plans:
        graph = parse(data)
        found = convert_graph(graph, contract_named("xnnpack"), "network")
        given = file_stimulus(graph, found.cut, 20)
        assert given.at_once == found.cut.batch and given.images % given.at_once == 0
        assert found.model.run(np.zeros((3, *found.model.tensor(found.model.inputs[0]).shape),
                                        np.int8)).output.shape == (3, 5)  # fmt: skip
        batches.add(found.cut.batch)
        ends.add(bool(found.cut.tail))
        dtypes.add(graph.tensors[0].dtype)
    assert batches == set(range(2, 10)) and ends == {True, False} and len(dtypes) == 2
    optimised = contract_named("litert_optimised_x86")
    declined = 0
    for data in plans:
        try:
            convert(parse(data), optimised, "network")
        except ImportFileError as error:
            declined += 1
            assert networks.MIXED.search(str(error))
            assert not networks.Row("n", "litert_optimised_x86", declined=str(error)).failed
    assert 0 < declined < len(plans) // 2


def test_a_tensor_that_nothing_reads_is_not_asked_for():
    """A delegate does not produce it: of two halves, the engine is asked for the one in use."""
    w = Writer()
    x, a, b, y = (w.tensor(shape, "int8", 0.5, 0) for shape in ((1, 6), (1, 3), (1, 3), (1, 3)))
    axis = w.tensor((), "int32", data=np.array(1))
    w.op("SPLIT", [axis, x], [a, b], 2, "SplitOptions", NumSplits=2)
    w.op("RELU", [b], y, 2)
    data = w.finish([x], [y])
    graph = parse(data)
    converted = convert_graph(graph, contract_named("xnnpack"), "network")
    asked = asked_of(data, graph, converted, file_stimulus(graph, converted.cut, 5))
    assert asked.tensors == (b, y) and asked.outputs == (y,) and a in converted.names


def test_the_stimulus_holds_corners_and_random_bytes():
    """The smallest, the largest, the zero point, a ramp, a checker; 69 inputs or more."""
    for dtype in ("int8", "uint8"):
        graph = parse(made("CONV_2D", 1, dtype)[0].data)
        given = file_stimulus(graph, CutGraph(graph), networks.IMAGES)
        (at, x), *_ = given.inputs.items()
        assert given.integers[at] is x
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        assert len(x) >= 69 and x.dtype == dtype and x.shape[1:] == graph.tensors[at].shape[1:]
        assert (x[0] == low).all() and (x[1] == high).all()
        assert (x[2] == graph.tensors[at].zero_point[0]).all()
        assert set(np.unique(x[4])) <= {low, high}
        assert {low, high} < set(np.unique(x[5:]))


def test_a_row_counts_what_differs():
    """One changed value is one difference, in an output or in a tensor on the way."""
    clean = found()
    assert (clean.differing, clean.unequal, clean.failed, clean.first) == (0, 0, False, "")
    assert clean.tensors == 2 and clean.values == clean.images * 15 * 3 and clean.traced > 0

    def output(outputs, tensors):
        outputs[2][7, 1, 2] ^= 1

    def inside(outputs, tensors):
        tensors[1][0, 0, 0] ^= 64

    for alter, first in ((output, "y"), (inside, "t_add_0")):
        row = found(alter)
        assert (row.differing, row.failed, row.first) == (1, True, first)
    lines = list(networks.table([row]))
    assert " 1 differ" in lines[-1]


def test_what_fails():
    """A file that only the importer refuses fails; one that the engine refuses as well does not."""
    assert networks.Row("n", "tflm", declined="why").failed
    assert not networks.Row("n", "tflm", declined="why", refused="why").failed
    assert not networks.Row("n", "tflm", refused="why").failed


def test_pairs_of_engines():
    """In how many values two engines differ, and by how much at most."""
    a = Answer({1: np.array([1, 2, 3], np.int8)}, {0: np.array([-128, 0], np.int8)})
    b = Answer({1: np.array([1, 2, 5], np.int8)}, {0: np.array([127, 0], np.int8)})
    count = networks.PairCount()
    assert not count.compared
    count.add(a, b)
    assert count.compared and count.cells() == ("2", "1", "255", "3", "1", "2")
    count.add(a, a)
    assert count.cells() == ("4", "1", "255", "6", "1", "2")


def test_a_folder_without_files(monkeypatch, tmp_path):
    """A wrong setting is an error, an absent one is not."""
    monkeypatch.setenv("TFLITE_DIR", str(tmp_path))
    with pytest.raises(SystemExit, match="no .tflite file"):
        networks.public()
    monkeypatch.delenv("TFLITE_DIR")
    monkeypatch.setattr(networks, "FOLDER", tmp_path / "nowhere")
    assert networks.public() == {}


def test_engines_are_those_of_contracts():
    """They are of the versions that the extra for `import --check` brings."""
    assert PACKAGES and set(PACKAGES) <= set(CONTRACTS)
    extras = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    (pins,) = re.findall(r"^engines = \[(.*)\]$", extras, re.M)
    assert set(re.findall(r'"(.+?)"', pins)) == set(PACKAGES.values())


@pytest.mark.parametrize("first", ["add_0", "add_0_2", "add_1", "t_add_1", "add_1_3"])
def test_names_of_the_file_leave_those_of_ops_free(first):
    """Converters call tensors add_1 as the importer calls ops: the op keeps its name."""
    model = convert(two_adds(first, first), contract_named("tflm"), "network")
    assert [op.name for op in model.ops] == ["add_0", "add_1"] and "ADD" in HANDLERS
    assert len({*(op.name for op in model.ops), *(t.name for t in model.tensors)}) == 5
