"""Activations as unsigned bytes, offset binary (SPEC 10.4): in, out, and in whatever is said."""

import json
import zlib

import numpy as np
import pytest

import intgold
from intgold import Builder
from intgold.cli import main
from intgold.vectors.cases.stimulus import stimulus
from intgold.vectors.formats import FORMATS
from intgold.vectors.memory.layout_file import layout_document, parse_layout
from intgold.vectors.sets.generate import write_set
from intgold.vectors.sets.manifest import read_manifest
from intgold.vectors.sets.reader import read_entry, read_words
from intgold.vectors.sets.sv_package import read_package
from intgold.verify.locate import at_place, locate
from intgold.verify.signatures import signatures
from small_sets import IMAGES, layout_of, network, write_dump

UNSIGNED = '[default]\nencoding = "offset_binary"\n'
ENCODED = {"stimulus/image", "outputs/conv1", "outputs/lut1", "outputs/pool1"}
"""The int8 activations of the small network."""
PARAMETERS = {
    f"parameters/{name}"
    for name in ("conv1.weights", "conv1.weight_zero_point", "lut1.table", "fc1.weights",
                 "fc1.weight_zero_point")
}  # fmt: skip
"""The int8 parameters."""


def run():
    model = network()
    x = stimulus(model, "builtin", IMAGES)
    made = model.run(x, trace=True)
    return {f"outputs/{n}": t for n, t in made.tensors.items()} | {"stimulus/image": x["image"]}


@pytest.mark.parametrize("name", FORMATS)
def test_the_bytes_of_every_format(name, tmp_path):
    """Word by word they are q ^ 0x80, and the set reads as q; all else is in two's complement."""
    folder = tmp_path / "set"
    write_set(network(), folder, count=IMAGES, formats=[name],
              layout=layout_of(UNSIGNED, tmp_path))  # fmt: skip
    plan, files = read_manifest(folder)
    values = run()
    for entry in plan.entries:
        read = np.concatenate([*read_entry(folder, plan, entry)])
        assert read.dtype == entry.dtype
        if entry.path in values:
            assert np.array_equal(read, values[entry.path])
        parts = plan.files_of(entry, name)
        words = np.concatenate([*read_words(plan, [folder / f.path for f in parts], parts)])
        plain = b"".join(
            (int(v) + 128 if entry.path in ENCODED else int(v)).to_bytes(
                read.itemsize, "little", signed=v < 0 and entry.path not in ENCODED
            )
            for v in read.ravel()
        )
        assert words.tobytes() == plain, entry.path
    dtypes = {f.path: f.dtype for f in files}
    suffix = FORMATS[name].suffix
    assert {p for p in ENCODED if dtypes[p + suffix] == "uint8"} == ENCODED
    assert dtypes["outputs/fc1" + suffix] == "int32"
    assert dtypes["parameters/conv1.weights" + suffix] == "int8"


def test_plain_readers_see_unsigned_numbers(tmp_path):
    """NumPy, C and a hexadecimal file, each by its own means."""
    write_set(network(), tmp_path / "set", count=IMAGES, formats=["npy", "hex", "c", "sv"],
              layout=layout_of(UNSIGNED, tmp_path))  # fmt: skip
    want = run()["outputs/conv1"].astype(np.int16) + 128
    array = np.load(tmp_path / "set/outputs/conv1.npy")
    assert array.dtype == np.uint8 and np.array_equal(array, want)
    text = (tmp_path / "set/outputs/conv1.hex").read_text()
    assert "uint8 2x5x4x10, offset binary (q + 128)" in text.splitlines()[0]
    assert [int(v, 16) for v in text.splitlines()[1:]] == want.ravel().tolist()
    header = (tmp_path / "set/outputs/conv1.h").read_text()
    assert "static const uint8_t outputs_conv1[" in header
    package = read_package((tmp_path / "set/vectors_pkg.sv").read_text())
    assert package["OUTPUTS_CONV1_ZERO_POINT"] == 128 - 7
    assert package["STIMULUS_IMAGE_ZERO_POINT"] == 128 - 20


