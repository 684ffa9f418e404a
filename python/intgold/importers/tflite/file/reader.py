"""Reads a .tflite file into plain tuples and arrays; every count and offset is checked first.

The flatbuffer is read through the schema package `tflite`.  What this module returns holds only
views of the file's bytes, so its memory is that of the file and a small multiple of its tables.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....errors import ImportFileError, IntgoldError
from ....support.quoting import short_repr, shown
from ....support.safe_files import read_plain
from .flexbuffer import numbers_of
from .options import CUSTOM, LISTS, OPTIONS

MAX_TABLES = 10_000
"""Tensors, ops or buffers of a file; more are refused."""
_MAX_DIMS = 8
_MAX_BYTES = 2**31  # of a flatbuffer
_BUILTIN_CODE = 10
"""Place of builtin_code in the vtable of an OperatorCode."""
_EMPTY_TABLE = struct.pack("<HHi", 4, 4, 4)
"""A table without fields at byte 4: options that are absent have the defaults of the schema."""
_DTYPES = {0: "float32", 2: "int32", 3: "uint8", 4: "int64", 6: "bool", 7: "int16", 9: "int8"}


@dataclass(frozen=True, eq=False)
class FileTensor:
    """A tensor of the file.

    Parameters
    ----------
    index : int
    name : str
    shape : tuple of int
        With the batch.
    dtype : str
        ``int8``, ``uint8``, ``int16``, ``int32``, ``int64``, ``bool``, ``float32``, or ``type N``.
    scale : ndarray of float32
        Empty where there is no quantisation.
    zero_point : ndarray of int64
    axis : int
        Of per-channel quantisation.
    data : ndarray or None
        Of a constant.
    shape_signature : tuple of int
        The shape with -1 for extents that are free; empty where all are fixed.
    variable : bool
        It keeps its values from one run to the next.
    """

    __repr__ = short_repr

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: np.ndarray
    zero_point: np.ndarray
    axis: int
    data: np.ndarray | None
    shape_signature: tuple[int, ...] = ()
    variable: bool = False


@dataclass(frozen=True, eq=False)
class FileOp:
    """An op of the file: its builtin name, tensors (-1: left out) and options."""

    __repr__ = short_repr

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]

    def __str__(self) -> str:
        return f"op {self.index} ({self.kind})"


@dataclass(frozen=True, eq=False)
class FileGraph:
    """The subgraph of the file that a signature names, or the main one.

    Parameters
    ----------
    tensors : tuple of FileTensor
    ops : tuple of FileOp
    inputs, outputs : tuple of int
    subgraph : int
        Its number; the main one is 0.
    signature : str or None
        That names it; None where none does.
    signatures : tuple of str
        All of the file.
    """

    __repr__ = short_repr

    tensors: tuple[FileTensor, ...]
    ops: tuple[FileOp, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    subgraph: int = 0
    signature: str | None = None
    signatures: tuple[str, ...] = ()


def read(path: str | os.PathLike[str], signature: str | None = None) -> FileGraph:
    """Return the graph of a .tflite file.

    Parameters
    ----------
    path : path
    signature : str, optional
        Which one names the subgraph; by default the only one of the file, or the main subgraph.

    Raises
    ------
    ImportFileError
        Naming the file and what is wrong with it, or the signatures that it has.
    """
    try:
        data = read_plain(path, _MAX_BYTES)
    except IntgoldError as error:
        raise ImportFileError(str(error)) from None
    try:
        return parse(data, signature)
    except ImportFileError as error:
        raise ImportFileError(f"{path}: {error}") from None


def parse(data: bytes, signature: str | None = None) -> FileGraph:
    """Return the graph of the bytes of a .tflite file; see `read`."""
    try:
        import tflite
    except ImportError:
        raise ImportFileError(
            "the package tflite is missing: pip install tflite (the extra of that name)"
        ) from None
    if len(data) < 32 or data[4:8] != b"TFL3":
        raise ImportFileError("not a TFLite file: no TFL3 at byte 4")
    try:
        return _TableReader(tflite, data).graph(signature)
    except ImportFileError:
        raise
    except (
        struct.error,
        IndexError,
        ValueError,
        TypeError,
        OverflowError,
        UnicodeDecodeError,
    ) as error:
        raise ImportFileError(f"damaged: {error}") from None


def _printable(name: bytes) -> str:
    """Return a name as text of one line, with ``?`` for what cannot be shown."""
    return "".join(c if c.isprintable() else "?" for c in name.decode("utf-8", "replace"))


def _builtin_code(table: Any) -> int:
    """Return the field builtin_code of an OperatorCode as it is in the file; 0 without one.

    Old writers fill only the byte deprecated_builtin_code, new ones only builtin_code, most both:
    engines take the larger.  The package's accessor gives the byte wherever the code fits into it.
    """
    at = table.Offset(_BUILTIN_CODE)
    return int(struct.unpack_from("<i", table.Bytes, table.Pos + at)[0]) if at else 0


class _TableReader:
    """Reads tables; a mutated offset shows as an exception of the accessors."""

    def __init__(self, tflite: Any, data: bytes) -> None:
        self.schema, self.data, self.named = tflite, data, 0
        builtin = vars(tflite.BuiltinOperator)
        self.kinds: dict[int, str] = {v: k for k, v in builtin.items() if isinstance(v, int)}
        self.model = tflite.Model.GetRootAs(data, 0)

    def graph(self, signature: str | None) -> FileGraph:
        count, named = self._count(self.model, "Subgraphs"), self._signatures()
        if signature is not None and signature not in named:
            there = f"there are {', '.join(map(shown, named))}" if named else "the file has none"
            raise ImportFileError(f"no signature {shown(signature)}; {there}")
        if signature is None:
            signature = next((k for k, at in named.items() if at == 0 or len(named) == 1), None)
        number = 0 if signature is None else named[signature]
        if not 0 <= number < count:
            where = "" if signature is None else f"signature {shown(signature)}: "
            raise ImportFileError(f"{where}subgraph {number} of {count}")
        graph = self.model.Subgraphs(number)
        codes = [self._code(c) for c in self._all(self.model, "OperatorCodes")]
        tensors = tuple(self._tensor(i, t) for i, t in enumerate(self._all(graph, "Tensors")))
        ops = tuple(self._op(i, o, codes) for i, o in enumerate(self._all(graph, "Operators")))
        ends = [self._indices(graph, part, len(tensors)) for part in ("Inputs", "Outputs")]
        for op in ops:
            for at in (*op.inputs, *op.outputs):
                if not -1 <= at < len(tensors):
                    raise ImportFileError(f"{op}: tensor {at} of {len(tensors)}")
        return FileGraph(tensors, ops, ends[0], ends[1], number, signature, tuple(named))

    def _signatures(self) -> dict[str, int]:
        """Return which subgraph each signature names."""
        found: dict[str, int] = {}
        for each in self._all(self.model, "SignatureDefs"):
            name = each.SignatureKey() or b""
            self._count_name(name, f"signature {len(found)}")
            key = name.decode("utf-8", "backslashreplace")
            if key in found:
                raise ImportFileError(f"signature {shown(key)} is listed twice")
            found[key] = int(each.SubgraphIndex())
        return found

    def _count_name(self, name: bytes, what: str) -> None:
        """Refuse the same bytes as the name of many things."""
        self.named += len(name)
        if self.named > len(self.data):
            raise ImportFileError(f"{what}: names longer than the file")

    def _count(self, table: Any, part: str, most: int = MAX_TABLES) -> int:
        count = int(getattr(table, f"{part}Length")())
        if not 0 <= count <= most:
            raise ImportFileError(f"{count} {part.lower()}; at most {most}")
        return count

    def _all(self, table: Any, part: str) -> Iterator[Any]:
        get = getattr(table, part)
        return (get(i) for i in range(self._count(table, part)))

    def _array(self, table: Any, part: str, most: int) -> np.ndarray:
        if self._count(table, part, most) == 0:
            return np.zeros(0, np.int64)
        return np.asarray(getattr(table, f"{part}AsNumpy")())

    def _indices(self, table: Any, part: str, tensors: int) -> tuple[int, ...]:
        found = tuple(self._array(table, part, MAX_TABLES).tolist())
        for at in found:
            if not 0 <= at < tensors:
                raise ImportFileError(f"{part.lower()}: tensor {at} of {tensors}")
        return found

    def _code(self, code: Any) -> str:
        number = max(int(code.DeprecatedBuiltinCode()), _builtin_code(code._tab))
        if number == self.schema.BuiltinOperator.CUSTOM:
            return f"custom {_printable((code.CustomCode() or b'')[:40])}"
        return self.kinds.get(number, f"builtin {number}")

    def _tensor(self, index: int, tensor: Any) -> FileTensor:
        shape = tuple(self._array(tensor, "Shape", _MAX_DIMS).tolist())
        dtype = _DTYPES.get(int(tensor.Type()), f"type {int(tensor.Type())}")
        name = tensor.Name() or b""
        self._count_name(name, f"tensor {index}")
        name = _printable(name[:200])
        if tensor.Sparsity() is not None:
            raise ImportFileError(f"tensor {index}: sparse")
        quantisation = tensor.Quantization()
        scale, zero, axis = np.zeros(0, np.float32), np.zeros(0, np.int64), 0
        if quantisation is not None:
            most = len(self.data) // 4
            scale = self._array(quantisation, "Scale", most).astype(np.float32, copy=False)
            zero = self._array(quantisation, "ZeroPoint", most).astype(np.int64, copy=False)
            axis = int(quantisation.QuantizedDimension())
        data = self._data(index, int(tensor.Buffer()), dtype, shape)
        shape_signature = tuple(self._array(tensor, "ShapeSignature", _MAX_DIMS).tolist())
        variable = bool(tensor.IsVariable())
        return FileTensor(
            index, name, shape, dtype, scale, zero, axis, data, shape_signature, variable
        )

    def _data(
        self, index: int, buffer: int, dtype: str, shape: tuple[int, ...]
    ) -> np.ndarray | None:
        if not 0 <= buffer < self._count(self.model, "Buffers"):
            raise ImportFileError(f"tensor {index}: buffer {buffer} is not in the file")
        held = self.model.Buffers(buffer)
        if held.Offset() > 1 or held.Size() > 1:
            raise ImportFileError(f"tensor {index}: its data lies outside the flatbuffer")
        count = self._count(held, "Data", len(self.data))
        if count == 0 or dtype.startswith("type"):
            return None
        raw = np.asarray(held.DataAsNumpy())
        expected = np.dtype(dtype).itemsize
        for extent in shape:
            if extent < 0:
                raise ImportFileError(f"tensor {index}: shape {shape}")
            expected *= extent
        if count != expected:
            raise ImportFileError(f"tensor {index}: {count} bytes; {dtype} {shape} has {expected}")
        if dtype == "bool":  # a byte may be any number
            return np.asarray(raw != 0).reshape(shape)
        return raw.view(np.dtype(dtype).newbyteorder("<")).reshape(shape)

    def _op(self, index: int, op: Any, codes: list[str]) -> FileOp:
        code = int(op.OpcodeIndex())
        if not 0 <= code < len(codes):
            raise ImportFileError(f"op {index}: code {code} of {len(codes)}")
        kind = codes[code]
        inputs, outputs = (
            tuple(self._array(op, part, MAX_TABLES).tolist()) for part in ("Inputs", "Outputs")
        )
        return FileOp(index, kind, inputs, outputs, self._options(index, kind, op))

    def _options(self, index: int, kind: str, op: Any) -> Mapping[str, Any]:
        if kind in LISTS:
            name, field = LISTS[kind]
            table = self._options_table(op, name)
            values = [] if table is None else self._array(table, field, _MAX_DIMS).tolist()
            return {field: tuple(values)}
        if kind in CUSTOM:
            return self._custom_options(index, kind, op)
        if kind not in OPTIONS:
            return {}
        name, fields = OPTIONS[kind]
        table = self._options_table(op, name)
        if table is None:
            table = getattr(self.schema, name)()
            table.Init(_EMPTY_TABLE, 4)
        return {field: getattr(table, field)() for field in fields}

    def _custom_options(self, index: int, kind: str, op: Any) -> Mapping[str, Any]:
        count = self._count(op, "CustomOptions", len(self.data))
        held = op.CustomOptionsAsNumpy().tobytes() if count else b""
        try:
            return numbers_of(held)
        except ValueError as error:
            raise ImportFileError(f"op {index} ({kind}): {error}") from None

    def _options_table(self, op: Any, name: str) -> Any:
        """Return the options of an op, None where it has none of this kind."""
        table = op.BuiltinOptions()
        if int(op.BuiltinOptionsType()) != getattr(self.schema.BuiltinOptions, name) or not table:
            return None
        made = getattr(self.schema, name)()
        made.Init(table.Bytes, table.Pos)
        return made
