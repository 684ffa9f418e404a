"""intgold verify: finds exactly what was planted, and never passes over an empty dump."""

import shutil

import numpy as np
import pytest

import intgold
from intgold import IntgoldError, VectorError
from intgold.cli import main
from intgold.vectors.cases.random_models import random_model
from intgold.vectors.sets.generate import write_set
from intgold.verify.comparison import verify


def deep_model():
    """Three ops or more, an accumulator, an image-shaped tensor."""
    for seed in range(999):
        model = random_model(seed)
        kinds = [o.kind for o in model.ops]
        if len(kinds) >= 4 and kinds[0] == "conv2d" and model.ops[0]["requantize"] is not None:
            return model
    raise AssertionError


@pytest.fixture
def pair(tmp_path):
    write_set(deep_model(), tmp_path / "set", count=4)
    shutil.copytree(tmp_path / "set", tmp_path / "dut")
    return tmp_path / "set", tmp_path / "dut"


def plant(dut, path, index, change):
    """Change one value in the .npy of a dump, and take its other formats away."""
    array = np.load(dut / path)
    array[index] = change(array[index])
    np.save(dut / path, array)
    (dut / path).with_suffix(".hex").unlink()
    return array


def test_a_set_is_a_valid_dump(pair):
    report = verify(pair[0], pair[0])
    assert report.equal and report.values > 100
    assert all(c.differing == 0 and c.values > 0 for c in report.comparisons)


@pytest.mark.parametrize("op", [0, 1, 3])
def test_one_changed_output_is_found(pair, op):
    """The op, image, coordinate and values that were planted, and nothing else."""
    model = deep_model()
    tensor = model.tensor(model.ops[op].output)
    index = (2, *(n // 2 for n in tensor.shape))
    want = np.load(pair[0] / f"outputs/{tensor.name}.npy")[index]
    plant(pair[1], f"outputs/{tensor.name}.npy", index, lambda v: v ^ 1)
    report = verify(*pair)
    first = report.first
    assert not report.equal
    assert (first.op, first.image, first.coordinate) == (model.ops[op].name, 2, index[1:])
    assert (first.expected, first.got) == (want, want ^ 1)
    counts = [(c.tensor, c.role) for c in report.comparisons if c.differing]
    assert counts == [(tensor.name, "output")]
    if model.ops[op].spec.accumulator:
        acc = np.load(pair[0] / f"accumulators/{tensor.name}.npy")[index]
        assert first.expected_accumulator == first.got_accumulator == acc
        assert f"accumulator: expected {acc} (0x{int(acc) & 0xFFFFFFFF:08x})" in str(report)
    assert f"expected {want} (0x" in str(report)


def test_the_first_op_in_execution_order_is_named(pair):
    """Two differences: the earlier op, its accumulator before its output, its first image."""
    model = deep_model()
    names = [op.output for op in model.ops]
    for name, image in ((names[3], 0), (names[0], 3), (names[0], 1)):
        dut = pair[1] / f"outputs/{name}.npy"
        array = np.load(dut)
        array[image] ^= 1
        np.save(dut, array)
        dut.with_suffix(".hex").unlink(missing_ok=True)
    assert verify(*pair).first.op == model.ops[0].name
    assert (verify(*pair).first.image, verify(*pair).first.role) == (1, "output")
    zeros = (0,) * (1 + len(model.tensor(names[0]).shape))
    plant(pair[1], f"accumulators/{names[0]}.npy", zeros, lambda v: v + 1)
    assert verify(*pair).first.role == "accumulator"


def test_a_dump_may_have_some_tensors_only(pair):
    """What is missing is listed, not counted; nothing at all is an error."""
    shutil.rmtree(pair[1] / "accumulators")
    shutil.rmtree(pair[1] / "parameters")
    with pytest.raises(VectorError, match=r"arrays are not in the dump, first accumulators/"):
        verify(*pair)
    report = verify(*pair, partial=True)
    assert report.equal and report.missing == sum(o.spec.accumulator for o in deep_model().ops)
    whole = verify(pair[0], pair[0])
    arrays = len(whole.comparisons)
    last = str(report).splitlines()[-1]
    assert last == (
        f"{report.missing} of {arrays} arrays are not in the dump; "
        f"{report.values} of {whole.values} values compared, all equal"
    )
    assert str(whole).endswith(f"\n{whole.values} values compared, all equal")
    shutil.rmtree(pair[1] / "outputs")
    with pytest.raises(VectorError, match="none of the set's arrays"):
        verify(*pair, partial=True)
    with pytest.raises(VectorError, match="no such folder"):
        verify(pair[0], pair[1] / "nowhere")


@pytest.mark.parametrize("ops", [1, 4, 5, 300])
def test_a_dump_without_any_array_is_a_short_line(ops, tmp_path):
    """However many arrays the set has: how many they are, and the first of them."""
    build = intgold.Builder("chain")
    x = build.input("x", (1,))
    for i in range(ops):
        x = build.op("lut", x, name=f"op{i}", table=np.arange(-128, 128, dtype=np.int8))
    write_set(build.model(x), tmp_path / "set", count=1, formats=["bin"])
    (tmp_path / "empty").mkdir()
    for partial in (False, True):
        with pytest.raises(VectorError) as raised:
            verify(tmp_path / "set", tmp_path / "empty", partial=partial)
        names = ", ".join(f"outputs/op{i}" for i in range(min(ops, 4))) + ", ..." * (ops > 4)
        assert str(raised.value) == (
            f"{tmp_path / 'empty'}: has none of the set's arrays, which are {ops}: {names}"
        )


@pytest.mark.parametrize("name", ["outputs/conv.npy", "outputs/t0.dat", "accumulators/x/y.npy"])
def test_what_would_be_passed_over_is_refused(pair, name):
    """A misspelt tensor must not look like an absent one."""
    (pair[1] / name).parent.mkdir(exist_ok=True)
    (pair[1] / name).write_bytes(b"")
    with pytest.raises(VectorError, match="has no array|a folder, where|of no format"):
        verify(*pair)


def test_a_misspelt_folder_is_refused(pair):
    """It would be passed over where a part of the dump is taken."""
    (pair[1] / "accumulators").rename(pair[1] / "accumulator")
    with pytest.raises(VectorError, match="is called accumulators"):
        verify(*pair, partial=True)


def test_a_folder_in_the_place_of_a_file_is_refused(pair):
    path = pair[1] / f"outputs/{deep_model().ops[0].output}.npy"
    path.unlink()
    path.mkdir()
    with pytest.raises(VectorError, match="cannot be read"):
        verify(*pair)


def test_a_dump_is_no_larger_than_its_values_need(pair):
    """White space and comments have room, a gigabyte of them has not."""
    path = pair[1] / f"outputs/{deep_model().ops[0].output}.hex"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"\n", b"  // a comment of the simulator\n"))
    assert verify(*pair).equal
    path.write_bytes(whole + b"\n" * (2**16 + 128 * whole.count(b"\n")))
    with pytest.raises(VectorError, match=r"\.hex: more bytes than the limit"):
        verify(*pair)


