"""Stimulus and vector sets: the same command gives the same bytes; nothing damaged is read."""

import functools
import hashlib
import itertools
import json
import shutil

import numpy as np
import pytest

import intgold
from intgold import DataError, InputError, IntgoldError, VectorError
from intgold.cli import main
from intgold.ops.fields import FORMS, SINGLE_FORMS
from intgold.support.safe_files import canonical_json
from intgold.vectors.cases.random_models import random_inputs, random_model
from intgold.vectors.cases.requantize import (
    case_lines,
    read_case_lines,
    requantize_groups,
    tie_operands,
)
from intgold.vectors.cases.stimulus import builtin, stimulus
from intgold.vectors.sets.generate import write_set
from intgold.vectors.sets.manifest import read_manifest
from intgold.vectors.sets.reader import read_runs


def model_with(kind):
    return next(m for m in map(random_model, range(500)) if any(o.kind == kind for o in m.ops))


@pytest.fixture
def small():
    return random_model(0)


def test_an_image_depends_on_seed_and_index_only(small):
    """Any range gives the images of the whole; seeds and images differ."""
    whole = stimulus(small, "builtin", 40, 3)["in0"]
    assert np.array_equal(builtin(small, 17, 9, 3)["in0"], whole[17:26])
    assert not np.array_equal(stimulus(small, "builtin", 40, 4)["in0"], whole)
    model = intgold.load()
    images = stimulus(model, "builtin", 400, 0)["image"]
    assert images.dtype == np.int8 and images.shape == (400, 28, 28, 1)
    distinct = {image.tobytes() for image in images}
    assert len(distinct) > 350
    assert {-128, 127} <= set(images.ravel().tolist())


MASK, GOLDEN = 2**64 - 1, 0x9E3779B97F4A7C15


