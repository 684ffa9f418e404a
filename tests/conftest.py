"""What all tests share: full counts, what they tell at the end, what was not run."""

import os
import shlex
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest

import tools

# `make test` runs a process on each core; threads that wait by spinning take another's core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Tests start hundreds of processes; without cached byte code each compiles the package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What a shell runs in the background ignores Ctrl-C, under nohup SIGHUP, and hands that down to its
# children; a handler that does nothing is not handed down.
for _number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)

pytest.register_assert_rewrite("argument_calls", "corner_proofs", "output_trials")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="full counts, as `make prove` runs them")


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """True in `make prove`: the same tests with full counts."""
    return bool(request.config.getoption("--full"))


def pytest_configure(config: pytest.Config) -> None:
    """Give all processes of the run one folder of objects; gather what workers have to say."""
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory()
        config.add_cleanup(folder.cleanup)
        os.environ["INTGOLD_TEST_OBJECTS"] = folder.name
        # Verilator compiles its own library for each design.
        once = Path(__file__).parent / "support/compile_once.sh"
        os.environ.setdefault("OBJCACHE", shlex.quote(str(once)))
        if config.pluginmanager.hasplugin("xdist"):
            config.pluginmanager.register(_Gathered())


class _Gathered:
    """Adds what a worker process noted to what this one prints."""

    def pytest_testnodedown(self, node: Any) -> None:
        output = getattr(node, "workeroutput", {})  # none of a process that was killed
        tools.said += output.get("said", ())
        for tool, tests in output.get("not_run", {}).items():
            tools.not_run.setdefault(tool, set()).update(tests)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["said"] = tools.said
        session.config.workeroutput["not_run"] = {k: sorted(v) for k, v in tools.not_run.items()}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in tools.said:
        terminalreporter.write_line(line)
    for tool, tests in sorted(tools.not_run.items()):
        terminalreporter.write_line(
            f"not run: {len(tests)} without {tool}; it comes with: {tools.BROUGHT_BY[tool]}"
        )
