"""``intgold predict``."""

from __future__ import annotations

import argparse
import io
import math
import sys
from collections.abc import Sequence

import numpy as np

import intgold

from ..errors import InputError, IntgoldError
from ..host.detection import KIND as DETECTION
from ..host.host_ops import TAIL, host_ops, quantised_by_host
from ..host.host_tail import index_outputs, run_host_tail
from ..images.arrays import REALS, read_labels
from ..images.labels import check_labels
from ..images.sources import ImageBatch, numbered, read_sources
from ..model.graph import Model
from ..predict.detected import (
    MIN_SCORE,
    ClassNames,
    detected,
    detection_op,
    draw_detections,
    read_class_names,
)
from ..predict.host_report import finite_json, host_document, image_document, image_lines, left_line
from ..predict.predictions import Predictions, class_count, predict_images
from ..predict.terminal import printable, style_for
from ..run.backends import BACKENDS, run
from ..run.classify import check_one_input, check_predictable
from ..support.file_kinds import BOXES, INPUT
from ..support.quoting import shown as quoted
from ..support.safe_files import npy_bytes, replacing
from .common import add_isa, add_model, naming
from .paths import InputPath, OutputOf

HELP = "classify images"
EXAMPLES = """
  intgold predict lut seven.png            the digit, the logits, what the network saw
  intgold predict lut scans --brief        a folder of pictures: name, tab, digit
  intgold predict lut digits.npy           one answer a line
  intgold predict lut t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz
  intgold predict model.npz --mnist --threads 2
  intgold predict detector.npz street.jpg --class-names coco.txt --save-boxes boxes.png"""

_PICTURES = 20
_NOTES = """

A picture (PNG, JPEG, BMP, GIF, TIFF, WebP, PNM; one frame, at most 2^26 pixels; needs Pillow) is
converted to the model's input in these steps, before the first integer of the contract:
  transparent pixels become white; 16 bits become 8; it is turned as its EXIF says;
  for an input of 28x28x1, as MNIST was made (LeCun, Cortes, Burges): grey; inverted when the paper
  (the border) is brighter than the ink; paper tone and grain removed; cropped to the ink; fitted
  into 20x20 at its own aspect ratio; full contrast; put into 28x28 by its centre of mass;
  for any other (h, w, 1) or (h, w, 3): grey or RGB, resized to w x h, nothing else.
Bytes are the reals x/255 of a network that was quantised here; of an imported one they are its own
input, uint8 as it is or int8 as x ^ 0x80, since a file does not say what its reals mean.
Files are recognised by their first bytes. In a folder, pictures are taken in the order of their
names; other files are named on stderr. A damaged picture is an error.

One picture file gives all details; several, or a folder, give a line of name, tab and answer each;
.npy and IDX files an answer a line; with labels only the accuracy is shown. --brief, --details and
--json choose another form. The small picture shows the int8 input itself."""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = f"{parser.description}{_NOTES}"
    add_model(parser)
    sources = parser.add_argument(
        "sources", nargs="+", type=InputPath, metavar="SOURCE",
        help="pictures, folders of pictures, or one .npy (uint8, int8; floats for a network "
        "quantised here) or IDX file (raw or gzip)",
    )  # fmt: skip
    # Not nargs="*": that would match nothing before an option, and refuse what follows it.
    sources.required = False
    parser.add_argument("--mnist", action="store_true", help="the MNIST test images and labels")
    parser.add_argument(
        "--labels",
        type=InputPath,
        metavar="FILE",
        help="labels: .npy or IDX file; gives the accuracy",
    )
    parser.add_argument(
        "--as-is", action="store_true", help="pictures of the input's size, only grey or RGB"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--brief", action="store_true", help="one answer a line")
    form.add_argument("--details", action="store_true", help="logits, margin, picture of each")
    form.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument(
        "--picture", action=argparse.BooleanOptionalAction, default=None,
        help=f"in the details (default: on a terminal, up to {_PICTURES} images)",
    )  # fmt: skip
    parser.add_argument(
        "--save-input",
        type=OutputOf(INPUT),
        metavar="NPY",
        help="write the int8 input, a stimulus for intgold vectors; a new file (.npy)",
    )
    parser.add_argument(
        "--class-names", type=InputPath, metavar="FILE",
        help="of a detector: a text file, the name of class 0 on its first line",
    )  # fmt: skip
    parser.add_argument(
        "--min-score", type=_score, metavar="S",
        help=f"of a detector: show detections of at least this score (default: {MIN_SCORE})",
    )  # fmt: skip
    parser.add_argument(
        "--save-boxes", type=OutputOf(BOXES), metavar="PNG",
        help="of a detector and one picture: what the network saw, with the boxes drawn on it "
        "(.png; needs Pillow)",
    )  # fmt: skip
    parser.add_argument("--backend", choices=BACKENDS, default="c", help="never changes a bit")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="over the images")
    add_isa(parser)


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..host.axis_order import shape_given
    from ..images.mnist import load_mnist

    model = intgold.load(options.model)
    if options.mnist == bool(options.sources):
        raise IntgoldError("give either images or --mnist")
    for form in ("json", "brief"):
        if options.picture and getattr(options, form):
            raise IntgoldError(f"--picture: a part of the details, which --{form} leaves out")
    with naming(options.model):
        detector = any(op.kind == DETECTION for op in host_ops(model.metadata, TAIL))
        only_host = _gives_no_class(model, detector=detector)
    for option in ("class_names", "min_score", "save_boxes"):
        if getattr(options, option) is not None and not detector:
            raise IntgoldError(
                f"{options.model}: no detector, which --{option.replace('_', '-')} is for"
            )
    if only_host:
        _check_without_classes(options)
    labels = None
    if options.mnist:
        if options.labels:
            raise IntgoldError(f"--labels {options.labels}: --mnist has its own")
        given, labels = load_mnist("test")
        batch = ImageBatch(given, numbered("mnist", len(given)), "array")
    else:
        name = model.inputs[0]
        shape = model.tensor(name).shape
        batch = read_sources(
            options.sources,
            shape,
            as_is=options.as_is,
            other=shape_given(model, name),
            dtypes=_dtypes(model),
        )
        if options.labels:
            labels = read_labels(options.labels, len(batch.images))
            with naming(options.labels):
                check_labels(labels, len(batch.images), class_count(model))
    if batch.passed_over:
        names = ", ".join(printable(str(path), sys.stderr.encoding) for path in batch.passed_over)
        print(f"intgold predict: passed over, no pictures: {names}", file=sys.stderr)
    of_file = batch.form == "array" and not options.mnist
    with naming(options.sources[0] if of_file else options.model):
        images = model.quantize_input(batch.images)
    if only_host:
        if options.save_boxes and len(images) != 1:
            raise IntgoldError(f"--save-boxes {options.save_boxes}: {len(images)} images; give one")
        return _print_host(model, images, batch.names, options)
    in_details = options.details or (batch.form == "picture" and labels is None)
    if options.picture and not in_details:
        raise IntgoldError("--picture: a part of the details; add --details")
    with naming(options.model):
        answers = predict_images(
            model, images, batch.names, labels, options.backend, options.threads, options.isa
        )
    if options.save_input:
        with replacing(options.save_input, INPUT) as file:
            file.write(npy_bytes(answers.x))
    if options.json:
        print(finite_json(answers.document()))
        return 0
    if in_details and not options.brief:
        _print_details(answers, picture=options.picture)
    elif labels is None or options.brief:
        named = batch.form == "pictures"
        for name, label in zip(batch.names, answers.classes.tolist(), strict=True):
            print(f"{printable(name, sys.stdout.encoding)}\t{label}" if named else label)
    if labels is not None:
        print(answers.accuracy())
    return 0