def mix(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def plain_byte(w, i, at, shape, zero):
    """One byte of SPEC 11 with Python's own integers; `w` gives word k."""
    (y, x, c), (height, width, channels) = at, shape
    flat = (y * width + x) * channels + c
    kind = ("strokes", "uniform", "corner", "ramp", "strokes", "checker", "strokes", "uniform")[
        i % 8
    ]
    if kind == "uniform":
        return w(flat) >> 56
    if kind == "ramp":
        return (w(0) % 32 * y + w(1) % 32 * x + 37 * c + w(2) % 256) % 256
    if kind == "checker":
        odd = (y // (1 + w(0) % 8) + x // (1 + w(1) % 8) + c) % 2
        return w(3) % 256 if odd else w(2) % 256
    if kind == "corner":
        ends_y, ends_x = y in (0, height - 1), x in (0, width - 1)
        here = flat == w(0) % (height * width * channels)
        return (
            0, 255, 128, zero + 128, 255 * here, 255 - 255 * here,
            255 * (ends_y and ends_x), 255 * (ends_y or ends_x),
        )[i // 8 % 8]  # fmt: skip
    points = [(w(1 + 2 * j) % height, w(2 + 2 * j) % width) for j in range(2 + w(0) % 4)]
    distances = []
    for (ay, ax), (by, bx) in itertools.pairwise(points):
        dy, dx = by - ay, bx - ax
        length = max(dy * dy + dx * dx, 1)
        t = min(max((y - ay) * dy + (x - ax) * dx, 0), length)
        ny = ay + (2 * t * dy + length) // (2 * length)
        nx = ax + (2 * t * dx + length) // (2 * length)
        distances.append((y - ny) ** 2 + (x - nx) ** 2)
    d, r = min(distances), max(1, min(height, width) // 28) ** 2
    byte = 255 if d <= r else 170 if d <= 2 * r else 85 if d <= 4 * r else 0
    return byte // 2 if c % 2 else byte


@pytest.mark.parametrize("shape", [(28, 28, 1), (5, 9, 3), (57, 60, 2), (1, 7, 4), (1, 1, 6)])
def test_builtin_images_by_plain_arithmetic(shape):
    """The generator of SPEC 11 with Python's own integers: every class, every corner image."""
    stored = {(1, 7, 4): (7, 4), (1, 1, 6): (6,)}.get(shape, shape)
    fields = {"table": np.zeros(256, np.int8)}
    model = intgold.Model(
        "plain",
        [intgold.Tensor("a", stored, zero_point=-5), intgold.Tensor("b", stored)],
        [intgold.Op("lut", "op", ("a",), "b", fields)], ["a"], ["b"],
    )  # fmt: skip
    seed, count = 2**31 - 1, 72 if shape == (28, 28, 1) or shape[0] < 6 else 9
    images = stimulus(model, "builtin", count, seed)["a"].reshape(count, *shape)
    for i in range(count):
        key = mix(mix((seed * GOLDEN + i) & MASK))
        w = functools.cache(lambda k, key=key: mix((key + (k + 1) * GOLDEN) & MASK))
        want = [plain_byte(w, i, at, shape, -5) - 128 for at in np.ndindex(shape)]
        assert images[i].ravel().tolist() == want, f"image {i}"


def test_builtin_int32_and_second_inputs():
    """The upper half of each word; the key of an input holds its position."""
    model = next(m for m in map(random_model, range(999)) if len(m.inputs) == 2)
    pair = stimulus(model, "builtin", 2, 0)
    key = mix((mix(1) + 1) & MASK)
    first = mix((key + GOLDEN) & MASK) >> 56
    assert pair[model.inputs[1]][1].flat[0] == first - 128
    wide = next(m for m in map(random_model, range(999)) if m.tensor(m.inputs[0]).dtype == "int32")
    values = stimulus(wide, "builtin", 1, 7)[wide.inputs[0]].ravel()
    key = mix(mix(7 * GOLDEN & MASK))
    for n, value in enumerate(values.tolist()):
        word = mix((key + (n + 1) * GOLDEN) & MASK)
        assert value & (2**32 - 1) == word >> 32


@pytest.mark.parametrize("seed", range(60))
def test_every_input_shape_gets_a_stimulus(seed):
    """Rank 1 to 3, int8 and int32, several inputs: right dtype and shape."""
    model = random_model(seed)
    x = stimulus(model, "builtin", 17, 0)
    assert list(x) == list(model.inputs)
    for name, array in x.items():
        assert array.shape == (17, *model.tensor(name).shape)
        assert array.dtype == model.tensor(name).dtype and len(np.unique(array)) > 1
    model.run(x)


def test_wrong_stimuli_are_refused(small, tmp_path):
    for arguments in (("builtin", 0), ("builtin", 2, -1), ("builtin", 2.5)):
        with pytest.raises(InputError, match="count|seed"):
            stimulus(small, *arguments)
    with pytest.raises(DataError, match="nowhere"):
        stimulus(small, tmp_path / "nowhere.npy", 2)
    for array in (np.zeros((2, 3)), np.zeros((2, 3), np.int8), np.array(5, np.uint8)):
        np.save(tmp_path / "x.npy", array)
        with pytest.raises(DataError, match=r"x\.npy"):
            stimulus(intgold.load(), tmp_path / "x.npy", 1)
    np.save(tmp_path / "x.npy", np.zeros((2, 28, 28), np.uint8))
    assert stimulus(intgold.load(), tmp_path / "x.npy", 2)["image"].shape == (2, 28, 28, 1)
    with pytest.raises(InputError, match="2 images, 3 are asked for"):
        stimulus(intgold.load(), tmp_path / "x.npy", 3)


def test_a_stimulus_that_memory_cannot_hold(small, monkeypatch):
    """The error names the inputs and their size."""
    from intgold.vectors.cases import stimulus as module

    def fail(*arguments):
        raise MemoryError("Unable to allocate 9 GiB")

    monkeypatch.setattr(module, "_draw", fail)
    with pytest.raises(InputError, match=r"not enough memory for 5 images of in0 \(.*9 GiB"):
        stimulus(small, "builtin", 5)


def digest_of(folder):
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    assert files
    parts = [p.relative_to(folder).as_posix().encode() + p.read_bytes() for p in files]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_same_command_same_bytes(small, tmp_path):
    """Twice, over an old set, and by either engine; another seed gives others."""
    write_set(small, tmp_path / "a", count=5, seed=1)
    first = digest_of(tmp_path / "a")
    write_set(small, tmp_path / "b", count=3, seed=2)
    assert digest_of(tmp_path / "b") != first
    write_set(small, tmp_path / "b", count=5, seed=1, backend="c")
    assert digest_of(tmp_path / "b") == first
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_blocks_do_not_change_a_byte(small, tmp_path, monkeypatch):
    from intgold.vectors.sets import plan

    write_set(small, tmp_path / "a", count=9)
    monkeypatch.setattr(plan, "_BLOCK_IMAGES", 2)
    write_set(small, tmp_path / "b", count=9)
    assert digest_of(tmp_path / "a") == digest_of(tmp_path / "b")


def test_a_set_holds_everything_in_every_format(tmp_path):
    """Stimulus, outputs, accumulators and parameters come back as the model has them."""
    for kind in ("conv2d", "pwl", "add", "rescale"):
        model = model_with(kind)
        folder = tmp_path / kind
        write_set(model, folder, count=3)
        plan, listed = read_manifest(folder)
        assert plan.model.sha256 == model.sha256 and len(listed) > len(plan.files)
        run = model.run(stimulus(model, "builtin", 3, 0), trace=True)
        seen = {"output": 0, "accumulator": 0, "parameter": 0, "stimulus": 0}
        for of in plan.files:
            file = of.entry
            parts = list(read_runs(plan, [folder / of.path], [of]))
            array = np.concatenate(parts) if file.images else parts[0][0]
            seen[file.role] += 1
            if file.role == "output":
                assert np.array_equal(array, run.tensors[file.name])
            elif file.role == "accumulator":
                assert np.array_equal(array, run.accumulators[file.name])
            elif file.role == "stimulus":
                assert np.array_equal(array, stimulus(model, "builtin", 3, 0)[file.name])
            else:
                op = next(o for o in model.ops if o.name == file.owner)
                value = op[file.name.split(".")[0]]
                if "." in file.name:
                    value = getattr(value, file.name.split(".")[1])
                assert np.array_equal(array, value)
        assert seen["output"] == 2 * len(model.ops)
        assert seen["accumulator"] == 2 * len(run.accumulators)


def _edit(change):
    def apply(folder):
        path = folder / "manifest.json"
        document = json.loads(path.read_bytes())
        change(document)
        document.pop("sha256")
        document["sha256"] = hashlib.sha256(canonical_json(document)).hexdigest()
        path.write_bytes(canonical_json(document))

    return apply


def _restate(folder, path):
    """Let the manifest tell the digest of what lies at `path` now."""
    digest = hashlib.sha256((folder / path).read_bytes()).hexdigest()
    files = json.loads((folder / "manifest.json").read_bytes())["files"]
    at = [file["path"] for file in files].index(path)
    _edit(lambda d: d["files"][at].update(sha256=digest))(folder)


def _other_parameter(folder):
    path = next(folder.glob("parameters/*.npy"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    _restate(folder, path.relative_to(folder).as_posix())


def _link(folder):
    path = next(folder.glob("outputs/*.npy"))
    path.rename(folder.parent / "elsewhere.npy")
    path.symlink_to(folder.parent / "elsewhere.npy")


def _no_format_of_one(folder):
    path = next(folder.glob("outputs/*.hex"))
    path.unlink()
    name = path.relative_to(folder).as_posix()
    _edit(lambda d: d.update(files=[f for f in d["files"] if f["path"] != name]))(folder)


def _model_alone(folder):
    for path in folder.glob("*/*"):
        path.unlink()
    _edit(lambda d: d.update(files=d["files"][:1]))(folder)


def _flip(folder):
    path = next(folder.glob("outputs/*.npy"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "manifest.json").unlink(), "manifest.json"),
        (lambda f: (f / "manifest.json").write_text("{"), "manifest.json"),
        (lambda f: (f / "manifest.json").write_text("{}"), "manifest.json"),
        (lambda f: next(f.glob("outputs/*.hex")).unlink(), "missing or not of this set"),
        (lambda f: (f / "surplus.txt").write_text("x"), "surplus.txt is missing or not"),
        (_flip, "does not match its sha256"),
        (_edit(lambda d: d.update(version=3)), "version 3"),
        (_edit(lambda d: d.update(colour="red")), "not a manifest"),
        (_edit(lambda d: d["files"][0].update(path="../../etc/passwd")), "is not one of a set"),
        (_edit(lambda d: d["files"][0].update(path="/etc/passwd")), "is not one of a set"),
        (_edit(lambda d: d["files"][0].update(path=7)), "file {"),
        (_edit(lambda d: d["files"].append(d["files"][0])), "twice"),
        (_edit(lambda d: d["files"].clear()), "no model.npz"),
        (_edit(lambda d: d.update(files=7)), "file 7"),
        (_edit(lambda d: d.update(files=[7])), "file 7"),
        (_edit(lambda d: d["files"].reverse()), "is described as"),
        *(
            (_edit(lambda d, i=i, change=change: d["files"][i].update(change)), "is described as")
            for i in (0, 1, -1)
            for change in (
                {"role": "spy"},
                {"role": []},
                {"owner": "nobody"},
                {"name": 3},
                {"shape": [-1]},
                {"shape": [True]},
                {"dtype": "float32"},
                {"bank": 1},
                {"format": "bin"},
                {"colour": "red"},
            )
        ),
        (_edit(lambda d: d["ops"].pop()), "ops is not what"),
        (_edit(lambda d: d["ops"][0].pop("kind")), "ops is not what"),
        (_edit(lambda d: d["ops"][0].update(name=3)), "ops is not what"),
        (_edit(lambda d: d.update(ops=7)), "ops is not what"),
        (_edit(lambda d: d.update(contract="theirs")), "contract is not what"),
        (_edit(lambda d: d["model"].update(sha256="0")), "model is not what"),
        (_edit(lambda d: d.update(spec=1.1)), "is not text"),
        (_edit(lambda d: d.update(tool="mine")), "tool 'mine'"),
        (_edit(lambda d: d["tool"].update(name=None)), "is not text"),
        (_edit(lambda d: d["stimulus"].update(images=[[0, 3]])), "is described as"),
        (_edit(lambda d: d["stimulus"].update(images=[[0, True]])), "images"),
        (_edit(lambda d: d["stimulus"].update(seed=-1)), "seed: -1"),
        (_edit(lambda d: d["stimulus"].update(source="mnist")), "stimulus {"),
        (_edit(lambda d: d["stimulus"].update(images=[])), "0 ranges"),
        (_edit(lambda d: d["stimulus"].update(images=[[1, 3], [0, 1]])), "appears twice"),
        (_edit(lambda d: d.update(shard=[2, 2])), "shard"),
        (_edit(lambda d: d.update(partials="ic:0")), "not a loop order"),
        (_edit(lambda d: d.update(partials="ic:1")), "is missing"),
        (_edit(lambda d: d.update(formats=["hex"])), "is described as|is not what"),
        (_edit(lambda d: d.update(compression="zip")), "compression 'zip'"),
        (_edit(lambda d: d["layout"].update(colour=1)), "no table of a layout"),
        (_edit(lambda d: d["layout"].update(default={"word_bits": 16})), "is missing"),
        (_edit(lambda d: d["selection"].update(ops=["nobody"])), "op 'nobody'"),
        (_edit(lambda d: d["stimulus"].pop("seed")), "stimulus {"),
        (_edit(lambda d: d.update(stimulus=[])), r"stimulus \[\]"),
        (_edit(lambda d: d.update(version=True)), "version True"),
        (_other_parameter, "is not what model.npz demands"),
        (_link, "not a plain file"),
        (_no_format_of_one, "is missing"),
        (_model_alone, "is missing"),
    ],
)
def test_damaged_sets_are_refused(small, tmp_path, damage, message):
    write_set(small, tmp_path / "set", count=2)
    read_manifest(tmp_path / "set")
    damage(tmp_path / "set")
    with pytest.raises(VectorError, match=message) as caught:
        read_manifest(tmp_path / "set")
    assert "\n" not in str(caught.value)


def test_a_changed_manifest_is_refused(small, tmp_path):
    """Its digest covers every field."""
    write_set(small, tmp_path / "set", count=2)
    path = tmp_path / "set" / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"seed": 0', b'"seed": 1'))
    with pytest.raises(VectorError, match="does not match its sha256"):
        read_manifest(tmp_path / "set")


def test_other_folders_are_never_replaced(small, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for manifest in (None, "{}", '{"name": "a web page"}', "["):
        if manifest is not None:
            (tmp_path / "manifest.json").write_text(manifest)
        with pytest.raises(VectorError, match="it holds .*is no vector set of intgold"):
            write_set(small, tmp_path)
        assert (tmp_path / "notes.txt").read_text() == "mine"
    (tmp_path / "manifest.json").unlink()
    write_set(small, tmp_path / "set", count=2)
    (tmp_path / "set" / "my_notes.txt").write_text("mine")
    with pytest.raises(VectorError, match=r"my_notes\.txt is not of the vector set"):
        write_set(small, tmp_path / "set")
    with pytest.raises(VectorError, match="there is a file of that name"):
        write_set(small, tmp_path / "notes.txt")
    (tmp_path / "set" / "my_notes.txt").unlink()
    next((tmp_path / "set").glob("outputs/*.hex")).unlink()  # a damaged set may be made anew
    write_set(small, tmp_path / "set", count=2)
    read_manifest(tmp_path / "set")
    with pytest.raises(VectorError, match="choose of"):
        write_set(small, tmp_path / "new", formats=("oct",))
    assert not (tmp_path / "new").exists()


def test_a_failure_leaves_nothing(small, tmp_path, monkeypatch):
    """A run that breaks half way: no folder, no temporary one, and an old set stays whole."""
    from intgold.vectors.sets import generate

    write_set(small, tmp_path / "set", count=2)
    before = digest_of(tmp_path / "set")

    def broken(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(generate, "run", broken)
    with pytest.raises(IntgoldError, match="No space left"):
        write_set(small, tmp_path / "set", count=3)
    assert digest_of(tmp_path / "set") == before
    assert [p.name for p in tmp_path.iterdir()] == ["set"]
    shutil.rmtree(tmp_path / "set")


@pytest.mark.parametrize("form", FORMS)
def test_case_files_come_back_and_agree_with_c(form):
    """What is read is what was written; the C engine gives every R(acc) that fits int32."""
    cases = read_case_lines(case_lines(form, requantize_groups(form)))
    assert len(cases) > 250
    for acc, m, t, low, result in cases:
        pre_shifted = form.startswith("double") and t < 31
        if abs(result) < 2**31 and not pre_shifted:
            by = intgold.Requantize.of(m, t, form, low)
            x = np.array([[[acc]]], np.int32)
            assert intgold.native.rescale(x, requantize=by).item() == result


def test_tie_cases_tell_the_single_forms_apart():
    """For every pair of single forms some tie gives different results."""
    tables = {
        form: [c[-1] for c in read_case_lines(case_lines(form, iter([("", tie_operands())])))]
        for form in SINGLE_FORMS
    }
    assert len({tuple(t) for t in tables.values()}) == 5


def test_a_stimulus_of_ones_own_is_taken_whole(tmp_path, capsys):
    """All images of a file or folder by default, 16 of what has no end; never fewer than asked."""
    images = np.random.default_rng(2).integers(0, 256, (32, 28, 28), np.uint8)
    np.save(tmp_path / "x.npy", images)
    (tmp_path / "folder").mkdir()
    np.save(tmp_path / "folder" / "image.npy", images[:20])
    line = ["vectors", "lut", "--backend", "c", "--format", "bin", "-o", str(tmp_path / "set")]
    for more, count in (
        (["--stimulus", str(tmp_path / "x.npy")], 32),
        (["--stimulus", str(tmp_path / "folder")], 20),
        (["--stimulus", str(tmp_path / "x.npy"), "--count", "5"], 5),
        (["--stimulus", str(tmp_path / "x.npy"), "--images", "0,30-31"], 3),
        ([], 16),
    ):
        assert main([*line, *more]) == 0
        assert capsys.readouterr().out.startswith(f"{count} images, ")
        plan, _ = read_manifest(tmp_path / "set")
        assert plan.count == count
        made = (tmp_path / "set" / "stimulus" / "image.bin").read_bytes()
        if count == 32:
            assert made == (images ^ 0x80).tobytes()
    for more, told in (
        (["--count", "33"], "x.npy: 32 images, 33 are asked for (count); give at most 32"),
        (["--images", "0,32"], "images: 32 is asked for, the stimulus has 0 to 31"),
    ):
        assert main([*line, "--stimulus", str(tmp_path / "x.npy"), *more]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and told in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (dict(seed=1, kinds=()), "kinds: none instead of ops such as"),
        (dict(seed=1, kinds=("lut", "zz")), "kinds: 'zz' instead of ops such as"),
        (dict(seed=1, max_ops=0), "max_ops: 0 is not from 1 to 10000"),
        (dict(seed=-1), "seed: -1 is not from 0"),
    ],
)
def test_a_random_model_of_nothing_is_refused(arguments, said):
    """The argument, what was given, what may be."""
    with pytest.raises(InputError, match=said):
        random_model(**arguments)


def test_chunks_of_no_images_are_refused():
    """At the call, before anything runs."""
    from intgold.run import traced_chunks

    model = intgold.load()
    with pytest.raises(InputError, match="chunk: 0 instead of 1 image or more"):
        traced_chunks(model, random_inputs(model, 2, 0), "c", chunk=0)
