"""The file of a float network: a stored zip of ``network.json`` and one .npy per array."""

from __future__ import annotations

import os
from typing import Any

from ..errors import ArtefactError, IntgoldError
from ..files import canonical_json, npy_bytes, read_npy, read_zip, write_zip
from ..json_text import strict_json
from ..quoting import shown
from .inference import FloatNetwork
from .layers import Layer

FORMAT = "intgold-float-network"
VERSION = 2

_ARRAYS = ("weights", "bias")
_Types = dict[str, type]
_NETWORK_TYPES: _Types = {
    "format": str,
    "version": int,
    "name": str,
    "input_shape": list,
    "pixels": bool,
    "layers": list,
}
_LAYER_TYPES: _Types = {
    "name": str,
    "kind": str,
    "inputs": list,
    "stride": list,
    "padding": list,
    "kernel": list,
    "dilation": list,
    "alpha": float,
}


def save(network: FloatNetwork, path: str | os.PathLike[str]) -> None:
    """Write a network; the same network gives the same bytes."""
    layers = [{key: getattr(layer, key) for key in _LAYER_TYPES} for layer in network.layers]
    arrays = {f"{x.name}.{key}.npy": getattr(x, key) for x in network.layers for key in _ARRAYS}
    members = {name: npy_bytes(array) for name, array in arrays.items() if array is not None}
    header: dict[str, Any] = {"format": FORMAT, "version": VERSION, "name": network.name}
    header |= {"input_shape": network.input_shape, "pixels": network.pixels, "layers": layers}
    write_zip(path, {"network.json": canonical_json(header), **members})


def load(path: str | os.PathLike[str]) -> FloatNetwork:
    """Read a network that `save` wrote; see `FloatNetwork.load`."""
    try:
        members = read_zip(path)
    except IntgoldError as error:  # it names the path
        raise ArtefactError(str(error)) from error
    try:
        return _parse(members)
    except IntgoldError as error:  # of a layer or of the graph
        raise ArtefactError(f"{path}: {error}") from error
    except MemoryError as error:
        raise ArtefactError(f"{path}: not enough memory to read it: {error}") from error


def _parse(members: dict[str, bytes]) -> FloatNetwork:
    """Return the network in the members of its zip; nothing may be missing or left over."""
    try:
        header = strict_json(members.pop("network.json", b"null"))
    except ValueError as error:
        raise ArtefactError(f"network.json is not JSON: {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ArtefactError(f"not a float network (no {FORMAT} header)")
    if header.get("version") != VERSION:
        raise ArtefactError(f"version {shown(header.get('version'))}, this reads {VERSION}")
    _check_fields(header, _NETWORK_TYPES)
    layers = []
    for entry in header["layers"]:
        _check_fields(entry, _LAYER_TYPES)
        if not entry["inputs"] or not all(type(name) is str for name in entry["inputs"]):
            raise ArtefactError(f"field 'inputs' is {shown(entry['inputs'])}, not names")
        fields: dict[str, Any] = {k: tuple(v) if type(v) is list else v for k, v in entry.items()}
        for label in _ARRAYS:
            member = f"{entry['name']}.{label}.npy"
            if member in members:
                fields[label] = read_npy(member, members.pop(member))
        layers.append(Layer(**fields))
    if members:
        raise ArtefactError(f"member {min(members)} belongs to no layer")
    shape = tuple(header["input_shape"])
    return FloatNetwork(header["name"], shape, tuple(layers), header["pixels"])


def _check_fields(entry: object, types: _Types) -> None:
    if not isinstance(entry, dict):
        raise ArtefactError(f"network.json holds {shown(entry)} where an object belongs")
    for key in sorted(entry.keys() ^ types.keys()):
        fault = "is missing" if key in types else "is unknown"
        raise ArtefactError(f"field {shown(key)} {fault}")
    for key, kind in types.items():
        if type(entry[key]) is not kind:
            raise ArtefactError(f"field {shown(key)} is {shown(entry[key])}, not a {kind.__name__}")
