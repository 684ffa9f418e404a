"""No command and no function deletes, replaces or changes a file of the user's.

Every option of every command that takes a path says by its type whether it is read or written.
Each that is written is tried on what a user may have there.
"""

import ast
import errno
import functools
import importlib.util
import io
import itertools
import json
import os
import shutil
import sys
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import intgold
import tools
from contracts_page import CONTRACTS_PAGE
from intgold.cli import COMMANDS, _parser, main
from intgold.cli.paths import InputPath, OutputFolder, OutputFolderOrLines, OutputOf
from intgold.describe.data_sheet import write_sheet
from intgold.errors import IntgoldError
from intgold.exporters import copy_engine, write_c
from intgold.images.mnist import MNIST_SHA256
from intgold.quantize.calibrate import Ranges, calibrate
from intgold.quantize.inference import FloatNetwork, Layer
from intgold.quantize.quantizer import quantize_network
from intgold.support import file_kinds
from intgold.support.file_kinds import (
    C_SOURCE,
    INPUT,
    MODEL,
    NETWORK,
    RANGES,
    SHEET,
    SIGNATURES,
    SWEEP_COLUMNS,
    FileKind,
)  # fmt: skip
from intgold.support.folders import MARKER, FilesInto
from intgold.support.interrupts import Stopped
from intgold.support.safe_files import replacing
from intgold.vectors import freeze
from intgold.vectors.op_vectors.sets import write_op_sets
from intgold.vectors.sets.generate import write_set
from intgold.verify.signatures import write_signatures

PACKAGE = Path(intgold.__file__).parent

TEXTS = {
    ("locate", "what"), ("locate", "coordinate"), ("quantize", "name"), ("quantize", "calibration"),
    ("quantize", "activation"), ("quantize", "activation_of"), ("import", "contract"),
    ("import", "name"), ("contracts", "first"), ("contracts", "second"), ("vectors", "format"),
    ("vectors", "images"), ("vectors", "ops"), ("vectors", "tensors"), ("vectors", "partials"),
    ("op-vectors", "op"), ("op-vectors", "form"), ("op-vectors", "format"),
    ("map", "partials"), ("signatures", "tile"),
    ("bench", "isa"), ("bench", "batch"), ("bench", "threads"), ("sweep", "calibration"),
    ("sweep", "activation"), ("sweep", "per_channel"), ("sweep", "weight_bits"),
    ("sweep", "weight_scales"), ("sweep", "multiplier_bits"), ("sweep", "form"),
    *((command, "isa") for command in ("predict", "vectors", "regress")),
}  # fmt: skip
"""Options of any text that are no path."""


def actions():
    """Each option of each command, but flags and choices: (command, action)."""
    (choices,) = [a.choices for a in _parser()._actions if isinstance(a.choices, dict)]
    assert list(choices) == list(COMMANDS)
    for command, parser in choices.items():
        for action in parser._actions:
            if action.nargs != 0 and action.choices is None:
                yield command, action


def test_every_path_says_whether_it_is_written():
    """An option of free text is a path of one of the three types, or known to be no path; that of
    a file says what is written, and with which suffixes.
    """
    free = {(c, a.dest) for c, a in actions() if a.type is None}
    assert free == TEXTS
    files = [a.type for _, a in actions() if isinstance(a.type, OutputOf)]
    others = {a.type for _, a in actions() if not isinstance(a.type, OutputOf)}
    assert others == {None, int, float, InputPath, OutputFolder, OutputFolderOrLines}
    assert all(s[0] == "." and s == s.lower() for of in files for s in of.kind.known)
    assert all(of.kind.known for of in files)


def layer(name, *shape):
    values = np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    return Layer(name, "fully_connected", values, np.zeros(shape[0], np.float32))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """One valid input of each kind, small."""
    folder = tmp_path_factory.mktemp("base")
    network = FloatNetwork("small", (4, 4, 1), (layer("fc", 3, 16),))
    images = np.arange(8 * 16, dtype=np.uint8).reshape(8, 4, 4, 1)
    ranges = calibrate(network, images.astype(np.float32) / 255)
    network.save(folder / "net.npz")
    ranges.save(folder / "ranges.json")
    quantize_network(network, ranges).save(folder / "model.npz")
    np.save(folder / "x.npy", images[..., 0])
    np.save(folder / "y.npy", np.zeros(8, np.uint8))
    write_set(intgold.load(folder / "model.npz"), folder / "set", count=2)
    for shard in (0, 1):
        write_set(
            intgold.load(folder / "model.npz"), folder / f"part{shard}", count=2, shards=2,
            shard=shard,
        )  # fmt: skip
    write_signatures(folder / "set", (1, 1, 1), folder / "s.txt")
    (folder / "layout.toml").write_text("[layout]\nword_bits = 8\n")
    return folder


def small_file():
    """A TFLite file of one op."""
    place = str(PACKAGE.parents[1] / "conformance")
    if place not in sys.path:
        sys.path.append(place)
    from tflite_writer import Writer

    w = Writer()
    x, y = w.tensor((1, 4), "int8", 0.5, 0), w.tensor((1, 4), "int8", 0.5, 0)
    w.op("RELU", [x], y)
    return w.finish([x], [y])


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


def test_no_output_is_forgotten():
    """Every option whose path is written is tried below."""
    files = {(c, a.dest) for c, a in actions() if isinstance(a.type, OutputOf)}
    folders = {(c, a.dest) for c, a in actions() if a.type in (OutputFolder, OutputFolderOrLines)}
    assert files == set(FILES) and folders == set(FOLDERS)


_WRITES = {
    "write_text", "write_bytes", "mkdir", "makedirs", "rmtree", "unlink", "remove", "rmdir",
    "rename", "renames", "touch", "truncate", "symlink_to", "hardlink_to", "copytree", "copyfile",
    "copy2", "move", "savefig", "mkstemp", "mkdtemp", "TemporaryDirectory", "tofile",
}  # fmt: skip
_WRITERS = {
    "support/safe_files.py": "one whole file",
    "support/folders.py": "folders of one's own",
    "vectors/sets/set_writer.py": "in a hidden folder",
    "vectors/op_vectors/sets.py": "in replacing_folder",
    "vectors/freeze.py": "in a temporary folder",
    "exporters/engine.py": "in replacing_folder",
    "images/mnist.py": "makes its folder, downloads into a temporary one",
    "study/quantisation/plots.py": "into memory",
}


