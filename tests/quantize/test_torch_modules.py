"""PyTorch modules become integer models: thirty random ones, every layer, every refusal."""

import re
import warnings

import numpy as np
import pytest

import tools
from intgold import InputError, ModelError

warnings.filterwarnings("ignore", category=FutureWarning)


@pytest.fixture(autouse=True)
def _torch():
    tools.need("torch")


def images(*shape, seed=0):
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def quantize(module, x, **choices):
    from intgold.quantize import quantize

    return quantize(module, x, **choices)


def both(model, x):
    """Run both engines on NCHW images; return the reals after asserting that all is equal."""
    q = model.quantize_input(np.ascontiguousarray(x.transpose(0, 2, 3, 1)))
    golden, c = (model.run(q, backend=b, trace=True) for b in ("golden", "c"))
    for name in golden.tensors:
        assert np.array_equal(golden.tensors[name], c.tensors[name]), name
    for name in golden.accumulators:
        assert np.array_equal(golden.accumulators[name], c.accumulators[name]), name
    return model.dequantize(c.output)


def float_answers(module, x):
    import torch

    with torch.no_grad():
        return module.eval()(torch.from_numpy(x)).numpy()


def assert_close(made, want, share=0.03):
    """int8 against float32: within a share of the range (an int8 step is 0.4 % of it)."""
    assert np.abs(made.reshape(want.shape) - want).max() < share * np.ptp(want)


def test_random_modules(full):
    """Sixteen modules (with full counts 120): golden = C in every value, little noise.

    30 dB of signal to noise and more: only int8 tensors keep some 40 to 50; a wrong layer leaves
    less than 10.
    """
    from random_modules import ACTIVATIONS, BLOCKS, HEADS, outcome

    assert len(ACTIVATIONS) == 11
    seen = set()
    for seed in range(120 if full else 16):
        found = outcome(seed, images=16)
        seen |= {*found.module.kinds, found.module.head}
        assert found.values > 0 and found.differing == 0, seed
        assert found.sqnr > 30 and found.largest < 0.05, (seed, found.sqnr, found.largest)
    assert seen == {*BLOCKS, *HEADS}


@pytest.mark.parametrize(
    ("kernel", "options"),
    [
        (2, {"stride": 2}),
        (3, {"stride": 2, "padding": 1, "output_padding": 1}),
        ((3, 4), {"stride": (2, 3), "padding": (0, 2), "output_padding": (1, 2)}),
        ((1, 2), {"stride": 3, "bias": False}),
        (3, {"padding": 1}),
        ((5, 1), {"stride": (1, 2), "padding": (3, 0), "output_padding": (0, 1)}),
    ],
)
def test_transposed_convolutions(kernel, options):
    """Any kernel, stride, padding and output_padding: NumPy = torch, golden = C, near floats."""
    import torch
    from torch import nn

    from intgold.quantize.pytorch.module import network_of
    from intgold.quantize.pytorch.runner import torch_runner

    torch.manual_seed(3)
    module = nn.Sequential(
        nn.Conv2d(2, 5, 3), nn.ReLU(), nn.ConvTranspose2d(5, 4, kernel, **options),
        nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 3, 1),
    ).eval()  # fmt: skip
    module[3].running_mean.uniform_(-0.1, 0.1), module[3].running_var.uniform_(0.1, 0.3)
    x = images(16, 2, 7, 8)
    want = float_answers(module, x).transpose(0, 2, 3, 1)
    network = network_of(module, [(x.shape[1:], True)])
    for run in (network.run, torch_runner(network)):
        assert np.abs(run(x).reshape(want.shape) - want).max() < 1e-5
    model = quantize(module, x)
    assert [op.kind for op in model.ops] == ["conv2d", "transpose_conv2d", "conv2d"]
    assert_close(both(model, x), want)


@pytest.mark.parametrize("options", [{"groups": 2}, {"dilation": 2}])
def test_transposed_convolutions_that_are_refused(options):
    from torch import nn

    module = nn.Sequential(nn.ConvTranspose2d(2, 4, 3, **options))
    with pytest.raises(ModelError, match="a transposed convolution of groups [12], dilation"):
        quantize(module, images(4, 2, 7, 8))


