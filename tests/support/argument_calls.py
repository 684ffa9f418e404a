"""A valid call of every function that checks its arguments, and wrong values for each of them."""

import contextlib
import importlib
import inspect
import itertools
import pkgutil

import numpy as np

import intgold
from intgold import IntgoldError
from intgold.model.builder import Builder
from intgold.quantize.calibrate import Ranges
from intgold.quantize.choices import Choices
from intgold.quantize.inference import FloatNetwork
from intgold.study.quantisation.sweep import SweepRow
from intgold.vectors.cases.op_corners import corner_cases
from intgold.vectors.op_vectors.lines import op_lines

_ROW = SweepRow(Choices(), 0.9, 1, "fc", 30.0, 10, 0, 31, 20, 18, 1, 0, "0" * 64)


class Hostile:
    """Fails whatever is asked of it."""

    def __repr__(self):
        raise RuntimeError

    __len__ = __iter__ = __array__ = __eq__ = __repr__
    __hash__ = object.__hash__


WRONG = {
    "None": None, "True": True, "-1": -1, "2.5": 2.5, "nan": float("nan"), "inf": float("inf"),
    "int64": np.int64(-7), "huge": 10**5000, "big": 2**62, "text": "nowhere", "long": "x" * 70_000,
    "NUL": "a\0b", "escape": "\x1b[31m\nred", "surrogate": "\udcff", "bytes": b"lut",
    "list": [], "lists": [[1, [2]]], "dict": {}, "odd dict": {3: None}, "set": {1, 2},
    "floats": np.full((2, 3), np.nan), "empty": np.zeros(0, np.int8),
    "objects": np.array([None, "x"]), "scalar": np.array(3), "texts": np.array(["a"]),
    "complex": np.ones((1, 6, 6, 1), complex), "strings": ["a", "b"], "Nones": (None,),
    "hostile": Hostile(), "class": int, "module": np, "ellipsis": ..., "lambda": lambda: 0,
}  # fmt: skip


def fresh_builder():
    builder = Builder("m")
    builder.input("x", (4,), "int32")
    return builder