def test_nobody_writes_past_the_mechanism():
    """What makes, changes or deletes files is called in the few modules that are known for it."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _writes(node):
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found == set(_WRITERS) and {"support/safe_files.py", "support/folders.py"} <= found


def _writes(call):
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in ("open", "fdopen"):
        modes = [a.value for a in call.args if isinstance(a, ast.Constant)]
        return any(isinstance(m, str) and set(m) & set("wax+") and len(m) < 4 for m in modes)
    return name in _WRITES and not (name == "remove" and _of_list(call))


def _of_list(call):
    return isinstance(call.func.value, ast.Name) and call.func.value.id != "os"


def test_every_writer_says_what_it_writes():
    """Whoever writes one file names its kind, but for those who know by digests what is theirs."""
    nameless, named = set(), set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if getattr(getattr(node, "func", None), "id", "") in ("replacing", "write_zip"):
                kind = node.args[-1]
                known = len(node.args) == (2 if node.func.id == "replacing" else 3)
                assert known and not node.keywords, (path, node.lineno)
                none = isinstance(kind, ast.Constant) and kind.value is None
                (nameless if none else named).add(path.relative_to(PACKAGE).as_posix())
    assert (
        nameless == {"support/folders.py", "images/mnist.py", "vectors/freeze.py"}
        and len(named) > 9
    )


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


@pytest.fixture
def trial(base, tmp_path, capsys, monkeypatch):
    def made(line):
        for word, tool in (("train", "torch"), ("plot", "matplotlib")):
            if word in line.split()[0] or f"--{word}" in line:
                tools.need(tool)
        if "tflite" in line:
            (base / "m.tflite").write_bytes(small_file())
        for name, value in (("_ROUNDS", 1), ("_SECONDS", 0.0), ("BATCHES", (1,))):
            monkeypatch.setattr(f"intgold.study.quantisation.compare.{name}", value)
        monkeypatch.chdir(copied(base, tmp_path / "here"))
        return Trial(line, tmp_path / "here", capsys)

    return made


@pytest.mark.parametrize("option", FILES, ids="_".join)
def test_a_file_is_written_only_over_a_file(option, trial):
    """Over a user's folder, below a file, over a device, over an input: refused."""
    one = trial(FILES[option])
    here, suffix = one.folder, "." + FILES[option].split("OUT.")[1].split()[0]
    mine = here / f"mine{suffix}"
    mine.mkdir()
    (mine / "notes").write_text("mine")
    one.refused(mine)
    one.refused(here / "x.npy" / f"o{suffix}")
    os.mkfifo(here / f"pipe{suffix}")
    one.refused(here / f"pipe{suffix}")
    one.refused(here / "nowhere" / f"o{suffix}")
    for word in dict.fromkeys(one.line.split()):
        if (here / word).is_file():  # every input in turn, and by a link
            one.refused(here / word, f"{here / word}: is a file to read")
            (here / f"link_{word}{suffix}").symlink_to(word)
            one.refused(here / f"link_{word}{suffix}", f"link_{word}{suffix}: is a file to read")
        elif (here / word).is_dir() and word != mine.name:
            one.refused(here / word / f"o{suffix}", "is in the vector set")
            one.refused(here / word / "manifest.json", "is in the vector set")
    (here / f"round{suffix}").symlink_to(f"round{suffix}")
    one.refused(here / f"round{suffix}")


def kind_of(option):
    """What an option of `FILES` writes."""
    return next(a.type.kind for c, a in actions() if (c, a.dest) == option)


@functools.cache
def of_a_users():
    """Files that a user may have, by what they are; some look much like ours."""
    made = {"text": b"mine\n", "line ends": b"\n\n", "zeros": bytes(100), "python": b"import os\n"}
    for name, save in (("npz", np.savez), ("compressed", np.savez_compressed)):
        stream = io.BytesIO()
        save(stream, model=np.arange(5), network=np.arange(3))
        made[name] = stream.getvalue()
    form = {"model": "intgold-model", "network": "intgold-float-network"}
    for name, compression in itertools.product(form, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)):
        text = json.dumps({"format": form[name]}, indent=1)
        for first, second in ((f"{name}.json", "x"), ("x", f"{name}.json")):
            stream = io.BytesIO()
            with zipfile.ZipFile(stream, "w", compression) as archive:
                archive.writestr(first, "{}" if first == "x" else text.replace("-", "_"))
                archive.writestr(second, text)
            made[f"{name} {compression} {first}"] = stream.getvalue()
    for name in form:  # a deflated member that holds the text as it is
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=0) as archive:
            text = json.dumps({"format": form[name], "name": "mine"}, indent=1)
            archive.writestr(f"{name}.json", text)
        made[f"{name} deflated, not compressed"] = stream.getvalue()
    stream = io.BytesIO()
    np.save(stream, np.zeros((2, 4, 4, 1), np.int8))
    made["npy"] = stream.getvalue()
    for name in ("intgold-ranges", "intgold-comparison"):
        made[f"json of {name}"] = json.dumps({"note": name, "format": name}, indent=1).encode()
    made["json rows"] = json.dumps([{"calibration": "minmax"}], indent=1).encode()
    made["csv"] = ",".join([*SWEEP_COLUMNS, "mine"]).encode() + b"\n1,2\n"
    made["csv, fewer"] = ",".join(SWEEP_COLUMNS[:-1]).encode() + b"\n1,2\n"
    made["html"] = b"<!doctype html><html><body>intgold verify, intgold data sheet</body></html>\n"
    made["md"] = b"# mine: arithmetic data sheet\n\nnotes of the content SHA-256\n"
    made["signatures"] = b"# CRC-32, polynomial 0x04c11db7, as intgold makes it\n"
    made["c"] = b'#include "intgold.h"\n\nint main(void) { return 0; }\n'
    made["page"] = b"# Which int8?\n\nNotes.\n"
    return made | pictures_of_a_users()


def pictures_of_a_users():
    """Of matplotlib, where it is there, with words of ours in them."""
    made = {
        "png": b"\x89PNG\r\n\x1a\n" + bytes(16) + b"IDAT" + b"tEXtSoftware\0intgold",
        "svg": b"<?xml version='1.0'?>\n<svg><title>intgold</title></svg>\n",
        "pdf": b"%PDF-1.4\n/Title (intgold)\n",
    }
    if importlib.util.find_spec("matplotlib"):
        from matplotlib.figure import Figure

        for form in ("png", "svg", "pdf"):
            stream = io.BytesIO()
            Figure(figsize=(1, 1)).savefig(stream, format=form, metadata={"Title": "intgold"})
            made[f"{form} of matplotlib"] = stream.getvalue()
    return made