def test_what_a_set_says_of_it(tmp_path):
    """README, memory map and locate; a set of no such array says nothing of encodings."""
    for text, said in ((UNSIGNED, True), ("[default]\nword_bits = 16\n", False)):
        folder = tmp_path / str(said)
        folder.mkdir()
        write_set(network(), folder / "set", count=IMAGES, layout=layout_of(text, folder))
        readme = (folder / "set/README.md").read_text()
        assert ("offset binary (q + 128)" in readme) == said
        assert ("| outputs/conv1" in readme) and ("uint8 (q + 128)" in readme) == said
        table = (folder / "set/memory_map.txt").read_text()
        assert ("encoding" in table.splitlines()[0]) == ("offset_binary" in table) == said
        rows = json.loads((folder / "set/memory_map.json").read_text())
        found = {r["array"] for r in rows if r.get("encoding") == "offset_binary"}
        assert found == (ENCODED if said else set())
        assert all(("encoding" in row) == said for row in rows)
        for name in ("memory_map.h", "memory_map_pkg.sv"):
            held = (folder / "set" / name).read_text()
            assert ("outputs/conv1: offset binary (q + 128)" in held) == said
        value = int(run()["outputs/conv1"][1, 2, 3, 4]) + (128 if said else 0)
        spots = locate(folder / "set", "outputs/conv1", (1, 2, 3, 4))
        assert [s.value for s in spots] == [value] * 2
        (back,) = [
            s for s in at_place(folder / "set", f"{spots[1].file}:{spots[1].place.split()[1]}")
            if s.coordinate == (1, 2, 3, 4)
        ]  # fmt: skip
        assert back.value == value


def test_a_report_is_in_the_devices_numbers(tmp_path, capsys):
    """Expected and got are unsigned, said once; their difference and the accumulator as ever."""
    write_set(network(), tmp_path / "set", count=IMAGES, formats=["hex"],
              layout=layout_of(UNSIGNED, tmp_path))  # fmt: skip
    plan, _ = read_manifest(tmp_path / "set")
    entry = next(e for e in plan.entries if e.path == "outputs/conv1")
    y = run()["outputs/conv1"].copy()
    want = int(y[0, 1, 1, 3]) + 128
    y[0, 1, 1, 3] ^= 2
    write_dump(plan, tmp_path / "dut", "hex", {entry: y})
    arguments = ["verify", str(tmp_path / "set"), "--dut", str(tmp_path / "dut"), "--partial"]
    assert main([*arguments, "--products", "2", "--html", str(tmp_path / "page.html")]) == 1
    text = capsys.readouterr().out
    assert f"expected {want} (0x{want:02x})" in text
    assert f"got      {want ^ 2} (0x{want ^ 2:02x})" in text
    said = "in device encoding: offset binary (q + 128); causes and arithmetic are in q"
    assert text.count(said) == 1
    assert f"Got - expected: {(want ^ 2) - want:+d} 1 times" in text
    page = (tmp_path / "page.html").read_text()
    assert f"{want} (0x{want:02x})" in page and page.count(said) == 1


def test_a_dump_of_another_encoding(tmp_path, capsys):
    """By its own layout it is equal; by the set's, the encoding is the cause."""
    model = network()
    write_set(model, tmp_path / "set", count=IMAGES, formats=["hex"])
    write_set(model, tmp_path / "dut", count=IMAGES, formats=["hex"],
              layout=layout_of(UNSIGNED, tmp_path))  # fmt: skip
    arguments = ["verify", str(tmp_path / "set"), "--dut", str(tmp_path / "dut")]
    assert main([*arguments, "--layout", str(tmp_path / "layout.toml")]) == 0
    capsys.readouterr()
    assert main(arguments) == 1
    assert "  1. output_in_other_encoding\n" in capsys.readouterr().out


