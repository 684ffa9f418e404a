"""The ``intgold`` command: one file per subcommand, each of them one library call."""

from __future__ import annotations

import argparse
import io
import logging
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn, TextIO

import intgold

from ..errors import IntgoldError
from ..support.interrupts import WORDS, raising
from ..support.progress import ended
from ..support.quoting import one_line
from .common import add_verbosity
from .paths import check_paths
from .renamed import current

_MODULES = {
    name: {"import": "import_"}.get(name, name.replace("-", "_"))
    for name in (
        "train", "quantize", "import", "contracts", "sweep", "compare", "predict", "vectors",
        "op-vectors", "merge", "verify", "locate", "map", "signatures", "info", "export", "bench",
        "data", "selftest", "regress",
    )
}  # fmt: skip


class _Commands(Mapping[str, ModuleType]):
    """The module of each command, loaded at its first use: a line of the shell needs one."""

    def __getitem__(self, name: str) -> ModuleType:
        return import_module(f".{_MODULES[name]}", __name__)

    def __contains__(self, name: object) -> bool:
        return name in _MODULES

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


COMMANDS = _Commands()
"""Each has HELP, EXAMPLES, ``add(parser)`` and ``call(options)``, in the order of ``--help``."""

DEFECT = 3
"""Exit status of an error that nobody foresaw: neither "different" (1) nor bad input (2)."""
_log = logging.getLogger("intgold")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status.

    Returns
    -------
    int
        0 well, 1 different, 2 bad input or no command, 3 a defect of intgold, 128 + n stopped by
        signal n.
    """
    if "_ARGCOMPLETE" in os.environ:  # the shell asks how a line may go on: extra "completion"
        import argcomplete

        argcomplete.autocomplete(_parser())
    try:
        given, renamed = current(sys.argv[1:] if arguments is None else arguments)
        parser = _parser(given[0] if given and given[0] in _MODULES else None)
        options = parser.parse_args(given)
        if options.command is None:
            parser.print_help()
            return _shown() or 2
    except SystemExit as end:
        if end.code:
            raise
        return _shown()  # --help or --version
    except (BrokenPipeError, IntgoldError) as error:
        return _not_shown(error)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # paths need not be text
    started = time.monotonic()
    with _notes(options), _output_named(), raising() as seen:
        try:
            if renamed:
                _log.warning("%s", renamed)
            status, problem = _run(options)
        except BaseException as error:
            if not seen.number and not isinstance(error, KeyboardInterrupt):
                raise  # a mistake of ours
            status, problem = 2, error
        finally:
            seen.over, stage = True, ended()
        number = signal.SIGINT if isinstance(problem, KeyboardInterrupt) else 0
        if number := seen.number or number:  # however it ended
            status = 128 + number
            kept = getattr(problem, "kept", "nothing half-written is left; run it again")
            _say(options, f"{WORDS[number]}{stage and f' at {stage}'}; {kept}")
        elif problem is not None:
            if options.verbose and sys.stderr is not None:
                traceback.print_exception(problem, file=sys.stderr)
            _say(options, _defect(problem) if status == DEFECT else str(problem))
        _log.debug("%.1f s", time.monotonic() - started)
    return status


def _run(options: argparse.Namespace) -> tuple[int, BaseException | None]:
    """Return the exit status of a command, and what was wrong."""
    try:
        _check_working_folder()
        check_paths(options)
        status = options.call(options)
        _flush()
        return int(status or 0), None
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        _drop_output()
        return 0, None
    except MemoryError as error:
        return 2, MemoryError(f"not enough memory: {error}").with_traceback(error.__traceback__)
    except (IntgoldError, OSError) as error:
        return 2, error
    except Exception as error:  # nobody foresaw it: status 1 would say "different"
        return DEFECT, error


def _check_working_folder() -> None:
    try:
        os.getcwd()
    except OSError as error:
        raise IntgoldError(
            f"the working directory is gone ({error.strerror}); change to another one first"
        ) from error


def _say(options: argparse.Namespace, text: str) -> None:
    if sys.stderr is not None:
        print(one_line(f"intgold {options.command}: {text}"), file=sys.stderr)


def _defect(error: BaseException) -> str:
    return (
        "a defect of intgold, please report it with the command and its files: "
        f"{type(error).__name__}: {error} (-v shows where)"
    )


def _shown() -> int:
    """Return the exit status of what was only to be printed."""
    try:
        with _writing():
            _flush()
    except (BrokenPipeError, IntgoldError) as error:
        return _not_shown(error)
    return 0


def _not_shown(error: BrokenPipeError | IntgoldError) -> int:
    """Return the exit status where what was only to be printed could not be."""
    if isinstance(error, BrokenPipeError):  # the reader, such as `head`, has seen enough
        _drop_output()
        return 0
    if sys.stderr is not None:
        print(f"intgold: {error}", file=sys.stderr)
    return 2


@contextmanager
def _writing() -> Iterator[None]:
    """Say of an error that it is one of the standard output, such as a full disk."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_output()
        raise IntgoldError(f"cannot write standard output: {error.strerror or error}") from error