@pytest.fixture(scope="module")
def own_files(base, tmp_path_factory):
    """A file of every kind but those that take long: (kind, bytes)."""
    folder = tmp_path_factory.mktemp("own")
    model = intgold.load(base / "model.npz")
    write_c([model], folder / "m.c")
    write_sheet(model, folder / "s.md")
    write_sheet(model, folder / "s.html")
    assert main(["verify", str(base / "set"), "--dut", str(base / "set"), "--html",
                 str(folder / "r.html"), "--quiet"]) == 0  # fmt: skip
    paths = {
        "model": base / "model.npz", "float network": base / "net.npz",
        "set of ranges": base / "ranges.json", "C source of models": folder / "m.c",
        "list of signatures": base / "s.txt", "report": folder / "r.html",
    }  # fmt: skip
    both = [("data sheet", folder / "s.md"), ("data sheet", folder / "s.html")]
    return [(name, path.read_bytes()) for name, path in (*paths.items(), *both)]


@pytest.mark.parametrize("option", FILES, ids="_".join)
def test_a_users_file_stays(option, trial, own_files):
    """Of any content, other kinds of intgold's among it; by its name, by a link, by two links."""
    one, kind = trial(FILES[option]), kind_of(option)
    here = one.folder
    others = {f"own {name}": data for name, data in own_files if name != kind.name}
    for i, suffix in enumerate(kind.known):
        (here / f"to_py{suffix}").symlink_to("train.py")
        (here / f"again{suffix}").symlink_to(f"to_py{suffix}")
        ways = ("keep", "to_py", "again")
        for j, data in enumerate((of_a_users() | others).values()):
            (here / f"keep{suffix}").write_bytes(data)
            (here / "train.py").write_bytes(data)
            for name in ways if j == 0 else (ways[j % 3],):
                one.refused(here / f"{name}{suffix}", f"cannot write {here / name}{suffix}: it is")
        (here / f"hard{suffix}").hardlink_to(here / f"keep{suffix}")
        one.refused(here / f"hard{suffix}", "move it away")
        if i == 0:
            for name in ("train.py", "new.py", "new", f"{suffix}", f"new{suffix}.txt.gz"):
                one.refused(here / name, name, f"a {kind.name} ends in {suffix}")


@pytest.mark.parametrize(
    ("option", "suffix"),
    [(option, suffix) for option in FILES for suffix in kind_of(option).known],
    ids=lambda x: x if isinstance(x, str) else "_".join(x),
)
def test_its_own_file_is_replaced(option, suffix, trial):
    """By its name, in capitals too, and by a link, which stays one; nothing else changes. Only what
    cannot say who wrote it stays. An empty file has nothing to lose.
    """
    one, named = trial(FILES[option]), f"OUT.{FILES[option].split('OUT.')[1].split()[0]}"
    here, out = one.folder, one.folder / f"out{suffix.upper()}"
    one.line = one.line.replace(named, "OUT")
    (here / f"link{suffix}").symlink_to(out.name)
    out.touch()
    (here / "also").hardlink_to(out)
    kept = everything(here)
    assert one.run(out)[0] == 0 and out.stat().st_size > 0
    made = [p for p in here.iterdir() if p.name not in kept and p.name != "made.npz"]
    assert not made and (here / "also").read_bytes() == b""
    if kind_of(option) is INPUT:
        one.refused(out, "does not say who wrote it; move it away")
        return
    before = out.stat().st_ino
    assert one.run(here / f"link{suffix}")[0] == 0
    assert (here / f"link{suffix}").is_symlink() and out.stat().st_ino != before
    after = everything(here)
    assert {n for n in kept if kept[n] != after[n]} == {out.name}
    if kind_of(option).comment is not None:
        out.write_bytes(out.read_bytes() + b"my notes\n")
        one.refused(out, "was changed after intgold wrote it; move it away")
        one.refused(here / f"link{suffix}", "was changed after intgold wrote it; move it away")


LIBRARY = {
    "model": (lambda base, path: intgold.load(base / "model.npz").save(path), MODEL),
    "network": (lambda base, path: FloatNetwork.load(base / "net.npz").save(path), NETWORK),
    "c": (lambda base, path: write_c([intgold.load(base / "model.npz")], path), C_SOURCE),
    "ranges": (lambda base, path: Ranges.load(base / "ranges.json").save(path), RANGES),
    "signatures": (lambda base, path: write_signatures(base / "set", (1, 1, 1), path), SIGNATURES),
    "sheet": (lambda base, path: write_sheet(intgold.load(base / "model.npz"), path), SHEET),
}


@pytest.mark.parametrize("name", LIBRARY)
def test_a_function_takes_no_file_of_the_users(name, base, own_files, tmp_path):
    """What writes one file refuses what is not of its kind, and replaces what it wrote."""
    write, kind = LIBRARY[name]
    path = tmp_path / "x.md"  # a suffix is asked for only where a file's form depends on it
    (tmp_path / "link.md").symlink_to("x.md")
    others = {name: data for name, data in own_files if name != kind.name}
    for data in (of_a_users() | others).values():
        path.write_bytes(data)
        for way in (path, tmp_path / "link.md"):
            with pytest.raises(IntgoldError, match=f"not written by intgold as a {kind.name}"):
                write(base, way)
            assert path.read_bytes() == data and (tmp_path / "link.md").is_symlink()
    assert len(list(tmp_path.iterdir())) == 2
    path.unlink()
    write(base, path)
    first = path.read_bytes()
    if kind.comment is None:
        path.write_bytes(first + b"\n")
    write(base, tmp_path / "link.md")
    assert path.read_bytes() == first and (tmp_path / "link.md").is_symlink()


@pytest.mark.parametrize("name", LIBRARY)
def test_an_empty_path_is_named(name, base, tmp_path, monkeypatch):
    """It shows as '' in the one line, from every function that writes one file."""
    inputs = copied(base, tmp_path / "base")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(IntgoldError, match="^(cannot write '': the path is empty|'': a data)"):
        LIBRARY[name][0](inputs, "")
    assert [*Path().iterdir()] == []


