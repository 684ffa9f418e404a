"""The sweep and the comparison: what they state is what the models give."""

import csv
import json

import numpy as np
import pytest

import intgold
import tools
from intgold.cli import main
from intgold.errors import InputError
from intgold.host.affine import pixel_values
from intgold.quantize.calibrate import calibrate
from intgold.quantize.choices import Choices
from intgold.quantize.inference import FloatNetwork
from intgold.quantize.quantizer import quantize_network
from intgold.quantize.shipped import MODELS
from intgold.study.quantisation import compare as comparison
from intgold.study.quantisation import sweep as sweeps
from intgold.study.quantisation.layer_error import layer_errors
from intgold.vectors.cases.stimulus import stimulus

NETWORK = MODELS / "mnist_float.npz"


@pytest.fixture
def files(tmp_path):
    """Built-in images, and labels of which some are wrong."""
    images = stimulus(intgold.load(), "builtin", 60, 0)["image"].view(np.uint8) ^ 0x80
    labels = intgold.load().predict(images).astype(np.uint8)
    labels[::7] = (labels[::7] + 1) % 10
    np.save(tmp_path / "x.npy", images)
    np.save(tmp_path / "y.npy", labels)
    return images, labels, tmp_path


def test_the_default_sweep_is_what_is_promised():
    """50 configurations, none twice; widths by segments; every form."""
    sweep = sweeps.default_sweep()
    assert len(sweep) == 50 == len({str(c) for c in sweep})
    pairs = {(c.activation, c.multiplier_bits) for c in sweep}
    for activation in ("lut", "pwl:2", "pwl:4", "pwl:8", "pwl:16"):
        assert {(activation, bits) for bits in (1, 4, 8, 16, 31)} <= pairs
    assert len({c.form for c in sweep}) == 9 and {c.weight_bits for c in sweep} == set(range(2, 9))