class _Output:
    """The standard output, whose errors say so."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with _writing():
            return self._stream.write(text)

    def flush(self) -> None:
        with _writing():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _output_named() -> Iterator[None]:
    """Have the standard output be an `_Output` meanwhile."""
    stream = sys.stdout
    if stream is None:  # closed from the start
        yield
        return
    sys.stdout = _Output(stream)
    try:
        yield
    finally:
        sys.stdout = stream


def _drop_output() -> None:
    """Have what is still to be printed go nowhere, at the end of Python too."""
    with suppress(OSError, ValueError):  # a stream without a descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _flush() -> None:
    if sys.stdout is not None:  # it is None where it was closed from the start
        sys.stdout.flush()


class _Parser(argparse.ArgumentParser):
    """Bounds the line that says what is wrong with an argument; hides no error of the output."""

    def error(self, message: str) -> NoReturn:
        super().error(one_line(message))

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is None or file is not sys.stdout:
            super()._print_message(message, file)
        else:  # argparse passes over an OSError
            with _writing():
                file.write(message)


class _Misplaced(argparse.Action):
    """An option of the commands that was given before one."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)

    def __call__(
        self, parser: argparse.ArgumentParser, options: argparse.Namespace, values: object,
        option_string: str | None = None,
    ) -> None:  # fmt: skip
        parser.error(f"{option_string} goes after the command: intgold COMMAND {option_string}")


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the examples as they are and shows the defaults that say something."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        says = action.default not in (None, False, argparse.SUPPRESS)
        return f"{action.help} (default: %(default)s)" if says else action.help


@contextmanager
def _notes(options: argparse.Namespace) -> Iterator[None]:
    """Have what the library notes appear on the standard error, as --quiet and --verbose say."""
    if sys.stderr is None:
        yield
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Note(f"intgold {options.command}: %(message)s"))
    level, propagate = _log.level, _log.propagate
    _log.addHandler(handler)
    _log.propagate = False
    _log.setLevel(
        logging.DEBUG if options.verbose else logging.WARNING if options.quiet else logging.INFO
    )
    try:
        with warnings.catch_warnings():
            # A line of the command's, in place of one of a source file of ours and its text.
            warnings.showwarning = lambda message, *_: _log.warning("%s", message)
            yield
    finally:
        _log.removeHandler(handler)
        _log.setLevel(level)
        _log.propagate = propagate


class _Note(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return one_line(super().format(record))


class _Version(argparse.Action):
    """Prints the version, which is only then looked up."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)

    def __call__(
        self, parser: argparse.ArgumentParser, options: argparse.Namespace, values: object,
        option_string: str | None = None,
    ) -> None:  # fmt: skip
        parser._print_message(f"intgold {intgold.__version__}\n", sys.stdout)
        parser.exit()


def _parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of all commands, or of one, whose name the line starts with."""
    parser = _Parser(
        prog="intgold",
        description="One frozen integer model: golden in NumPy, fast in C, equal bit for bit.",
        epilog="intgold COMMAND --help shows examples.",
    )
    parser.add_argument("--version", action=_Version, help="show program's version number and exit")
    for flags in (("-q", "--quiet"), ("-v", "--verbose")):
        parser.add_argument(*flags, action=_Misplaced, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name in COMMANDS if only is None else [only]:
        module = COMMANDS[name]
        command = commands.add_parser(
            name, help=module.HELP, description=module.HELP[0].upper() + module.HELP[1:] + ".",
            epilog="examples:" + module.EXAMPLES,
            formatter_class=_HelpFormatter,
        )  # fmt: skip
        module.add(command)
        add_verbosity(command)
        command.set_defaults(call=module.call)
    return parser