def test_a_link_to_nothing_is_no_absent_file(pair):
    """It would be passed over; nor are devices and pipes read, which may never end."""
    path = pair[1] / f"outputs/{deep_model().ops[0].output}.npy"
    for target in ("nowhere", "/dev/zero"):
        path.unlink()
        path.symlink_to(target)
        with pytest.raises(VectorError, match="cannot be read"):
            verify(*pair)


def test_digits_are_those_of_the_dtype(tmp_path):
    """A small value of an int32 output is shown with eight digits, an int8 one with two."""
    model = next(
        m for m in map(random_model, range(99)) if m.tensor(m.ops[-1].output).dtype == "int32"
    )
    write_set(model, tmp_path / "set", count=2, formats=("npy",))
    path = f"outputs/{model.ops[-1].output}.npy"
    (tmp_path / "dut" / "outputs").mkdir(parents=True)
    array = np.load(tmp_path / "set" / path)
    want = int(array.flat[0])
    array.flat[0] = want ^ 1
    np.save(tmp_path / "dut" / path, array)
    text = str(verify(tmp_path / "set", tmp_path / "dut", partial=True))
    assert f"expected {want} (0x{want & 0xFFFFFFFF:08x})" in text


def test_formats_of_a_dump_must_agree(pair):
    model = deep_model()
    path = pair[1] / f"outputs/{model.ops[0].output}.npy"
    array = np.load(path)
    array.flat[0] ^= 1
    np.save(path, array)
    with pytest.raises(VectorError, match="say different things"):
        verify(*pair)


@pytest.mark.parametrize(
    "damage",
    [
        lambda a: a.astype(np.int16),
        lambda a: a[:-1],
        lambda a: a.astype(np.float32),
        lambda a: np.asfortranarray(a),
    ],
)
def test_dumps_of_another_shape_or_dtype_are_refused(pair, damage):
    path = pair[1] / f"outputs/{deep_model().ops[0].output}.npy"
    np.save(path, damage(np.load(path)))
    with pytest.raises(IntgoldError, match=r"outputs/"):
        verify(*pair)


def test_a_simulators_x_is_named_by_line(pair):
    path = pair[1] / f"outputs/{deep_model().ops[0].output}.hex"
    lines = path.read_text().splitlines()
    lines[7] = "xx"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(
        VectorError, match=r"line 8: image 0, h 0, w 3, c 0 \(word 6\): 'xx' is undefined"
    ):
        verify(*pair)


def test_exit_status(pair, capsys):
    """0 equal, 1 different, 2 bad input with one line on stderr."""
    vectors, dut = map(str, pair)
    assert main(["verify", vectors, "--dut", dut]) == 0
    assert "all equal" in capsys.readouterr().out
    tensor = deep_model().tensor(deep_model().ops[0].output)
    plant(pair[1], f"outputs/{tensor.name}.npy", (0,) * (1 + len(tensor.shape)), lambda v: v ^ 1)
    assert main(["verify", vectors, "--dut", dut]) == 1
    assert "first difference: op op0 (conv2d)" in capsys.readouterr().out
    (pair[0] / "manifest.json").write_text("")
    assert main(["verify", vectors, "--dut", dut]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