def calls(w):
    """A valid call of each function: what it is bound to, and its arguments by name."""
    f, m, net = w["folder"], w["model"], w["network"]
    cases = corner_cases("lut")
    case = next(iter(cases))
    reals, x, images = w["reals"], w["x"], w["images"]
    return {
        "predict.predictions:predict_images": dict(
            model=m,
            images=images,
            names=list("abcd"),
            labels=np.zeros(4, int),
            backend="c",
            threads=1,
            isa="auto",
        ),
        "model.artefact:save": dict(model=m, path=f / "saved.npz"),
        "model.artefact:load": dict(path=f / "model.npz"),
        "model.artefact:content_sha256": dict(model=m),
        "model.artefact:required_spec": dict(model=m),
        "bench:bench": dict(
            model=m, isas=("portable",), batches=(1,), threads=(1,), rounds=1, progress=lambda: None
        ),
        "model.builder:Builder.__init__": dict(
            self=object.__new__(Builder), name="m", contract="c"
        ),
        "model.builder:Builder.input": dict(
            self=fresh_builder, name="y", shape=(3,), dtype="int8", scale=0.5, zero_point=1
        ),
        "model.builder:Builder.tensor": dict(self=fresh_builder(), name="x"),
        "model.builder:Builder.op": dict(
            self=fresh_builder, kind="argmax", name="a", output="b", scale=None, zero_point=0
        ),
        "model.builder:Builder.model": dict(self=_grown(), metadata={"a": "b"}),
        "contracts.table:contract_named": dict(name="tflm"),
        "describe.summary:describe": dict(model=m),
        "describe.summary:description": dict(model=m),
        "describe.summary:notes": dict(model=m),
        "run.digests:tensor_digests": dict(model=m, x=x, backend="c", threads=1, isa="auto"),
        "run.digests:traced_chunks": dict(
            model=m, x=x, backend="c", threads=1, chunk=2, isa="auto"
        ),
        "run.classify:predict": dict(model=m, images=images, backend="c", threads=1),
        "run.classify:is_decided": dict(model=m),
        "run.classify:decide": dict(model=m, output=w["values"]),
        "exporters.c:write_c": dict(models=[m], path=f / "m.c"),
        "exporters.c:c_source": dict(models=[m]),
        "exporters.engine:copy_engine": dict(folder=f / "engine", amalgamated=False),
        "exporters.engine:export_c": dict(models=[m], folder=f / "exported"),
        "host.affine:pixel_values": dict(images=images),
        "host.affine:scale_zero_point": dict(rmin=-1.0, rmax=1.0, qmin=-128, qmax=127),
        "host.affine:quantize": dict(x=reals, scale=0.1, zero_point=0, dtype="int8"),
        "host.affine:dequantize": dict(values=w["values"], tensor=m.tensor(m.outputs[0])),
        "host.affine:quantize_input": dict(model=m, images=reals, name="image"),
        "quantize.calibrate:Ranges.save": dict(self=w["ranges"], path=f / "r.json"),
        "quantize.calibrate:Ranges.load": dict(cls=Ranges, path=f / "ranges.json"),
        "quantize.calibrate:calibrate": dict(network=net, images=reals, method="minmax"),
        "quantize.inference:FloatNetwork.run": dict(self=net, images=reals),
        "quantize.inference:FloatNetwork.passages": dict(self=net, images=reals),
        "quantize.inference:FloatNetwork.trace": dict(self=net, images=reals),
        "quantize.inference:FloatNetwork.predict": dict(self=net, images=reals),
        "quantize.inference:FloatNetwork.save": dict(self=net, path=f / "n.npz"),
        "quantize.inference:FloatNetwork.load": dict(cls=FloatNetwork, path=f / "network.npz"),
        "quantize.quantizer:quantize_network": dict(
            network=net, ranges=w["ranges"], choices=Choices(), name="q"
        ),
        "quantize.simulate:simulate": dict(model=m, x=x),
        "quantize.simulate:deviations": dict(model=m, x=x),
        "study.quantisation.compare:compare": dict(
            network=net, models={"a": m}, images=images, labels=np.zeros(4, int), progress=False
        ),
        "study.quantisation.sweep:run_sweep": dict(
            network=net,
            sweep=[Choices()],
            data=None,
            calibration_images=images,
            images=images,
            labels=np.zeros(4, int),
            golden_images=1,
            processes=1,
            progress=False,
        ),
        "study.quantisation.sweep:product_sweep": dict(values={"weight_bits": [8, 4]}),
        "study.quantisation.sweep:pareto": dict(rows=[_ROW]),
        "study.quantisation.sweep:named": dict(choices=Choices()),
        "study.quantisation.sweep:sweep_table": dict(rows=[_ROW]),
        "bench:rounds_of": dict(isas=("portable",), threads=(1,), rounds=2),
        "study.quantisation.layer_error:layer_errors": dict(network=net, model=m, images=reals),
        "describe.footprint:footprint": dict(part=m),
        "describe.footprint:arena_sizes": dict(model=m),
        "describe.footprint:multiply_adds": dict(model=m),
        "images.arrays:read_images": dict(path=f / "images.npy", shape=(6, 6, 1)),
        "images.arrays:read_labels": dict(path=f / "labels.npy", count=4),
        "images.idx:read_idx": dict(path=f / "idx", shape=(4, 6, 6)),
        "images.idx:read_idx_header": dict(path=f / "idx"),
        "images.pictures:find_pictures": dict(folder=f / "pictures"),
        "images.pictures:read_picture": dict(path=f / "pictures" / "a.png", channels=1),
        "images.sources:read_sources": dict(
            sources=[f / "images.npy"], shape=(6, 6, 1), as_is=False
        ),
        "importers.tflite.convert:import_tflite": dict(path=f / "none", contract="tflm", name="n"),
        "host.affine:dequantize_tensor": dict(model=m, values=w["values"], tensor=m.outputs[0]),
        "run.session:Session.__init__": dict(
            self=object.__new__(intgold.Session), model=m, isa="auto", threads=1
        ),
        "vectors.sets.generate:write_set": dict(
            model=m,
            folder=f / "w",
            options=None,
            source="builtin",
            count=1,
            seed=0,
            formats=("npy",),
            backend="c",
            progress=False,
            isa="auto",
            images="0",
            layout=None,
            ops=(),
            tensors=(),
            partials=None,
            compression="",
            shards=1,
            shard=None,
            jobs=1,
        ),
        "vectors.sets.generate:merge_sets": dict(
            shards=[f / "shard0", f / "shard1"], folder=f / "whole", progress=False
        ),
        "vectors.memory.layout_file:read_layout": dict(path=f / "layout.toml"),
        "verify.locate:locate": dict(
            folder=f / "set", array="outputs/gap", coordinate=[0, 0, 0, 0]
        ),
        "verify.locate:at_place": dict(folder=f / "set", place="outputs/gap.hex:2"),
        "vectors.op_vectors.lines:op_lines": dict(case=case),
        "vectors.op_vectors.lines:read_op_lines": dict(text="\n".join(op_lines(case))),
        "vectors.op_vectors.sets:cases_of": dict(op="lut", random=1, seed=0),
        "vectors.op_vectors.sets:lines_of": dict(op="lut", random=1, seed=0),
        "vectors.op_vectors.sets:write_op_sets": dict(
            op="lut",
            folder=f / "op2",
            options=None,
            random=0,
            seed=0,
            formats=("npy",),
            layout=None,
            form=None,
            bits=None,
            progress=False,
        ),
        "vectors.op_vectors.sets:read_op_vectors": dict(folder=f / "op"),
        "verify.signatures:signatures": dict(vectors=f / "set", extents=(8, 8, 8), progress=False),
        "verify.signatures:write_signatures": dict(
            vectors=f / "set", extents=(8, 8, 8), path=f / "s", progress=False
        ),
        "verify.signatures:compare_signatures": dict(
            vectors=f / "set", path=f / "signatures", progress=False
        ),
        "vectors.cases.random_models:random_model": dict(seed=1, kinds=("lut", "add"), max_ops=3),
        "vectors.cases.random_models:random_inputs": dict(model=m, count=2, seed=0),
        "vectors.cases.stimulus:stimulus": dict(model=m, source="builtin", count=2, seed=0),
        "vectors.cases.stimulus:stimulus_chunks": dict(
            model=m, source="builtin", count=2, seed=0, chunk=1
        ),
        "verify.comparison:verify": dict(
            vectors=f / "set", dut=f / "set", progress=False, partial=False, layout=None
        ),
        "verify.comparison:verify_op": dict(
            vectors=f / "op", dut=f / "op", progress=False, partial=False, layout=None
        ),
    }


