"""A room of csrc/ includes itself and rooms below it, and no files include in a circle."""

import re
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[2] / "csrc"
ROOMS = (
    ("intgold.h",),
    ("arithmetic",),
    ("kernels",),
    ("kernels/generic",),
    ("kernels/portable", "kernels/x86", "kernels/arm"),
    ("ops",),
    ("engine",),
)
"""From the ground up; rooms of one floor do not see each other."""
FLOOR = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}


def room_of(path):
    """The room of a path below csrc/; that of the public header is itself."""
    folder = path.rpartition("/")[0]
    return folder or path


def includes():
    """{file: the files of csrc/ that it includes}, by paths below csrc/."""
    return {
        path.relative_to(ENGINE).as_posix(): re.findall(
            r'^ *# *include "([^"]+)"', path.read_text(), re.M
        )
        for path in sorted(ENGINE.rglob("*.[ch]"))
    }


def upward(found):
    """Includes of a room above, beside, or unknown: (file, included)."""
    for name, others in found.items():
        for other in others:
            here, there = FLOOR.get(room_of(name)), FLOOR.get(room_of(other))
            if None in (here, there) or (room_of(name) != room_of(other) and there >= here):
                yield name, other


def circles(found):
    """Files that include themselves, by way of others."""

    def reached(name, seen):
        for other in found.get(name, ()):
            if other not in seen:
                seen.add(other)
                reached(other, seen)
        return seen

    return [name for name in found if name in reached(name, set())]


def test_rooms_include_downwards_only():
    """Every include names its room, exists, and is of the same room or one below."""
    found = includes()
    assert len(found) > 60 and {room_of(name) for name in found} == set(FLOOR)
    assert [other for others in found.values() for other in others if other not in found] == []
    assert list(upward(found)) == []


def test_no_circle():
    """No header reaches itself."""
    assert circles(includes()) == []


def test_names_are_unique():
    """Side by side, as `copy_engine` writes them, no file takes another's name."""
    names = [path.name for path in ENGINE.rglob("*.[ch]")]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "name, other", [("ops/op.h", "engine/fuse.h"), ("kernels/x86/avx2.h", "kernels/arm/neon.h")]
)
def test_a_planted_include_is_seen(name, other):
    """Upwards, or beside: the checks above can fail."""
    found = includes()
    found[name].append(other)
    assert (name, other) in set(upward(found))
    found["engine/fuse.h"].append("ops/op.h")
    found["kernels/arm/neon.h"].append("kernels/x86/avx2.h")
    assert name in circles(found)


def test_the_page_names_every_room():
    """csrc/README.md has a row for each."""
    text = (ENGINE / "README.md").read_text()
    rows = re.findall(r"^\| `([\w/.]+)` \|", text, re.M)
    flat = [room for rooms in ROOMS for room in rooms]
    assert rows == [room if room == "intgold.h" else f"{room}/" for room in flat]