def test_numpy_equals_torch_on_random_modules():
    """The imported float network gives what the module gives, to float32's rounding."""
    import torch

    from intgold.quantize.pytorch.module import network_of
    from intgold.quantize.pytorch.runner import torch_runner
    from random_modules import RandomModule

    for seed in range(12):
        module = RandomModule(seed)
        x = images(5, *module.shape, seed=seed)
        network, want = network_of(module, [(module.shape, True)]), float_answers(module, x)
        bound = 1e-5 * max(1.0, np.abs(want).max())
        assert np.abs(network.run(x) - want).max() < bound, seed
        assert np.abs(torch_runner(network)(x) - want).max() < bound, seed
        assert torch.is_grad_enabled()


def test_functions_methods_and_in_place():
    """Functional forms, operators, views and in-place calls mean what they mean in torch."""
    from torch import nn
    from torch.nn import functional

    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 4, 3, stride=2, padding=(1, 0))
            self.relu = nn.ReLU(inplace=True)
            self.fc = nn.Linear(4 * 4 * 3, 5)

        def forward(self, x):
            y = self.conv(x)
            z = functional.hardswish(y)
            before = y  # the same memory: relu changes it too
            self.relu(y)
            z += before
            return self.fc(functional.max_pool2d(z, 1).view(z.size(0), -1))

    module, x = Module(), images(20, 2, 8, 8) - 0.5
    assert_close(both(quantize(module, x), x), float_answers(module, x))


def test_an_image_comes_out_of_a_convolution():
    """A network without a head: int32 accumulators of the last convolution, per pixel."""
    from torch import nn

    module = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.SiLU(), nn.Conv2d(6, 2, 1))
    x = images(4, 3, 7, 9)
    model = quantize(module, x)
    assert model.tensor("logits").shape == (7, 9, 2) and model.tensor("logits").dtype == "int32"
    assert_close(both(model, x).transpose(0, 3, 1, 2), float_answers(module, x))
    with pytest.raises(InputError, match="more than one answer"):
        model.predict(np.zeros((1, 7, 9, 3), np.int8))


def test_camera_bytes():
    """uint8 calibration images stand for x/255: the input is x ^ 0x80."""
    from torch import nn

    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU6(), nn.Flatten(), nn.Linear(64, 3))
    x = np.random.default_rng(0).integers(0, 256, (10, 1, 6, 6)).astype(np.uint8)
    model = quantize(module, x, name="bytes")
    assert model.name == "bytes"
    tensor = model.tensor("image")
    assert (tensor.scale, tensor.zero_point) == (1 / 255, -128)
    q = model.quantize_input(x.transpose(0, 2, 3, 1).copy())
    made = model.dequantize(model.run(q).output)
    assert_close(made, float_answers(module, x.astype(np.float32) / 255))


def test_the_choices_reach_the_artefact(tmp_path):
    """Each is stored by name, and does what it says."""
    import torch
    from torch import nn

    import intgold

    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.GELU(), nn.Conv2d(4, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(64, 3)
    )
    x = images(10, 1, 8, 8)
    model = quantize(
        module, x, calibration="percentile:99.9", activation="pwl:6",
        activations={"tanh_3": "lut"}, weight_bits=5, weight_scales="mse", multiplier_bits=4,
        form="single_even", per_channel=False,
    )  # fmt: skip
    model.save(tmp_path / "m.npz")
    stored = intgold.load(tmp_path / "m.npz").metadata
    assert stored["calibration"] == "percentile:99.9, 10 images"
    assert stored["activation"] == "pwl:6" and stored["activations"] == "tanh_3=lut"
    assert stored["weight_bits"] == "5" and stored["weight_scales"] == "mse"
    assert stored["multiplier_bits"] == "4" and stored["form"] == "single_even"
    assert stored["weights"] == "per tensor"
    assert [op.kind for op in model.ops] == [
        "conv2d", "pwl", "conv2d", "lut", "fully_connected",
    ]  # fmt: skip
    for op in model.ops:
        if "weights" in op.fields:
            assert 8 <= np.abs(op["weights"]).max() <= 15 and len(op["weight_scale"]) == 1
        if op.fields.get("requantize") is not None:
            assert set(op["requantize"].form) == {"single_even"}
            assert all(m % 2**27 == 0 for m in op["requantize"].multiplier.tolist())
    assert model.ops[1]["slope"].size <= 6


