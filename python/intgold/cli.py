"""The ``intgold`` command: each subcommand is one library call."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import intgold

from .engine import BACKENDS
from .errors import IntgoldError

EXAMPLES = {
    "train": """
  intgold train -o trained                 80 epochs; float network, ranges, lut and pwl models
  intgold train --quick -o trained         a few epochs, to see that all works
  intgold train --seed 1 --epochs 20 -o t""",
    "quantize": """
  intgold quantize mnist_float.npz --ranges mnist_ranges.json -o lut.npz
  intgold quantize mnist_float.npz --images train.npy --activation pwl --segments 8 -o pwl.npz
  intgold quantize mnist_float.npz --ranges r.json --form double --multiplier-bits 16 -o m.npz""",
    "predict": """
  intgold predict lut digits.npy           one answer a line
  intgold predict lut t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz
  intgold predict model.npz --mnist --threads 2""",
    "vectors": """
  intgold vectors lut --count 16 -o vectors
  intgold vectors lut --stimulus mnist --count 100 --formats hex -o vectors
  intgold vectors model.npz --stimulus images.npy --count 5 -o vectors""",
    "verify": """
  intgold verify vectors --dut dump        exit status: 0 equal, 1 different, 2 bad input
  intgold verify vectors --dut vectors     a set is itself a valid dump""",
    "info": """
  intgold info lut
  intgold info model.npz""",
    "data": """
  intgold data                             fetch MNIST into data/mnist (needs torchvision)
  intgold data --check                     only say where it is""",
    "selftest": """
  intgold selftest
  intgold selftest --graphs 5000 --images 2000""",
    "golden": """
  intgold golden -o out/golden             what `make golden` runs
  intgold golden --count 1000 -o out/golden""",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status (0 well, 1 different, 2 bad input)."""
    options = _parser().parse_args(arguments)
    try:
        status = options.call(options)
        sys.stdout.flush()
        return int(status or 0)
    except IntgoldError as error:
        print(f"intgold {options.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the examples as they are and shows the defaults that say something."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        says = action.default not in (None, False, argparse.SUPPRESS)
        return f"{action.help} (default: %(default)s)" if says else action.help


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="intgold",
        description="One frozen integer model: golden in NumPy, fast in C, equal bit for bit.",
        epilog="intgold COMMAND --help shows examples.",
    )
    parser.add_argument("--version", action="version", version=f"intgold {intgold.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (help_text, add, call) in _COMMANDS.items():
        command = commands.add_parser(
            name, help=help_text, description=help_text[0].upper() + help_text[1:] + ".",
            epilog="examples:" + EXAMPLES[name],
            formatter_class=_HelpFormatter,
        )  # fmt: skip
        add(command)
        command.set_defaults(call=call)
    return parser


def _show_progress() -> bool:
    return sys.stderr.isatty()


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help=f"{', '.join(intgold.SHIPPED)}, or the path of an artefact")


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", default="trained", metavar="DIR", help="folder to write")
    parser.add_argument(
        "--epochs", type=int, default=80, metavar="N", help="passes over the images"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of weights, order, augmentation"
    )
    parser.add_argument(
        "--strength", type=float, default=0.75, metavar="S", help="of the augmentation"
    )
    parser.add_argument("--threads", type=int, default=None, metavar="N", help="of torch")
    parser.add_argument("--quick", action="store_true", help="a few epochs on a few images")


def _train(options: argparse.Namespace) -> int:
    try:
        import pytorch_optimizer  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise IntgoldError(
            f"{error.name} is needed to train: pip install torch pytorch_optimizer"
        ) from None
    from .floating.pipeline import train_and_quantize

    made = train_and_quantize(
        options.output, options.epochs, options.seed, options.strength, options.quick,
        options.threads, _show_progress(),
    )  # fmt: skip
    print(f"validation  {made.validation_accuracy:8.2%}  float")
    for name, accuracy in made.test_accuracy.items():
        differing = made.differing.get(name)
        note = "" if differing is None else f", {differing} answers differ from float"
        print(f"test        {accuracy:8.2%}  {name}{note}")
    for path in made.paths:
        print(path)
    return 0


def _add_quantize(parser: argparse.ArgumentParser) -> None:
    from .fields import FORMS

    parser.add_argument("network", help="float network (.npz) that training wrote")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--ranges", metavar="JSON", help="calibration ranges")
    source.add_argument("--images", metavar="NPY", help="calibrate on these images (uint8)")
    parser.add_argument("-o", "--output", required=True, metavar="NPZ", help="artefact to write")
    parser.add_argument("--activation", choices=("lut", "pwl"), default="lut", help="SELU, GELU as")
    parser.add_argument(
        "--segments", type=int, default=8, metavar="N", help="of each pwl activation"
    )
    parser.add_argument("--form", choices=FORMS, default="single", help="of requantize")
    parser.add_argument("--multiplier-bits", type=int, default=31, metavar="N", help="1 to 31")
    parser.add_argument("--per-tensor", action="store_true", help="one weight scale per layer")
    parser.add_argument(
        "--percentile", type=float, default=100.0, metavar="P", help="of the calibration"
    )


