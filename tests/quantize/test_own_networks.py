"""Networks that are no pictures: vectors, sequences, several inputs, as users write them."""

import csv
import re
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import intgold
import tools
from intgold import InputError, ModelError
from intgold.cli import main

DOCS = Path(__file__).parents[2] / "docs"
NOISE, NOISE_OF_THE_CLIPPED = 20, 15
"""Signal to noise in dB that every tensor keeps at least; see `signal_to_noise`.

Int8 keeps some 40 of a tensor that fills its range, and loses from layer to layer.  Calibration by
a percentile cuts the largest values off, and a maximum over the image keeps just these.
"""


@pytest.fixture(autouse=True)
def _torch():
    tools.need("torch")


def both(model, batch):
    """Run both engines; return the int output after asserting that every value is equal."""
    q = {name: model.quantize_input(x, name) for name, x in batch.items()}
    golden, c = (model.run(q, backend=b, trace=True) for b in ("golden", "c"))
    assert golden.tensors.keys() == c.tensors.keys()
    for name in golden.tensors:
        assert np.array_equal(golden.tensors[name], c.tensors[name]), name
    for name in golden.accumulators:
        assert np.array_equal(golden.accumulators[name], c.accumulators[name]), name
    return c.output


def logits_of(module, examples):
    """What the module gives before the softmax or argmax that it may end in."""
    import torch
    from torch import nn
    from torch.nn import functional

    kept = {f: getattr(functional, f) for f in ("softmax", "log_softmax")}
    argmax = torch.Tensor.argmax
    try:
        for f in kept:
            setattr(functional, f, lambda x, dim: x)
        torch.Tensor.argmax = lambda x, dim: x
        with torch.no_grad():
            made = module(*examples)
    finally:
        for f, function in kept.items():
            setattr(functional, f, function)
        torch.Tensor.argmax = argmax
    assert isinstance(module, nn.Module)
    return made.numpy().astype(np.float64)


@cache
def quantised(kind):
    from intgold.quantize import quantize
    from stranger_networks import examples, trained

    x = examples(kind, 64)
    return quantize(trained(kind), x if len(x) > 1 else x[0]), x


@pytest.mark.parametrize("multiplier_bits", [31, 4])
def test_networks_of_strangers(multiplier_bits, full):
    """Half of them with each width (with full counts all with both).

    Each is taken: imported exactly (2e-5 of the largest output, float32's rounding), golden = C
    in every value and close to float (NOISE dB); or every layer is listed.
    """
    import torch

    from intgold.quantize import quantize
    from intgold.quantize.pytorch.module import network_and_batch
    from random_own_networks import signal_to_noise
    from stranger_networks import NETWORKS, examples, trained

    taken = 0
    for kind in NETWORKS if full else NETWORKS[multiplier_bits == 4 :: 2]:
        module, x = trained(kind), examples(kind, 64)
        if kind.refused:
            with pytest.raises(ModelError) as caught:
                quantize(module, x)
            found = re.findall(r"layer ([^:]*): ", str(caught.value))
            assert tuple(found) == kind.refused, kind
            continue
        model = quantize(module, x if len(x) > 1 else x[0], multiplier_bits=multiplier_bits)
        want = logits_of(module, x)
        named = dict(zip(model.inputs, (part.numpy() for part in x), strict=True))
        both(model, named)
        network, batch = network_and_batch(module, x)
        apart = np.abs(network.run(batch).reshape(want.shape) - want).max() / np.abs(want).max()
        assert apart < 2e-5, (kind, apart)
        noise = signal_to_noise(network, model, batch)
        assert noise > NOISE, (kind, noise)
        with torch.no_grad():
            # Float against float: logits recomputed by torch may differ in their last bits.
            ends_in_host = not np.allclose(module(*x).numpy().reshape(-1)[:9], want.reshape(-1)[:9])
        assert ends_in_host == ("left_to_host" in model.metadata), kind
        taken += 1
    assert taken == (13 if full else 6 + (multiplier_bits == 31))