def test_a_row_is_what_the_model_gives(files):
    """Accuracy, differing answers, error and bytes, each computed once more."""
    images, labels, _ = files
    network = FloatNetwork.load(NETWORK)
    sweep = [Choices(), Choices(weight_bits=3, multiplier_bits=4, activation="pwl:4")]
    rows = sweeps.run_sweep(
        network, sweep, sweeps.SweepData(images, images, labels), golden_images=20
    )
    ranges = calibrate(network, pixel_values(images))
    for row, choices in zip(rows, sweep, strict=True):
        model = quantize_network(network, ranges, choices)
        answers = model.predict(images, backend="golden")
        assert row.sha256 == model.sha256 and row.choices.metadata() == choices.metadata()
        assert row.accuracy == (answers == labels).mean()
        assert row.differing == (answers != network.predict(pixel_values(images))).sum()
        errors = layer_errors(network, model, pixel_values(images[:20]))
        assert row.worst_sqnr == min(e.sqnr for e in errors)
        assert (row.golden_images, row.golden_differing) == (20, 0)
    # 6,152 weights, 66 biases; 57 entries of 31 + 6 bits, or 4 + 6; two tables.
    assert rows[0].parameter_bytes == 6156 + 264 and rows[0].table_bytes == 512
    assert rows[0].constant_bytes == 6420 + 512 + 264  # 57 * 37 bits
    assert rows[1].parameter_bytes == -(-6156 * 3 // 8) + 264
    assert rows[0].worst_sqnr > rows[1].worst_sqnr + 10
    assert sweeps.pareto(rows)[0] is rows[1]


def test_a_difference_between_the_engines_is_seen(files, monkeypatch):
    """With one wrong value in the C engine, the row does not say 0."""
    images, _, _ = files
    model = intgold.load()
    right = intgold.Session.run

    def wrong(*arguments, **options):
        made = right(*arguments, **options)
        made.tensors["conv1"].flat[0] ^= 1
        return made

    assert sweeps._differing(model, images[:5]) == 0
    monkeypatch.setattr(intgold.Session, "run", wrong)
    assert sweeps._differing(model, images[:5]) == 1


def test_pareto_by_hand():
    """Fewer bytes or more right answers; ties go to the cheaper."""
    base = {
        "choices": Choices(), "differing": 0, "worst_layer": "a", "worst_sqnr": 1.0,
        "parameter_bytes": 0, "table_bytes": 0, "multiplier_bits": 31, "accumulator_bits": 20,
        "golden_images": 1, "golden_differing": 0, "sha256": "",
    }  # fmt: skip
    rows = [
        sweeps.SweepRow(accuracy=a, constant_bytes=b, **base)
        for a, b in ((0.9, 50), (0.8, 40), (0.9, 60), (0.95, 70), (0.7, 45), (0.8, 41))
    ]
    assert sweeps.pareto(rows) == [rows[1], rows[0], rows[3]]


def test_sweep_command(files, capsys):
    """All combinations of the lists; CSV, JSON and picture say the same."""
    _, _, folder = files
    tools.need("matplotlib")
    status = main(
        ["sweep", str(NETWORK), "--images", str(folder / "x.npy"), "--labels",
         str(folder / "y.npy"), "--calibrate", str(folder / "x.npy"), "--golden", "5",
         "--weight-bits", "8,4", "--per-channel", "yes,no", "--csv", str(folder / "s.csv"),
         "--json", str(folder / "s.json"), "--plot", str(folder / "s.png")]
    )  # fmt: skip
    out = capsys.readouterr().out
    assert status == 0 and "4 models, 60 images" in out and "0 differing values: golden = c" in out
    rows = json.loads((folder / "s.json").read_text())
    assert [(r["weight_bits"], r["per_channel"]) for r in rows] == [
        (8, True), (4, True), (8, False), (4, False),
    ]  # fmt: skip
    with open(folder / "s.csv") as file:
        read = list(csv.DictReader(file))
    assert [r["sha256"] for r in read] == [r["sha256"] for r in rows] and len(read) == 4
    assert (folder / "s.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--weight-bits", "8,x"], "--weight-bits 8,x: not integers"),
        (["--weight-bits", "9"], "weight_bits 9"),
        (["--per-channel", "maybe"], "--per-channel maybe"),
        (["--golden", "0"], "0 golden"),
        (["--plot", "s.gif"], "s.gif: a picture ends in"),
        (["--mnist"], "either --mnist or --images"),
    ],
)
def test_sweep_errors(arguments, message, files, capsys, monkeypatch):
    monkeypatch.chdir(files[2])
    common = ["sweep", str(NETWORK), "--images", "x.npy", "--calibrate", "x.npy"]
    assert main([*common, *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith("intgold sweep: ") and message in err and err.count("\n") == 1


def test_compare_counts(files, monkeypatch):
    """Accuracy, differing answers, confusion and bytes, each computed once more."""
    monkeypatch.setattr(comparison, "_SECONDS", 0.001)
    monkeypatch.setattr(comparison, "BATCHES", (1, 8))
    images, labels, _ = files
    network, model = FloatNetwork.load(NETWORK), intgold.load()
    found = comparison.compare(network, {"lut": model}, images, labels)
    names = [way.name for way in found.ways]
    assert names[0] == "float numpy" and names[-3:] == ["simulate lut", "golden lut", "c lut"]
    assert ("float torch" in names) != ("float torch" in found.not_run)
    real, answers = network.predict(pixel_values(images)), model.predict(images)
    for way in found.ways:
        given = real if way.name.startswith("float") else answers
        if not way.name.startswith("simulate"):
            assert way.accuracy == (given == labels).mean()
            assert way.differing == (given != real).sum()
        assert len(way.rates) == 2 and min(way.rates) > 0
    assert sum(n for *_, n in found.confusion["lut"]) == (answers != real).sum() > 0
    for label, was, became, count in found.confusion["lut"]:
        same = (labels == label) & (real == was) & (answers == became)
        assert was != became and same.sum() == count
    assert found.bytes["float"].total == 24_872 and found.bytes["lut"].total == 7_217
    assert json.loads(found.json_text())["bytes"]["lut"]["tables"] == 512
    with pytest.raises(InputError, match="0 models"):
        comparison.compare(network, {}, images)


def test_compare_command(files, capsys, monkeypatch):
    """Without labels; pictures into a folder; every file named and there."""
    tools.need("matplotlib")
    monkeypatch.setattr(comparison, "_SECONDS", 0.001)
    monkeypatch.setattr(comparison, "BATCHES", (1, 8))
    monkeypatch.chdir(files[2])
    status = main(["compare", str(NETWORK), "lut", "pwl", "--images", "x.npy", "--plot", "pics",
                   "--json", "c.json"])  # fmt: skip
    out = capsys.readouterr().out
    assert status == 0 and "c pwl" in out and "multipliers" in out
    names = {"errors", "histograms_lut", "histograms_pwl", "activations"}
    for name in names:
        assert f"pics/{name}.png" in out
        assert (files[2] / "pics" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert main(["compare", str(NETWORK), "--images", "x.npy"]) == 2
    assert "give the models" in capsys.readouterr().err
    assert main(["compare", str(NETWORK), "lut", "lut", "--images", "x.npy"]) == 2
    assert "same name" in capsys.readouterr().err


def test_a_product_of_choices():
    """The last choice varies fastest; a name that is no choice is refused with those that are."""
    made = sweeps.product_sweep({"weight_bits": [8, 4], "form": ["single", "double"]})
    assert [(c.weight_bits, c.form) for c in made] == [
        (8, "single"), (8, "double"), (4, "single"), (4, "double"),
    ]  # fmt: skip
    with pytest.raises(InputError, match="values: no choice 'weigth_bits'; known: .*weight_bits"):
        sweeps.product_sweep({"weigth_bits": [8]})