def changed(data):
    """What may become of a sealed text in a user's hands, by what was done."""
    middle, lines = len(data) // 2, data.splitlines(keepends=True)
    flips = {f"bit {i}": i for i in (middle, len(data) - 80, len(data) - 2, len(data) - 1)}
    flips |= {f"in line {len(lines) - n}": len(data) - len(b"".join(lines[-n:])) for n in (2, 3)}
    made = {name: data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :] for name, i in flips.items()}
    return made | {
        "a line end more": data + b"\n",
        "a line end less": data[:-1],
        "notes at the end": data + b"notes\n",
        "notes above the seal": b"".join([*lines[:-1], b"notes\n", lines[-1]]),
        "a word in the middle": data[:middle] + b" mine " + data[middle:],
        "without its seal": b"".join(lines[:-1]),
        "its seal twice": data + lines[-1],
        "written twice": data + data,
        "cut": data[: middle + 1],
        "a line less": b"".join([*lines[:-2], lines[-1]]),
        "CRLF": data.replace(b"\n", b"\r\n"),
        "longer than a block": b"".join([*lines[:-1], b" " * 2**21, lines[-1]]),
    }


def file_kinds_known():
    """The kinds of files of the package, and the page of a tool of the repository."""
    return [*(k for k in vars(file_kinds).values() if isinstance(k, FileKind)), CONTRACTS_PAGE]


def test_a_text_that_was_changed_stays(own_files, tmp_path):
    """Each kind of text with comments is refused after any change, and taken as it was."""
    page = PACKAGE.parents[1] / "docs" / "which_int8.md"
    kinds = {k.name: k for k in file_kinds_known() if k.comment}
    texts = [(kinds[name], data) for name, data in own_files if name in kinds]
    texts.append((CONTRACTS_PAGE, page.read_bytes()))
    assert {kind.name for kind, _ in texts} == set(kinds) and len(texts) == 6
    path = tmp_path / "x"
    for kind, data in texts:
        path.write_bytes(data)
        kind.check_replaceable(path, path)
        for how, other in changed(data).items():
            assert other != data
            path.write_bytes(other)
            wanted = "was changed after" + ("|was not written" if how == "CRLF" else "")
            with pytest.raises(IntgoldError, match=wanted), replacing(path, kind) as file:
                file.write(b"new\n")
            assert path.read_bytes() == other, (kind.name, how)
    assert [*tmp_path.iterdir()] == [path]


def test_a_text_of_an_earlier_version_stays(own_files, tmp_path):
    """Without a seal nobody can say whether it was changed; the message says why it is refused."""
    (data,) = [data for name, data in own_files if name == C_SOURCE.name]
    path = tmp_path / "m.c"
    path.write_bytes(b"".join(data.splitlines(keepends=True)[:-1]))
    with pytest.raises(IntgoldError, match="or an earlier version wrote it, without a seal; move"):
        C_SOURCE.check_replaceable(path, path)


def test_which_files_have_no_seal():
    """Those without comments, in which edits are lost, as the pages say; no others."""
    kinds = file_kinds_known()
    sealed = {suffix for k in kinds if k.comment for suffix in k.known}
    others = {suffix for k in kinds if not k.comment for suffix in k.known}
    assert sealed == {".c", ".md", ".html", ".txt"}
    assert others == {".npz", ".json", ".csv", ".png", ".svg", ".pdf", ".npy"}
    for page in ("docs/reference/cli.md", "docs/embedded.md"):
        text = " ".join((PACKAGE.parents[1] / page).read_text().split())
        assert "edits in such a file are lost" in text, page


def test_what_ships_and_is_frozen_is_known():
    """Models, networks and ranges in the package; the page in docs/: each only of its own kind."""
    kinds = file_kinds_known()
    assert len({id(k) for k in kinds}) == len(kinds) > 10
    docs = PACKAGE.parents[1] / "docs" / "which_int8.md"
    shipped = dict.fromkeys((PACKAGE / "models").glob("*.npz"), MODEL)
    shipped |= dict.fromkeys((PACKAGE / "models").glob("*_float.npz"), NETWORK)
    shipped |= dict.fromkeys((PACKAGE / "models").glob("*_ranges.json"), RANGES)
    assert len(shipped) > 5
    for path, own in {**shipped, **({docs: CONTRACTS_PAGE} if docs.exists() else {})}.items():
        for kind in kinds:
            if kind is own:
                kind.check_replaceable(path, path)
            else:
                with pytest.raises(IntgoldError, match="it is there"):
                    kind.check_replaceable(path, path)


MODES = (0o600, 0o640, 0o664, 0o755)


@pytest.mark.parametrize("name", LIBRARY)
def test_a_replaced_file_keeps_its_mode(name, base, tmp_path):
    """Also where it was empty, and by a link; a new one has what the umask leaves. One that its
    owner may not write is refused, with its mode as it was.
    """
    write, path = LIBRARY[name][0], tmp_path / "x.md"
    (tmp_path / "link.md").symlink_to("x.md")
    (tmp_path / "plain").touch()
    write(base, path)
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    for mode in MODES:
        for empty in (False, True):
            path.write_bytes(b"" if empty else path.read_bytes())
            path.chmod(mode)
            for way in (path, tmp_path / "link.md"):
                before = path.stat().st_ino
                write(base, way)
                assert path.stat().st_mode & 0o7777 == mode and path.stat().st_ino != before
    for mode in (0o444, 0o400, 0o060):
        path.chmod(mode)
        before = path.stat()
        for way in (path, tmp_path / "link.md"):
            with pytest.raises(IntgoldError, match=f"cannot write {way}: it is protected from wr"):
                write(base, way)
            assert path.stat().st_mode == before.st_mode and path.stat().st_ino == before.st_ino
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("what", ["training", "comparison"])
def test_a_file_put_into_a_folder_keeps_its_mode(what, tmp_path):
    """Its record too; one that is protected from writing is refused before the work."""
    made = FilesInto(tmp_path, what, ["a"]).add("a", lambda path: path.write_text("old"))
    record = tmp_path / f"intgold-{what}.json"
    for mode in MODES:
        for path in (made, record):
            path.chmod(mode)
        FilesInto(tmp_path, what, ["a"]).add("a", lambda path: path.write_text(f"{mode}"))  # noqa: B023
        assert [p.stat().st_mode & 0o7777 for p in (made, record)] == [mode] * 2
        assert made.read_text() == f"{mode}"
    for path in (made, record):
        path.chmod(0o444)
        before = everything(tmp_path)
        with pytest.raises(IntgoldError, match=f"{path.name}: it is protected from writing"):
            FilesInto(tmp_path, what, ["a"])
        assert everything(tmp_path) == before
        path.chmod(0o644)


