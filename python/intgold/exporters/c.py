"""Models as C source: ``static const`` data of csrc/intgold.h, to compile in.

Nothing is parsed on the target; the linker puts everything into read-only memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..errors import ModelError
from ..model.artefact import required_spec
from ..model.graph import Model
from ..native.compiled import ffi, lib
from ..native.lowering import Lowered, LoweredOp, Member, lower
from ..ops.fields import FORMS, Requantize
from ..ops.kind import spec_version
from ..support.arguments import checked
from ..support.file_kinds import C_SOURCE
from ..support.safe_files import replacing

_C_TYPES = {"int8": "int8_t", "int16": "int16_t", "int32": "int32_t", "uint8": "uint8_t"}
_VALUES_PER_LINE = 16


@checked
def write_c(models: Sequence[Model], path: str | os.PathLike[str]) -> None:
    """Write one C file with every model as ``const intgold_model intgold_model_<name>``.

    The file compiles with an ``intgold.h`` of the same ``INTGOLD_ABI``, the same major version of
    SPEC.md, and a minor version that has all ops of the models; with any other it ends in an
    ``#error``.

    Everything else is static and numbered (``m0_op2_weights``), so that files of different models
    can be linked into one program.  Where the macro ``INTGOLD_MODEL_TABLE`` is defined, the file
    also defines ``intgold_models``, the list of its models, ended by NULL: a program can have one.

    The last line, a comment, is a seal by which a file is known again that nobody has changed.

    Raises
    ------
    ModelError
        When there are no models, or two have the same name.
    IntgoldError
        When the file cannot be written, or one that is there and not empty is not of `write_c`,
        or was changed since.
    """
    source = c_source(models).encode()
    with replacing(path, C_SOURCE) as file:
        file.write(source)


@checked
def c_source(models: Sequence[Model]) -> str:
    """Return the text of `write_c`, without the seal at its end."""
    names = [model.name for model in models]
    if not names:
        raise ModelError("write_c: no models")
    if len(set(names)) != len(names):
        twice = min(n for n in names if names.count(n) > 1)
        raise ModelError(f"model {twice} is given twice: in C each has a name of its own")
    parts = [_guard(models)]
    for i, model in enumerate(models):
        title = f"\n/* {model.name}: content SHA-256 {model.sha256} */"
        lines = [title, *_model(f"m{i}", lower(model))]
        parts.append("\n".join(lines) + "\n")
    entries = "".join(f"    &intgold_model_{model.name},\n" for model in models)
    parts.append(
        "\n#ifdef INTGOLD_MODEL_TABLE\n"
        "extern const intgold_model *const intgold_models[];\n"
        f"const intgold_model *const intgold_models[] = {{\n{entries}    NULL,\n}};\n"
        "#endif\n"
    )
    return "".join(parts)


def _guard(models: Sequence[Model]) -> str:
    """Return the include, and the refusal of a header that gives the data another meaning."""
    major, minor = max(spec_version(required_spec(model)) for model in models)
    abi = lib.INTGOLD_ABI
    return (
        '#include "intgold.h"\n\n'
        f"#if INTGOLD_ABI != {abi}\n"
        f'#error "this file has the structures of INTGOLD_ABI {abi}: write it anew for intgold.h"\n'
        "#endif\n"
        f"#if INTGOLD_SPEC_MAJOR != {major} || INTGOLD_SPEC_MINOR < {minor}\n"
        f'#error "these models need SPEC {major}.{minor} or a later {major}.x"\n'
        "#endif\n"
    )


def _model(prefix: str, lowered: Lowered) -> Iterator[str]:
    for i, op in enumerate(lowered.ops):
        yield f"\n/* {op.name} */"
        yield from _op(f"{prefix}_op{i}", op)
    yield ""
    rows = [f'{{"{t.name}", {t.dtype}, {t.size}, {t.offset}}}' for t in lowered.tensors]
    yield from _table("intgold_tensor", f"{prefix}_tensors", rows)
    rows = [
        f"{{{op.kind}, &{prefix}_op{i}, {prefix}_op{i}_inputs, {op.output}}}"
        for i, op in enumerate(lowered.ops)
    ]
    yield from _table("intgold_op", f"{prefix}_ops", rows)
    for name, indices in (("inputs", lowered.inputs), ("outputs", lowered.outputs)):
        yield from _table("int32_t", f"{prefix}_{name}", map(str, indices))
    yield f"extern const intgold_model intgold_model_{lowered.name};"
    yield f"const intgold_model intgold_model_{lowered.name} = {{"
    yield f'    .name = "{lowered.name}",'
    for name, count in (
        ("n_tensors", len(lowered.tensors)),
        ("n_ops", len(lowered.ops)),
        ("n_inputs", len(lowered.inputs)),
        ("n_outputs", len(lowered.outputs)),
        ("activations_size", lowered.activations_size),
    ):
        yield f"    .{name} = {count},"
    for name in ("tensors", "ops", "inputs", "outputs"):
        yield f"    .{name} = {prefix}_{name},"
    yield "};"


def _op(name: str, op: LoweredOp) -> Iterator[str]:
    """Yield the arrays of an op, then its structure."""
    values = {}
    for member, value in op.members.items():
        yield from _arrays(f"{name}_{member}", value)
        values[member] = _value(f"{name}_{member}", value)
    yield from _table("int32_t", f"{name}_inputs", map(str, op.inputs))
    yield f"static const {op.struct} {name} = {{"
    order = [member for member, _ in ffi.typeof(op.struct).fields]  # which C++ insists on
    yield from (f"    .{member} = {values[member]}," for member in order)
    yield "};"


def _arrays(name: str, value: Member) -> Iterator[str]:
    if isinstance(value, np.ndarray):
        texts = [_literal(v) for v in value.ravel().tolist()]
        yield from _table(_C_TYPES[value.dtype.name], name, texts)
    elif isinstance(value, Requantize):
        forms = np.array([FORMS.index(f) for f in value.form], np.uint8)
        yield from _arrays(f"{name}_form", forms)
        for part in ("multiplier", "right_shift", "multiplier_low"):
            yield from _arrays(f"{name}_{part}", getattr(value, part))


def _value(name: str, value: Member) -> str:
    if isinstance(value, np.ndarray):
        return name
    if isinstance(value, Requantize):
        parts = ("form", "multiplier", "right_shift", "multiplier_low")
        return f"{{{value.count}, {', '.join(f'{name}_{part}' for part in parts)}}}"
    return "{0, NULL, NULL, NULL, NULL}" if value is None else str(value)


def _literal(value: int) -> str:
    """Return a C integer constant; -2^31 has no literal of its own."""
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)


def _table(ctype: str, name: str, values: Iterable[str]) -> Iterator[str]:
    texts = list(values)
    yield f"static const {ctype} {name}[{len(texts)}] = {{"
    for i in range(0, len(texts), _VALUES_PER_LINE):
        yield "    " + ", ".join(texts[i : i + _VALUES_PER_LINE]) + ","
    yield "};"
