"""TFLite files in LiteRT's default interpreter, for imported.py: runs with LiteRT's own Python.

    python benchmarks/litert_worker.py

Reads a line of JSON, answers with one:

    {"do": "split", "model": FILE, "to": FOLDER}  -> {"ops": [[KIND, FILE of this op], ...]}
    {"do": "load", "model": FILE}                 -> {}, its inputs filled with noise
    {"do": "time", "model": FILE, "n": 100}       -> {"seconds": of n calls of invoke()}

One thread; the default delegate is XNNPACK.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

KINDS = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}


def split(model: str, folder: Path) -> list[list[str]]:
    """Write a file for each op that reads and makes tensors, with the constants that it reads."""
    whole, found = schema.ModelT.InitFromPackedBuf(Path(model).read_bytes()), []
    graph = whole.subgraphs[0]
    for number, op in enumerate(graph.operators):
        reads = [
            at
            for at in op.inputs
            if at >= 0 and whole.buffers[graph.tensors[at].buffer].data is None
        ]
        part = copy.copy(whole)
        part.subgraphs = [copy.copy(graph)]
        part.signatureDefs = part.metadata = None
        part.subgraphs[0].operators = [op]
        part.subgraphs[0].inputs, part.subgraphs[0].outputs = list(dict.fromkeys(reads)), op.outputs
        kept = {graph.tensors[at].buffer for at in op.inputs if at >= 0}
        part.buffers = [b if i in kept else schema.BufferT() for i, b in enumerate(whole.buffers)]
        builder = flatbuffers.Builder(1024)
        builder.Finish(part.Pack(builder), b"TFL3")
        code = whole.operatorCodes[op.opcodeIndex]
        kind = KINDS[max(code.builtinCode, code.deprecatedBuiltinCode)]
        to = folder / f"op{number}.tflite"
        to.write_bytes(builder.Output())
        found.append([kind, str(to)])
    return found


def loaded(model: str) -> Interpreter:
    """Return an interpreter whose inputs are noise."""
    interpreter, draw = Interpreter(model_path=model, num_threads=1), np.random.default_rng(0)
    interpreter.allocate_tensors()
    for given in interpreter.get_input_details():
        noise = draw.integers(0, 256, given["shape"]).astype(np.uint8)
        is_byte = given["dtype"] in (np.int8, np.uint8)
        x = noise.view(given["dtype"]) if is_byte else (noise / 128 - 1).astype(given["dtype"])
        interpreter.set_tensor(given["index"], x)
    return interpreter


def seconds(interpreter: Interpreter, n: int) -> float:
    """Return the seconds of n calls."""
    invoke, calls = interpreter.invoke, range(n)
    started = time.process_time()
    for _ in calls:
        invoke()
    return time.process_time() - started


def main() -> None:
    """Answer until the input ends."""
    interpreters: dict[str, Interpreter] = {}
    for line in sys.stdin:
        asked, answer = json.loads(line), {}
        if asked["do"] == "split":
            answer = {"ops": split(asked["model"], Path(asked["to"]))}
        elif asked["do"] == "load":
            interpreters[asked["model"]] = loaded(asked["model"])
        else:
            answer = {"seconds": seconds(interpreters[asked["model"]], asked["n"])}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