def test_a_file_that_appears_meanwhile_stays(tmp_path):
    """Another program may write that name while a command works."""
    path = tmp_path / "m.npz"
    with pytest.raises(IntgoldError, match="not written by intgold"), replacing(path, MODEL) as f:
        f.write(b"whole")
        path.write_bytes(b"mine")
    assert path.read_bytes() == b"mine" and [p.name for p in tmp_path.iterdir()] == ["m.npz"]


def test_what_cannot_be_read_is_not_replaced(tmp_path, monkeypatch):
    """A file of which nobody can say whose it is."""
    path = tmp_path / "m.npz"
    path.write_bytes(b"mine")

    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(file_kinds, "_ends", refuse)
    with pytest.raises(IntgoldError, match="Permission denied"), replacing(path, MODEL):
        pass
    assert path.read_bytes() == b"mine" and [p.name for p in tmp_path.iterdir()] == ["m.npz"]


def folder_lines():
    return {**{"_".join(k): v for k, v in FOLDERS.items()}, **MORE_FOLDERS}


OWN = ["vectors_output", "op-vectors_output", "requantize", "merge_output"]
"""Folders that are replaced as a whole."""


@pytest.mark.parametrize("name", folder_lines())
def test_a_folder_of_the_users_is_refused(name, trial, monkeypatch):
    """A user's files where a folder is to be written; a file, or a device, of that name."""
    if name == "train_output":
        tools.need("pytorch_optimizer")
    one = trial(folder_lines()[name])
    here = one.folder
    if name == "data_output":
        monkeypatch.delenv("MNIST_DIR", raising=False)
    clash = {
        "regress_output": "lut/notes.txt", "train_output": "mnist_lut.npz",
        "compare_plot": "errors.png", "data_output": next(iter(MNIST_SHA256)),
    }.get(name, "notes.txt")  # fmt: skip
    mine = here / "mine" / clash
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    one.refused(here / "mine", Path(clash).name)
    (here / "link").symlink_to("mine")
    one.refused(here / "link", Path(clash).name)
    one.refused(here / "x.npy")
    os.mkfifo(here / "pipe")
    one.refused(here / "pipe")
    if name in OWN:
        one.refused(here)  # the folder one works in
        one.refused("")
        (here / "empty" / "inside").mkdir(parents=True)
        one.refused(here / "empty", "inside/")


@pytest.mark.parametrize("name", OWN)
def test_a_set_is_replaced_while_it_is_as_it_was_written(name, trial):
    """The same command again says nothing; another one says what goes; a file of the user's in
    it, whatever it is, stays and is named.
    """
    one = trial(folder_lines()[name])
    here, other = one.folder, Trial("vectors model.npz --count 2 -o OUT", one.folder, one.capsys)
    if name in ("op-vectors_output", "requantize"):
        other = Trial("op-vectors lut --format hex --random 1 -o OUT", one.folder, one.capsys)
    out = here / "out"
    assert one.run(out) == (0, "")
    first = everything(out)
    assert one.run(out) == (0, "") and everything(out) == first
    if name in OWN:
        status, err = other.run(out)
        assert status == 0 and (name == "merge_output" or "replacing the ve" in err), err
        assert (err.count("\n") <= 1 and everything(out) != first) or name == "merge_output"
        status, err = one.run(out)
        assert status == 0 and everything(out) == first
    (here / "link").symlink_to("out")
    assert one.run(here / "link")[0] == 0 and (here / "link").is_symlink()
    assert everything(out) == first
    some = sorted(p for p in out.rglob("*") if p.is_file() and p.name != "manifest.json")[0]
    whole = some.read_bytes()
    for what in ("added", "changed", "linked", "folder", "manifest"):
        odd = {"changed": some, "linked": some, "manifest": out / "manifest.json"}.get(
            what, out / "mine"
        )
        kept = odd.read_bytes() if odd.is_file() else None
        if what == "folder":
            odd.mkdir()
        elif what == "linked":
            (here / "elsewhere").write_bytes(whole)
            some.unlink()
            some.symlink_to(here / "elsewhere")
        else:
            odd.write_bytes((kept or b"") + b" ")
        one.refused(out, odd.name)
        odd.rmdir() if what == "folder" else odd.unlink()
        if kept is not None:
            odd.write_bytes(kept)
    some.unlink()  # what is missing is nobody's
    assert one.run(out)[0] == 0 and everything(out) == first
    assert {p.name for p in here.iterdir() if p.name.startswith(".")} == set()


def test_pictures_go_beside_other_files(trial):
    """Those of an earlier comparison are replaced, unless somebody changed them; others stay."""
    record = "intgold-comparison.json"
    one = trial(FOLDERS["compare", "plot"])
    out = one.folder / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    assert one.run(out) == (0, "")
    assert (out / "notes.txt").read_text() == "mine" and (out / record).is_file()
    status, err = one.run(out)
    assert status == 0 and err.count("\n") == 1 and "replacing errors.png, histograms" in err
    (out / "errors.png").write_bytes(b"mine")
    one.refused(out, "errors.png")
    (out / "errors.png").unlink()
    assert one.run(out)[0] == 0 and (out / "notes.txt").read_text() == "mine"
    (out / record).unlink()
    one.refused(out, "errors.png")


@pytest.mark.parametrize("earlier", [False, True])
def test_a_file_that_came_during_the_work_is_kept(earlier, tmp_path):
    """Training and pictures look again before each file; what they left themselves gives way."""
    for what in ("training", "comparison"):
        folder = tmp_path / what
        if earlier:
            FilesInto(folder, what, ["a", "b"]).add("b", lambda path: path.write_text("old"))
        files = FilesInto(folder, what, ["a", "b"])
        files.add("a", lambda path: path.write_text("new"))
        for odd in ("b", "a"):
            (folder / odd).unlink(missing_ok=True)
            (folder / odd).write_text("mine")
            before = everything(folder)
            with pytest.raises(IntgoldError, match=f"{odd}: is there, and not as the {what}"):
                files.add(odd, lambda path: path.write_text("new"))
            assert everything(folder) == before
            (folder / odd).unlink()
        files.add("a", lambda path: path.write_text("newer"))
        assert (folder / "a").read_text() == "newer"


