"""Pictures and names as text, in what the terminal can show."""

import io

import numpy as np
import pytest

from intgold.predict.terminal import beside, draw, printable, style_for

TINY = np.array([[0, 255, 127], [128, 255, 0], [255, 0, 64]], np.uint8)


def test_pictures_as_text():
    """A tiny array in each style; an odd last row has nothing below it."""
    assert draw(TINY, "blocks") == ["▄█ ", "▀  "]
    assert draw(TINY, "ascii") == [":@:", "= ."]
    grey = draw(TINY[:2, :2], "grey")
    assert grey == ["\x1b[38;5;16;48;5;244m▀\x1b[38;5;231;48;5;231m▀\x1b[0m"]
    assert [line.rstrip() for line in beside(grey, ["a", "b"])] == [grey[0] + "   a", "     b"]


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (3, 500), (500, 3), (224, 224), (57, 28)])
@pytest.mark.parametrize("style", ["blocks", "ascii"])
def test_pictures_fit_28_columns(shape, style):
    lines = draw(np.full(shape, 255, np.uint8), style)
    assert 1 <= len(lines) <= 28 and {len(line) for line in lines} <= set(range(1, 29))
    assert len({len(line) for line in lines}) == 1 and lines[0].strip()


class Stream(io.TextIOWrapper):
    def __init__(self, encoding, terminal):
        super().__init__(io.BytesIO(), encoding)
        self.terminal = terminal

    def isatty(self):
        return self.terminal


def test_the_style_fits_the_stream(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert style_for(Stream("utf-8", True)) == "grey"
    assert style_for(Stream("cp437", False)) == style_for(Stream("utf-8", False)) == "blocks"
    assert style_for(Stream("ascii", True)) == style_for(Stream("latin-1", True)) == "ascii"
    monkeypatch.setenv("NO_COLOR", "1")
    assert style_for(Stream("utf-8", True)) == "blocks"


def test_names_are_one_line():
    assert printable("sieben.png", "ascii") == "sieben.png"
    assert printable("ü\n\x1b[2J\udcff", "ascii") == "\\xfc\\n\\x1b[2J\\udcff"
    assert printable("ü\n", "utf-8") == "ü\\n"
