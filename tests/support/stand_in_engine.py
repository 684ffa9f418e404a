"""A package in place of ai-edge-litert, whose engine is the golden model with a bug of choice."""

ENGINE = """
import os
from enum import Enum

import numpy as np

from intgold.contracts import contract_named
from intgold.importers.tflite.convert import convert_graph
from intgold.importers.tflite.file.reader import parse

OpResolverType = Enum("OpResolverType", "BUILTIN BUILTIN_REF BUILTIN_WITHOUT_DEFAULT_DELEGATES")
BUG = os.environ.get("STAND_IN_BUG", "")


class Interpreter:
    def __init__(self, model_content, num_threads, experimental_preserve_all_tensors,
                 experimental_op_resolver_type):
        if BUG == "refuses":
            os.write(2, b"no such kernel")
            raise RuntimeError("refused:")
        if BUG == "ends":
            os.abort()
        assert experimental_op_resolver_type is OpResolverType.BUILTIN_REF and num_threads == 1
        self.keep = experimental_preserve_all_tensors
        self.graph = parse(model_content)
        self.converted = convert_graph(self.graph, contract_named("litert_reference"), "m")
        self.tensors = {}

    def allocate_tensors(self):
        pass

    def set_tensor(self, index, x):
        assert x.shape == self.graph.tensors[index].shape
        self.tensors[index] = x

    def invoke(self):
        for op in self.converted.cut.head:
            (x,), (y,) = op.inputs, op.outputs
            to = self.graph.tensors[y]
            if op.kind == "COS":
                self.tensors[y] = np.cos(self.tensors[x])
                continue
            made = np.rint(self.tensors[x] / to.scale[0]) + to.zero_point[0]
            self.tensors[y] = made.clip(-128, 127).astype(np.int8)
        names = self.converted.names
        x = {name: self.tensors[at].astype(np.int8) for at, name in self.converted.inputs.items()}
        run = self.converted.model.run(x, backend="golden", trace=True)
        for op in self.converted.cut.graph.ops:
            made = run.tensors[names[op.outputs[0]]].copy()
            if BUG == f"op {op.index}" or (BUG == "plain" and not self.keep):
                made.ravel()[0] ^= 1
            if self.graph.tensors[op.outputs[0]].dtype == "bool":
                made = made.astype(bool)
            self.tensors[op.outputs[0]] = made
        for op in self.converted.cut.tail:
            x, values = self.graph.tensors[op.inputs[0]], self.tensors[op.inputs[0]]
            if op.kind == "DEQUANTIZE":
                values = (values.astype(np.float32) - x.zero_point[0]) * x.scale[0]
            self.tensors[op.outputs[0]] = values.astype(np.float32)

    def get_tensor(self, index):
        assert self.keep or index in self.graph.outputs
        return self.tensors[index]
"""


def install(monkeypatch, folder):
    """Put the package where Python finds it, in processes that are started as well."""
    package = folder / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "interpreter.py").write_text(ENGINE)
    about = folder / "ai_edge_litert-9.8.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: ai-edge-litert\nVersion: 9.8\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
