"""Blocks say one thing in a terminal, in Markdown and in HTML; each escapes what it must."""

import html
import re
from dataclasses import fields, replace
from typing import get_args

import pytest

from intgold.document.blocks import (
    Definitions,
    Details,
    DocumentBlock,
    Figure,
    Heading,
    NumberedItem,
    Paragraph,
    Preformatted,
    Remark,
    Section,
    Table,
    sentence,
)
from intgold.document.html_page import to_html
from intgold.document.markdown import to_markdown
from intgold.document.terminal import to_terminal
from intgold.support.file_kinds import html_start

TABLE = Table(
    ("op", "values"),
    (("conv", "12"), ("fc", "7")),
    right=frozenset({1}),
    marked=frozenset({1}),
)
TABLE_HTML = (
    '<div class="wide"><table><tr><th>op</th><th class="n">values</th></tr>'
    '<tr><td>conv</td><td class="n">12</td></tr>'
    '<tr class="marked"><td>fc</td><td class="n">7</td></tr></table></div>'
)
CASES = [
    (Heading("title", 2), "title", "## title", "<h2>title</h2>"),
    (Paragraph("x -> y; a sum."), "x -> y; a sum.", "x -> y; a sum.",
     "<p>x -&gt; y; a sum.</p>"),
    (Paragraph("odd", "bad"), "odd", "odd", '<p class="bad">odd</p>'),
    (Remark("all equal", "good"), "all equal", "All equal.", '<p class="good">All equal.</p>'),
    (Remark("one two three", width=8), "one two\nthree", "One two three.",
     "<p>One two three.</p>"),
    (Preformatted("a\n  b"), "a\n  b", "```text\na\n  b\n```", "<pre>a\n  b</pre>"),
    (TABLE, "op    values\n------------\nconv      12\nfc         7",
     "| op | values |\n|---|---:|\n| conv | 12 |\n| fc | 7 |", TABLE_HTML),
    (Definitions((("expected", "1"), ("got", "2"))), "expected 1\ngot      2",
     "- expected: 1\n- got: 2", "<dl><dt>expected</dt><dd>1</dd><dt>got</dt><dd>2</dd></dl>"),
    (Section(Remark("why", "soft"), (Remark("so"), Preformatted("1\n2"))),
     "why\n  so\n  1\n  2", "Why.\n\nSo.\n\n```text\n1\n2\n```",
     '<p class="head soft">Why.</p>\n<p>So.</p>\n<pre>1\n2</pre>'),
    (NumberedItem(3, "name", "(bit 6)", (Remark("look here"),)),
     "3. name (bit 6)\n   look here", "**3. name** (bit 6)\n\nLook here.",
     '<div class="item"><p><b>3. name</b> (bit 6)</p>\n<p>Look here.</p></div>'),
    (NumberedItem(3, "name", "", ()), "3. name", "**3. name**",
     '<div class="item"><p><b>3. name</b></p>\n</div>'),
    (Details(Remark("the same"), (Remark("at length"),)), "the same",
     "The same.\n\nAt length.",
     "<details><summary>The same.</summary>\n<p>At length.</p></details>"),
    (Figure("<svg></svg>", "channel 1"), "channel 1", "channel 1",
     "<figure><svg></svg><figcaption>channel 1</figcaption></figure>"),
    (Figure("<svg></svg>"), "", "", "<figure><svg></svg></figure>"),
]  # fmt: skip


def body(blocks):
    """What the page holds of blocks, without the heading that every page has."""
    page = to_html([Heading("h"), *blocks], "verify")
    return re.search(r"<body>\n<h1>h</h1>\n(.*)\n</body></html>\n$", page, re.S)[1]


def test_every_kind_of_block_is_tried():
    assert {type(block) for block, *_ in CASES} == set(get_args(DocumentBlock))


@pytest.mark.parametrize(("block", "terminal", "markdown", "page"), CASES)
def test_a_block_in_each_medium(block, terminal, markdown, page):
    """Alone, and between others: in order, nothing lost."""
    assert to_terminal([block]) == terminal
    assert to_markdown([block]) == markdown + "\n"
    assert body([block]) == page
    around = [Paragraph("before"), block, Paragraph("after")]
    assert to_terminal(around) == "\n".join(filter(None, ("before", terminal, "after")))
    assert to_markdown(around) == "\n\n".join(filter(None, ("before", markdown, "after"))) + "\n"
    assert body(around) == f"<p>before</p>\n{page}\n<p>after</p>"