def test_padding_is_in_the_encoding(tmp_path):
    """A number is the stored byte, 0 to 255; zero_point is the tensor's, encoded."""
    for padding, octet in (('"zero_point"', 128 - 7), ("200", 200), ("0", 0)):
        text = (f'[output]\nencoding = "offset_binary"\nword_bits = 128\npadding = {padding}\n'
                'order = "NCHWc"\ntile = { c = 16 }\n')  # fmt: skip
        text += '[array."outputs/fc1"]\npadding = 0\n'
        write_set(network(), tmp_path / f"{octet}", count=1, formats=["bin"],
                  layout=layout_of(text, tmp_path))  # fmt: skip
        data = (tmp_path / f"{octet}/outputs/conv1.bin").read_bytes()
        lanes = np.frombuffer(data, np.uint8).reshape(-1, 16)
        assert (lanes[:, 10:] == octet).all()
        values = run()["outputs/conv1"][0].astype(np.int16).reshape(-1, 10)
        assert np.array_equal(lanes[:, :10], values + 128)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ('[stimulus]\nencoding = "offset_binary"\n', {"stimulus/image"}),
        ('[output]\nencoding = "offset_binary"\n', ENCODED - {"stimulus/image"}),
        (UNSIGNED + '[stimulus]\nencoding = "twos_complement"\n', ENCODED - {"stimulus/image"}),
        ('[array."outputs/pool1"]\nencoding = "offset_binary"\n', {"outputs/pool1"}),
        ('[parameter]\nencoding = "offset_binary"\n', PARAMETERS),
    ],
)
def test_which_arrays_a_table_is_for(text, encoded, tmp_path):
    """Of default the activations; of a role or a path what it names."""
    write_set(network(), tmp_path / "set", count=1, formats=["npy"],
              layout=layout_of(text, tmp_path))  # fmt: skip
    plan, files = read_manifest(tmp_path / "set")
    dtypes = {f.path.removesuffix(".npy"): f.dtype for f in files}
    assert {e.path for e in plan.entries if dtypes[e.path] != e.dtype} == encoded


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[output]\nencoding = "unsigned"\n', "'unsigned' is none of twos_complement"),
        ('[accumulator]\nencoding = "offset_binary"\n', "accumulator: encoding is of int8 arrays"),
        ('[partial]\nencoding = "offset_binary"\n', "partial: encoding is of int8 arrays"),
        ('[array."outputs/fc1"]\nencoding = "offset_binary"\n', "outputs/fc1: encoding is of int8"),
        (UNSIGNED + "[output]\npadding = -1\n", "padding -1 is no uint8"),
        (UNSIGNED + "[output]\npadding = 256\n", "padding 256 is no uint8"),
    ],
)
def test_an_encoding_without_effect_is_refused(text, message, tmp_path, capsys):
    """One line, exit status 2."""
    network().save(tmp_path / "small.npz")
    (tmp_path / "layout.toml").write_text(text)
    assert main(["vectors", str(tmp_path / "small.npz"), "--layout", str(tmp_path / "layout.toml"),
                 "-o", str(tmp_path / "set")]) == 2  # fmt: skip
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "set").exists()


def test_signatures_are_of_the_stored_bytes(tmp_path):
    """A chip with unsigned bytes computes the CRC-32 of these."""
    write_set(network(), tmp_path / "set", count=1, formats=["hex"],
              layout=layout_of(UNSIGNED, tmp_path))  # fmt: skip
    told = {t.array: t.signature for t in signatures(tmp_path / "set", (99, 99, 99))}
    values = run()
    for path in ENCODED - {"stimulus/image"}:
        assert told[path] == zlib.crc32((values[path][0].view(np.uint8) ^ 0x80).tobytes())
    assert told["outputs/fc1"] == zlib.crc32(values["outputs/fc1"][0].tobytes())


