"""A text that was edited since intgold wrote it stays; and which files intgold knows as its own."""

import pytest

from contracts_page import CONTRACTS_PAGE
from intgold.errors import IntgoldError
from intgold.support.file_kinds import (
    C_SOURCE,
    MODEL,
    NETWORK,
    RANGES,
)  # fmt: skip
from intgold.support.safe_files import replacing
from output_trials import (
    PACKAGE,
    file_kinds_known,
)


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
