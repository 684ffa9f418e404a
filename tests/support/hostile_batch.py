"""Runs the commands on damaged files of one kind, in a process of bounded memory.

    python hostile_batch.py KIND SEED COUNT FOLDER

Prints one JSON object: how many files were refused and how many were legal, the slowest command,
the memory that was used, and what was not as it must be.  A file is refused by status 2 and one
line that names it, with nothing written; what is taken must give what an independent reading of
the same file gives, or run alike on both engines.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import shutil
import sys
import time
import traceback
from pathlib import Path
from random import Random

import hostile_kinds
import hostile_texts
from hostile_kinds import Base, Case, run
from mutations import Bomb

KINDS = {**hostile_kinds.KINDS, **hostile_texts.KINDS}
MEMORY = 3 * 2**29
"""Bytes of address space that a batch may take beyond what it starts with."""
ALLOWED = 2**29
"""Bytes that it may have used, where a test says nothing else of its kind."""
SECONDS = 10
"""Of one command."""


def judge(case: Case, folder: Path) -> tuple[bool, str | None, float]:
    """Run a case; return whether the file was taken, what is wrong or None, and the seconds."""
    before = _listing(folder)
    started = time.monotonic()
    try:
        status, out, err = run([str(a) for a in case.arguments])
    except BaseException:
        return False, traceback.format_exc(limit=-4), 0.0
    seconds = time.monotonic() - started
    command = case.arguments[0]
    if Path(Bomb.path).exists():
        return False, "something was unpickled", seconds
    if seconds > SECONDS:
        return False, f"took {seconds:.1f} s", seconds
    if status == 2:
        if not err.startswith(f"intgold {command}: ") or err.count("\n") != 1 or out:
            return False, f"not one line: {err[:500]!r} {out[:100]!r}", seconds
        if not err[:-1].isprintable():
            return False, f"would act on a terminal: {err[:500]!r}", seconds
        if case.named and not any(str(path) in err for path in case.named):
            return False, f"does not name {case.named[0]}: {err[:500]!r}", seconds
        if _listing(folder) != before:
            return False, f"wrote {_listing(folder) - before}", seconds
        return False, None, seconds
    if status not in (0, 1) or err:
        return True, f"status {status}, {err[:500]!r}", seconds
    try:
        return True, case.answer(status, out), seconds
    except Exception:
        return True, traceback.format_exc(limit=-4), seconds


def _listing(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


def batch(
    kind: str, seed: int, count: int, top: Path, *, to_first_wrong: bool = False
) -> dict[str, object]:
    """Run `count` cases of a kind, or those to the first that is wrong, and return the tally."""
    (top / "valid").mkdir()
    base = Base(top / "valid")
    os.chdir(top)
    started = _memory("VmRSS")
    limit = _memory("VmSize") + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    tally = {"refused": 0, "taken": 0, "slowest": 0.0}
    wrong = []
    for number in range(count):
        folder = top / "case"
        folder.mkdir()
        case = KINDS[kind](Random(f"{kind} {seed} {number}"), base, folder)
        faulthandler.dump_traceback_later(6 * SECONDS, exit=True)
        print(f"{number}: {case.label!a}", file=sys.stderr, flush=True)
        taken, problem, seconds = judge(case, folder)
        tally["taken" if taken else "refused"] += 1
        tally["slowest"] = max(tally["slowest"], seconds)
        if problem:
            wrong.append(f"{kind} {seed} {number}: {case.label!a}: {problem}")
        shutil.rmtree(folder)
        used = _memory("VmHWM") - started  # ru_maxrss would begin with that of the parent
        if to_first_wrong and (wrong or used > ALLOWED):
            break
    return {**tally, "memory": used, "wrong": wrong}


def _memory(name: str) -> int:
    line = next(t for t in Path("/proc/self/status").read_text().splitlines() if name in t)
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    name, seed, count, folder = sys.argv[1:]
    made = batch(name, int(seed), int(count), Path(folder))
    faulthandler.cancel_dump_traceback_later()
    print(json.dumps(made))