def test_an_unsigned_stimulus(tmp_path, capsys):
    """uint8 for an input without a scale: by the layout the device's bytes, else what to do."""
    network().save(tmp_path / "small.npz")
    rng = np.random.default_rng(3)
    octets = rng.integers(0, 256, (2, 5, 4, 3)).astype(np.uint8)
    np.save(tmp_path / "x.npy", octets)
    layout_of(UNSIGNED, tmp_path)
    arguments = ["vectors", str(tmp_path / "small.npz"), "--stimulus", str(tmp_path / "x.npy"),
                 "--count", "2", "--format", "npy"]  # fmt: skip
    assert main([*arguments, "-o", str(tmp_path / "set")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    for part in ("x.npy", "no scale", "(x ^ 0x80).view(numpy.int8)", 'encoding = "offset_binary"'):
        assert part in error
    layout = ["--layout", str(tmp_path / "layout.toml")]
    assert main([*arguments, *layout, "-o", str(tmp_path / "set")]) == 0
    assert np.array_equal(np.load(tmp_path / "set/stimulus/image.npy"), octets)
    write_set(network(), tmp_path / "given", source={"image": octets}, formats=["npy"],
              layout=layout_of(UNSIGNED, tmp_path))  # fmt: skip
    assert np.array_equal(np.load(tmp_path / "given/stimulus/image.npy"), octets)
    plan, _ = read_manifest(tmp_path / "set")
    (x,) = read_entry(tmp_path / "set", plan, next(e for e in plan.entries if e.role == "stimulus"))
    assert np.array_equal(x.astype(np.int16) + 128, octets)


def test_a_camera_stays_a_camera_where_there_is_a_scale(tmp_path):
    """Bytes of an MNIST-like input are x ^ 0x80 either way, so that nothing hangs on the layout."""
    model = intgold.load()
    octets = np.arange(784, dtype=np.uint16).astype(np.uint8).reshape(1, 28, 28, 1)
    np.save(tmp_path / "x.npy", octets)
    for name, text in (("plain", ""), ("unsigned", UNSIGNED)):
        write_set(model, tmp_path / name, source=tmp_path / "x.npy", count=1, formats=["npy"],
                  ops=["fc"], layout=layout_of(text, tmp_path))  # fmt: skip
    assert np.array_equal(np.load(tmp_path / "unsigned/stimulus/image.npy"), octets)
    assert np.array_equal(
        np.load(tmp_path / "plain/outputs/logits.npy"),
        np.load(tmp_path / "unsigned/outputs/logits.npy"),
    )


def test_inherited_zero_points():
    """Pools and what only moves values stand for the same reals; what is given counts more."""
    builder = Builder("mine")
    x = builder.input("image", (4, 4, 2), scale=0.5, zero_point=-128)
    made = [
        builder.op("max_pool2d", x, kernel=2),
        builder.op("avg_pool2d", x, kernel=2, form="centred_away"),
        builder.op("pad", x, before=(1, 0, 0), after=(0, 1, 0), value=-128),
        builder.op("reshape", x, shape=(32, 0, 0)),
        builder.op("concat", x, x, axis=2),
    ]
    assert [(builder.tensor(n).scale, builder.tensor(n).zero_point) for n in made] == [
        (0.5, -128)
    ] * 5
    given = builder.op("max_pool2d", x, kernel=2, scale=2.0, zero_point=0)
    assert (builder.tensor(given).scale, builder.tensor(given).zero_point) == (2.0, 0)
    other = builder.op("lut", x, table=np.zeros(256, int), zero_point=9)
    assert builder.tensor(other).scale is None
    joined = builder.tensor(builder.op("concat", x, other, axis=0))
    assert (joined.scale, joined.zero_point) == (None, 0)


def test_a_pool_by_hand_keeps_its_reals():
    """The mean of cells that all stand for one real stands for it too, whatever the zero point."""
    builder = Builder("mine")
    x = builder.input("image", (2, 2, 1), zero_point=-128)
    model = builder.model(builder.op("avg_pool2d", x, kernel=2, form="centred_away"))
    x = np.full((1, 2, 2, 1), -100, np.int8)
    assert model.run(x).output.tolist() == [[[[-100]]]]


def test_a_manifest_has_the_key_where_it_was_given():
    """So the sets of a version that did not know it are what they were, and load."""
    for table in ({"word_bits": 16}, {"encoding": "offset_binary"}):
        assert layout_document(parse_layout("x", {"output": table}))["output"] == table
