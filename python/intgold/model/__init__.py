"""The integer model as data: graph, ports, builder, artefact. No engine."""

from .graph import SPEC_VERSION, Model, Op, Tensor

__all__ = ["SPEC_VERSION", "Model", "Op", "Tensor"]
