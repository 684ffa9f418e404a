"""The rooms of the package: imports go down the floors, no circles but the declared facades."""

import ast
import re
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python/intgold"

FLOORS = (
    ("errors", "support"), ("document", "ops"), ("model",), ("host", "golden", "native"),
    ("run", "contracts"), ("images",), ("importers.tflite.file",),
    ("importers.tflite.addresses", "importers.tflite.formulas"), ("importers.tflite.graph",),
    ("importers.tflite.handlers",), ("importers", "exporters", "predict"),
    ("quantize",), ("vectors.arrays", "vectors.formats"), ("vectors.memory",), ("vectors.cases",),
    ("describe",), ("vectors.sets",), ("vectors.op_vectors", "regression"),
    ("verify",), ("verify.diagnose",), ("verify.report",),
    ("study.engines", "study.quantisation"), ("study.contracts",), ("bench", "vectors.freeze"),
    ("cli",),
)  # fmt: skip
"""From the ground up: a room imports itself and lower floors, `errors` and `support` each other."""
FACADES = {"", "__main__", "vectors", "study"}
"""Packages that only name what lies in their rooms; `__main__` starts the command."""


def module_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


CIRCLES = {("quantize.inference", "quantize.network_file")}
"""Declared: a network saves and loads itself.  (A `Model` does so by name, see ARCHITECTURE.md.)"""

MODULES = {module_of(path): path for path in PACKAGE.rglob("*.py")}


def imports(module):
    """What a module imports of the package, in functions too; types for the checker left out."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(path.read_text())
    typing = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or id(node) in typing:
            continue
        base = node.module or ""
        if node.level:
            parts = package.split(".") if package else []
            base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [base])])
        elif base.split(".")[0] == "intgold":
            base = base.partition(".")[2]
        else:
            continue
        for name in (alias.name for alias in node.names):
            inner = f"{base}.{name}" if base else name
            yield inner if inner in MODULES else base


def room(module):
    for rooms in FLOORS:
        for name in rooms:
            if module == name or (module.startswith(f"{name}.") and not _inner(name, module)):
                return name
    return None


def _inner(name, module):
    """Whether a module of a room is in one of its inner rooms."""
    return any(
        other != name and (module == other or module.startswith(f"{other}."))
        for rooms in FLOORS
        for other in rooms
        if other.startswith(f"{name}.")
    )


def test_every_module_is_in_a_room():
    """Nothing lies loose but the declared facades."""
    assert len(MODULES) > 250
    assert {m for m in MODULES if room(m) is None} == FACADES


def test_rooms_import_lower_floors():
    """The order of FLOORS is that of ARCHITECTURE.md, and nobody reaches up."""
    floor = {name: i for i, rooms in enumerate(FLOORS) for name in rooms}
    wrong, arrows = set(), 0
    for module in MODULES:
        here = room(module)
        for other in imports(module) if here else ():
            there = room(other)
            arrows += 1
            if there and there != here and floor[there] >= floor[here]:
                wrong.add((module, other))
    ground = set(FLOORS[0])
    wrong = {(a, b) for a, b in wrong if not {room(a), room(b)} <= ground}
    assert arrows > 1000 and wrong == set()


def test_no_two_files_import_each_other():
    """There is an order in which all files could be read, each after those that it needs."""
    graph = defaultdict(set)
    for module in MODULES:
        graph[module] = {
            other
            for other in imports(module)
            if other not in (module, "") and (module, other) not in CIRCLES
        }
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise AssertionError(error.args[1]) from None
    assert set(MODULES) <= set(order)


def test_the_architecture_names_every_room():
    """Its table has the rooms of FLOORS and no other, in an order of the floors."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rows = re.findall(r"^\| (`.*?) \|", text, re.M)
    named = [name.strip("/").replace("/", ".") for r in rows for name in re.findall(r"`(.+?)`", r)]
    floor = {name: i for i, rooms in enumerate(FLOORS) for name in rooms}
    assert sorted(named) == sorted(set(floor) - {"vectors.freeze"})  # a tool of the repository
    assert [floor[name] for name in named] == sorted(floor[name] for name in named)
