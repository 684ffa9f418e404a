"""No command and no function deletes or changes a folder of the user's, or a file in one."""

import json
import os
from pathlib import Path

import pytest

import intgold
import tools
from intgold.cli import main
from intgold.errors import IntgoldError
from intgold.exporters import copy_engine
from intgold.images.mnist import MNIST_SHA256
from intgold.support.folder_records import MARKER
from intgold.vectors import freeze
from intgold.vectors.sets.generate import write_set
from output_trials import (
    FOLDERS,
    MORE_FOLDERS,
    PACKAGE,
    WRITERS,
    Trial,
    everything,
)


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


@pytest.mark.parametrize("name", WRITERS)
def test_what_comes_during_the_work_is_found(name, tmp_path, monkeypatch):
    """A file that appears in the old folder before it is replaced: refused, nothing changed."""
    from intgold.support import folder_replacement
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

    check, before = folder_replacement.check_own, {}
    for module in (folder_replacement, set_writer, intgold.vectors.sets.generate):
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