def _quantize(options: argparse.Namespace) -> int:
    from .floating.affine import pixel_values
    from .floating.calibrate import Ranges, calibrate
    from .floating.inference import FloatNetwork
    from .floating.quantize import quantize_network
    from .images import read_images

    network = FloatNetwork.load(options.network)
    if options.ranges:
        ranges = Ranges.load(options.ranges)
    else:
        images = read_images(options.images, network.input_shape)
        ranges = calibrate(network, pixel_values(images), options.percentile)
    model = quantize_network(
        network, ranges, options.activation, options.segments, None, options.form,
        options.multiplier_bits, not options.per_tensor,
    )  # fmt: skip
    model.save(options.output)
    print(model.describe())
    return 0


def _add_predict(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument("images", nargs="?", help="images: .npy (uint8, int8) or IDX file")
    parser.add_argument("--mnist", action="store_true", help="the MNIST test images and labels")
    parser.add_argument(
        "--labels", metavar="FILE", help="labels: .npy or IDX file; gives the accuracy"
    )
    parser.add_argument("--backend", choices=BACKENDS, default="c", help="never changes a bit")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="over the images")


def _predict(options: argparse.Namespace) -> int:
    from .data import load_mnist
    from .images import read_images, read_labels

    model = intgold.load(options.model)
    if options.mnist == bool(options.images):
        raise IntgoldError("give either a file of images or --mnist")
    labels: np.ndarray | None
    if options.mnist:
        images, labels = load_mnist("test")
    else:
        images = read_images(options.images, model.tensor(model.inputs[0]).shape)
        labels = read_labels(options.labels, len(images)) if options.labels else None
    answers = model.predict(images, backend=options.backend, threads=options.threads)
    if labels is None:
        print("\n".join(map(str, answers.tolist())))
        return 0
    right = int((answers == labels).sum())
    print(f"{right} of {len(labels)} right, {right / len(labels):.2%}")
    return 0


def _add_vectors(parser: argparse.ArgumentParser) -> None:
    from .vectors.formats import FORMATS

    _add_model(parser)
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--stimulus", default="builtin", metavar="S", help="builtin, mnist, or a .npy file"
    )
    parser.add_argument("--count", type=int, default=16, metavar="N", help="images")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the built-in stimulus")
    parser.add_argument("--formats", default=",".join(FORMATS), help="comma-separated")
    parser.add_argument("--backend", choices=BACKENDS, default="golden", help="never changes a bit")


def _vectors(options: argparse.Namespace) -> int:
    from .vectors.generate import write_set

    made = write_set(
        intgold.load(options.model), options.output, options.stimulus, options.count,
        options.seed, options.formats.split(","), options.backend, _show_progress(),
    )  # fmt: skip
    print(
        f"{made.images} images, {made.tensors} tensors, {made.files} files, "
        f"{made.bytes / 1e6:.1f} MB in {options.output}"
    )
    return 0


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("vectors", help="a vector set")
    parser.add_argument("--dut", required=True, metavar="DIR", help="the device's dump")


def _verify(options: argparse.Namespace) -> int:
    from .verify import verify

    report = verify(options.vectors, options.dut, _show_progress())
    print(report)
    return 0 if report.equal else 1


def _info(options: argparse.Namespace) -> int:
    print(intgold.load(options.model).describe())
    return 0


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", default="data/mnist", metavar="DIR", help="folder to fetch to"
    )
    parser.add_argument("--check", action="store_true", help="only look for it")


def _data(options: argparse.Namespace) -> int:
    from .data import fetch_mnist, find_mnist

    found = find_mnist()
    if found is None and options.check:
        raise IntgoldError("MNIST is neither in MNIST_DIR nor in data/mnist")
    print(f"MNIST is in {found or fetch_mnist(options.output)}")
    return 0


def _add_selftest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--graphs", type=int, default=300, metavar="N", help="random graphs")
    parser.add_argument(
        "--images", type=int, default=200, metavar="N", help="of each shipped model"
    )


def _selftest(options: argparse.Namespace) -> int:
    from . import selftest

    return 0 if selftest.run(options.graphs, options.images, _show_progress()) else 1


def _add_golden(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", default="out/golden", metavar="DIR", help="folder to write"
    )
    parser.add_argument(
        "--count", type=int, default=10_000, metavar="N", help="images of each stimulus"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the built-in stimulus")


def _golden(options: argparse.Namespace) -> int:
    from .selftest import golden_job

    equal = golden_job(
        Path(options.output), options.count, seed=options.seed, progress=_show_progress()
    )
    return 0 if equal else 1


_Adder = Callable[[argparse.ArgumentParser], None]
_COMMANDS: dict[str, tuple[str, _Adder, Callable[[argparse.Namespace], int]]] = {
    "train": ("train the MNIST network and quantise it", _add_train, _train),
    "quantize": ("make an integer model of a float network", _add_quantize, _quantize),
    "predict": ("answer images", _add_predict, _predict),
    "vectors": ("write a golden-vector set", _add_vectors, _vectors),
    "verify": ("compare a device's dump with a vector set", _add_verify, _verify),
    "info": ("describe a model: ops, scales, accumulator bits", _add_model, _info),
    "data": ("find MNIST, or fetch it", _add_data, _data),
    "selftest": ("compare golden and C on random graphs and shipped models",
                 _add_selftest, _selftest),
    "golden": ("run the main job: compare 10,000 images, write vectors", _add_golden, _golden),
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
