"""The model artefact, version 1 (SPEC 9): a byte-stable, content-hashed, strict .npz.

``model.json`` describes the graph, with the SHA-256 of every array; the arrays lie beside it as
``<op>.<field>.npy``.  Reals are hexadecimal strings, so nothing is rounded on the way.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

import numpy as np

from ..errors import ArtefactError, IntgoldError, ModelError
from ..ops.fields import Array, Field, Requantization, Requantize, Scales
from ..ops.kind import spec_version
from ..ops.table import OPS
from ..support.arguments import checked
from ..support.file_kinds import MODEL
from ..support.json_text import canonical_sha256, check_size, is_canonical, strict_json
from ..support.quoting import shown
from ..support.safe_files import (
    canonical_json,
    npy_bytes,
    plain_size,
    read_npy,
    read_zip,
    write_zip,
)
from .graph import SPEC_VERSION, Model, Op, Tensor

__all__ = ["content_sha256", "load", "required_spec", "save"]

FORMAT, VERSION = "intgold-model", 1
_TOP = {"format", "version", "spec", "contract", "name", "metadata"} | {
    "inputs", "outputs", "tensors", "ops", "sha256",
}  # fmt: skip


@checked
def save(model: Model, path: str | os.PathLike[str]) -> None:
    """Write `model` to `path`; equal models give equal bytes.

    Raises
    ------
    IntgoldError
        When the file cannot be written, one that is there and not empty is no model of intgold's,
        or the model is larger than SPEC 9 lets a file be; nothing is left half-written.
    """
    document, arrays = _document(model)
    document["sha256"] = canonical_sha256(document)
    text = canonical_json(document)
    try:
        check_size(text)
    except ValueError as error:
        raise ArtefactError(f"cannot write {path}: model.json: {error}") from None
    write_zip(path, {"model.json": text, **arrays}, MODEL)


@checked
def load(path: str | os.PathLike[str]) -> Model:
    """Read an artefact and check all of it, the int32 proof included.

    Raises
    ------
    ArtefactError
        Naming the file and what is wrong: unreadable, foreign, newer, damaged, unknown field.
    """
    try:
        members = read_zip(path)
    except IntgoldError as error:  # it names the path
        foreign = f"{path}: a TFLite file: intgold import produces a model from it"
        raise ArtefactError(foreign if _is_tflite(path) else str(error)) from None
    try:
        return _read(members)
    except IntgoldError as error:
        raise ArtefactError(f"{path}: {error}") from None
    except MemoryError as error:
        raise ArtefactError(f"{path}: not enough memory to read it: {error}") from None


def _read(members: dict[str, bytes]) -> Model:
    """Return the model in the members of an archive, all of which it must use."""
    if "network.json" in members:
        raise ArtefactError("a float network: intgold quantize produces a model from it")
    if "model.json" not in members:
        raise ArtefactError("no model.json in it; not an intgold model")
    document, stated = _parse(members.pop("model.json"))
    model = _model(document, members)
    if members:
        raise ArtefactError(f"unknown member {min(members)}")
    # A higher spec than is needed, a list of equal forms, an array's header, ...
    if model.sha256 != stated:
        raise ArtefactError("model.json: not written as in SPEC 9.3")
    return model


def _is_tflite(path: str | os.PathLike[str]) -> bool:
    try:
        plain_size(path, 2**31)
        with open(path, "rb") as file:
            return file.read(8)[4:] == b"TFL3"
    except (OSError, IntgoldError):
        return False


@checked
def content_sha256(model: Model) -> str:
    """Return the SHA-256 of the canonical description, which holds those of all arrays."""
    return canonical_sha256(_document(model)[0])


@checked
def required_spec(model: Model) -> str:
    """Return the lowest version of SPEC.md that has all of the model's ops (SPEC 9.3)."""
    needed = (op.spec.needs(op.fields, model.tensor(op.inputs[0]).dtype) for op in model.ops)
    return max(needed, key=spec_version)


def _document(model: Model) -> tuple[dict[str, Any], dict[str, bytes]]:
    arrays: dict[str, bytes] = {}
    document = {
        "format": FORMAT,
        "version": VERSION,
        "spec": required_spec(model),
        "contract": model.contract,
        "name": model.name,
        "metadata": dict(model.metadata),
        "inputs": list(model.inputs),
        "outputs": list(model.outputs),
        "tensors": [
            {
                "name": t.name,
                "shape": list(t.shape),
                "dtype": t.dtype,
                "scale": None if t.scale is None else t.scale.hex(),
                "zero_point": t.zero_point,
            }
            for t in model.tensors
        ],
        "ops": [
            {
                "kind": op.kind,
                "name": op.name,
                "inputs": list(op.inputs),
                "output": op.output,
                "fields": {
                    n: _encode(t, op[n], f"{op.name}.{n}", arrays)
                    for n, t in op.spec.fields.items()
                },
            }
            for op in model.ops
        ],
    }
    return document, arrays


def _encode(field: Field, value: Any, name: str, arrays: dict[str, bytes]) -> Any:
    if value is None:
        return None
    if isinstance(field, Array):
        return _reference(value, name, arrays)
    if isinstance(field, Requantization):
        encoded: dict[str, Any] = {
            "form": value.form[0] if len(set(value.form)) == 1 else list(value.form)
        }
        for part in ("multiplier", "right_shift", "multiplier_low"):
            encoded[part] = _reference(getattr(value, part), f"{name}.{part}", arrays)
        return encoded
    if isinstance(field, Scales):
        return [v.hex() for v in value]
    return list(value) if isinstance(value, tuple) else value


