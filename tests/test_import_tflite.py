"""TFLite files as models: the bits of the named engine, clear refusals, nothing trusted."""

import hashlib
import json
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest

import intgold
import tools
from intgold.cli import main
from intgold.contracts import CONTRACTS, contract_named
from intgold.errors import ContractError, ImportFileError
from intgold.importers import import_tflite
from intgold.importers.tflite.reader import parse

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "conformance"))

from one_op_models import MODELS, made  # noqa: E402
from run import both_engines  # noqa: E402

FROZEN = json.loads((ROOT / "conformance" / "answers.json").read_text())["answers"]


def of_name(name):
    """(op, dtype, seed) of a model of the frozen set."""
    op, dtype, seed = name.rsplit("_", 2)
    return op.upper(), dtype, int(seed)


def test_the_frozen_set_holds_every_contract():
    """Engines that lack an op have no answers; each op is answered by some, int8 and uint8."""
    assert set(FROZEN) == set(CONTRACTS)
    answered = {of_name(name)[:2] for answers in FROZEN.values() for name in answers}
    assert {op for op, _ in answered} == set(MODELS)
    assert {op for op, dtype in answered if dtype == "uint8"} >= set(MODELS) - {"ELU"}
    assert sum(map(len, FROZEN.values())) > 300


@pytest.mark.parametrize("contract", list(FROZEN))
def test_imported_models_have_the_bits_of_the_engine(contract, tmp_path):
    """Random models of one op: golden = C = what the real engine answered when it was frozen."""
    for name, digest in FROZEN[contract].items():
        op, dtype, seed = of_name(name)
        model, stimulus = made(op, seed, dtype)
        file = tmp_path / f"{name}.tflite"
        file.write_bytes(model.data)
        found = both_engines(import_tflite(file, contract), stimulus)
        assert hashlib.sha256(found.tobytes()).hexdigest() == digest, (contract, name)
    assert len(FROZEN[contract]) > 50
    tools.said.append(
        f"imported under {contract}: {len(FROZEN[contract])} models, bits of the engine"
    )


def test_contracts_differ():
    """The frozen answers tell the contracts apart: a rule of another one is seen."""
    for a in FROZEN:
        for b in FROZEN:
            if a < b:
                both = set(FROZEN[a]) & set(FROZEN[b])
                assert [n for n in both if FROZEN[a][n] != FROZEN[b][n]], (a, b)


def test_the_command(tmp_path, capsys):
    """A file becomes an artefact that loads, runs and names its contract."""
    model, stimulus = made("CONV_2D", 0)
    (tmp_path / "a.tflite").write_bytes(model.data)
    arguments = ["import", str(tmp_path / "a.tflite"), "--contract", "tflm"]
    assert main([*arguments, "-o", str(tmp_path / "a.npz")]) == 0
    assert "1 ops, contract tflm" in capsys.readouterr().out
    loaded = intgold.load(tmp_path / "a.npz")
    assert loaded.contract == "tflm" and loaded.name == "a"
    both_engines(loaded, stimulus)
    assert main([*arguments[:3], "none", "-o", str(tmp_path / "b.npz")]) == 2
    assert "no contract 'none'" in capsys.readouterr().err
    (tmp_path / "a.tflite").write_bytes(model.data[:100])
    assert main([*arguments, "-o", str(tmp_path / "b.npz")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "a.tflite" in error and not (tmp_path / "b.npz").exists()


def test_an_unknown_contract():
    with pytest.raises(ContractError, match="no contract 'x'"):
        contract_named("x")


def test_ratios_beyond_what_is_proved_are_refused():
    """A delegate runs an op only for some ratios of scales; the others are not guessed."""
    from tflite_writer import Writer

    from intgold.importers.tflite.convert import convert

    w = Writer()
    x, y = w.tensor((1, 4), "int8", 0.5, 0), w.tensor((1, 4), "int8", 0.5 / 200, 0)
    w.op("QUANTIZE", [x], y, 2, "QuantizeOptions")
    graph = parse(w.finish([x], [y]))
    assert convert(graph, contract_named("litert_reference"), "m").ops
    with pytest.raises(ImportFileError, match=r"op 0 \(QUANTIZE\): ratio of scales 200 is beyond"):
        convert(graph, contract_named("xnnpack"), "m")


def test_scales_that_are_next_to_nothing():
    """Numbers that no engine could use are refused as the op's, whatever goes wrong with them."""
    from tflite_writer import Writer

    from intgold.importers.tflite.convert import convert

    for kind in ("HARD_SWISH", "LOGISTIC", "RELU6"):
        w = Writer()
        x, y = w.tensor((1, 4), "int8", 0.5, 0), w.tensor((1, 4), "int8", 1e-44, 0)
        w.op(kind, [x], y)
        with pytest.raises(ImportFileError, match=rf"op 0 \({kind}\): "):
            convert(parse(w.finish([x], [y])), contract_named("litert_reference"), "m")


def test_what_is_not_known_is_named(tmp_path):
    """The op by number and name, and what is missing."""
    from tflite_writer import Writer

    w = Writer()
    x, y = w.tensor((1, 4), "int8", 0.5, 0), w.tensor((1, 4), "int8", 0.5, 0)
    w.op("ABS", [x], y)
    (tmp_path / "m.tflite").write_bytes(w.finish([x], [y]))
    with pytest.raises(ImportFileError, match=r"op 0 \(ABS\): this op is not known"):
        import_tflite(tmp_path / "m.tflite", "tflm")


def test_foreign_files(tmp_path):
    """What is no TFLite file is said to be none."""
    for data in (b"", b"TFL3", bytes(100), b"\x1c\0\0\0TFL3" + bytes(10)):
        with pytest.raises(ImportFileError, match="not a TFLite file"):
            parse(data)
    with pytest.raises(ImportFileError, match="nowhere"):
        import_tflite(tmp_path / "nowhere.tflite", "tflm")


def test_damaged_files(full, tmp_path):
    """Bytes changed and cut: a model, or one line that names the file."""
    rng, refused, count = Random(0), 0, 20_000 if full else 400
    sources = [made(op, 0)[0].data for op in MODELS]
    path = tmp_path / "m.tflite"
    for _ in range(count):
        data = bytearray(rng.choice(sources))
        for _ in range(rng.choice((1, 1, 2, 8))):
            at = rng.randrange(len(data))
            data[at] = rng.choice((0, 255, 128, data[at] ^ 1 << rng.randrange(8)))
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        path.write_bytes(data)
        try:
            import_tflite(path, "litert_reference")
        except ImportFileError as error:
            refused += 1
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
    tools.said.append(f"damaged TFLite files: {count}, {refused} refused, the others legal")
    assert 0 < refused < count


def test_a_file_of_batch_1_runs_at_any_batch():
    """A stimulus of any batch gives image by image what each gives alone."""
    model, stimulus = made("DEPTHWISE_CONV_2D", 3)
    from intgold.importers.tflite.convert import convert

    imported = convert(parse(model.data), contract_named("xnnpack"), "m")
    together = both_engines(imported, stimulus)
    alone = [both_engines(imported, [x[i : i + 1] for x in stimulus]) for i in range(3)]
    assert np.array_equal(together[:3], np.concatenate(alone))
