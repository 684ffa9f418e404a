"""No command and no function deletes, replaces or changes a file of the user's.

Every option of every command that takes a path says by its type whether it is read or written.
Each that is written is tried on what a user may have there.
"""

import ast
import itertools
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import intgold
import tools
from intgold.cli import COMMANDS, _parser, main
from intgold.cli.paths import InputPath, OutputFile, OutputFolder
from intgold.errors import IntgoldError
from intgold.exporters import copy_engine
from intgold.floating.calibrate import calibrate
from intgold.floating.inference import FloatNetwork, Layer
from intgold.floating.quantizer import quantize_network
from intgold.folders import MARKER, FilesInto
from intgold.images.mnist import MNIST_SHA256
from intgold.vectors import freeze
from intgold.vectors.generate import write_set
from intgold.vectors.op_sets import write_op_sets
from intgold.vectors.signatures import write_signatures

PACKAGE = Path(intgold.__file__).parent

TEXTS = {
    ("locate", "what"), ("locate", "coordinate"), ("quantize", "name"), ("quantize", "calibration"),
    ("quantize", "activation"), ("quantize", "activation_of"), ("import", "contract"),
    ("import", "name"), ("contracts", "first"), ("contracts", "second"), ("vectors", "format"),
    ("vectors", "images"), ("vectors", "ops"), ("vectors", "tensors"), ("vectors", "partials"),
    ("vectors", "op"), ("vectors", "form"), ("map", "partials"), ("signatures", "tile"),
    ("bench", "isa"), ("bench", "batch"), ("bench", "threads"), ("explore", "calibration"),
    ("explore", "activation"), ("explore", "per_channel"), ("explore", "weight_bits"),
    ("explore", "weight_scales"), ("explore", "multiplier_bits"), ("explore", "form"),
    *((command, "isa") for command in ("predict", "vectors", "golden")),
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
    """An option of free text is a path of one of the three types, or known to be no path."""
    free = {(c, a.dest) for c, a in actions() if a.type is None}
    assert free == TEXTS
    kinds = {a.type for _, a in actions()}
    assert kinds == {None, int, float, InputPath, OutputFile, OutputFolder}


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
    ("explore", "csv"):
        "explore net.npz --images x.npy --labels y.npy --calibrate x.npy --processes 1"
        " --form single --csv OUT.csv",
    ("explore", "json"):
        "explore net.npz --images x.npy --labels y.npy --calibrate x.npy --processes 1"
        " --form single --json OUT.json",
    ("explore", "plot"):
        "explore net.npz --images x.npy --labels y.npy --calibrate x.npy --processes 1"
        " --form single --plot OUT.svg",
    ("compare", "json"): "compare net.npz model.npz --images x.npy --labels y.npy --json OUT.json",
    ("bench", "plot"):
        "bench model.npz --isa portable --batch 1 --threads 1 --rounds 1 --plot OUT.svg",
}  # fmt: skip
FOLDERS = {
    ("vectors", "output"): "vectors model.npz --count 1 -o OUT",
    ("golden", "output"): "golden --count 1 -o OUT",
    ("train", "output"): "train --quick -o OUT",
    ("compare", "plot"): "compare net.npz model.npz --images x.npy --plot OUT",
    ("data", "output"): "data -o OUT",
}
MORE_FOLDERS = {
    "op": "vectors --op lut --format hex -o OUT",
    "requantize": "vectors --op requantize --form single --multiplier-bits 8 -o OUT",
    "merge": "vectors --merge part0 part1 -o OUT",
}
"""Other things that `vectors -o` writes."""


def test_no_output_is_forgotten():
    """Every option whose path is written is tried below."""
    of = {OutputFile: set(), OutputFolder: set()}
    for command, action in actions():
        if action.type in of:
            of[action.type].add((command, action.dest))
    assert of[OutputFile] == set(FILES) and of[OutputFolder] == set(FOLDERS)


_WRITES = {
    "write_text", "write_bytes", "mkdir", "makedirs", "rmtree", "unlink", "remove", "rmdir",
    "rename", "renames", "touch", "truncate", "symlink_to", "hardlink_to", "copytree", "copyfile",
    "copy2", "move", "savefig", "mkstemp", "mkdtemp", "TemporaryDirectory", "tofile",
}  # fmt: skip
_WRITERS = {
    "files.py": "one whole file", "folders.py": "folders of one's own",
    "vectors/set_writer.py": "in a hidden folder", "vectors/op_sets.py": "in replacing_folder",
    "vectors/freeze.py": "in a temporary folder", "exporters/engine.py": "in replacing_folder",
    "images/mnist.py": "makes its folder, downloads into a temporary one",
    "floating/study/plots.py": "into memory", "bench/plot.py": "into memory",
}  # fmt: skip


