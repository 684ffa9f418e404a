"""The stack that the portable engine takes, from the compiler's own account, is what the docs say.

gcc writes, with ``-fcallgraph-info=su``, the frame of every function and who calls whom.  A call by
a pointer goes from the engine to any function of an op, and from an op to any portable kernel.
"""

import re
import subprocess
from functools import cache

import tools
from compilers import ENGINE, ROOT, sources
from intgold.ops.table import OPS as OPS_OF

OP_KINDS = set(OPS_OF)
CHECKS = {"validate": ("op_rules", "check_"), "prove": ("prove", "prove_")}
"""Files that call one function per kind of op by a pointer: the file of those, how they begin."""
GRAPH = ("engine", "single_op", "fuse", "op_tables", "op_rules", "members", "version", *CHECKS)
DISPATCHER = ("intgold_dispatch", "intgold_dispatch_without_tiles", "intgold_acquire_isa")
KERNELS = "kernels_portable"
CORE = [p for p in sources() if p.stem == KERNELS or not p.stem.startswith("kernels_")]
OPS = {p.stem for p in CORE} - {*GRAPH, KERNELS, "dispatch"}
ENTRIES = ("intgold_run", "intgold_prepare", "intgold_arena_size")
PUBLIC = ("_s8", "_scratch_size")  # an op by itself: in no table
_NODE = re.compile(
    r'node: \{ title: "([^"]+)" label: "[^"]*?\\n[^"]*?/(\w+)\.[ch]:[^"]*?(\d+) bytes'
)
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
_ROW = re.compile(r"^\| ([a-z0-9_`, ]+|all others) \| ([\d,]+) \|$", re.M)


def limits():
    """Bytes of stack by kind of op, as docs/embedded.md states them."""
    page = (ROOT / "docs" / "embedded.md").read_text()
    rows = {what: int(size.replace(",", "")) for what, size in _ROW.findall(page)}
    named = {kind: size for what, size in rows.items() for kind in re.findall(r"`(\w+)`", what)}
    assert set(named) < OP_KINDS and len(named) >= 6
    return {kind: named.get(kind, rows["all others"]) for kind in OP_KINDS}


def account(flags, folder):
    """{name: (frame, file, callees)} of the functions of the core, by gcc with these flags."""
    command = ["gcc", "-std=c99", *flags, "-fcallgraph-info=su", "-I", ENGINE, "-c"]
    subprocess.run([*command, *CORE], check=True, cwd=folder)
    text = "".join(p.read_text() for p in sorted(folder.glob("*.ci")))
    found = {name: (int(size), file, set()) for name, file, size in _NODE.findall(text)}
    for caller, callee in _EDGE.findall(text):
        found[caller][2].add(callee)
    return found


def deepest(functions, name, kind):
    """Bytes of the deepest chain of calls from a function, all ops of a kind; the chain."""

    @cache
    def chain(name):
        if name not in functions:
            assert name in ("memcpy", "memset", *DISPATCHER) or name.startswith("__"), name
            return 0, ()
        frame, file, callees = functions[name]
        targets = set(callees)
        if "__indirect_call" in targets:
            assert file in GRAPH or file in OPS, f"{name} calls by a pointer"
            target = kind if file in GRAPH else KERNELS
            reached = {n for n, (_, at, _) in functions.items() if at == target}
            if file in CHECKS:
                home, begin = CHECKS[file]
                own = f"{begin}{kind}"
                reached = {
                    n for n, (_, at, _) in functions.items() if at == home and n.endswith(own)
                }
                assert reached, own
            targets |= {n for n in reached if not n.endswith(PUBLIC)}
        size, below = max(map(chain, targets), default=(0, ()))
        return frame + size, (name, *below)

    return chain(name)


def test_the_stack_is_below_what_the_page_says(tmp_path, full):
    """Of each kind of op, sized, packed and run, by gcc at the usual levels, 64 and 32 bits."""
    tools.need("gcc-m32")
    every = ("-Os", "-O2", "-O3", "-Os -m32", "-O2 -m32", "-O3 -m32")
    for flags in every if full else ("-O2", "-Os -m32", "-O3 -m32"):
        folder = tmp_path / flags
        folder.mkdir()
        functions = account(flags.split(), folder)
        for kind, limit in limits().items():
            size, chain = max(deepest(functions, name, kind) for name in ENTRIES)
            ran, _ = deepest(functions, "intgold_run", kind)
            own = (
                n for n, (_, at, _) in functions.items() if at == kind and not n.endswith(PUBLIC)
            )
            assert ran >= functions["intgold_run"][0] + max(functions[n][0] for n in own), kind
            assert 100 < size <= limit, f"{flags}, {kind}: {size} bytes: {' > '.join(chain)}"