def refusals():
    import torch
    from torch import nn
    from torch.nn import functional

    class Two(nn.Module):
        def forward(self, x, y):
            return x + y

    class Calls(nn.Module):
        def __init__(self, function):
            super().__init__()
            self.function = function
            self.places = nn.Parameter(torch.rand(2, 8, 8))

        def forward(self, x):
            return self.function(x)

    places = Calls(None)
    places.function = lambda x: x + places.places
    return {
        "transposed": (nn.Sequential(nn.ConvTranspose2d(2, 2, 3)), "layer 0 (ConvTranspose2d)"),
        "Softshrink": (nn.Sequential(nn.ReLU(), nn.Softshrink()), "layer 1 (Softshrink)"),
        "GroupNorm": (nn.Sequential(nn.GroupNorm(1, 2)), "layer 0 (GroupNorm)"),
        "indices": (Calls(lambda x: functional.adaptive_max_pool2d(x, 1, True)[1]), "indices"),
        "adaptive 2": (nn.Sequential(nn.AdaptiveAvgPool2d(2)), "only to 1"),
        "ceil": (nn.Sequential(nn.MaxPool2d(3, ceil_mode=True)), "ceil_mode"),
        "slopes": (nn.Sequential(_prelu(2)), "PReLU with 2 slopes"),
        "a place each": (places, "only one number, or one per channel"),
        "broadcast": (Calls(lambda x: x * x.mean((2, 3), keepdim=True)), "are not the same"),
        "quotient": (Calls(lambda x: x / x), "div of two tensors"),
        "reciprocal": (Calls(lambda x: 1 / x), "reciprocal.default is not supported"),
        "transpose": (Calls(lambda x: functional.conv2d(x.transpose(2, 3), torch.ones(1, 2, 3, 3))),
                      "have to be transposed"),
        "orders": (Calls(lambda x: x + x.transpose(2, 3)), "different orders"),
        "images mixed": (Calls(lambda x: x.reshape(-1, 64)), "mixes images"),
        "images swapped": (Calls(lambda x: x.transpose(0, 1)), "mixes images"),
        "rows": (nn.Sequential(nn.Linear(8, 3)), "layer 0 (Linear): Linear on shape (2, 8, 8)"),
        "softmax inside": (nn.Sequential(nn.Softmax(1), nn.ReLU()), "not supported inside"),
        "softmax of images": (Calls(lambda x: functional.softmax(x.relu(), 0)), "over all images"),
        "argmax of all": (Calls(lambda x: x.relu().argmax()), "argmax over all images"),
        "reflected": (Calls(lambda x: functional.pad(x, (1, 1, 1, 1), "reflect")), "mode reflect"),
        "channels left out": (Calls(lambda x: x[:, :1]), "a part of axis 1"),
        "noise": (Calls(lambda x: x + torch.rand(2, 1, 1)), "another value each time"),
        "nothing": (nn.Sequential(nn.Identity()), "nothing to quantise"),
        "tuple": (Calls(lambda x: (functional.relu(x), x)), "exactly one tensor"),
        "two inputs": (Two(), "does not run on examples of shape (2, 8, 8): "),
        "control flow": (Calls(lambda x: x if x.sum() > 0 else -x), "branches on values"),
        "no statistics": (nn.Sequential(nn.BatchNorm2d(2, track_running_stats=False)),
                          "without running statistics"),
        "drops always": (Calls(lambda x: functional.dropout(functional.relu(x))), "self.training"),
        "channels last": (nn.Conv2d(8, 2, 3),
                          "Conv2d: the module does not run on examples of shape (2, 8, 8): "),
        "concat of rows": (Calls(lambda x: torch.cat([x, x], 2)), "another axis"),
        "no module": (3, "int is not a torch.nn.Module"),
        "a class": (Two, "Two is not a torch.nn.Module: it is a class; Two(...) produces a module"),
        "parts": (Calls(lambda x: torch.chunk(functional.relu(x), 2, 3)[1] + 1),
                  "layer chunk: aten.chunk.default is not supported"),
    }  # fmt: skip


def _prelu(channels):
    import torch
    from torch import nn

    made = nn.PReLU(channels)
    made.weight.data = torch.linspace(0.1, 0.3, channels)
    return made


