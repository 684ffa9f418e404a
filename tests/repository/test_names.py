"""One name, one meaning: of classes, aliases and public functions of the package."""

import ast
from collections import defaultdict
from pathlib import Path

from intgold.ops.table import OPS
from intgold.quantize.activations import KINDS

PACKAGE = Path(__file__).parents[2] / "python/intgold"
TREES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text())
    for path in sorted(PACKAGE.rglob("*.py"))
}


def homes(names_of):
    """Every name that `names_of` finds in a module, with the modules that define it."""
    found = defaultdict(list)
    for module, tree in TREES.items():
        for name in names_of(tree):
            found[name].append(module)
    return found


def classes(tree):
    """Names of the classes of a module, nested ones too, without leading underscores."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name.lstrip("_")


def aliases(tree):
    """Names in CapWords that a module assigns, such as type aliases."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name) and not target.id.isupper():
                name = target.id.lstrip("_")
                if name[:1].isupper():
                    yield name


def test_no_class_name_has_two_meanings():
    """Neither public nor private ones: `Report` of one room is not `_Report` of another."""
    found = homes(classes)
    assert len(found) > 180
    assert {name: at for name, at in found.items() if len(at) > 1} == {}


def test_no_alias_has_the_name_of_a_class():
    """A type alias may stand in two modules that mean the same by it; a class may not."""
    defined, assigned = homes(classes), homes(aliases)
    assert len(assigned) > 20
    assert {name: at + defined[name] for name, at in assigned.items() if name in defined} == {}


SAME = {
    **dict.fromkeys(("up", "away", "even", "down", "zero"), "a rounding form of SPEC 4.2"),
    **dict.fromkeys(("add", "call"), "what every command has"),
    "load": "reads a model; `intgold.load` takes the name of a shipped one, too",
    "main": "runs the command",
    "quantize": "reals to integers: an array, or a network",
    "reciprocal": "of SPEC 5.10, on arrays and on one int",
    "requantize": "SPEC 4.3, with and without its checks",
    "scale": "the scale of a tensor is checked, R scales by it",
    "supported_layers": "the list, with and without torch",
}
"""Functions that have one name in several modules since they do one thing; op names are as well."""


def functions(tree):
    """Names of the public functions of a module."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name


def test_no_function_name_has_two_meanings():
    """An op or an activation has its name in golden model, importers and quantisation."""
    found = {name: at for name, at in homes(functions).items() if len(at) > 1}
    same = {*SAME, *OPS, *KINDS}
    assert {name: at for name, at in found.items() if name not in same} == {}
    assert set(SAME) <= set(found), "declared, but in one module only"
