"""Commands and functions that write, each ready to be tried on what a user may have there."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import intgold
from contracts_page import CONTRACTS_PAGE
from intgold.cli import COMMANDS, _parser, main
from intgold.describe.data_sheet import write_sheet
from intgold.exporters import copy_engine, write_c
from intgold.quantize.calibrate import Ranges
from intgold.quantize.inference import FloatNetwork
from intgold.support import file_kinds
from intgold.support.file_kinds import (
    C_SOURCE,
    MODEL,
    NETWORK,
    RANGES,
    SHEET,
    SIGNATURES,
    FileKind,
)  # fmt: skip
from intgold.vectors.op_vectors.sets import write_op_sets
from intgold.vectors.sets.generate import write_set
from intgold.verify.signatures import write_signatures

PACKAGE = Path(intgold.__file__).parent


def actions():
    """Each option of each command, but flags and choices: (command, action)."""
    (choices,) = [a.choices for a in _parser()._actions if isinstance(a.choices, dict)]
    assert list(choices) == list(COMMANDS)
    for command, parser in choices.items():
        for action in parser._actions:
            if action.nargs != 0 and action.choices is None:
                yield command, action


def small_file():
    """A TFLite file of one op."""
    w = _writer()
    x, y = w.tensor((1, 4), "int8", 0.5, 0), w.tensor((1, 4), "int8", 0.5, 0)
    w.op("RELU", [x], y)
    return w.finish([x], [y])


def detector_file():
    """A TFLite file that finds a box of either half of a picture of 1x2 pixels, RGB.

    Of a pixel red is the score of the background, green of class 0, blue of class 1.
    """
    w = _writer()
    from host_tails import flexbuffer

    x, seen = (w.tensor((1, 1, 2, 3), "uint8", 1 / 255, 0, name=n) for n in ("picture", "seen"))
    w.op("RELU", [x], seen)
    scores = w.tensor((1, 2, 3), "uint8", 1 / 255, 0, name="scores")
    w.op("RESHAPE", [seen, w.tensor((3,), "int32", data=np.array([1, 2, 3]))], scores)
    near = w.tensor((1, 2, 4), "uint8", 1 / 255, 0, name="encodings")
    sides = np.array([[0, 0], [0, 0], [0, 1]])
    w.op("PAD", [scores, w.tensor((3, 2), "int32", data=sides)], near)
    anchors = np.array([[0.5, 0.25, 1, 0.5], [0.5, 0.75, 1, 0.5]])
    held = w.tensor((2, 4), "uint8", 1 / 200, 0, np.round(anchors * 200))
    names = ("boxes", "classes", "scores_1", "count")
    made = [w.tensor((1,), "float32", name=name) for name in names]
    options = {
        "max_detections": 4, "max_classes_per_detection": 1, "num_classes": 2,
        "nms_iou_threshold": 0.5, "nms_score_threshold": 0.2,
        "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0,
    }  # fmt: skip
    w.custom("TFLite_Detection_PostProcess", [near, scores, held], made, flexbuffer(options))
    return w.finish([x], made)


def _writer():
    place = str(PACKAGE.parents[1] / "conformance")
    if place not in sys.path:
        sys.path.append(place)
    from tflite_writer import Writer

    return Writer()


def copied(base, folder):
    """The inputs below `folder`, which is made."""
    shutil.copytree(base, folder, dirs_exist_ok=True)
    return folder


FILES = {
    ("quantize", "output"): "quantize net.npz --ranges ranges.json -o OUT.npz",
    ("quantize", "save_ranges"):
        "quantize net.npz --images x.npy -o made.npz --save-ranges OUT.json",
    ("import", "output"): "import m.tflite --contract tflm -o OUT.npz",
    ("predict", "save_input"): "predict model.npz x.npy --labels y.npy --save-input OUT.npy",
    ("predict", "save_boxes"): "predict detector.npz pixels.npy --save-boxes OUT.png",
    ("info", "sheet"): "info model.npz --sheet OUT.md",
    ("verify", "html"): "verify set --dut set --html OUT.html",
    ("signatures", "output"): "signatures set --tile 1,1,1 -o OUT.txt",
    ("sweep", "csv"):
        "sweep net.npz --images x.npy --labels y.npy --calibrate x.npy --processes 1"
        " --form single --csv OUT.csv",
    ("sweep", "json"):
        "sweep net.npz --images x.npy --labels y.npy --calibrate x.npy --processes 1"
        " --form single --json OUT.json",
    ("sweep", "plot"):
        "sweep net.npz --images x.npy --labels y.npy --calibrate x.npy --processes 1"
        " --form single --plot OUT.svg",
    ("compare", "json"): "compare net.npz model.npz --images x.npy --labels y.npy --json OUT.json",
    ("bench", "plot"):
        "bench model.npz --isa portable --batch 1 --threads 1 --rounds 1 --plot OUT.svg",
}  # fmt: skip
FOLDERS = {
    ("vectors", "output"): "vectors model.npz --count 1 -o OUT",
    ("op-vectors", "output"): "op-vectors lut --format hex -o OUT",
    ("export", "output"): "export c model.npz -o OUT",
    ("merge", "output"): "merge part0 part1 -o OUT",
    ("regress", "output"): "regress --count 1 -o OUT",
    ("train", "output"): "train --quick -o OUT",
    ("compare", "plot"): "compare net.npz model.npz --images x.npy --plot OUT",
    ("data", "output"): "data -o OUT",
}
MORE_FOLDERS = {
    "requantize": "op-vectors requantize --form single --multiplier-bits 8 -o OUT",
}
"""Other things that these commands write."""


def everything(folder):
    """Every path below a folder: what it is, and its bytes or where it leads."""
    return {
        path.relative_to(folder).as_posix():
            f"-> {os.readlink(path)}" if path.is_symlink()
            else path.read_bytes() if path.is_file() else path.lstat().st_mode
        for path in folder.rglob("*")
    }  # fmt: skip


@dataclass
class Trial:
    """A command with its inputs in a folder of its own."""

    line: str
    folder: Path
    capsys: object

    def run(self, out, dest="OUT"):
        """Run it with a path to write; return status and stderr."""
        words = [str(out) if w.split(".")[0] == dest else w for w in self.line.split()]
        status = main([*words, "--quiet"])  # on a busy machine there may be lines of progress
        return status, self.capsys.readouterr().err

    def refused(self, out, *named):
        """It ends in one line that names the path and these; nothing anywhere is changed."""
        before = everything(self.folder)
        status, err = self.run(out)
        assert status == 2 and err.count("\n") == 1, err
        for text in (*named, *(() if named else (str(out),))):
            assert text in err, err
        assert everything(self.folder) == before, err


def kind_of(option):
    """What an option of `FILES` writes."""
    return next(a.type.kind for c, a in actions() if (c, a.dest) == option)


LIBRARY = {
    "model": (lambda base, path: intgold.load(base / "model.npz").save(path), MODEL),
    "network": (lambda base, path: FloatNetwork.load(base / "net.npz").save(path), NETWORK),
    "c": (lambda base, path: write_c([intgold.load(base / "model.npz")], path), C_SOURCE),
    "ranges": (lambda base, path: Ranges.load(base / "ranges.json").save(path), RANGES),
    "signatures": (lambda base, path: write_signatures(base / "set", (1, 1, 1), path), SIGNATURES),
    "sheet": (lambda base, path: write_sheet(intgold.load(base / "model.npz"), path), SHEET),
}


def file_kinds_known():
    """The kinds of files of the package, and the page of a tool of the repository."""
    return [*(k for k in vars(file_kinds).values() if isinstance(k, FileKind)), CONTRACTS_PAGE]


MODES = (0o600, 0o640, 0o664, 0o755)


WRITERS = {
    "copy_engine": lambda path, n: copy_engine(path),
    "vectors": lambda path, n: write_set(intgold.load(), path, count=n, ops=["pool2"]),
    "op": lambda path, n: write_op_sets("lut", path, formats=["hex"], random=n),
}
"""Functions that replace a folder as a whole; n: something else."""


ENDING = ("put_folder", "_exchange", "_swap", "_take_away", "_left")
"""Where a folder takes the place of another."""


def ending_at(line, error, functions=ENDING):
    """A trace function that raises an error at the `line`-th line of functions, if reached."""
    passed = []

    def trace(frame, event, argument):
        if frame.f_code.co_name not in functions:
            return None
        if event == "line":
            passed.append(frame.f_lineno)
            if len(passed) == line:
                sys.settrace(None)
                raise error
        return trace

    return trace, passed
