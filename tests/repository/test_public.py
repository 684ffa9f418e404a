"""What is public is said in one place: docs/stability.md has the names of every `__all__`."""

import ast
import importlib
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

import public_names
import tools

PACKAGE = Path(__file__).parents[2] / "python/intgold"


def module_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def trees():
    return {module_of(p): ast.parse(p.read_text()) for p in PACKAGE.rglob("*.py")}


def assigned(tree):
    """Names that a module assigns, annotates or deletes at its top level."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (t.id for t in targets if isinstance(t, ast.Name))


def test_public_modules_are_those_of_the_page():
    """A module has `__all__` if it is public, and only then."""
    assert {name for name, tree in trees().items() if "__all__" in assigned(tree)} == set(
        public_names.MODULES
    )


@pytest.mark.parametrize("name", public_names.MODULES)
def test_public_names_are_those_of_the_page(name):
    """The same names in the same order, each there, `__all__` a list that tools can read."""
    tools.need("torch")
    module = importlib.import_module(name)
    assert tuple(module.__all__) == public_names.MODULES[name]
    for own in module.__all__:
        assert getattr(module, own) is not None and own in dir(module), own
    (written,) = [
        node.value for node in trees()[name].body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]  # fmt: skip
    assert ast.literal_eval(written) == module.__all__


def members(value):
    """A public function or class, and what is public in the class, each by its name."""
    yield value.__qualname__, value
    for name, member in vars(value).items() if inspect.isclass(value) else ():
        own = getattr(member, "func", getattr(member, "__func__", member))
        if not name.startswith("_") and (inspect.isfunction(own) or isinstance(own, property)):
            yield f"{value.__qualname__}.{name}", own


@cache
def documented_constants():
    """Constants that are followed by a docstring, by module."""
    found = {}
    for module, tree in trees().items():
        for node, text in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and (
                isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            ):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                found.setdefault(ast.unparse(target), []).append(module)
    return found


@pytest.mark.parametrize("name", public_names.MODULES)
def test_public_names_are_documented(name):
    """Module, functions, classes, their methods and properties: all; constants by a text below."""
    tools.need("torch")
    module = importlib.import_module(name)
    assert module.__doc__
    for own in module.__all__:
        value = getattr(module, own)
        if inspect.isroutine(value) or inspect.isclass(value):
            assert [label for label, part in members(value) if not inspect.getdoc(part)] == []
        elif own != "__version__":
            homes = documented_constants().get(own, [])
            assert any(
                getattr(importlib.import_module(home), own, None) is value for home in homes
            ), own


def test_parameters_are_documented():
    """Every parameter of a public function is named in its docstring, but for plain ones."""
    tools.need("torch")
    checked, wrong = 0, []
    for name in public_names.MODULES:
        module = importlib.import_module(name)
        for own in module.__all__:
            value = getattr(module, own)
            if not inspect.isfunction(value) or name in ("intgold.golden", "intgold.native"):
                continue
            text = inspect.getdoc(value)
            parameters = [p for p in inspect.signature(value).parameters if p != "progress"]
            checked += len(parameters)
            if len(parameters) > 2 and "Parameters\n---" in text:
                wrong += [
                    f"{name}.{own}: {p}" for p in parameters if not re.search(rf"\b{p}\b", text)
                ]
    assert checked > 60 and wrong == []


def test_public_calls_have_few_parameters():
    """At most six; methods too, but for the functions of ops, whose fields are arguments."""
    tools.need("torch")
    counted, many = 0, []
    for name in public_names.MODULES:
        module = importlib.import_module(name)
        for own in module.__all__ if name not in ("intgold.golden", "intgold.native") else ():
            value = getattr(module, own)
            for label, part in members(value) if callable(value) else ():
                if inspect.isfunction(part):
                    parameters = [
                        p for p in inspect.signature(part).parameters.values()
                        if p.name != "self" and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
                    ]  # fmt: skip
                    counted += 1
                    many += [label] if len(parameters) > 6 else []
    assert counted > 90 and many == []