def test_random_networks(full):
    """Sixteen modules (with full counts 160) of every block: exact in float, golden = C, close.

    The imported network is the module's, to rounding: 2e-5 of its largest output, where a wrong
    layer or values in another order give 1e-2 and more.  The integers are within NOISE dB of it.
    """
    from random_own_networks import BLOCKS, HEADS, KINDS, outcome

    seen = {kind: set() for kind in KINDS}
    for seed in range(160 if full else 16):
        found = outcome(seed)
        module, tally = found.module, found.tally
        what = (seed, module.kind, module.kinds, module.head)
        seen[module.kind] |= {*module.kinds, module.head}
        assert found.apart < 2e-5, (what, found.apart)
        assert tally.values > 0 and tally.differing == 0, what
        clipped = found.calibration.startswith("percentile")
        assert found.noise > (NOISE_OF_THE_CLIPPED if clipped else NOISE), (what, found.noise)
    for kind in KINDS:
        assert seen[kind] >= {*BLOCKS[kind], *HEADS[kind]} or kind == "pair", kind
    assert seen["pair"] >= set(HEADS["pair"])


def test_torch_runs_the_imported_network_alike():
    """The float network in torch, as `compare` times it, gives what it gives in NumPy."""
    import torch

    from intgold.quantize.pytorch.module import network_and_batch
    from intgold.quantize.pytorch.runner import torch_runner
    from random_own_networks import RandomNetwork

    for seed in range(0, 16, 2):
        module = RandomNetwork(seed).eval()
        x = [torch.randn(5, *shape) for shape in module.shapes]
        network, batch = network_and_batch(module, x)
        want = network.run(batch)
        assert np.abs(torch_runner(network)(batch) - want).max() < 2e-5 * np.abs(want).max(), seed


def downstream():
    from stranger_networks import DsCnn, EcgCNN, MobileNetLike, PairMLP, Siamese, TabularMLP

    return {kind.__name__: kind for kind in (TabularMLP, EcgCNN, PairMLP, Siamese, DsCnn,
                                             MobileNetLike)}  # fmt: skip


NAMES = ("TabularMLP", "EcgCNN", "PairMLP", "Siamese", "DsCnn", "MobileNetLike")


@pytest.mark.parametrize("name", NAMES)
def test_everything_downstream(name, tmp_path, capsys):
    """Artefact, vectors, verify, data sheet and simulation of vectors, sequences and pairs."""
    from intgold.quantize.simulate import deviations
    from intgold.vectors.cases.stimulus import stimulus

    model, _ = quantised(downstream()[name])
    path, golden = str(tmp_path / "m.npz"), str(tmp_path / "golden")
    model.save(path)
    assert intgold.load(path).sha256 == model.sha256
    assert main(["vectors", path, "--count", "5", "-o", golden]) == 0
    assert main(["verify", golden, "--dut", golden]) == 0
    values = sorted((tmp_path / "golden" / "outputs").iterdir())
    assert len(values) >= len(model.ops)
    dump = tmp_path / "dump"
    shutil.copytree(golden, dump)
    (first,) = (dump / "outputs").glob(f"{model.ops[0].output}.npy")
    spoilt = np.load(first)
    spoilt.flat[-1] ^= 5
    np.save(first, spoilt)
    first.with_suffix(".hex").unlink()
    capsys.readouterr()
    assert main(["verify", golden, "--dut", str(dump)]) == 1
    assert f"first difference: op {model.ops[0].name}" in capsys.readouterr().out
    assert main(["info", path, "--sheet", str(tmp_path / "sheet.md")]) == 0
    assert all(op.name in (tmp_path / "sheet.md").read_text() for op in model.ops)
    capsys.readouterr()
    assert main(["info", path]) == 0
    said = capsys.readouterr().out
    assert f"input_order: {model.metadata['input_order']}" in said
    assert ("left_to_host: softmax" in said) == (name == "TabularMLP")
    x = stimulus(model, "builtin", 8, 3)
    assert {n: a.shape for n, a in x.items()} == {
        n: (8, *model.tensor(n).shape) for n in model.inputs
    }
    assert (
        max(d.largest for d in deviations(model, x)) <= 8
        or model.tensor(model.outputs[0]).dtype == "int32"
    )