def test_nobody_writes_past_the_mechanism():
    """What makes, changes or deletes files is called in the few modules that are known for it."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _writes(node):
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found == set(_WRITERS) and {"files.py", "folders.py"} <= found


def _writes(call):
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in ("open", "fdopen"):
        modes = [a.value for a in call.args if isinstance(a, ast.Constant)]
        return any(isinstance(m, str) and set(m) & set("wax+") and len(m) < 4 for m in modes)
    return name in _WRITES and not (name == "remove" and _of_list(call))


def _of_list(call):
    return isinstance(call.func.value, ast.Name) and call.func.value.id != "os"


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
            monkeypatch.setattr(f"intgold.floating.study.compare.{name}", value)
        monkeypatch.chdir(copied(base, tmp_path / "here"))
        return Trial(line, tmp_path / "here", capsys)

    return made


@pytest.mark.parametrize("option", FILES, ids="_".join)
def test_a_file_is_written_only_over_a_file(option, trial):
    """Over a user's folder, below a file, over a device, over an input: refused. Over a file, and
    through a link to one: replaced, since it was named.
    """
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
            one.refused(here / word, word)
            (here / f"link_{word}{suffix}").symlink_to(word)
            one.refused(here / f"link_{word}{suffix}", f"link_{word}{suffix}")
        elif (here / word).is_dir() and word != mine.name:
            one.refused(here / word / f"o{suffix}", "is in the vector set")
            one.refused(here / word / "manifest.json", "is in the vector set")
    old = here / f"old{suffix}"
    old.write_text("old")
    (here / f"to_old{suffix}").symlink_to(old.name)
    kept = everything(here)
    assert one.run(here / f"to_old{suffix}")[0] == 0
    assert (here / f"to_old{suffix}").is_symlink() and old.read_bytes() != b"old"
    after = everything(here)
    assert {n for n in kept if kept[n] != after[n]} == {old.name}


def folder_lines():
    return {**{"_".join(k): v for k, v in FOLDERS.items()}, **MORE_FOLDERS}


OWN = ["vectors_output", "op", "requantize", "merge"]
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
        "golden_output": "lut/notes.txt", "train_output": "mnist_lut.npz",
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
    if name in ("op", "requantize"):
        other = Trial("vectors --op lut --format hex --random 1 -o OUT", one.folder, one.capsys)
    out = here / "out"
    assert one.run(out) == (0, "")
    first = everything(out)
    assert one.run(out) == (0, "") and everything(out) == first
    if name in ("merge", "op", "vectors_output", "requantize"):
        status, err = other.run(out)
        assert status == 0 and (name == "merge" or "replacing the ve" in err), err
        assert err.count("\n") <= 1 and everything(out) != first or name == "merge"
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
    from intgold import folders
    from intgold.vectors import set_writer

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
    for module in (folders, set_writer, intgold.vectors.generate):
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
    one = trial(FOLDERS["golden", "output"])
    (one.folder / "out" / "pwl").mkdir(parents=True)
    (one.folder / "out" / "pwl" / "notes").write_text("mine")
    monkeypatch.setattr("intgold.selftest.compare_shipped", lambda *a, **k: 1 / 0)
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
    from intgold.files import canonical_json

    (tmp_path / "engine" / MARKER).write_bytes(canonical_json(record))
    copy_engine(tmp_path / "engine")
    assert ["replacing the C engine in" in r.getMessage() for r in caplog.records] == [True]


def test_an_engine_cannot_be_copied_over_itself():
    """The sources of the package are in a folder that has no record."""
    before = {p.name: p.read_bytes() for p in (PACKAGE / "csrc").iterdir()}
    with pytest.raises(IntgoldError, match="is no C engine of intgold"):
        copy_engine(PACKAGE / "csrc")
    assert {p.name: p.read_bytes() for p in (PACKAGE / "csrc").iterdir()} == before


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


def test_what_a_user_adds_meanwhile_is_kept(tmp_path, monkeypatch):
    """A file that appears in the old set after the last look stays, under a name that is told."""
    from intgold import folders

    model = intgold.load()
    write_set(model, tmp_path / "set", count=1)
    swap = folders._swap

    def late(one, other):
        (other / "outputs" / "mine").write_text("mine")
        return swap(one, other)

    for swapping in (late, lambda *paths: late(*paths) and False):
        monkeypatch.setattr(folders, "_swap", swapping)
        write_set(model, tmp_path / "set", count=2)
        (kept,) = [p for p in tmp_path.iterdir() if p.name.startswith("set.kept.")]
        assert everything(kept).keys() == {"outputs", "outputs/mine"}
        (kept / "outputs/mine").unlink(), (kept / "outputs").rmdir(), kept.rmdir()
        break  # without renameat2 the look and the rename are as close


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
        line = f"explore net.npz --images x.npy --calibrate x.npy {first} OUT {second} OUT"
        Trial(line, one.folder, one.capsys).refused(one.folder / "both", "two outputs")
