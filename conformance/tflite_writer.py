"""Writes small TFLite files: tensors with their quantisation, ops with their options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import flatbuffers
import numpy as np
import tflite

TYPES = {
    "int8": tflite.TensorType.INT8, "uint8": tflite.TensorType.UINT8,
    "int16": tflite.TensorType.INT16, "int32": tflite.TensorType.INT32,
    "int64": tflite.TensorType.INT64, "float32": tflite.TensorType.FLOAT32,
    "bool": tflite.TensorType.BOOL, "float16": tflite.TensorType.FLOAT16,
}  # fmt: skip
_LAST_BYTE_CODE = 127


class Writer:
    """One graph, grown tensor by tensor and op by op, then finished as bytes."""

    def __init__(self) -> None:
        self.builder = flatbuffers.Builder(1024)
        self.buffers: list[bytes] = [b""]
        self.tensors: list[dict[str, Any]] = []
        self.ops: list[dict[str, Any]] = []
        self.codes: list[tuple[int, int, str]] = []

    def tensor(
        self,
        shape: Iterable[int],
        dtype: str = "int8",
        scale: Any = None,
        zero_point: int = 0,
        data: np.ndarray | None = None,
        axis: int = 0,
        name: str | None = None,
        variable: bool = False,
    ) -> int:
        """Add a tensor, a constant where `data` is given, and return its index."""
        buffer = 0
        if data is not None:
            buffer = len(self.buffers)
            self.buffers.append(np.ascontiguousarray(data).astype(dtype).tobytes())
        self.tensors.append(
            {
                "shape": [int(n) for n in shape], "dtype": dtype, "scale": scale,
                "zero_point": zero_point, "buffer": buffer, "axis": axis,
                "name": f"t{len(self.tensors)}" if name is None else name, "variable": variable,
            }
        )  # fmt: skip
        return len(self.tensors) - 1

    def op(
        self, kind: str, inputs: list[int], output: int | list[int], version: int = 1,
        options: str = "", **fields: Any,
    ) -> None:  # fmt: skip
        """Add an op of one output or several, with the fields of its options table."""
        self._add((getattr(tflite.BuiltinOperator, kind), version, ""), inputs, output,
                  options=options, fields=fields)  # fmt: skip

    def custom(
        self, name: str, inputs: list[int], output: int | list[int], held: bytes = b""
    ) -> None:
        """Add a custom op with its options as bytes."""
        code = (tflite.BuiltinOperator.CUSTOM, 1, name)
        self._add(code, inputs, output, options="", fields={}, held=held)

    def _add(
        self, code: tuple[int, int, str], inputs: list[int], output: int | list[int], **op: Any
    ) -> None:
        if code not in self.codes:
            self.codes.append(code)
        outputs = output if isinstance(output, list) else [output]
        self.ops.append(
            {"code": self.codes.index(code), "inputs": inputs, "outputs": outputs, **op}
        )

    def finish(
        self,
        inputs: list[int],
        outputs: list[int],
        others: Sequence[tuple[int, list[int], list[int]]] = (),
        signatures: Sequence[tuple[str, int]] = (),
    ) -> bytes:
        """Return the file.

        Parameters
        ----------
        inputs, outputs
            Of the main subgraph.
        others
            Further subgraphs, each with all tensors: the number of its first op, inputs, outputs.
        signatures
            Names, each with the number of its subgraph.
        """
        b = self.builder
        buffers = self._offsets(map(self._buffer, self.buffers), tflite.ModelStartBuffersVector)
        parts = [(0, inputs, outputs), *others]
        stops = [*(first for first, _, _ in others), len(self.ops)]
        made = [
            self._subgraph(first, stop, *ends)
            for (first, *ends), stop in zip(parts, stops, strict=True)
        ]
        graphs = self._offsets(made, tflite.ModelStartSubgraphsVector)
        named = [self._signature(*signature, parts) for signature in signatures]
        names = self._offsets(named, tflite.ModelStartSignatureDefsVector) if named else None
        codes = self._offsets(map(self._code, self.codes), tflite.ModelStartOperatorCodesVector)
        tflite.ModelStart(b)
        tflite.ModelAddVersion(b, 3)
        tflite.ModelAddOperatorCodes(b, codes)
        tflite.ModelAddSubgraphs(b, graphs)
        tflite.ModelAddBuffers(b, buffers)
        if names is not None:
            tflite.ModelAddSignatureDefs(b, names)
        b.Finish(tflite.ModelEnd(b), b"TFL3")
        return bytes(b.Output())

    def _subgraph(self, first: int, stop: int, inputs: list[int], outputs: list[int]) -> int:
        b = self.builder
        tensors = self._offsets(map(self._tensor, self.tensors), tflite.SubGraphStartTensorsVector)
        ops = self._offsets(
            map(self._op, self.ops[first:stop]), tflite.SubGraphStartOperatorsVector
        )
        ends = [b.CreateNumpyVector(np.array(e, np.int32)) for e in (inputs, outputs)]
        tflite.SubGraphStart(b)
        tflite.SubGraphAddTensors(b, tensors)
        tflite.SubGraphAddInputs(b, ends[0])
        tflite.SubGraphAddOutputs(b, ends[1])
        tflite.SubGraphAddOperators(b, ops)
        return int(tflite.SubGraphEnd(b))

    def _signature(self, name: str, number: int, parts: Sequence[Any]) -> int:
        b, (_, inputs, outputs) = self.builder, parts[number]
        maps = [
            self._offsets([self._tensor_map(at) for at in tensors], start)
            for tensors, start in (
                (inputs, tflite.SignatureDefStartInputsVector),
                (outputs, tflite.SignatureDefStartOutputsVector),
            )
        ]
        key = b.CreateString(name)
        tflite.SignatureDefStart(b)
        tflite.SignatureDefAddInputs(b, maps[0])
        tflite.SignatureDefAddOutputs(b, maps[1])
        tflite.SignatureDefAddSignatureKey(b, key)
        tflite.SignatureDefAddSubgraphIndex(b, number)
        return int(tflite.SignatureDefEnd(b))

    def _tensor_map(self, at: int) -> int:
        name = self.builder.CreateString(self.tensors[at]["name"])
        tflite.TensorMapStart(self.builder)
        tflite.TensorMapAddName(self.builder, name)
        tflite.TensorMapAddTensorIndex(self.builder, at)
        return int(tflite.TensorMapEnd(self.builder))

    def _offsets(self, made: Iterable[int], start: Callable[[Any, int], Any]) -> int:
        offsets = list(made)
        start(self.builder, len(offsets))
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return int(self.builder.EndVector())

    def _buffer(self, data: bytes) -> int:
        held = self.builder.CreateByteVector(data) if data else None
        tflite.BufferStart(self.builder)
        if held is not None:
            tflite.BufferAddData(self.builder, held)
        return int(tflite.BufferEnd(self.builder))

    def _tensor(self, tensor: dict[str, Any]) -> int:
        b = self.builder
        name = b.CreateString(tensor["name"])
        shape = b.CreateNumpyVector(np.array(tensor["shape"], np.int32))
        quantisation = None if tensor["scale"] is None else self._quantisation(tensor)
        tflite.TensorStart(b)
        tflite.TensorAddShape(b, shape)
        tflite.TensorAddType(b, TYPES[tensor["dtype"]])
        tflite.TensorAddBuffer(b, tensor["buffer"])
        tflite.TensorAddName(b, name)
        tflite.TensorAddIsVariable(b, tensor["variable"])
        if quantisation is not None:
            tflite.TensorAddQuantization(b, quantisation)
        return int(tflite.TensorEnd(b))

    def _quantisation(self, tensor: dict[str, Any]) -> int:
        b, scales = self.builder, np.atleast_1d(np.asarray(tensor["scale"], np.float32))
        scale = b.CreateNumpyVector(scales)
        zero = b.CreateNumpyVector(np.full(scales.size, tensor["zero_point"], np.int64))
        tflite.QuantizationParametersStart(b)
        tflite.QuantizationParametersAddScale(b, scale)
        tflite.QuantizationParametersAddZeroPoint(b, zero)
        tflite.QuantizationParametersAddQuantizedDimension(b, tensor["axis"])
        return int(tflite.QuantizationParametersEnd(b))

    def _op(self, op: dict[str, Any]) -> int:
        b, name = self.builder, op["options"]
        ends = [b.CreateNumpyVector(np.array(op[e], np.int32)) for e in ("inputs", "outputs")]
        held = b.CreateByteVector(op["held"]) if op.get("held") else None
        options = None
        if name:
            fields = {
                field: b.CreateNumpyVector(np.array(value, np.int32))
                if isinstance(value, list)
                else value
                for field, value in op["fields"].items()
            }
            getattr(tflite, f"{name}Start")(b)
            for field, value in fields.items():
                getattr(tflite, f"{name}Add{field}")(b, value)
            options = getattr(tflite, f"{name}End")(b)
        tflite.OperatorStart(b)
        tflite.OperatorAddOpcodeIndex(b, op["code"])
        tflite.OperatorAddInputs(b, ends[0])
        tflite.OperatorAddOutputs(b, ends[1])
        if options is not None:
            tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, name))
            tflite.OperatorAddBuiltinOptions(b, options)
        if held is not None:
            tflite.OperatorAddCustomOptions(b, held)
        return int(tflite.OperatorEnd(b))

    def _code(self, code: tuple[int, int, str]) -> int:
        number, version, name = code
        custom = self.builder.CreateString(name) if name else None
        tflite.OperatorCodeStart(self.builder)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(self.builder, min(number, _LAST_BYTE_CODE))
        tflite.OperatorCodeAddBuiltinCode(self.builder, number)
        tflite.OperatorCodeAddVersion(self.builder, version)
        if custom is not None:
            tflite.OperatorCodeAddCustomCode(self.builder, custom)
        return int(tflite.OperatorCodeEnd(self.builder))
