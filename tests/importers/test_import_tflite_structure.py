"""TFLite files whose tables hold what no network has: refused in one line, whatever it is."""

import copy
import sys
from pathlib import Path
from random import Random
from unittest import mock

import numpy as np
import pytest
import tflite

import tools
from intgold.cli import main
from intgold.contracts import CONTRACTS, contract_named
from intgold.describe.summary import notes
from intgold.errors import ImportFileError
from intgold.importers import import_tflite
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import MAX_TABLES, parse
from intgold.importers.tflite.file.wellformed import ARITIES
from intgold.importers.tflite.graph.float_chains import FLOAT32_CHAIN
from intgold.importers.tflite.graph.shape_arithmetic import COMPUTED
from intgold.importers.tflite.handlers.table import HANDLERS

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from one_op_models import MODELS, made
from tflite_writer import TYPES, Writer

CODES = {n: v for n, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
NAMES = {v: n for n, v in CODES.items()}
LAST_BYTE_CODE = 127


def unfinished(op, seed=0, dtype="int8"):
    """A random model of one op as a writer that is not finished, its inputs and outputs."""
    with mock.patch.object(Writer, "finish", autospec=True) as finish:
        finish.return_value = b""
        made(op, seed, dtype)
    return finish.call_args.args


def kind_of(writer, op):
    """The name of an op of a writer."""
    return NAMES[writer.codes[op["code"]][0]]


def with_op(kind):
    """A writer that has an op of this kind, its inputs and outputs, and the op's place."""
    for name in MODELS:
        if name.startswith(FLOAT32_CHAIN):
            continue  # a CAST there is no op of the model
        writer, inputs, outputs = unfinished(name)
        for place, op in enumerate(writer.ops):
            if kind_of(writer, op) == kind:
                return writer, inputs, outputs, place
    pytest.fail(f"no model has {kind}")


def refusal(data, contract="litert_reference"):
    """What an import of these bytes says; "" where it produces a model."""
    try:
        convert(parse(data), contract_named(contract), "m")
    except ImportFileError as error:
        return str(error)
    return ""


def code_by(number, way):
    """Fields deprecated_builtin_code and builtin_code as writers fill them; None: left out."""
    byte = min(number, LAST_BYTE_CODE)
    return {"both": (byte, number), "byte": (byte, None), "int": (None, number),
            "int, byte 0": (0, number), "byte, int 0": (byte, 0)}[way]  # fmt: skip


def coded(way):
    """A writer's method for operator codes that are written this way."""

    def code(writer, given):
        byte, number = code_by(given[0], way)
        tflite.OperatorCodeStart(writer.builder)
        if byte is not None:
            tflite.OperatorCodeAddDeprecatedBuiltinCode(writer.builder, byte)
        if number is not None:
            writer.builder.ForceDefaults(True)  # a 0 is written, too
            tflite.OperatorCodeAddBuiltinCode(writer.builder, number)
            writer.builder.ForceDefaults(False)
        tflite.OperatorCodeAddVersion(writer.builder, given[1])
        return int(tflite.OperatorCodeEnd(writer.builder))

    return code


@pytest.mark.parametrize("way", ["both", "byte", "int", "int, byte 0", "byte, int 0"])
def test_operator_codes_in_either_field(way):
    """Every code of the schema, as old, new and most writers have it: the larger field is it."""
    seen = 0
    for name, number in CODES.items():
        if (way.startswith("byte") and number > LAST_BYTE_CODE) or name == "CUSTOM":
            continue
        w = Writer()
        x, y = w.tensor((1, 4), "int8", 0.5), w.tensor((1, 4), "int8", 0.5)
        w.op(name, [x], y)
        with (
            mock.patch.object(Writer, "_code", coded(way)),
            mock.patch("intgold.importers.tflite.file.reader.OPTIONS", {}),
        ):
            assert [op.kind for op in parse(w.finish([x], [y])).ops] == [name]
        seen += 1
    assert seen > 100


def test_models_whatever_field_holds_the_operator_code():
    """A model of each op in newer writers' files: the same integers."""
    for op in MODELS:
        plain = made(op, 1)[0].data
        with mock.patch.object(Writer, "_code", coded("int")):
            newer = made(op, 1)[0].data
        assert plain != newer or unfinished(op, 1)[0].codes[0][0] == 0  # ADD is 0 in both
        found = [
            refusal(data, "xnnpack") or convert(parse(data), contract_named("xnnpack"), "m").sha256
            for data in (plain, newer)
        ]
        assert found[0] == found[1], op


def test_the_table_of_arities_has_every_op():
    assert set(ARITIES) == set(HANDLERS) | set(COMPUTED)


OF_THE_FILE = [kind for kind in ARITIES if kind != FLOAT32_CHAIN]


@pytest.mark.parametrize("kind", OF_THE_FILE)
def test_numbers_of_inputs_and_outputs(kind):
    """None to two more than an op has, and each left out: what its arity forbids is named."""
    writer, inputs, outputs, place = with_op(kind)
    least, most = ARITIES[kind]
    own = writer.ops[place]["inputs"]
    assert least <= len(own) <= most
    spare = [own[0]] * 3

    def said(which, value):
        changed = copy.deepcopy(writer)
        changed.ops[place][which] = value
        return refusal(changed.finish(inputs, outputs))

    for count in range(min(most, len(own)) + 3):
        told = said("inputs", (own + spare)[:count])
        assert (f"({kind}): inputs: {count} instead of" in told) != (least <= count <= most), told
    for at in range(len(own)):
        told = said("inputs", [-1 if i == at else t for i, t in enumerate(own)])
        needed = at < least or most == MAX_TABLES
        assert (f"({kind}): input {at} is missing" in told) == needed, told
    output = writer.ops[place]["outputs"]
    several = kind in ("SPLIT", "SPLIT_V", "UNPACK")
    for some in ([], output * 2, [*output, own[0]]):
        told = said("outputs", some)
        one = f"({kind}): outputs: {len(some)} instead of 1"
        assert told if several and some else one in told
    assert f"({kind}): its output is missing" in said("outputs", [-1])


def test_inputs_and_outputs_that_are_listed_twice():
    """Engines run them as one tensor; a model has each once, and the import says which it is."""
    for op in ("ADD", "RELU", "CONV_2D"):
        writer, inputs, outputs = unfinished(op)
        for ends, told in [
            ((inputs * 2, outputs), f"input t{inputs[0]} is listed 2 times"),
            ((inputs, outputs * 3), f"output t{outputs[0]} is listed 3 times"),
        ]:
            assert told in refusal(copy.deepcopy(writer).finish(*ends))
        assert not refusal(copy.deepcopy(writer).finish(inputs, outputs))


@pytest.mark.parametrize("kind", OF_THE_FILE)
def test_variable_tensors(kind):
    """Each tensor that an op reads or produces, with data and without: refused by name."""
    writer, inputs, outputs, place = with_op(kind)
    op = writer.ops[place]
    for at in {t for t in (*op["inputs"], *op["outputs"]) if t >= 0}:
        changed = copy.deepcopy(writer)
        changed.tensors[at]["variable"] = True
        told = refusal(changed.finish(inputs, outputs))
        assert f" t{at} is a variable tensor" in told, told


def test_data_of_what_is_given_or_made():
    """An input of the file, or what an op produces, that has data as well."""
    for op in ("ADD", "RELU", "SOFTMAX", "FULLY_CONNECTED"):
        writer, inputs, outputs = unfinished(op)
        for at in (*inputs, *outputs):
            changed = copy.deepcopy(writer)
            changed.buffers.append(bytes(int(np.prod(changed.tensors[at]["shape"]))))
            changed.tensors[at]["buffer"] = len(changed.buffers) - 1
            assert f" t{at} has data in the file" in refusal(changed.finish(inputs, outputs))
        constant = next((t for t in writer.ops[0]["inputs"] if writer.tensors[t]["buffer"]), None)
        if constant is not None:
            data = copy.deepcopy(writer).finish([*inputs, constant], outputs)
            assert f"input t{constant} has data" in refusal(data)


def test_names_of_any_length_and_bytes():
    """60,000 characters, controls among them, wherever a message quotes a name: short, one line."""
    name = "a\n\x1b[31m\u202e" * 10_000
    for ends in ([0, 0], [0], []):
        w = Writer()
        x, y = w.tensor((1, 4), "int8", 0.5, name=name), w.tensor((1, 4), "int16", 0.5, name=name)
        w.op("RELU", [x], y)
        told = refusal(w.finish(ends, [y]))
        assert told and told.isprintable() and len(told) < 600


def _some_tensor(rng, w):
    return rng.choice([-1, rng.randrange(len(w.tensors)), rng.randrange(len(w.tensors))])


def _list(rng, w, values):
    """Change a list of tensors."""
    at = rng.randrange(len(values) + 1)
    change = rng.randrange(5)
    if change == 0:
        values.insert(at, _some_tensor(rng, w))
    elif change == 1:
        del values[at : at + 1]
    elif change == 2:
        values[at : at + 1] = [_some_tensor(rng, w)]
    elif change == 3:
        rng.shuffle(values)
    else:
        values.extend(values[: rng.randrange(3)])


EXTENTS = (0, -1, 1, 2, 3, 64, 2**15, 2**24, 2**31 - 1, -(2**31))
SCALES = (None, 0.0, -1.0, float("nan"), float("inf"), 1e-40, 1e-30, 1e30, 0.5, 1 / 256,
          [0.5] * 2, [0.1] * 70)  # fmt: skip
ZEROS = (0, -128, 127, 128, 255, 2**31, -(2**63), 2**63 - 1)


def _tensor(rng, w):
    """Change a tensor."""
    tensor = rng.choice(w.tensors)
    part = rng.choice(
        ["shape", "dtype", "scale", "zero_point", "axis", "buffer", "variable", "name"]
    )
    if part == "shape":
        shape = tensor["shape"]
        at = rng.randrange(len(shape) + 1)
        shape[at : at + rng.randrange(2)] = [rng.choice(EXTENTS)] * rng.randrange(3)
        return
    tensor[part] = {
        "dtype": lambda: rng.choice(list(TYPES)),
        "scale": lambda: rng.choice(SCALES),
        "zero_point": lambda: rng.choice(ZEROS),
        "axis": lambda: rng.choice(EXTENTS),
        "buffer": lambda: rng.randrange(len(w.buffers) + 1),
        "variable": lambda: True,
        "name": lambda: rng.choice(["", "x" * 60_000, "\n\0", "t0"]),
    }[part]()


def _op(rng, w):
    """Change an op: what it reads and produces, its code, its options."""
    op = rng.choice(w.ops)
    part = rng.choice(["inputs", "outputs", "code", "options", "fields", "twice"])
    if part in ("inputs", "outputs"):
        _list(rng, w, op[part])
    elif part == "code":
        w.codes.append((rng.choice([*map(CODES.get, ARITIES), rng.randrange(210)]), 1))
        op["code"] = len(w.codes) - 1
    elif part == "options":
        op["options"], op["fields"] = "", {}
    elif part == "twice":
        w.ops.insert(rng.randrange(len(w.ops) + 1), copy.deepcopy(op))
    elif op["fields"]:
        field = rng.choice(list(op["fields"]))
        if not isinstance(op["fields"][field], (list, bool, float)):
            op["fields"][field] = rng.choice([0, 1, 2, 3, -1, 100, 127])


def _buffer(rng, w):
    """Change the bytes of a constant."""
    at = rng.randrange(len(w.buffers))
    data = w.buffers[at]
    w.buffers[at] = rng.choice([b"", data[:-1], data + b"\0", data[::-1], bytes(len(data)),
                                b"\xff" * len(data), b"\x80" * len(data)])  # fmt: skip


def mutated(rng):
    """The bytes of a file whose tables were changed in up to three places."""
    while True:
        w, inputs, outputs = copy.deepcopy(unfinished(rng.choice(list(MODELS)), rng.randrange(3)))
        for _ in range(rng.choice((1, 1, 2, 3))):
            change = rng.choice([_tensor, _op, _op, _buffer, None])
            if change is None:
                _list(rng, w, rng.choice([inputs, outputs]))
            else:
                change(rng, w)
        try:
            return w.finish(inputs, outputs)
        except (TypeError, ValueError, OverflowError):  # what no flatbuffer can hold
            continue


def test_structurally_damaged_files(full, tmp_path):
    """Ops, tensors, constants, ends changed: a model, or one short line naming the file."""
    rng, refused, count = Random(1), 0, 8_000 if full else 600
    path = tmp_path / "m.tflite"
    for _ in range(count):
        path.write_bytes(mutated(rng))
        try:
            import_tflite(path, rng.choice(list(CONTRACTS)))
        except ImportFileError as error:
            refused += 1
            told = str(error)
            assert told.startswith(f"{path}: ") and told.isprintable()
            assert len(told) < len(str(path)) + 1000
    tools.said.append(f"TFLite files of damaged structure: {count}, {refused} refused")
    assert 0 < refused < count


@pytest.mark.parametrize("contract", ["litert_reference", "tflm", "cmsis_nn"])
def test_a_softmax_that_has_inputs_without_an_answer(contract, tmp_path, capsys):
    """512 values and more: the import names op and depth, and what the engine does."""
    for depth in (511, 512, 4095):
        w = Writer()
        x = w.tensor((1, 3, depth), "int8", 0.1, 0)
        y = w.tensor((1, 3, depth), "int8", 1 / 256, -128)
        w.op("SOFTMAX", [x], y, 2, "SoftmaxOptions", Beta=1.0)
        file, out = tmp_path / "m.tflite", tmp_path / "m.npz"
        file.write_bytes(w.finish([x], [y]))
        assert main(["import", str(file), "--contract", contract, "-o", str(out)]) == 0
        printed = capsys.readouterr().out
        model = import_tflite(file, contract)
        assert ("no_answer" in model.metadata) == (depth >= 512)
        told = f"op 0 (SOFTMAX), depth {depth}: "
        assert (told in printed) == (depth >= 512)
        assert any(told in note for note in notes(model)) == (depth >= 512)
        end = "undefined" if contract == "cmsis_nn" else "ends the process"
        assert (end in printed) == (depth >= 512)
        for other in ("litert_optimised_x86", "xnnpack", "intgold"):
            assert "no_answer" not in import_tflite(file, other).metadata
