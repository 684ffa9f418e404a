"""The file of a float network: a stored zip of ``network.json`` and one .npy per array."""

from __future__ import annotations

import os
from typing import Any

from ..errors import ArtefactError, IntgoldError
from ..support.file_kinds import NETWORK
from ..support.json_text import strict_json
from ..support.quoting import shown
from ..support.safe_files import canonical_json, npy_bytes, read_npy, read_zip, write_zip
from .inference import FloatNetwork
from .inputs import IMAGE, Input
from .layers import Layer

FORMAT = "intgold-float-network"
VERSION = 4
_IMAGE_VERSION = 2
"""Of a file that says no more than version 2 can: one picture in, none of the newer layers."""
_INPUTS_VERSION = 3
"""The same of version 3: not how the training framework orders the output."""

_ARRAYS = ("weights", "bias")
_Types = dict[str, type]
_HEAD: _Types = {"format": str, "version": int, "name": str, "layers": list}
_NETWORK_TYPES: dict[int, _Types] = {
    2: {**_HEAD, "input_shape": list, "pixels": bool},
    3: {**_HEAD, "inputs": list, "left_to_host": str},
    4: {**_HEAD, "inputs": list, "left_to_host": str, "output_order": str},
}
_INPUT_TYPES: _Types = {"name": str, "shape": list, "pixels": bool, "order": str}
_OLD_LAYER: _Types = {
    "name": str,
    "kind": str,
    "inputs": list,
    "stride": list,
    "padding": list,
    "kernel": list,
    "dilation": list,
    "alpha": float,
}


_LAYER: _Types = {**_OLD_LAYER, "beta": float, "shape": list}
_LAYER_TYPES: dict[int, _Types] = {2: _OLD_LAYER, 3: _LAYER, 4: _LAYER}
_OLD_KINDS = {
    "conv2d", "depthwise_conv2d", "fully_connected", "relu", "relu6", "selu", "gelu", "gelu_tanh",
    "silu", "tanh", "sigmoid", "hardswish", "leaky_relu", "elu", "max_pool2d", "avg_pool2d",
    "global_avg_pool", "add", "concat",
}  # fmt: skip
"""Those of version 2."""


def save_network_file(network: FloatNetwork, path: str | os.PathLike[str]) -> None:
    """Write a network; the same network gives the same bytes."""
    version = _version(network)
    fields = _LAYER_TYPES[version]
    layers = [{key: getattr(layer, key) for key in fields} for layer in network.layers]
    arrays = {f"{x.name}.{key}.npy": getattr(x, key) for x in network.layers for key in _ARRAYS}
    members = {name: npy_bytes(array) for name, array in arrays.items() if array is not None}
    header: dict[str, Any] = {"format": FORMAT, "version": version, "name": network.name}
    if version == _IMAGE_VERSION:
        header |= {"input_shape": network.input_shape, "pixels": network.pixels}
    else:
        inputs = [{key: getattr(x, key) for key in _INPUT_TYPES} for x in network.inputs]
        header |= {"inputs": inputs, "left_to_host": network.left_to_host}
        if version == VERSION:
            header["output_order"] = network.output_order
    text = canonical_json({**header, "layers": layers})
    write_zip(path, {"network.json": text, **members}, NETWORK)


def _version(network: FloatNetwork) -> int:
    """Return the oldest version that says all of a network."""
    plain = (Input(IMAGE, network.input_shape, network.pixels),)
    old = {layer.kind for layer in network.layers} <= _OLD_KINDS
    if network.output_order:
        return VERSION
    plain_image = old and network.inputs == plain and not network.left_to_host
    return _IMAGE_VERSION if plain_image else _INPUTS_VERSION


def load_network_file(path: str | os.PathLike[str]) -> FloatNetwork:
    """Read a network that `save` wrote; see `FloatNetwork.load_network_file`."""
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
    if "model.json" in members:
        raise ArtefactError("an integer model already; wanted is the float network that it is of")
    try:
        header = strict_json(members.pop("network.json", b"null"))
    except ValueError as error:
        raise ArtefactError(f"network.json is not JSON: {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ArtefactError(f"not a float network (no {FORMAT} header)")
    version = header.get("version")
    if type(version) is not int or version not in _NETWORK_TYPES:
        raise ArtefactError(f"version {shown(version)}, this reads {_IMAGE_VERSION} to {VERSION}")
    _check_fields(header, _NETWORK_TYPES[version])
    layers = []
    for entry in header["layers"]:
        _check_fields(entry, _LAYER_TYPES[version])
        if not entry["inputs"] or not all(type(name) is str for name in entry["inputs"]):
            raise ArtefactError(f"field 'inputs' is {shown(entry['inputs'])}, not names")
        fields = _tuples(entry)
        for label in _ARRAYS:
            member = f"{entry['name']}.{label}.npy"
            if member in members:
                fields[label] = read_npy(member, members.pop(member))
        layers.append(Layer(**fields))
    if members:
        raise ArtefactError(f"member {min(members)} belongs to no layer")
    if version == _IMAGE_VERSION:
        shape = tuple(header["input_shape"])
        return FloatNetwork(header["name"], shape, tuple(layers), header["pixels"])
    for entry in header["inputs"]:
        _check_fields(entry, _INPUT_TYPES)
    inputs = [Input(**_tuples(entry)) for entry in header["inputs"]]
    order = header.get("output_order", "")
    return FloatNetwork.of(header["name"], inputs, layers, header["left_to_host"], order)


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if type(value) is list else value for key, value in entry.items()}


def _check_fields(entry: object, types: _Types) -> None:
    if not isinstance(entry, dict):
        raise ArtefactError(f"network.json holds {shown(entry)} where an object belongs")
    for key in sorted(entry.keys() ^ types.keys()):
        fault = "is missing" if key in types else "is unknown"
        raise ArtefactError(f"field {shown(key)} {fault}")
    for key, kind in types.items():
        if type(entry[key]) is not kind:
            raise ArtefactError(f"field {shown(key)} is {shown(entry[key])}, not a {kind.__name__}")