def _grown():
    builder = fresh_builder()
    builder.op("argmax", "x")
    return builder


STARTED = "the processes would start"
"""Stands for a success of what takes seconds."""


NEED_TORCH = {"quantize:quantize"}
"""Take what only torch produces; `test_torch_modules.py` calls them with what is none."""


def found():
    """Every checked function of the package by module and name."""
    functions = {}
    for info in pkgutil.walk_packages(intgold.__path__, "intgold."):
        if info.name.endswith("__main__"):
            continue
        with contextlib.suppress(ImportError):  # torch is an extra
            functions |= _of(importlib.import_module(info.name), info.name)
    return functions


def _of(module, name):
    made = {}
    for key, value in vars(module).items():
        owned = [(key, value)]
        if inspect.isclass(value):
            owned = [(f"{key}.{n}", getattr(v, "__func__", v)) for n, v in vars(value).items()]
        for label, f in owned:
            if getattr(f, "__checked__", False) and f.__module__ == module.__name__:
                made[f"{name.removeprefix('intgold.')}:{label}"] = f
    return made


FUNCTIONS = found()


def attempt(call):
    """Call, and draw a generator out; return the error's text or None."""
    try:
        made = call()
        if inspect.isgenerator(made):
            list(itertools.islice(made, 3))
    except IntgoldError as error:
        text = str(error)
        if text == STARTED:
            return None
        assert text and text.isprintable() and len(text) <= 2000
        return text
    return None