@pytest.mark.parametrize("earlier", [False, True])
def test_a_file_put_into_a_folder_is_known_however_the_work_ends(earlier, tmp_path):
    """Killed at any line: what is there is old or new, whole, and gives way the next time."""
    functions = ("add", "_write", "_put_on_record", "replacing")
    seen = set()
    for line in itertools.count(1):
        folder = tmp_path / str(line)
        if earlier:
            FilesInto(folder, "training", ["a"]).add("a", lambda path: path.write_text("old"))
        files = FilesInto(folder, "training", ["a"])
        trace, passed = ending_at(line, Stopped(), functions)
        with suppress(Stopped):
            sys.settrace(trace)
            try:
                files.add("a", lambda path: path.write_text("new"))
            finally:
                sys.settrace(None)
        seen.add((folder / "a").read_text() if (folder / "a").exists() else None)
        for text in ("again", "once more"):
            FilesInto(folder, "training", ["a"]).add("a", lambda path: path.write_text(text))  # noqa: B023
            assert (folder / "a").read_text() == text
        (folder / "a").write_text("mine")
        with pytest.raises(IntgoldError, match="a: is there, and not as the training left it"):
            FilesInto(folder, "training", ["a"])
        if len(passed) < line:
            break
    assert line > 40 and seen == {"old" if earlier else None, "new"}


def test_an_error_while_a_file_is_written_names_its_place(tmp_path):
    """Not the hidden one in which it grows; nothing is left there."""

    def write(path):
        with replacing(path, None) as file:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")

    files = FilesInto(tmp_path / "out", "training", ["a"])
    with pytest.raises(IntgoldError) as raised:
        files.add("a", write)
    assert str(raised.value) == f"cannot write {tmp_path / 'out' / 'a'}: No space left on device"
    assert everything(tmp_path) == {"out": (tmp_path / "out").stat().st_mode}


def test_writers_share_a_folder(trial):
    """Each knows its own files there, in any order, twice; the other's are a user's to it."""
    one = trial(FOLDERS["compare", "plot"])
    out = one.folder / "out"
    FilesInto(out, "training", ["a.npz"]).add("a.npz", lambda path: path.write_text("trained"))
    assert one.run(out) == (0, "")
    FilesInto(out, "training", ["a.npz"]).add("a.npz", lambda path: path.write_text("again"))
    assert one.run(out)[0] == 0 and (out / "a.npz").read_text() == "again"
    before = everything(out)
    with pytest.raises(IntgoldError, match=r"errors\.png: is there"):
        FilesInto(out, "training", ["errors.png"])
    assert everything(out) == before


WRITERS = {
    "copy_engine": lambda path, n: copy_engine(path),
    "vectors": lambda path, n: write_set(intgold.load(), path, count=n, ops=["pool2"]),
    "op": lambda path, n: write_op_sets("lut", path, formats=["hex"], random=n),
}
"""Functions that replace a folder as a whole; n: something else."""


@pytest.mark.parametrize("name", WRITERS)
def test_what_comes_during_the_work_is_found(name, tmp_path, monkeypatch):
    """A file that appears in the old folder before it is replaced: refused, nothing changed."""
    from intgold.support import folders
    from intgold.vectors.sets import set_writer

    out = tmp_path / "out"
    WRITERS[name](out, 1)
    looks = []

    def check_own(folder, kind):
        if Path(folder) == out:
            looks.append(check(folder, kind))
            if len(looks) == 1:  # the first look is over
                (out / "mine").write_text("mine")
                before.update(everything(out))
            return looks[-1]
        return check(folder, kind)

    check, before = folders.check_own, {}
    for module in (folders, set_writer, intgold.vectors.sets.generate):
        monkeypatch.setattr(module, "check_own", check_own)
    with pytest.raises(IntgoldError, match="mine is not of the"):
        WRITERS[name](out, 2)
    assert everything(out) == before and before["mine"] == b"mine"
    assert [p.name for p in tmp_path.iterdir() if "kept" in p.name] == []


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("mode", [0o700, 0o750, 0o2775])
def test_a_replaced_folder_keeps_its_mode(mode, name, tmp_path):
    """Also where it was empty; a new one has what the umask leaves."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(mode)
    for n in (1, 2):
        WRITERS[name](tmp_path / "out", n)
        assert (tmp_path / "out").stat().st_mode & 0o7777 == mode
    WRITERS[name](tmp_path / "new", 1)
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("name", WRITERS)
def test_the_working_folder_is_not_replaced(name, tmp_path, monkeypatch):
    """Nor one that it is in, by whatever name, empty or an earlier result."""
    out = tmp_path / "out"
    for inside in (out, out / "deep"):
        inside.mkdir()
        monkeypatch.chdir(inside)
        for path in (os.path.relpath(out), out):
            with pytest.raises(IntgoldError, match="the command runs in this folder"):
                WRITERS[name](path, 1)
            assert Path.cwd() == inside and everything(inside) == {}
    monkeypatch.chdir(tmp_path)
    (out / "deep").rmdir()
    WRITERS[name](out, 1)
    before = everything(out)
    monkeypatch.chdir(out)
    with pytest.raises(IntgoldError, match="the command runs in this folder"):
        WRITERS[name](".", 2)
    assert everything(out) == before == everything(Path("."))
    monkeypatch.chdir(tmp_path)
    WRITERS[name]("out", 2)  # from beside it


def test_a_deleted_working_folder_is_named(tmp_path, monkeypatch, capsys):
    """Every command says so, in one line."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for line in ("info lut", "vectors lut --count 1 -o x", f"vectors lut -o {tmp_path / 'x'}"):
        assert main(line.split()) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and "the working directory is gone" in err
    assert [*tmp_path.iterdir()] == []


def test_golden_looks_before_it_works(trial, monkeypatch):
    """A folder of the user's in a set's place is found before the images are compared."""
    one = trial(FOLDERS["regress", "output"])
    (one.folder / "out" / "pwl").mkdir(parents=True)
    (one.folder / "out" / "pwl" / "notes").write_text("mine")
    monkeypatch.setattr("intgold.regression.selftest.compare_shipped", lambda *a, **k: 1 / 0)
    one.refused(one.folder / "out", "notes")
    one.refused(one.folder / "x.npy")  # a file where the folder of the sets would be