def test_c_export(tmp_path):
    """Compiled in and run without Python: the digests of the golden model."""
    tools.need("gcc")
    from compilers import BUILDS, Runner
    from intgold.run.digests import tensor_digests
    from intgold.vectors.cases.stimulus import stimulus

    models = [quantised(kind)[0] for kind in downstream().values()]
    runs = [(model, stimulus(model, "builtin", 8, 3)) for model in models]
    runner = Runner(BUILDS[0], models, tmp_path)
    for (model, x), found in zip(runs, runner.digests_of_all(runs), strict=True):
        assert found == tensor_digests(model, x, backend="golden"), model.name


def data_folder(folder, x, names):
    """Write examples as a user would: one .npy, or a folder with one for each input."""
    if len(x) == 1:
        np.save(folder.with_suffix(".npy"), x[0].numpy())
        return str(folder.with_suffix(".npy"))
    folder.mkdir()
    for name, part in zip(names, x, strict=True):
        np.save(folder / f"{name}.npy", part.numpy())
    return str(folder)


@pytest.mark.parametrize("name", ["TabularMLP", "EcgCNN", "PairMLP"])
def test_commands_on_a_network_file(name, tmp_path, capsys):
    """save_network, then quantize gives the model of Python, and sweep and compare run."""
    import stranger_networks
    from intgold.quantize import save_network
    from intgold.quantize.inference import FloatNetwork

    kind = getattr(stranger_networks, name)
    model, x = quantised(kind)
    path = str(tmp_path / "net.npz")
    network = save_network(stranger_networks.trained(kind), path, x)
    again = FloatNetwork.load(path)
    assert again.inputs == network.inputs and again.left_to_host == network.left_to_host
    data = data_folder(tmp_path / "data", x, model.inputs)
    made = str(tmp_path / "made.npz")
    assert main(["quantize", path, "--images", data, "-o", made, "--name", network.name]) == 0
    assert intgold.load(made).sha256 == model.sha256
    if name == "PairMLP":
        assert main(["sweep", path, "--images", data, "--calibrate", data]) == 2
        assert "gives one number each, which is no class" in capsys.readouterr().err
        np.save(tmp_path / "labels.npy", np.arange(64))
        labels = ["--labels", str(tmp_path / "labels.npy")]
        assert main(["sweep", path, "--images", data, "--calibrate", data, *labels]) == 2
        assert "gives one number each, which is no class" in capsys.readouterr().err
        return
    labels = str(tmp_path / "labels.npy")
    answers = network.predict({n: part.numpy() for n, part in zip(model.inputs, x, strict=True)})
    np.save(labels, answers)
    capsys.readouterr()
    arguments = ["--images", data, "--labels", labels]
    sheet = tmp_path / "rows.csv"
    assert main(["sweep", path, *arguments, "--calibrate", data, "--golden", "9",
                 "--weight-bits", "8,3", "--csv", str(sheet)]) == 0  # fmt: skip
    said = "2 models, 64 images; both engines ran 9 of them, 0 differing values: golden = c"
    assert said in capsys.readouterr().out
    with open(sheet) as file:
        eight, three = csv.DictReader(file)
    right = answers == intgold.load(made).predict(x[0].numpy())
    assert eight["sha256"] != three["sha256"] and float(eight["accuracy"]) == right.mean() > 0.8
    assert float(three["worst_sqnr"]) < float(eight["worst_sqnr"])


