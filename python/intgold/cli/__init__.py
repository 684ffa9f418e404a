"""The ``intgold`` command: one file per subcommand, each of them one library call."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import intgold

from ..errors import IntgoldError
from . import (
    compare,
    data,
    explore,
    golden,
    info,
    predict,
    quantize,
    selftest,
    train,
    vectors,
    verify,
)

COMMANDS = {
    "train": train,
    "quantize": quantize,
    "explore": explore,
    "compare": compare,
    "predict": predict,
    "vectors": vectors,
    "verify": verify,
    "info": info,
    "data": data,
    "selftest": selftest,
    "golden": golden,
}
"""Each has HELP, EXAMPLES, ``add(parser)`` and ``call(options)``, in the order of ``--help``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status (0 well, 1 different, 2 bad input)."""
    options = _parser().parse_args(arguments)
    try:
        status = options.call(options)
        sys.stdout.flush()
        return int(status or 0)
    except IntgoldError as error:
        print(f"intgold {options.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the examples as they are and shows the defaults that say something."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        says = action.default not in (None, False, argparse.SUPPRESS)
        return f"{action.help} (default: %(default)s)" if says else action.help


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="intgold",
        description="One frozen integer model: golden in NumPy, fast in C, equal bit for bit.",
        epilog="intgold COMMAND --help shows examples.",
    )
    parser.add_argument("--version", action="version", version=f"intgold {intgold.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name, help=module.HELP, description=module.HELP[0].upper() + module.HELP[1:] + ".",
            epilog="examples:" + module.EXAMPLES,
            formatter_class=_HelpFormatter,
        )  # fmt: skip
        module.add(command)
        command.set_defaults(call=module.call)
    return parser
