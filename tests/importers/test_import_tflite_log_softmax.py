"""LOG_SOFTMAX: in fixed point or in float32, by the contract and the type; what is refused."""

import sys
from pathlib import Path

import numpy as np
import pytest

from intgold import golden
from intgold.contracts import CONTRACTS, contract_named
from intgold.errors import ImportFileError
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import parse
from intgold.importers.tflite.formulas.tables import exponentials

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from one_op_models import made
from tflite_writer import Writer

from run import both_engines


def graph_of_log(scale, dtype="int8", depth=4, y=(1 / 16, 127)):
    """A graph of one LOG_SOFTMAX."""
    w, shift = Writer(), 128 if dtype == "uint8" else 0
    x = w.tensor((1, depth), dtype, scale, shift)
    made_by = w.tensor((1, depth), dtype, y[0], y[1] + shift)
    w.op("LOG_SOFTMAX", [x], made_by, 1, "LogSoftmaxOptions")
    return parse(w.finish([x], [made_by]))


def graph_of_softmax(scale):
    w = Writer()
    x, y = w.tensor((1, 4), "int8", scale, 0), w.tensor((1, 4), "int8", 1 / 256, -128)
    w.op("SOFTMAX", [x], y, 2, "SoftmaxOptions", Beta=1.0)
    return parse(w.finish([x], [y]))


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("y", [(1 / 8, 127), (1 / 16, 126)])
def test_an_output_of_another_scale(contract, y):
    with pytest.raises(ImportFileError, match="not of scale 1/16 and zero point 127"):
        convert(graph_of_log(0.1, y=y), contract_named(contract), "m")


@pytest.mark.parametrize("contract", ["litert_reference", "tflm", "cmsis_nn", "intgold"])
def test_a_log_softmax_in_fixed_point(contract):
    """Multiplier and shift of a softmax of that scale; uint8 where there is a kernel."""
    for scale in (0.1, 0.0037, 3.7, 40.0, 1.5e-8):
        (log,) = convert(graph_of_log(scale), contract_named(contract), "m").ops
        (op,) = convert(graph_of_softmax(scale), contract_named(contract), "m").ops
        assert (log.kind, dict(log.fields)) == ("log_softmax", dict(op.fields))
    with pytest.raises(ImportFileError, match="LOG_SOFTMAX.*its scale is too small"):
        convert(graph_of_log(2.0**-26), contract_named(contract), "m")
    with pytest.raises(ImportFileError, match="a row of 4096 values; the exact sum allows 4095"):
        convert(graph_of_log(0.1, depth=4096), contract_named(contract), "m")
    if contract in ("tflm", "cmsis_nn"):
        with pytest.raises(ImportFileError, match="LOG_SOFTMAX.*no kernel for it on uint8"):
            convert(graph_of_log(0.1, "uint8"), contract_named(contract), "m")
    else:
        (byte,) = convert(graph_of_log(0.1, "uint8"), contract_named(contract), "m").ops
        (op,) = convert(graph_of_log(0.1), contract_named(contract), "m").ops
        assert byte.fields == op.fields


@pytest.mark.parametrize("contract", ["litert_optimised_x86", "xnnpack"])
@pytest.mark.parametrize(("dtype", "form"), [("int8", "signed"), ("uint8", "unsigned")])
def test_a_log_softmax_in_float32(contract, dtype, form):
    """The bits of the scale, the table of a softmax of beta 1, the bytes of the file's type."""
    for scale in (0.1, 3.7, 2.0**113, 1e-9):
        (op,) = convert(graph_of_log(scale, dtype), contract_named(contract), "m").ops
        assert (op.kind, op["form"]) == ("log_softmax_float32", form)
        assert np.int32(op["scale_bits"]).view(np.float32) == np.float32(scale)
        table = exponentials(np.float32(scale), np.float32(1))
        assert np.array_equal(op["table"], table)
    with pytest.raises(ImportFileError, match="LOG_SOFTMAX.*an input scale of 1.03.*e[+]34"):
        convert(graph_of_log(1.0001 * 2.0**113, dtype), contract_named(contract), "m")


def test_values_next_to_one_half():
    """Models on which fixed point, float32 of int8 and float32 of uint8 give three answers."""
    differing = {"arithmetic": 0, "bytes": 0}
    for seed in range(30):
        model, stimulus = made("LOG_SOFTMAX_TIED", seed)
        answers = {}
        for contract in ("litert_reference", "xnnpack"):
            op = convert(parse(model.data), contract_named(contract), "m")
            answers[contract] = both_engines(op, stimulus)
        differing["arithmetic"] += not np.array_equal(*answers.values())
        (op,) = convert(parse(model.data), contract_named("xnnpack"), "m").ops
        fields = {n: op[n] for n in ("scale_bits", "table")}
        signed, unsigned = (
            golden.log_softmax_float32(stimulus[0], form=form, **fields)
            for form in ("signed", "unsigned")
        )
        differing["bytes"] += not np.array_equal(signed, unsigned)
    assert min(differing.values()) > 3, differing
