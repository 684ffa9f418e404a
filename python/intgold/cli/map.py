"""``intgold map``."""

from __future__ import annotations

import argparse

import intgold

from .common import add_layout, add_model, layout_of, naming_layout

HELP = "show the memory map of a model by a layout: every parameter, table and buffer"
EXAMPLES = """
  intgold map lut --layout memory.toml
  intgold map lut --layout memory.toml --as json
  intgold map lut --layout memory.toml --as c > memory_map.h
  intgold map lut --layout memory.toml --as sv > memory_map_pkg.sv"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    add_layout(parser, "how tensors become memory words; default one element a word")
    parser.add_argument("--as", dest="kind", choices=("table", "json", "c", "sv"), default="table")
    parser.add_argument("--partials", metavar="ORDER", help="with the partials of a loop order")


def call(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from ..vectors.arrays.partials import LoopOrder
    from ..vectors.memory import memory_map
    from ..vectors.sets.plan import Plan

    partials = LoopOrder.parse(options.partials) if options.partials else None
    plan = Plan(
        intgold.load(options.model), "builtin", 0, ((0, 1),), ("npy",), layout_of(options),
        partials=partials,
    )  # fmt: skip
    texts = {
        "table": memory_map.as_table,
        "json": lambda blocks: memory_map.as_json(blocks).decode(),
        "c": memory_map.as_c,
        "sv": memory_map.as_sv,
    }
    with naming_layout(options):
        text = texts[options.kind](plan.blocks)
    print(text, end="")
    return 0