def _check_without_classes(options: argparse.Namespace) -> None:
    """Refuse what only images that give a class obey."""
    if options.labels:
        raise IntgoldError(f"{options.model}: its images have no class to compare with labels")
    for option in ("brief", "details", "picture"):
        if getattr(options, option):
            raise IntgoldError(f"{options.model}: its images have no class, which --{option} shows")
    if options.min_score is not None and options.json and not options.save_boxes:
        raise IntgoldError("--min-score goes with a table or picture; --json has all detections")


def _score(text: str) -> float:
    """Return a finite number of the command line."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is no finite number")
    return value


def _gives_no_class(model: Model, *, detector: bool) -> bool:
    """Return whether images give no class, but several indices, or the host computes more."""
    if TAIL not in model.metadata and not index_outputs(model):
        check_predictable(model)
        return False
    check_one_input(model)
    if detector:
        return True
    try:
        check_predictable(model)
    except InputError:
        return True
    return False


def _print_host(
    model: Model, images: np.ndarray, names: Sequence[str], options: argparse.Namespace
) -> int:
    """Print what the host computes from each image where that is no class; return the status."""
    shown = ClassNames(
        read_class_names(options.class_names) if options.class_names else (),
        MIN_SCORE if options.min_score is None else options.min_score,
        options.class_names or "",
    )
    result = run(model, images, backend=options.backend, threads=options.threads, isa=options.isa)
    host = run_host_tail(model, result.outputs)
    for option in ("class_names", "min_score", "save_boxes"):
        value = getattr(options, option)
        if value is not None and detection_op(host) is None:
            none = f"no detections of {options.model} are computed here"
            raise IntgoldError(
                f"--{option.replace('_', '-')} {value}: {'; '.join([none, *left_line(host)])}"
            )
    picture = io.BytesIO()
    if options.save_boxes:
        labelled = [(d, shown.of(d.kind)) for d in detected(host, 0) if shown.shows(d)]
        with naming(options.model):
            draw_detections(picture, images[0], labelled)
    if options.json:
        each = [image_document(host, i, name, shown) for i, name in enumerate(names)]
        document = {"model": model.name, "sha256": model.sha256, "images": each,
                    "host": host_document(host)}  # fmt: skip
        text = finite_json(document)
    else:
        text = "\n\n".join(
            "\n".join(image_lines(host, i, name, shown, sys.stdout.encoding))
            for i, name in enumerate(names)
        )
    # What may be refused is done: only now are files written.
    for path, kind, data in (
        (options.save_input, INPUT, npy_bytes(images)),
        (options.save_boxes, BOXES, picture.getvalue()),
    ):
        if path:
            with replacing(path, kind) as file:
                file.write(data)
    print(text)
    return 0


def _dtypes(model: Model) -> tuple[str, ...]:
    """Return those of an array file: reals where the float network or file takes such."""
    from ..host.affine import takes_bytes

    tensor = model.tensor(model.inputs[0])
    own = "float_network" in model.metadata or quantised_by_host(model.metadata, tensor.name)
    own = own and tensor.scale is not None
    camera = ("uint8",) if takes_bytes(model, tensor) else ()
    return (*camera, "int8", *(REALS if own else ()))


def _print_details(answers: Predictions, *, picture: bool | None) -> None:
    if picture is None:
        picture = sys.stdout.isatty() and len(answers.names) <= _PICTURES
    style = style_for(sys.stdout) if picture else None
    for i in range(len(answers.names)):
        print("\n" * (i > 0) + answers.details(i, style, sys.stdout.encoding))
