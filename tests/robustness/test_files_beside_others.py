"""Files that a writer puts into a folder which holds others, of the user's or of another writer."""

import errno
import itertools
import sys
from contextlib import suppress

import pytest

from intgold.errors import IntgoldError
from intgold.support.files_beside_others import FilesInto
from intgold.support.interrupts import Stopped
from intgold.support.safe_files import replacing
from output_trials import (
    FOLDERS,
    MODES,
    ending_at,
    everything,
)


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
