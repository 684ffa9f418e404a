"""What all tests share: full counts, what they tell at the end, what was not run."""

import os
import signal

import pytest

import tools

# `make test` runs two halves on two cores; threads that wait by spinning take the other's core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a shell runs in the background ignores Ctrl-C, under nohup SIGHUP, and hands that down to its
# children; a handler that does nothing is not handed down.
for _number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)

pytest.register_assert_rewrite("corner_proofs")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="full counts, as `make prove` runs them")


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """True in `make prove`: the same tests with full counts."""
    return bool(request.config.getoption("--full"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in tools.said:
        terminalreporter.write_line(line)
    for tool, tests in sorted(tools.not_run.items()):
        terminalreporter.write_line(
            f"not run: {len(tests)} without {tool}; it comes with: {tools.BROUGHT_BY[tool]}"
        )