def test_data_files_that_do_not_fit(tmp_path, capsys):
    """Shape, dtype, a missing input and unequal counts: one line that names the file."""
    import stranger_networks
    from intgold.quantize import save_network

    pair = stranger_networks.PairMLP
    path, data = str(tmp_path / "net.npz"), tmp_path / "data"
    x = stranger_networks.examples(pair, 4)
    save_network(stranger_networks.trained(pair), path, x)
    data_folder(data, x, ("signal", "meta"))
    for change, message in (
        (lambda: np.save(data / "meta.npy", np.zeros((4, 11), "f4")), "meta.npy: shape (4, 11)"),
        (lambda: np.save(data / "meta.npy", np.zeros((4, 10), "i4")), "int32 is none of float16"),
        (lambda: np.save(data / "meta.npy", np.full((4, 10), np.nan)), "meta.npy: values of input"),
        (lambda: np.save(data / "meta.npy", np.zeros((3, 10))), "4 of signal, 3 of meta"),
        (lambda: (data / "meta.npy").unlink(), "meta.npy is not there"),
    ):
        change()
        assert main(["quantize", path, "--images", str(data), "-o", str(tmp_path / "m.npz")]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1, error
    assert not (tmp_path / "m.npz").exists()
    with pytest.raises(InputError, match="give examples"):
        save_network(pair(), path)


def test_the_list_of_the_page_is_that_of_the_code():
    """docs/quantisation.md holds the table that the code takes modules by; messages lead there."""
    from intgold.quantize import supported_layers
    from intgold.quantize.pytorch.refusals import LIST

    text = (DOCS / "quantisation.md").read_text()
    assert supported_layers() in text
    assert "docs/quantisation.md#what-is-taken" in LIST and "\n## What is taken\n" in text


def test_quantize_input_takes_what_the_module_takes():
    """The module's shape and the stored one give the same integers; no other shape is taken."""
    from stranger_networks import DsCnn, EcgCNN, MobileNetLike, PairMLP, TabularMLP, TimeSeries

    stored = {
        TabularMLP: lambda x: x,
        EcgCNN: lambda x: x.transpose(0, 2, 1)[:, None],
        MobileNetLike: lambda x: x.transpose(0, 2, 3, 1),
    }
    for kind, arrange in stored.items():
        model, (x,) = quantised(kind)
        x = x.numpy()
        q = model.quantize_input(x)
        assert q.shape[1:] == model.tensor(model.inputs[0]).shape and q.flags.c_contiguous
        assert np.array_equal(q, model.quantize_input(np.ascontiguousarray(arrange(x))))
        assert np.array_equal(q, model.quantize_input(q))
        with pytest.raises(InputError, match="shape"):
            model.quantize_input(x[..., :-1])
    # Given without channels, or with the channels last: the order is that of the module.
    for kind, shape, order in ((DsCnn, (1, 49, 10), "NLC"), (TimeSeries, (1, 32, 6), "NLC")):
        model, (x,) = quantised(kind)
        assert model.tensor("input").shape == shape
        assert model.metadata["input_order"] == f"input {order}"
        assert model.quantize_input(x.numpy()).shape[1:] == shape
    model, x = quantised(PairMLP)
    assert model.inputs == ("signal", "meta")
    assert model.metadata["input_order"] == "signal NCL, meta NF"
    with pytest.raises(InputError, match="inputs signal, meta: give the name, such as"):
        model.quantize_input(x[0].numpy())


def linear(shape, **choices):
    """A model of one layer, calibrated on `shape`'s reals, and those."""
    import torch
    from torch import nn

    from intgold.quantize import quantize

    torch.manual_seed(0)
    x = torch.rand(32, *shape) * choices.pop("times", 1) + choices.pop("plus", 0)
    size = int(np.prod(shape))
    return quantize(nn.Sequential(nn.Flatten(), nn.Linear(size, 3)), x, **choices), x.numpy()


@pytest.mark.parametrize("bits", [31, 8, 1])
@pytest.mark.parametrize("times, plus", [(1, 0), (0.3, 0.2), (255, 0), (2.2, 0), (1, -0.5)])
def test_bytes_go_to_inputs_that_take_them(bits, times, plus):
    """Calibrated within [0, 1]: bytes are x/255. Beyond: bytes are refused, floats taken."""
    model, x = linear((5,), times=times, plus=plus, multiplier_bits=bits)
    u = np.arange(200, 205, dtype=np.uint8)[np.newaxis]
    within = times + plus <= 1 and plus >= 0
    assert within == (times in (1, 0.3) and plus >= 0)
    if within:
        assert np.array_equal(model.quantize_input(u), model.quantize_input(u / 255))
        return
    with pytest.raises(InputError, match="the input: bytes stand for x/255.*give floats"):
        model.quantize_input(u)
    with pytest.raises(InputError, match="give floats"):
        model.predict(u)
    assert np.ptp(model.quantize_input(x).astype(int)) > 100


def test_equal_sizes_are_warned_of():
    """A picture of 3x3x3 is channels last, which is said; the way to be explicit is right."""
    import warnings

    model, x = linear((3, 3, 3))
    with pytest.warns(UserWarning, match=r"taken as \(n, h, w, c\); of .*transpose\(0, 2, 3, 1\)"):
        q = model.quantize_input(x)
    with pytest.warns(UserWarning, match="taken as"):
        right = model.quantize_input(x.transpose(0, 2, 3, 1))
    assert not np.array_equal(q, right)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(model.quantize_input(q), q)  # the input itself is no question
        other, y = linear((3, 3, 4))
        assert other.quantize_input(y).shape == (32, 3, 4, 3)


def test_predict_of_several_inputs(tmp_path, capsys):
    """An array, a tuple, a dict, a file: each error says what runs such a model."""
    from stranger_networks import PairMLP

    model, x = quantised(PairMLP)
    arrays = [part.numpy() for part in x]
    q = {n: model.quantize_input(a, n) for n, a in zip(model.inputs, arrays, strict=True)}
    said = r"inputs signal, meta; predict takes models of one input: model.run\(\{"
    for given in (arrays[0], tuple(arrays), arrays, q):
        with pytest.raises(InputError, match=said):
            model.predict(given)
    model.save(tmp_path / "m.npz")
    np.save(tmp_path / "x.npy", q["signal"])
    assert main(["predict", str(tmp_path / "m.npz"), str(tmp_path / "x.npy")]) == 2
    assert re.search(said, capsys.readouterr().err)
    assert model.run(q).output.shape[0] == len(arrays[0])
    one, _ = linear((5,))
    with pytest.raises(InputError, match=r"give one array; for several inputs, model.run"):
        one.predict((arrays[0], arrays[1]))


def test_array_files_in_the_order_of_the_module(tmp_path, capsys):
    """predict and vectors take int8 and uint8 as the module has them, predict reals as well."""
    model, x = linear((2, 3, 4))
    path, file = str(tmp_path / "m.npz"), str(tmp_path / "x.npy")
    model.save(path)
    u = np.round(x * 255).astype(np.uint8)
    q = model.quantize_input(u)
    for array in (u, u.transpose(0, 2, 3, 1), q, q.transpose(0, 3, 1, 2)):
        np.save(file, array)
        assert main(["predict", path, file]) == 0
        out = capsys.readouterr().out
        assert out.split() == [str(n) for n in model.predict(q).tolist()]
        folder = tmp_path / f"set{array.dtype}{array.shape[1]}"
        command = ["vectors", path, "--stimulus", file, "--count", "32", "--format", "npy"]
        assert main([*command, "-o", str(folder)]) == 0
        assert np.array_equal(np.load(folder / "stimulus" / "image.npy"), q)
        capsys.readouterr()
    for command in (["predict", path, file], ["vectors", path, "--stimulus", file]):
        np.save(file, x)
        more = ["-o", str(tmp_path / "no")] if command[0] == "vectors" else []
        if more:
            assert main([*command, *more]) == 2
            assert "numpy.save(path, model.quantize_input(x))" in capsys.readouterr().err
        else:
            assert main(command) == 0
            answers = [int(n) for n in capsys.readouterr().out.split()]
            assert answers == model.predict(model.quantize_input(x)).tolist()
        np.save(file, q[:, :2])
        assert main([*command, *more]) == 2
        assert "instead of (n, 3, 4, 2) or (n, 2, 3, 4)" in capsys.readouterr().err


def _outputs():
    """Modules by what they end in: (module, shape of an example, order, axes the host is named)."""
    import torch
    from torch import nn

    class Ends(nn.Module):
        def __init__(self, body, end):
            super().__init__()
            self.body, self.end = body, end

        def forward(self, x):
            return self.end(self.body(x))

    torch.manual_seed(0)
    picture, sequence, rows = (3, 7, 5), (3, 8), (9, 6)
    conv, conv1, last = nn.Conv2d(3, 4, 3), nn.Conv1d(3, 4, 3), nn.Linear(6, 2)
    permuted = Ends(conv, lambda x: x.permute(0, 2, 3, 1))
    return {
        "conv": (conv, picture, "NCHW", []),
        "conv softmax": (nn.Sequential(conv, nn.Softmax(1)), picture, "NCHW", ["3"]),
        "conv softmax over rows": (nn.Sequential(conv, nn.Softmax(2)), picture, "NCHW", ["1"]),
        "pool": (nn.Sequential(conv, nn.ReLU(), nn.MaxPool2d(2)), picture, "NCHW", []),
        "conv permuted": (permuted, picture, "NHWC", []),
        "permuted argmax": (Ends(permuted, lambda x: x.argmax(-1)), picture, "NHWC", ["3"]),
        "softmax permuted": (
            Ends(conv, lambda x: x.softmax(1).permute(0, 3, 2, 1).argmax(1)), picture, "NCHW",
            ["3", "2"],
        ),
        "argmax twice": (Ends(conv, lambda x: x.argmax(1).argmax(2)), picture, "NCHW", ["3", "2"]),
        "mixed": (Ends(conv, lambda x: x.argmax(1).reshape(-1)), picture, "NCHW", ["3"]),
        "conv1d": (conv1, sequence, "NCL", []),
        "conv1d channels": (nn.Sequential(conv1, nn.LogSoftmax(1)), sequence, "NCL", ["3"]),
        "conv1d length": (nn.Sequential(conv1, nn.LogSoftmax(-1)), sequence, "NCL", ["2"]),
        "rows": (Ends(last, lambda x: x.softmax(-1)), rows, "NLC", ["3"]),
        "mean": (Ends(last, lambda x: x.mean(1)), rows, "NF", []),
        "mean argmax": (Ends(last, lambda x: x.mean(1).argmax(1)), rows, "NF", ["3"]),
        "vector": (nn.Sequential(nn.Linear(6, 4), nn.Softmax(1)), (6,), "NF", ["1"]),
        "number": (Ends(nn.Linear(6, 1), lambda x: x.squeeze(-1)), (6,), "N", []),
        "flat": (Ends(conv, lambda x: x.flatten(1).softmax(1)), picture, "", ["1, 2, 3"]),
        "turned": (Ends(conv, lambda x: x.transpose(2, 3)), picture, "", []),
        "split": (Ends(nn.Linear(6, 6), lambda x: x.unflatten(1, (2, 3))), (6,), "", []),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(range(20)))
def test_output_order(name):
    """`output_order` turns what the model gives into what the module gives; where none does, it is
    absent and `left_to_host` says so; the host's axes are those of the model's output.

    The float network's values, 2e-5 of the largest (float32), against the module before its end.
    """
    import torch

    from intgold.quantize import quantize
    from intgold.quantize.pytorch.module import network_and_batch

    name, (module, shape, order, axes) = list(_outputs().items())[name]
    module.eval()
    x = torch.rand(8, *shape)
    model = quantize(module, x)
    network, batch = network_and_batch(module, x)
    (output,) = model.outputs
    host = model.metadata.get("left_to_host", "")
    assert model.metadata.get("output_order", "") == (f"{output} {order}" if order else ""), name
    assert re.findall(r"over ax[ei]s ([\d, ]+) of the model's output", host) == axes, host
    made = network.trace(batch)[network.layers[-1].name]
    assert made.shape[1:] == model.tensor(output).shape
    if not order:
        assert "of the output: " in host
        return
    assert "of the output: " not in host and f"output_order: {output}" in model.describe()
    with torch.no_grad():
        want = logits_before(module, x).numpy()
    turned = {
        "N": lambda a: a.reshape(len(a)), "NF": lambda a: a.reshape(len(a), -1),
        "NCL": lambda a: a[:, 0].transpose(0, 2, 1), "NLC": lambda a: a[:, 0],
        "NCHW": lambda a: a.transpose(0, 3, 1, 2), "NHWC": lambda a: a,
    }[order](made)  # fmt: skip
    assert turned.shape == want.shape, name
    assert np.abs(turned - want).max() < 2e-5 * np.abs(want).max(), name


def logits_before(module, x):
    """What the first softmax or argmax of a module reads; without one what it gives."""
    import torch
    from torch.overrides import TorchFunctionMode

    class First(TorchFunctionMode):
        read = None

        def __torch_function__(self, function, types, args=(), kwargs=None):
            ends = ("softmax", "log_softmax", "argmax")
            if self.read is None and getattr(function, "__name__", "") in ends:
                self.read = args[0]
            return function(*args, **(kwargs or {}))

    with First() as mode, torch.no_grad():
        made = module(x)
    return made if mode.read is None else mode.read


@pytest.mark.parametrize("calibration", ["minmax", "mse", "percentile:99"])
def test_quantize_shows_its_progress(monkeypatch, calibration):
    """`progress=True` shows the calibration's bar with every pass over the examples; else none."""
    import torch
    from torch import nn

    from intgold.quantize import quantize
    from intgold.support import progress

    seen, begin = [], progress.Progress.__init__

    def noted(self, *over, **fields):
        seen.append((fields["label"], fields["total"], fields["show"]))
        begin(self, *over, **(fields | {"show": False}))

    monkeypatch.setattr(progress.Progress, "__init__", noted)
    module, x = nn.Sequential(nn.Linear(5, 3)), torch.rand(40, 5)
    for shown in ({}, {"progress": False}, {"progress": True}):
        quantize(module, x, calibration=calibration, **shown)
    passes = 1 if calibration == "minmax" else 2
    label = f"calibration {calibration}"
    assert seen == [(label, 40 * passes, show) for show in (False, False, True)]
    with pytest.raises(InputError, match="quantize: progress: str 'yes'"):
        quantize(module, x, progress="yes")


@pytest.mark.parametrize("value, dtype", [(0, "f4"), (0.5, "f4"), (-3, "f8"), (0, "u1"), (7, "u1")])
def test_constant_calibration_data_is_warned_of(value, dtype, tmp_path, capsys):
    """One line names the input and the value, in Python and of the command; other data is silent.

    Reals and camera bytes; one input of two.
    """
    import warnings

    import torch
    from torch import nn

    from intgold.quantize import quantize, save_network
    from stranger_networks import PairMLP, examples, trained

    dead = np.full((6, 2, 4, 5), value, dtype)
    module = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(18, 2))
    known = f"{value / 255 if dtype == 'u1' else value:g}"
    said = f"all 240 values of input image are {known}; the ranges"
    with pytest.warns(UserWarning, match=said):
        quantize(module, dead)
    np.save(tmp_path / "dead.npy", dead)
    save_network(module, tmp_path / "net.npz", dead)
    command = ["quantize", str(tmp_path / "net.npz"), "--images", str(tmp_path / "dead.npy")]
    capsys.readouterr()
    assert main([*command, "--quiet", "-o", str(tmp_path / "m.npz")]) == 0
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("intgold quantize: ") and said in error
    alive = dead.copy()
    alive.flat[-1] += 1
    pair = examples(PairMLP, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        quantize(module, alive)
    with pytest.warns(UserWarning, match="all 80 values of input meta are 2"):
        quantize(trained(PairMLP), (pair[0], torch.full_like(pair[1], 2)))
