"""The ``intgold`` command: one file per subcommand, each of them one library call."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

import intgold

from ..errors import IntgoldError
from . import (
    bench,
    compare,
    contracts,
    data,
    explore,
    golden,
    import_,
    info,
    locate,
    map,
    predict,
    quantize,
    selftest,
    signatures,
    train,
    vectors,
    verify,
)

COMMANDS = {
    "train": train,
    "quantize": quantize,
    "import": import_,
    "contracts": contracts,
    "explore": explore,
    "compare": compare,
    "predict": predict,
    "vectors": vectors,
    "verify": verify,
    "locate": locate,
    "map": map,
    "signatures": signatures,
    "info": info,
    "bench": bench,
    "data": data,
    "selftest": selftest,
    "golden": golden,
}
"""Each has HELP, EXAMPLES, ``add(parser)`` and ``call(options)``, in the order of ``--help``."""

_SHOWN = 1000  # characters of either end of an error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status (0 well, 1 different, 2 bad input)."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # paths need not be text
    try:
        status = options.call(options)
        _flush()
        return int(status or 0)
    except IntgoldError as error:
        problem = str(error)
    except MemoryError as error:
        problem = f"not enough memory: {error}"
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # such as a full disk behind the standard output
        problem = str(error)
    if sys.stderr is not None:
        print(f"intgold {options.command}: {_one_line(problem)}", file=sys.stderr)
    return 2


def _flush() -> None:
    if sys.stdout is not None:  # it is None where it was closed from the start
        sys.stdout.flush()


def _one_line(text: str) -> str:
    """Return `text` without what a terminal would act on, at a length that people read."""
    if len(text) > 2 * _SHOWN:
        text = f"{text[:_SHOWN]} ... {text[-_SHOWN:]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


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
