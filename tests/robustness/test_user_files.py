"""No command and no function replaces or changes a file of the user's.

Each path that is written is tried on what a user may have there.
"""

import errno
import functools
import importlib.util
import io
import itertools
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from intgold.errors import IntgoldError
from intgold.support import file_kinds
from intgold.support.file_kinds import (
    INPUT,
    MODEL,
    SWEEP_COLUMNS,
)  # fmt: skip
from intgold.support.safe_files import replacing
from output_trials import (
    FILES,
    LIBRARY,
    MODES,
    Trial,
    copied,
    everything,
    kind_of,
)


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


def test_two_outputs_are_two_files(trial):
    """One name for two of them would lose the first."""
    one = trial("quantize net.npz --images x.npy -o OUT --save-ranges OUT")
    one.refused(one.folder / "both.npz", "two outputs")
    pairs = itertools.permutations(["--csv", "--json"], 2)
    for first, second in pairs:
        line = f"sweep net.npz --images x.npy --calibrate x.npy {first} OUT {second} OUT"
        Trial(line, one.folder, one.capsys).refused(one.folder / "both", "two outputs")