def test_the_engine_is_copied_into_a_folder_of_its_own(tmp_path, caplog):
    """C sources of the user's are no engine; a copy is one, until somebody changes it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "mine.c").write_text("mine")
    (tmp_path / "src" / "intgold.h").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "to_file").symlink_to("file")
    (tmp_path / "to_src").symlink_to("src")
    before = everything(tmp_path)
    for name in ("src", "file", "to_file", "to_src", "src/mine.c", "."):
        with pytest.raises(IntgoldError, match="cannot write"):
            copy_engine(tmp_path / name)
        assert everything(tmp_path) == before
    made = copy_engine(tmp_path / "engine")
    assert all(path.is_file() for path in made)
    whole = everything(tmp_path / "engine")
    assert copy_engine(tmp_path / "engine") == made and not caplog.records
    (tmp_path / "engine" / "add.c").write_text("patched")
    (tmp_path / "engine" / "mine.o").write_text("mine")
    before = everything(tmp_path)
    for name, what in (("add.c", "was changed"), ("mine.o", "is not of")):
        with pytest.raises(IntgoldError, match=f"{name} {what}"):
            copy_engine(tmp_path / "engine")
        assert everything(tmp_path) == before
        (tmp_path / "engine" / name).unlink()
        before.pop(f"engine/{name}")
    copy_engine(tmp_path / "engine")
    assert everything(tmp_path / "engine") == whole
    record = json.loads((tmp_path / "engine" / MARKER).read_text())
    record["tool"]["version"] = "0.0"
    from intgold.support.safe_files import canonical_json

    (tmp_path / "engine" / MARKER).write_bytes(canonical_json(record))
    copy_engine(tmp_path / "engine")
    assert ["replacing the C engine in" in r.getMessage() for r in caplog.records] == [True]


def test_an_engine_cannot_be_copied_over_itself():
    """The sources of the package are in a folder that has no record."""
    before = everything(PACKAGE / "csrc")
    with pytest.raises(IntgoldError, match="is no C engine of intgold"):
        copy_engine(PACKAGE / "csrc")
    assert everything(PACKAGE / "csrc") == before


@pytest.mark.parametrize("part", freeze.FOLDERS)
def test_freezing_takes_nothing_of_a_users(part, tmp_path, monkeypatch):
    """A folder `ops` that no manifest knows is not what was frozen; nor is a changed file."""
    monkeypatch.setattr(freeze, "find_mnist", lambda: tmp_path)
    monkeypatch.setattr(freeze, "digests", lambda progress: 1 / 0)
    (tmp_path / part).mkdir()
    (tmp_path / part / "notes.txt").write_text("mine")
    for manifest in (None, {"command": freeze.COMMAND, "sha256": {f"{part}/notes.txt": "0" * 64}}):
        if manifest is not None:
            (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        before = everything(tmp_path)
        with pytest.raises(IntgoldError, match=r"notes\.txt"):
            freeze.freeze(tmp_path)
        assert everything(tmp_path) == before


def by_two_renames(one, other):
    """As where the system cannot exchange two folders."""
    return False


@pytest.mark.parametrize("swapping", ["swap", "renames"])
@pytest.mark.parametrize("name", WRITERS)
def test_what_a_user_does_in_the_last_moment_is_kept(name, swapping, tmp_path, monkeypatch, caplog):
    """A file added, changed, made a link or a folder after the last look stays, under a name that
    is reported; the rest of the old folder goes.
    """
    from intgold.support import folders

    out, real = tmp_path / "out", folders._swap if swapping == "swap" else by_two_renames
    WRITERS[name](out, 1)
    old = everything(out)
    changed, linked, folder = sorted(p for p in out.rglob("*") if p.is_file())[:3]

    def late(one, other):
        (changed.parent / "mine").write_text("mine")
        changed.write_text("mine")
        linked.rename(tmp_path / "moved")
        linked.symlink_to(tmp_path / "moved")
        folder.unlink(), folder.mkdir(), (folder / "mine").write_text("mine")
        return real(one, other)

    monkeypatch.setattr(folders, "_swap", late)
    WRITERS[name](out, 2)
    (kept,) = tmp_path.glob("out.kept.*")
    now = everything(kept)
    mine = [changed.parent / "mine", changed, folder / "mine"]
    assert [now.pop(p.relative_to(out).as_posix()) for p in mine] == [b"mine"] * 3
    assert now.pop(linked.relative_to(out).as_posix()) == f"-> {tmp_path / 'moved'}"
    assert not [p for p, held in now.items() if isinstance(held, bytes)]
    assert (tmp_path / "moved").read_bytes() == old[linked.relative_to(out).as_posix()]
    assert [str(kept) in r.getMessage() for r in caplog.records].count(True) == 1
    monkeypatch.undo()
    WRITERS[name](tmp_path / "new", 2)
    assert everything(out) == everything(tmp_path / "new")
    assert {p.name for p in tmp_path.iterdir()} == {"out", "new", "moved", kept.name}


@pytest.mark.parametrize("name", WRITERS)
def test_empty_folders_made_in_the_last_moment_are_kept(name, tmp_path, monkeypatch, caplog):
    """At the top, inside one another, in every folder of ours and for a file of ours: each stays
    as it was made, and nothing else of the old folder does.
    """
    from intgold.support import folders

    out, real = tmp_path / "out", folders._swap
    WRITERS[name](out, 1)
    file = next(p for p in out.iterdir() if p.is_file())
    inside = [out, *(p for p in out.rglob("*") if p.is_dir())]
    made = [file, *(p / "mine" for p in inside), out / "more" / "a" / "b", out / "more" / "c"]

    def late(one, other):
        file.unlink()
        for folder in made:
            folder.mkdir(parents=True)
        return real(one, other)

    monkeypatch.setattr(folders, "_swap", late)
    WRITERS[name](out, 2)
    (kept,) = tmp_path.glob("out.kept.*")
    wanted = {kept / p.relative_to(out) for p in made}
    assert set(kept.rglob("*")) == wanted | {
        p for w in wanted for p in w.parents if kept in p.parents
    }
    assert [str(kept) in r.getMessage() for r in caplog.records].count(True) == 1


def things(folder, names):
    """Have a folder replaced by one that has these files, each of which holds its name."""
    from intgold.support.folders import marked, marker_bytes, replacing_folder, sha256_of

    with replacing_folder(folder, marked("thing")) as made:
        for name in names:
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_text(name)
        digests = {name: sha256_of(made / name) for name in names}
        (made / MARKER).write_bytes(marker_bytes("thing", digests))


@pytest.mark.parametrize("files", [[], ["a"], ["a", "s/b"], ["s/t/b", "u/c"]], ids=str)
def test_folders_of_ones_own_go_with_their_files(files, tmp_path):
    """Nothing is left of a folder that nobody else put anything into, an empty one as well."""
    if files:
        things(tmp_path / "out", files)
    else:
        (tmp_path / "out").mkdir()
    things(tmp_path / "out", ["new"])
    now = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")}
    assert now == {"out", "out/new", f"out/{MARKER}"}


def test_no_folder_is_removed_through_a_link(tmp_path, monkeypatch):
    """Where a link takes the place of a folder of ours, what it leads to stays, empty or not."""
    from intgold.support import folders

    out, real = tmp_path / "out", folders._swap
    things(out, ["s/t/b"])
    (tmp_path / "mine" / "t").mkdir(parents=True)

    def late(one, other):
        (out / "s").rename(tmp_path / "moved")
        (out / "s").symlink_to(tmp_path / "mine")
        return real(one, other)

    monkeypatch.setattr(folders, "_swap", late)
    things(out, ["new"])
    (kept,) = tmp_path.glob("out.kept.*")
    assert (kept / "s").is_symlink() and (kept / "s" / "t").is_dir()


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


@pytest.mark.parametrize("swapping", ["swap", "renames"])
@pytest.mark.parametrize("error", [Stopped, KeyboardInterrupt, OSError])
def test_the_end_of_a_replacement_may_fail_at_any_line(
    error, swapping, tmp_path, monkeypatch, caplog
):
    """Interrupted or failed there: the name leads to the old folder or the new one, whole; what the
    user put in meanwhile is in the one, or is kept where the message says.
    """
    from intgold.support import folders
    from intgold.support.folders import marked, marker_bytes, replacing_folder

    kind, out = marked("trial"), tmp_path / "out"

    def write(text):
        with replacing_folder(out, kind) as made:
            for name in ("a", "b"):
                (made / name).write_text(text)
            files = {name: folders.sha256_of(made / name) for name in ("a", "b")}
            (made / MARKER).write_bytes(marker_bytes("trial", files))

    def put_folder(made, target, own):
        (out / "mine").write_text("mine")
        sys.settrace(trace)
        try:
            put(made, target, own)
        finally:
            sys.settrace(None)

    put, seen = folders.put_folder, set()
    if swapping != "swap":
        monkeypatch.setattr(folders, "_swap", by_two_renames)
    for line in itertools.count(1):
        caplog.clear()
        write("old")
        with monkeypatch.context() as patch:
            patch.setattr(folders, "put_folder", put_folder)
            trace, passed = ending_at(line, error(errno.EIO, "broken"))
            told = ""
            try:
                write("new")
            except (KeyboardInterrupt, IntgoldError) as raised:
                told = getattr(raised, "kept", str(raised))
        told += "".join(r.getMessage() for r in caplog.records)
        there = {p.name: p for p in tmp_path.iterdir()}
        text = (out / "a").read_text()
        assert (out / "b").read_text() == text and (out / MARKER).is_file()
        (mine,) = tmp_path.rglob("mine")
        assert mine.read_text() == "mine" and len(there) == (1 if text == "old" else 2), told
        assert (mine.parent == out) == (text == "old") == (".kept." not in told)
        assert text == "old" or (str(mine.parent) in told and "cannot write" not in told)
        seen.add(text)
        mine.unlink()
        if len(passed) < line:
            break
        for path in there.values():
            shutil.rmtree(path)
    assert line > 15 and seen == {"old", "new"}


def test_an_old_folder_that_cannot_get_its_name_back_is_named(tmp_path, monkeypatch, caplog):
    """Where two renames in a row fail: it is kept, whole, where the message says."""
    from intgold.support import folders

    out, real = tmp_path / "out", os.rename
    copy_engine(out)
    before = everything(out)

    def rename(one, other):
        if other == out:
            raise OSError(errno.EIO, "broken")
        real(one, other)

    monkeypatch.setattr(folders, "_swap", by_two_renames)
    monkeypatch.setattr(folders.os, "rename", rename)
    with pytest.raises(IntgoldError, match="cannot write .*: broken"):
        copy_engine(out)
    (there,) = tmp_path.iterdir()
    assert everything(there) == before and str(there) in caplog.records[-1].getMessage()


@pytest.mark.parametrize("name", WRITERS)
def test_an_interrupt_after_the_exchange_says_what_is_in_place(name, tmp_path, monkeypatch):
    """The new folder is whole, the message claims nothing else, and the same work can be done
    again; no hidden folder is left.
    """
    from intgold.support import folders

    out, real = tmp_path / "out", os.unlink
    WRITERS[name](out, 1)
    WRITERS[name](tmp_path / "new", 2)

    def unlink(path, **options):
        if ".kept." in str(path):
            raise Stopped
        real(path, **options)

    swap = folders._swap
    monkeypatch.setattr(folders, "_swap", lambda *a: (out / "mine").write_text("mine") and swap(*a))
    with monkeypatch.context() as patch, pytest.raises(Stopped) as stopped:
        patch.setattr(folders.os, "unlink", unlink)
        WRITERS[name](out, 2)
    monkeypatch.undo()
    (mine,) = tmp_path.rglob("mine")
    assert mine.read_text() == "mine" and mine.parent.name.startswith("out.kept.")
    assert stopped.value.kept == (
        f"{out} is written and in its place; what is left of the one that it replaces is kept in "
        f"{mine.parent}"
    )
    assert everything(out) == everything(tmp_path / "new")
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
    WRITERS[name](out, 1)
    assert mine.read_text() == "mine"


def test_another_users_hidden_folder_is_not_taken(tmp_path):
    """What is under way has a place of its own; somebody else's files there are not deleted."""
    write_set(intgold.load(), tmp_path / "set", count=1)
    import hashlib

    mark = hashlib.sha256(b"new").hexdigest()[:8]
    hidden = tmp_path / f".new.{mark}.partial"
    hidden.mkdir()
    (hidden / "mine").write_text("mine")
    with pytest.raises(IntgoldError, match="holds mine"):
        write_set(intgold.load(), tmp_path / "new", count=1)
    assert (hidden / "mine").read_text() == "mine"
    (hidden / "mine").unlink(), hidden.rmdir()
    (tmp_path / "elsewhere" / "set").mkdir(parents=True)
    (tmp_path / "elsewhere" / "set" / "mine").write_text("mine")
    hidden.symlink_to("elsewhere")
    before = everything(tmp_path)
    with pytest.raises(IntgoldError, match="is a link"):
        write_set(intgold.load(), tmp_path / "new", count=1)
    assert everything(tmp_path) == before


def test_two_outputs_are_two_files(trial):
    """One name for two of them would lose the first."""
    one = trial("quantize net.npz --images x.npy -o OUT --save-ranges OUT")
    one.refused(one.folder / "both.npz", "two outputs")
    pairs = itertools.permutations(["--csv", "--json"], 2)
    for first, second in pairs:
        line = f"sweep net.npz --images x.npy --calibrate x.npy {first} OUT {second} OUT"
        Trial(line, one.folder, one.capsys).refused(one.folder / "both", "two outputs")
