"""A folder takes the place of another: what comes at the last moment is kept."""

import errno
import itertools
import os
import shutil
import sys

import pytest

from intgold.errors import IntgoldError
from intgold.exporters import copy_engine
from intgold.support import folder_replacement as replacement
from intgold.support.folder_records import MARKER, marked, marker_bytes, sha256_of
from intgold.support.interrupts import Stopped
from output_trials import (
    WRITERS,
    ending_at,
    everything,
)


def by_two_renames(one, other):
    """As where the system cannot exchange two folders."""
    return False


@pytest.mark.parametrize("swapping", ["swap", "renames"])
@pytest.mark.parametrize("name", WRITERS)
def test_what_a_user_does_in_the_last_moment_is_kept(name, swapping, tmp_path, monkeypatch, caplog):
    """A file added, changed, made a link or a folder after the last look stays, under a name that
    is reported; the rest of the old folder goes.
    """
    out, real = tmp_path / "out", replacement._swap if swapping == "swap" else by_two_renames
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

    monkeypatch.setattr(replacement, "_swap", late)
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
    out, real = tmp_path / "out", replacement._swap
    WRITERS[name](out, 1)
    file = next(p for p in out.iterdir() if p.is_file())
    inside = [out, *(p for p in out.rglob("*") if p.is_dir())]
    made = [file, *(p / "mine" for p in inside), out / "more" / "a" / "b", out / "more" / "c"]

    def late(one, other):
        file.unlink()
        for folder in made:
            folder.mkdir(parents=True)
        return real(one, other)

    monkeypatch.setattr(replacement, "_swap", late)
    WRITERS[name](out, 2)
    (kept,) = tmp_path.glob("out.kept.*")
    wanted = {kept / p.relative_to(out) for p in made}
    assert set(kept.rglob("*")) == wanted | {
        p for w in wanted for p in w.parents if kept in p.parents
    }
    assert [str(kept) in r.getMessage() for r in caplog.records].count(True) == 1


def things(folder, names):
    """Have a folder replaced by one that has these files, each of which holds its name."""

    with replacement.replacing_folder(folder, marked("thing")) as made:
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
    out, real = tmp_path / "out", replacement._swap
    things(out, ["s/t/b"])
    (tmp_path / "mine" / "t").mkdir(parents=True)

    def late(one, other):
        (out / "s").rename(tmp_path / "moved")
        (out / "s").symlink_to(tmp_path / "mine")
        return real(one, other)

    monkeypatch.setattr(replacement, "_swap", late)
    things(out, ["new"])
    (kept,) = tmp_path.glob("out.kept.*")
    assert (kept / "s").is_symlink() and (kept / "s" / "t").is_dir()


@pytest.mark.parametrize("swapping", ["swap", "renames"])
@pytest.mark.parametrize("error", [Stopped, KeyboardInterrupt, OSError])
def test_the_end_of_a_replacement_may_fail_at_any_line(
    error, swapping, tmp_path, monkeypatch, caplog
):
    """Interrupted or failed there: the name leads to the old folder or the new one, whole; what the
    user put in meanwhile is in the one, or is kept where the message says.
    """
    kind, out = marked("trial"), tmp_path / "out"

    def write(text):
        with replacement.replacing_folder(out, kind) as made:
            for name in ("a", "b"):
                (made / name).write_text(text)
            files = {name: sha256_of(made / name) for name in ("a", "b")}
            (made / MARKER).write_bytes(marker_bytes("trial", files))

    def put_folder(made, target, own):
        (out / "mine").write_text("mine")
        sys.settrace(trace)
        try:
            put(made, target, own)
        finally:
            sys.settrace(None)

    put, seen = replacement.put_folder, set()
    if swapping != "swap":
        monkeypatch.setattr(replacement, "_swap", by_two_renames)
    for line in itertools.count(1):
        caplog.clear()
        write("old")
        with monkeypatch.context() as patch:
            patch.setattr(replacement, "put_folder", put_folder)
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
    out, real = tmp_path / "out", os.rename
    copy_engine(out)
    before = everything(out)

    def rename(one, other):
        if other == out:
            raise OSError(errno.EIO, "broken")
        real(one, other)

    monkeypatch.setattr(replacement, "_swap", by_two_renames)
    monkeypatch.setattr(replacement.os, "rename", rename)
    with pytest.raises(IntgoldError, match="cannot write .*: broken"):
        copy_engine(out)
    (there,) = tmp_path.iterdir()
    assert everything(there) == before and str(there) in caplog.records[-1].getMessage()


@pytest.mark.parametrize("name", WRITERS)
def test_an_interrupt_after_the_exchange_says_what_is_in_place(name, tmp_path, monkeypatch):
    """The new folder is whole, the message claims nothing else, and the same work can be done
    again; no hidden folder is left.
    """
    out, real = tmp_path / "out", os.unlink
    WRITERS[name](out, 1)
    WRITERS[name](tmp_path / "new", 2)

    def unlink(path, **options):
        if ".kept." in str(path):
            raise Stopped
        real(path, **options)

    swap = replacement._swap
    monkeypatch.setattr(
        replacement, "_swap", lambda *a: (out / "mine").write_text("mine") and swap(*a)
    )
    with monkeypatch.context() as patch, pytest.raises(Stopped) as stopped:
        patch.setattr(replacement.os, "unlink", unlink)
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