def test_refusals_name_the_layer():
    """What intgold has no op for is refused in one line that names the layer, and the list."""
    for name, (module, message) in refusals().items():
        with pytest.raises(ModelError) as caught:
            quantize(module, images(3, 2, 8, 8))
        assert message in str(caught.value) and "\n" not in str(caught.value), (name, caught.value)
        if "torch" not in str(caught.value) and str(caught.value).startswith("layer"):
            assert "docs/quantisation.md#what-is-taken" in str(caught.value), name


def test_a_refusal_lists_all_layers():
    """Every offending layer at once, each with its type and why; layers between them are not."""
    from torch import nn

    module = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4), nn.Conv2d(4, 4, 3, groups=2), nn.Softshrink(),
        nn.MaxPool2d(2, dilation=2), nn.Flatten(), nn.Linear(4, 3), nn.LayerNorm(3), nn.ReLU(),
    )  # fmt: skip
    with pytest.raises(ModelError) as caught:
        quantize(module, images(3, 2, 8, 8))
    head, *lines = re.split(r"\): (?=layer 1)|; ", str(caught.value))
    assert head.startswith("Sequential: 4 layers cannot be quantised (what is taken: docs/")
    assert "\\" not in str(caught.value)
    assert [line.partition(":")[0].strip() for line in lines] == [
        "layer 1 (GroupNorm)", "layer 3 (Softshrink)", "layer 4 (MaxPool2d)", "layer 7 (LayerNorm)",
    ]  # fmt: skip
    many = nn.Sequential(*(nn.Softshrink(0.5) for _ in range(50)))
    with pytest.raises(ModelError, match="50 layers cannot be quantised") as caught:
        quantize(many, images(3, 2, 8, 8))
    assert str(caught.value).endswith("and 30 more") and len(str(caught.value)) < 3000


def refused_layers():
    """Layers of torch.nn that are not taken, with the shape of what they read."""
    from torch import nn

    batch_first = {"batch_first": True}
    return [
        (nn.LSTM(8, 8, **batch_first), (9, 8)), (nn.GRU(8, 8, 2, **batch_first), (9, 8)),
        (nn.RNN(8, 8, bidirectional=True, **batch_first), (9, 8)),
        (nn.LayerNorm(8), (9, 8)), (nn.MultiheadAttention(8, 2, **batch_first), (9, 8)),
        (nn.TransformerEncoderLayer(8, 2, 16, **batch_first), (9, 8)),
        (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, **batch_first), 2), (9, 8)),
        (nn.Softsign(), (8,)), (nn.GLU(), (8,)), (nn.CELU(), (8,)), (nn.LogSigmoid(), (8,)),
        (nn.Threshold(0.1, 2), (8,)), (nn.InstanceNorm2d(4), (4, 6, 6)),
        (nn.Upsample(scale_factor=2), (4, 6, 6)), (nn.PixelShuffle(2), (4, 6, 6)),
        (nn.LocalResponseNorm(2), (4, 6, 6)), (nn.ReflectionPad2d(1), (4, 6, 6)),
        (nn.ConvTranspose2d(4, 4, 2), (4, 6, 6)), (nn.Fold((4, 5), (2, 2)), (4, 12)),
        (nn.CosineSimilarity(), (8,)), (nn.RMSNorm(8), (9, 8)),
    ]  # fmt: skip