def _reference(array: np.ndarray, name: str, arrays: dict[str, bytes]) -> dict[str, Any]:
    data = npy_bytes(array)
    arrays[f"{name}.npy"] = data
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def _parse(data: bytes) -> tuple[dict[str, Any], str]:
    """Return the checked description without its digest, and the digest."""
    try:
        document = strict_json(data)
    except ValueError as error:
        raise ArtefactError(f"model.json: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ArtefactError("model.json: not the description of an intgold model")
    if not is_canonical(document, data):
        raise ArtefactError("model.json: not in canonical form (SPEC 9.5)")
    if document.get("version") != VERSION:
        raise ArtefactError(
            f"artefact version {shown(document.get('version'))}; "
            f"this intgold reads version {VERSION}"
        )
    _keys("model.json", document, _TOP)
    spec = document["spec"]
    if not isinstance(spec, str) or not _readable(spec):
        raise ArtefactError(f"made for SPEC {shown(spec)}; this intgold implements {SPEC_VERSION}")
    stated = document.pop("sha256")
    if stated != canonical_sha256(document):
        raise ArtefactError(f"model.json: content does not match its sha256 {shown(stated)}")
    return document, stated


def _readable(spec: str) -> bool:
    """Same major version, minor not newer: the set of forms and ops is closed per version."""
    try:
        theirs, ours = spec_version(spec), spec_version(SPEC_VERSION)
    except ValueError:
        return False
    return theirs[0] == ours[0] and 0 <= theirs[1] <= ours[1]


def _keys(where: str, value: Any, expected: set[str]) -> None:
    if not isinstance(value, dict):
        raise ArtefactError(f"{where}: {type(value).__name__} instead of named fields")
    unmatched = sorted(set(value) ^ expected)
    if unmatched:
        raise ArtefactError(f"{where}: missing or unknown field {unmatched[0]}")


def _list(where: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ArtefactError(f"{where}: {shown(value)} is not a list")
    return value


def _strings(where: str, value: Any) -> list[str]:
    names = _list(where, value)
    if not all(isinstance(v, str) for v in names):
        raise ArtefactError(f"{where}: {shown(value)} is not a list of names")
    return names


def _model(document: dict[str, Any], members: dict[str, bytes]) -> Model:
    tensors, ops = [], []
    for entry in _list("tensors", document["tensors"]):
        _keys("tensor", entry, {"name", "shape", "dtype", "scale", "zero_point"})
        shape = tuple(_list("tensor shape", entry["shape"]))
        scale = _scale("tensor scale", entry["scale"])
        tensors.append(Tensor(entry["name"], shape, entry["dtype"], scale, entry["zero_point"]))
    for entry in _list("ops", document["ops"]):
        _keys("op", entry, {"kind", "name", "inputs", "output", "fields"})
        kind, name = entry["kind"], entry["name"]
        if not isinstance(kind, str) or kind not in OPS:
            raise ArtefactError(
                f"op {shown(name)}: kind {shown(kind)} is not known to SPEC {SPEC_VERSION}"
            )
        declared = OPS[kind].fields
        _keys(f"op {shown(name)}", entry["fields"], set(declared))
        fields = {
            n: _decode(t, entry["fields"][n], f"{name}.{n}", members) for n, t in declared.items()
        }
        ops.append(
            Op(kind, name, tuple(_strings("inputs", entry["inputs"])), entry["output"], fields)
        )
    if not isinstance(document["metadata"], dict):
        raise ArtefactError("metadata: not named fields")
    return Model(
        document["name"], tensors, ops,
        _strings("inputs", document["inputs"]), _strings("outputs", document["outputs"]),
        document["contract"], document["metadata"],
    )  # fmt: skip


def _scale(where: str, value: Any) -> float | None:
    if value is None:
        return None
    try:
        scale = float.fromhex(value)
    except (TypeError, ValueError, OverflowError):
        raise ArtefactError(f"{where}: {shown(value)} is not a hexadecimal real") from None
    if scale.hex() != value:
        raise ArtefactError(f"{where}: {shown(value)} is not written as {scale.hex()}")
    return scale


def _decode(field: Field, value: Any, name: str, members: dict[str, bytes]) -> Any:
    if value is None:
        return None
    if isinstance(field, Array):
        return _array(value, name, members)
    if isinstance(field, Requantization):
        parts = ("multiplier", "right_shift", "multiplier_low")
        _keys(name, value, {"form", *parts})
        arrays = [_array(value[p], f"{name}.{p}", members) for p in parts]
        form = value["form"] if isinstance(value["form"], str) else _strings(name, value["form"])
        return Requantize.of(arrays[0], arrays[1], form, arrays[2])
    if isinstance(field, Scales):
        return [_scale(name, v) for v in _list(name, value)]
    return tuple(value) if isinstance(value, list) else value


def _array(value: Any, name: str, members: dict[str, bytes]) -> np.ndarray:
    _keys(name, value, {"dtype", "shape", "sha256"})
    data = members.pop(f"{name}.npy", None)
    if data is None:
        raise ArtefactError(f"member {name}.npy is missing")
    if hashlib.sha256(data).hexdigest() != value["sha256"]:
        raise ArtefactError(f"{name}.npy does not match its sha256")
    array = read_npy(f"{name}.npy", data)
    if array.dtype.name != value["dtype"] or list(array.shape) != value["shape"]:
        raise ModelError(f"{name}.npy is {array.dtype} {array.shape}, not as described")
    return array