NASTY = "<b a=\"1\" c='2'>&amp;&lt"


def nasty(value):
    """A value of a block with every text in it replaced."""
    if isinstance(value, str):
        return value and NASTY
    if isinstance(value, tuple):
        return tuple(map(nasty, value))
    if type(value) in get_args(DocumentBlock):
        return spoilt(value)
    return value


def spoilt(block):
    """A block whose texts are all markup; not its tone, which is no text, nor a picture."""
    names = {f.name for f in fields(block)} - {"tone", "svg"}
    return replace(block, **{name: nasty(getattr(block, name)) for name in names})


def texts(value):
    """How many texts a block holds."""
    if isinstance(value, str):
        return bool(value)
    if isinstance(value, tuple):
        return sum(map(texts, value))
    if type(value) not in get_args(DocumentBlock):
        return 0
    names = {f.name for f in fields(value)} - {"tone", "svg"}
    return sum(texts(getattr(value, name)) for name in names)


@pytest.mark.parametrize("block", [case[0] for case in CASES])
def test_no_text_is_markup_in_html(block):
    """Whatever a text holds, the page has the tags of the block and shows the text as it is."""
    before, after = body([block]), body([spoilt(block)])
    tags = r"<[^>]*>"
    assert re.findall(tags, after) == re.findall(tags, before)
    shown = html.unescape(re.sub(tags, "", after))
    assert shown.count(NASTY) == texts(block)


def test_the_title_is_text():
    page = to_html([Heading(NASTY)], "data sheet")
    escaped = "&lt;b a=&quot;1&quot; c=&#x27;2&#x27;&gt;&amp;amp;&amp;lt"
    assert f"<title>{escaped}</title>" in page and f"<h1>{escaped}</h1>" in page
    assert page.startswith(html_start("data sheet")) and "<script" not in page


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a <b> c", r"a \<b> c"),
        ("</b>", r"\</b>"),
        ("<!-- x", r"\<!-- x"),
        ("a < b, a<= 3, 1 << 4, x >> 2", "a < b, a<= 3, 1 << 4, x >> 2"),
        ("&amp; &#60; & a&b", r"\&amp; \&#60; & a&b"),
        (r"\<b> \\<b> a\ \&lt;", r"\\\<b> \\\\\<b> a\\ \\\&lt;"),
        ("![a](http://b) (c)[d]", r"![a\](http://b) (c)[d]"),
        ("\"a\" 'b'", "\"a\" 'b'"),
    ],
)
def test_markdown_holds_no_markup_of_a_text(text, escaped):
    """What would be a tag or a character reference is text; comparisons stay as they are."""
    assert to_markdown([Paragraph(text)]) == f"{escaped}\n"
    assert to_markdown([Heading(text, 2)]) == f"## {escaped}\n"
    assert to_markdown([Table((text,), ((text,),))]) == f"| {escaped} |\n|---|\n| {escaped} |\n"
    assert to_markdown([Preformatted(text)]) == f"```text\n{text}\n```\n"


def test_a_cell_of_markdown_is_one_cell():
    """Neither a pipe nor a break ends it, nor a pipe after a backslash."""
    text = to_markdown([Table(("a|b", "c"), (("1\n2", "|"), ("\\|", "d")))])
    assert text == "| a\\|b | c |\n|---|---|\n| 1 2 | \\| |\n| \\\\\\| | d |\n"


def test_a_break_in_a_text_begins_no_block_of_markdown():
    text = "a\n\n# b\r```\n- c"
    assert to_markdown([Paragraph(text)]) == "a  # b ``` - c\n"
    assert to_markdown([Heading(text, 2)]) == "## a  # b ``` - c\n"


def test_a_fence_of_markdown_is_longer_than_any_within():
    assert to_markdown([Preformatted("a\n````\nb")]) == "`````text\na\n````\nb\n`````\n"


@pytest.mark.parametrize(
    ("text", "full"),
    [("one fits", "One fits."), ("Done.", "Done."), ("in full:", "In full:"), ("x?", "X?")],
)
def test_a_remark_is_a_sentence(text, full):
    assert sentence(text) == full