@pytest.mark.parametrize("index", range(21))
def test_a_refused_layer_is_one_entry(index):
    """Whatever torch does with it: one layer, its place, its class; by itself and as the module."""
    import torch
    from torch import nn

    layer, shape = refused_layers()[index]
    kind, pair = type(layer).__name__, isinstance(layer, nn.CosineSimilarity)

    class Before(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.odd, self.last = nn.ReLU(), layer, nn.Tanh()

        def forward(self, x):
            x = self.first(x)
            attention = isinstance(layer, nn.MultiheadAttention)
            x = self.odd(x, x, x) if attention else self.odd(x, x) if pair else self.odd(x)
            return self.last(x[0] if isinstance(x, tuple) else x)

    x = torch.rand(5, *shape)
    for module, name in ((Before(), "layer odd ("), (layer, "layer ")):
        if module is layer and (pair or kind == "MultiheadAttention"):
            continue  # they take several tensors
        with pytest.raises(ModelError) as caught:
            quantize(module, x)
        message = str(caught.value)
        assert message.startswith(f"{name}{kind}"), message
        assert ": not supported" in message and "layers cannot" not in message, message
        assert "one tensor" not in message


def test_refused_layers_are_counted():
    """A recurrent layer, a norm, an attention: three; functions of one own module: one."""
    import torch
    from torch import nn

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.norm = nn.LSTM(8, 8, batch_first=True), nn.LayerNorm(8)
            self.mha = nn.MultiheadAttention(8, 2, batch_first=True)
            self.fc = nn.Linear(8, 2)

        def forward(self, x):
            x = self.norm(self.lstm(x)[0])
            return self.fc(self.mha(x, x, x)[0].mean(1))

    class Waves(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.lstm = nn.Conv1d(8, 8, 3, padding=1), nn.LSTM(9, 8, batch_first=True)

        def forward(self, x):
            return self.lstm(torch.sin(self.conv(x.transpose(1, 2))) + torch.cos(x.transpose(1, 2)))

    for module, names in (
        (Recurrent(), ["lstm (LSTM)", "norm (LayerNorm)", "mha (MultiheadAttention)"]),
        (nn.Sequential(nn.Identity(), Waves()), ["1 (Waves)", "1.lstm (LSTM)"]),
    ):
        with pytest.raises(ModelError) as caught:
            quantize(module, torch.rand(5, 9, 8))
        assert f": {len(names)} layers cannot be quantised" in str(caught.value)
        assert re.findall(r"layer ([^:]*): ", str(caught.value)) == names
    assert "1 (Waves): aten.sin.default is not supported, aten.cos" in str(caught.value)
    with pytest.raises(ModelError, match="^the module does not return exactly one tensor"):
        quantize(two_outputs(), torch.rand(5, 9))


def two_outputs():
    """A module of two outputs."""
    from torch import nn

    class Two(nn.Module):
        def forward(self, x):
            return x + 1, x * 2

    return Two()


@pytest.mark.parametrize(
    ("x", "choices", "message"),
    [
        (np.zeros((0, 1, 4, 4), np.float32), {}, r"no examples in shape \(0, 1, 4, 4\)"),
        (np.zeros(4, np.float32), {}, r"\(4,\), wants an array \(n, features\), \(n, c, length\)"),
        ([np.zeros((2, 4), "f4"), np.zeros((3, 4), "f4")], {}, "2 arrays, and Sequential takes 1"),
        ([], {}, "no input"),
        (np.zeros((1, 1, 4, 4), np.int64), {}, r"int64 .*astype\(numpy.float32\)"),
        (np.zeros((1, 1, 4, 4), bool), {}, r"bool .*astype\(numpy.float32\)"),
        (np.ma.masked_array(np.zeros((1, 1, 4, 4), "f4"), True), {}, r"masked array .*filled"),
        ({"x": np.zeros((1, 1, 4, 4), "f4")}, {}, "a dict; give a tuple of arrays, in the order"),
        (np.full((1, 1, 4, 4), np.nan, np.float32), {}, r"NaN at \(0, 0, 0, 0\)"),
        (np.zeros((1, 1, 4, 4), np.float32), {"bits": 3}, "unknown choice 'bits'.*are calibration"),
        (np.zeros((1, 1, 4, 4), np.float32), {"weights_bits": 4}, r"\(is weight_bits meant\?\)"),
        (np.full((1, 1, 4, 4), 255, np.int64), {}, r"int64 .*astype\(numpy.uint8\) produces cam"),
        (np.full((1, 1, 4, 4), 256, np.int64), {}, r"int64 .*uint8: x.astype\(numpy.float32\)"),
        (np.zeros((1, 1, 4, 4), np.float32), {"weight_bits": 9}, "weight_bits 9"),
        (np.zeros((1, 1, 4, 4), np.float32), {"activations": {"x": "lut"}}, "'x' is no layer"),
    ],
)  # fmt: skip
def test_bad_images_and_choices(x, choices, message):
    from torch import nn

    with pytest.raises((InputError, ModelError), match=message):
        quantize(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()), x, **choices)


def test_a_module_that_does_not_run_is_one_line(capfd):
    """Nothing of torch's own on the terminal, no chain of exceptions: the shape and the reason."""
    import torch
    from torch import nn

    class Decides(nn.Module):
        def forward(self, x):
            return x * 2 if x.sum() > 0 else x

    module = nn.Sequential(nn.Linear(5, 3), nn.ReLU())
    for wrong, message in (
        (module, r"does not run on examples of shape \(7,\): mat1 and mat2 shapes"),
        (
            Decides(),
            (
                r"Decides: its forward branches on values of a tensor \(test_torch_modules.py, "
                r"line \d+: return x \* 2 if x.sum\(\) > 0 else x\), which torch.export cannot"
            ),
        ),
    ):
        with pytest.raises(ModelError, match=message) as caught:
            quantize(wrong, torch.rand(9, 7))
        assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_odd_parameters_name_layer_and_place(value):
    """Whatever parameter or statistic is not finite: layer, name, value, place; no other advice."""
    import torch
    from torch import nn

    module = nn.Sequential(nn.Conv2d(1, 3, 2), nn.BatchNorm2d(3), nn.PReLU(), nn.Flatten(),
                           nn.Linear(27, 2))  # fmt: skip
    names = dict(module.named_parameters())
    names |= {} if np.isinf(value) else {"1.running_mean": module[1].running_mean}
    assert len(names) == 7 + np.isnan(value)
    for name, tensor in names.items():
        kept = tensor.detach().clone()
        place = tuple(n - 1 for n in tensor.shape)
        with torch.no_grad():
            tensor[place] = value
        layer, leaf = name.split(".")
        with pytest.raises(ModelError) as caught:
            quantize(module, images(4, 1, 4, 4))
        kind = type(module[int(layer)]).__name__
        assert str(caught.value) == f"layer {layer} ({kind}): {leaf} holds {value} at {place}"
        with torch.no_grad():
            tensor.copy_(kept)
    quantize(module, images(4, 1, 4, 4))


def test_lists_that_are_no_inputs():
    """A list of examples, and data with labels: a short line that says what a list is."""
    import torch
    from torch import nn

    module, x = nn.Sequential(nn.Conv2d(3, 2, 3)), torch.rand(64, 3, 8, 8)
    for given in (list(x), (x, torch.zeros(64)), [x, x, x]):
        with pytest.raises(InputError, match=r"no labels; torch.stack\(list\) produces") as caught:
            quantize(module, given)
        assert f"{len(given)} arrays, and Sequential takes 1" in str(caught.value)
        assert len(str(caught.value)) < 200

    class Any(nn.Module):
        def forward(self, *x):
            return x[0] @ 3

    with pytest.raises(ModelError, match=r"\(8, 8\), and 60 more: ") as caught:
        quantize(Any(), list(x))
    assert len(str(caught.value)) < 400
    quantize(module, [x])


def test_without_torch(monkeypatch):
    """One line with the command that installs it, from each function that needs it."""
    import sys

    from intgold import IntgoldError
    from intgold import quantize as floating

    monkeypatch.setitem(sys.modules, "torch", None)
    for call in (
        lambda: floating.quantize(1, np.zeros(2)),
        lambda: floating.save_network(1, "x.npz", np.zeros(2)),
        floating.supported_layers,
    ):
        with pytest.raises(IntgoldError, match="modules need PyTorch .*: pip install torch$"):
            call()


def test_swapped_arguments(tmp_path):
    """The function that was called is named, and the mistake."""
    import torch
    from torch import nn

    from intgold.quantize import save_network

    module, x = nn.Sequential(nn.Linear(5, 3)), torch.rand(9, 5)
    with pytest.raises(ModelError, match="^quantize: Tensor is not .*are the arguments swapped"):
        quantize(x, module)
    with pytest.raises(ModelError, match="^save_network: Tensor is not .*are the arguments swap"):
        save_network(x, tmp_path / "x.npz", module)
    with pytest.raises(InputError, match="^save_network: path: <Sequential> .*arguments swapped"):
        save_network(str(tmp_path / "x.npz"), module, x)
    assert not list(tmp_path.iterdir())


def test_tensors_are_distinguished():
    """quantize_input, run and predict take arrays: the error says how a tensor becomes one."""
    import torch
    from torch import nn

    x = torch.rand(9, 5, requires_grad=True)
    model = quantize(nn.Sequential(nn.Linear(5, 3)), x)
    for call in (model.quantize_input, model.run, model.predict):
        with pytest.raises(InputError, match=r"<Tensor of torch.float32, shape \(9, 5\)> .*numpy"):
            call(x)
        array = x.detach().cpu().numpy()  # as the line says
        assert len(model.predict(array)) == 9
