"""Models, float networks and vector sets with changes that a right digest covers up.

The deep checks must refuse them; what they let pass is legal and must run, alike on both engines.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import mutations
from intgold import IntgoldError
from intgold.model import artefact
from intgold.ops.fields import FORMS
from intgold.ops.table import OPS
from intgold.support.safe_files import canonical_json, npy_bytes, read_npy, write_zip

Document = dict[str, Any]
Arrays = dict[str, np.ndarray]


def read(members: dict[str, bytes]) -> tuple[Document, Arrays]:
    """The description and the arrays in the members of a valid artefact."""
    arrays = {n: read_npy(n, d) for n, d in members.items() if n.endswith(".npy")}
    return json.loads(members["model.json"]), arrays


def digest(document: Document) -> bytes:
    """The canonical text of a description or manifest, its digest made right."""
    document = {key: value for key, value in document.items() if key != "sha256"}
    sha256 = hashlib.sha256(canonical_json(document)).hexdigest()
    return canonical_json({**document, "sha256": sha256})


def model(rng: Random, document: Document, arrays: Arrays) -> tuple[str, dict[str, bytes]]:
    """The members of an artefact with changes that its digests do not tell."""
    document, arrays = copy.deepcopy(document), dict(arrays)
    said = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        change = rng.choice((_numbers, _numbers, _array, _array, _graph, _names, _kinds))
        said.append(change(rng, document, arrays))
    if rng.random() < 0.15:
        what, changed = mutations.document(rng, document)
        said.append(what)
        document = changed if isinstance(changed, dict) else {}
    elif rng.random() < 0.7:
        said.append(_repair(document, arrays))
    members = {name: npy_bytes(array) for name, array in arrays.items()}
    _restate(document, members)
    return ", ".join(said), {"model.json": digest(document), **members}


def _ops(document: Document) -> list[Document]:
    ops = document.get("ops")
    return [op for op in ops if isinstance(op, dict)] if isinstance(ops, list) else []


def _fields(op: Document) -> Document:
    fields = op.get("fields")
    return fields if isinstance(fields, dict) else {}


_EDGES = (-129, -128, -1, 0, 1, 2, 3, 5, 31, 62, 63, 127, 128, 2**10, 2**15, 2**15 + 1, 2**31)


def _numbers(rng: Random, document: Document, arrays: Arrays) -> str:
    """Another number in a field: stride, padding, kernel, dilation, clamp, zero point, shift."""
    op = rng.choice(document["ops"] or [{"fields": {}}])
    fields = op["fields"]
    numeric = [n for n, v in fields.items() if type(v) is int or _is_numbers(v)]
    if not numeric or rng.random() < 0.2:
        tensor = rng.choice(document["tensors"])
        tensor["zero_point"] = rng.choice((*_EDGES, rng.randint(-128, 127)))
        return f"zero_point of {tensor['name']}"
    name = rng.choice(numeric)
    value = rng.choice(_EDGES) if rng.random() < 0.5 else rng.randint(-2, 6)
    if type(fields[name]) is int:
        fields[name] = value
    else:
        fields[name] = list(fields[name])
        fields[name][rng.randrange(len(fields[name]))] = value
    return f"{name} of {op.get('name')} {value}"


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(v) is int for v in value)


def _array(rng: Random, document: Document, arrays: Arrays) -> str:
    """Other values, another shape or dtype of an array."""
    if not arrays:
        return _numbers(rng, document, arrays)
    name = rng.choice(list(arrays))
    array = arrays[name]
    shape, dtype = array.shape, array.dtype
    if array.size == 0 or dtype.kind == "f":  # changed before
        return f"{dtype} {shape} {name}"
    info = np.iinfo(array.dtype)
    flat = array.ravel().copy()
    at = rng.randrange(flat.size)
    some = (info.min, info.max, 0, 1, -1 % (info.max + 1), rng.randint(info.min, info.max))
    flat[at] = rng.choice([v for v in some if info.min <= v <= info.max])
    changes: dict[str, Callable[[], np.ndarray]] = {
        "value": lambda: flat.reshape(array.shape),
        "least": lambda: np.full_like(array, info.min),
        "most": lambda: np.full_like(array, info.max),
        "noise": lambda: np.frombuffer(rng.randbytes(array.nbytes), array.dtype).reshape(shape),
        "shuffled": lambda: np.array(rng.sample(flat.tolist(), flat.size), dtype).reshape(shape),
        "longer": lambda: np.concatenate([array, array[:1]]),
        "shorter": lambda: array[:-1],
        "one": lambda: array[:1],
        "flat": lambda: flat,
        "turned": lambda: np.ascontiguousarray(array.T),
        "rank": lambda: array[np.newaxis],
        "dtype": lambda: array.astype(rng.choice(("i1", "u1", "i2", "i4", "i8", "f4"))),
    }  # fmt: skip
    what = rng.choice(["value"] * 5 + list(changes))
    arrays[name] = changes[what]()
    return f"{what} {name}"


def _graph(rng: Random, document: Document, arrays: Arrays) -> str:
    """Other edges: a cycle, another input, another order, an op too few or too many."""
    ops, tensors = document["ops"], document["tensors"]
    if not ops:
        return "no ops"
    at, other = rng.randrange(len(ops)), rng.randrange(len(ops))
    names = [t["name"] for t in tensors]
    what = rng.choice(("cycle", "edge", "order", "drop", "twice", "output", "outputs", "tensors"))
    inputs = ops[at]["inputs"]
    if what == "cycle":
        ops[at]["inputs"] = [ops[at]["output"]] * len(inputs)
    elif what == "edge":
        inputs[rng.randrange(len(inputs))] = rng.choice(names)
    elif what == "order":
        ops[at], ops[other] = ops[other], ops[at]
    elif what == "drop":
        dropped = {op["output"] for op in ops[at:]}
        del ops[at:]
        tensors[:] = [t for t in tensors if t["name"] not in dropped]
        document["outputs"] = [op["output"] for op in ops[-1:]]
        for name in [n for n in arrays if n.split(".")[0] not in {op["name"] for op in ops}]:
            del arrays[name]
    elif what == "twice":
        ops.append(copy.deepcopy(ops[at]))
    elif what == "output":
        ops[at]["output"] = rng.choice(names)
    elif what == "outputs":
        document["outputs"] = rng.sample(names, rng.randint(0, min(3, len(names))))
    elif what == "tensors":
        rng.shuffle(tensors)
    return f"{what} {at} {other}"


def _names(rng: Random, document: Document, arrays: Arrays) -> str:
    """One name everywhere: of a tensor, an op, the model; some are none."""
    name = rng.choice(
        ("x", "A" * 64, "A" * 65, "", "1x", "a b", "../x", "a.b", "\u6f22", "int", "\n")
    )
    if rng.random() < 0.3:
        document[rng.choice(("name", "contract"))] = name
        return f"model {name!r}"
    old = rng.choice(document["tensors"])["name"]
    text = json.dumps({k: document[k] for k in ("tensors", "ops", "inputs", "outputs")})
    document.update(json.loads(text.replace(json.dumps(old), json.dumps(name))))
    return f"tensor {old!r} {name!r}"


def _kinds(rng: Random, document: Document, arrays: Arrays) -> str:
    """Another form, kind or dtype."""
    op = rng.choice(document["ops"] or [{"fields": {}}])
    requantize = [v for v in op["fields"].values() if isinstance(v, dict) and "form" in v]
    if requantize and rng.random() < 0.7:
        chosen = rng.choice(requantize)
        chosen["form"] = rng.choice(FORMS)
        return f"form of {op['name']} {chosen['form']}"
    if rng.random() < 0.5:
        op["kind"] = rng.choice(list(OPS))
        return f"kind of {op.get('name')}"
    rng.choice(document["tensors"])["dtype"] = rng.choice(("int8", "int32", "uint8"))
    return "dtype"


def _repair(document: Document, arrays: Arrays) -> str:
    """Let the shapes of the tensors follow the changed fields, so that more of them are legal."""
    members = {name: npy_bytes(array) for name, array in arrays.items()}
    _restate(document, members)
    document["spec"] = max(
        (OPS[op["kind"]].since for op in document["ops"] if op["kind"] in OPS), default="1.0"
    )
    try:
        tensors = {t["name"]: t for t in document["tensors"]}
        for op in document["ops"]:
            spec = OPS[op["kind"]]
            fields = {
                n: t.check(n, artefact._decode(t, op["fields"][n], f"{op['name']}.{n}", members))
                for n, t in spec.fields.items()
            }
            shape = spec.shape(fields, [tuple(tensors[n]["shape"]) for n in op["inputs"]])
            tensors[op["output"]].update(shape=list(shape), dtype=spec.output_dtype(fields))
    except (IntgoldError, KeyError, TypeError, ValueError, AttributeError, IndexError):
        return "not repaired"
    return "repaired"


def _restate(document: Document, members: dict[str, bytes]) -> None:
    """Let every reference in a description tell dtype, shape and digest of its array."""
    for op in _ops(document):
        for field, value in _fields(op).items():
            parts = value.items() if isinstance(value, dict) and "form" in value else [("", value)]
            for part, reference in parts:
                name = ".".join(str(n) for n in (op.get("name"), field, part) if n != "")
                data = members.get(f"{name}.npy")
                if data is not None and isinstance(reference, dict):
                    array = read_npy(name, data)
                    reference.update(dtype=array.dtype.name, shape=list(array.shape))
                    reference["sha256"] = hashlib.sha256(data).hexdigest()


def network(rng: Random, members: dict[str, bytes]) -> tuple[str, dict[str, bytes]]:
    """The members of a float network with a changed header or changed values; no digest tells."""
    members = dict(members)
    name = rng.choice([n for n in members if n.endswith(".npy")])
    array = read_npy(name, members[name]).copy()
    what = rng.choice(
        ("header", "header", "layers", "value", "value", "many", "huge", "shape", "text")
    )
    if what in ("header", "text"):
        made = mutations.json_text(rng, members["network.json"]) if what == "text" else None
        said, changed = mutations.document(rng, json.loads(members["network.json"]))
        members["network.json"] = made[1] if made else canonical_json(changed)
        return f"{what} {made[0] if made else said}", members
    if what in ("layers", "many", "huge"):
        header = json.loads(members["network.json"])
        layer = dict(rng.choice(header["layers"]))
        if what == "huge":
            header["input_shape"] = [rng.choice((1, 8, 1000, 1024)) for _ in range(2)] + [
                rng.choice((1, 1024))
            ]
            layer = rng.choice(header["layers"])
            layer["padding"] = [rng.choice((0, 1, 1000, 1023)) for _ in range(4)]
            layer["stride"] = [rng.choice((1, 1000)) for _ in range(2)]
            if layer["kind"] == "max_pool2d":
                layer["kernel"] = [rng.choice((1, 8, 1000, 1023)) for _ in range(2)]
        else:
            relu = {**layer, "kind": rng.choice(("relu", "selu", "gelu"))}
            count = 3000 if what == "many" else 1
            header["layers"][1:1] = [{**relu, "name": f"r{i}"} for i in range(count)]
        members["network.json"] = canonical_json(header)
        return what, members
    values = (0.0, -0.0, 1e-45, 1e38, -3e38, 3.4e38, np.nan, np.inf, 1e-38)
    if what == "shape":
        array = rng.choice((array[:-1], array.ravel(), array[np.newaxis], np.stack([array] * 2)))
    elif rng.random() < 0.3:
        array[:] = rng.choice(values)
    else:
        array.flat[rng.randrange(array.size)] = rng.choice(values)
    members[name] = npy_bytes(np.ascontiguousarray(array))
    return f"{what} {name}", members


def manifest(rng: Random, folder: Path) -> str:
    """Change the manifest of the set in `folder`, or a file that it then restates."""
    path = folder / "manifest.json"
    value = json.loads(path.read_bytes())
    files = [file["path"] for file in value["files"]]
    what = rng.choice(("document", "document", "file", "file", "list", "alone"))
    if what == "alone":  # the model, and no array
        for name in files[1:]:
            (folder / name).unlink()
        value["files"] = rng.choice((value["files"][0], value["files"][:1]))
        said = "model"
    elif what == "document":
        said, value = mutations.document(rng, value)
        if rng.random() < 0.3 and isinstance(value, dict):
            value["files"] = rng.choice((files[0], value.get("files"), {"path": files[0]}))
    elif what == "list":
        entry = rng.choice(value["files"])
        value["files"] = rng.choice((entry, [entry], [value["files"][0]], value["files"][::-1]))
        said = "files"
    else:
        chosen = rng.choice(files)
        damage = (
            mutations.npy if chosen.endswith(".npy") and rng.random() < 0.5 else mutations.damage
        )
        said, data = damage(rng, (folder / chosen).read_bytes())
        (folder / chosen).write_bytes(data)
        entry = value["files"][files.index(chosen)]
        entry["sha256"] = hashlib.sha256(data).hexdigest()
    path.write_bytes(digest(value) if isinstance(value, dict) else canonical_json(value))
    return f"{what} {said}"


def restate(entry: Document, packed: bytes) -> None:
    """Let an entry of a manifest tell the bytes on disk of a compressed file."""
    entry["stored_sha256"] = hashlib.sha256(packed).hexdigest()


def write(path: Path, members: dict[str, bytes]) -> None:
    """Write the members as intgold does: nothing of the archive itself is wrong."""
    write_zip(path, members)
