"""Texts at the top of the repository as pages, and links between both kinds of places.

A text such as ARCHITECTURE.md is written for a reader of the repository, with links to its files.
On the site a link to a text that has a page leads to the page; any other file is a download.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

from docutils import nodes
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
_EXAMPLES = sorted(ROOT.glob("examples/*/README.md"))
PAGES = {
    "reference/spec": "SPEC.md",
    "project/readme": "README.md",
    "project/architecture": "ARCHITECTURE.md",
    "project/kernels": "csrc/README.md",
    "project/contributing": "CONTRIBUTING.md",
    "project/security": "SECURITY.md",
    "project/changelog": "CHANGELOG.md",
    **{f"examples/{f.parent.name}": f"examples/{f.parent.name}/README.md" for f in _EXAMPLES},
}
"""Page -> file of the repository that it shows, before what the page has itself."""
_PAGE_OF = {file: page for page, file in PAGES.items()}
_LINK = re.compile(r"(?<=\]\()(?!\w+:|#|/)([^)\s#]+)(#[^)\s]*)?(?=\))")
_CLAUSE = re.compile(r"\b((?:SPEC|[Cc]lauses?) )(\d+(?:\.\d+)*)(?![\d.]*\d)")


def show(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the file that a page shows before its own text; have links lead to pages of the site."""
    if app.env.doc2path(docname).suffix != ".md":
        return
    here = PurePosixPath(docname).parent
    source[0] = with_site_links(source[0], PurePosixPath("docs", docname).parent, here)
    if docname in PAGES:
        file = ROOT / PAGES[docname]
        app.env.note_dependency(str(file))
        base = PurePosixPath(PAGES[docname]).parent
        source[0] = with_site_links(file.read_text(encoding="utf-8"), base, here) + source[0]


def with_site_links(text: str, base: PurePosixPath, here: PurePosixPath) -> str:
    """Return Markdown whose links lead from the folder `here` of the site.

    Parameters
    ----------
    text : str
        Its links lead from the folder `base` of the repository.
    """

    def link(found: re.Match[str]) -> str:
        target = os.path.normpath(base / found[1])
        target = f"docs/{_PAGE_OF[target]}.md" if target in _PAGE_OF else target
        return os.path.relpath(target, PurePosixPath("docs", here)) + (found[2] or "")

    parts = re.split(r"(^```.*?^```$)", text, flags=re.M | re.S)
    return "".join(p if p.startswith("```") else _LINK.sub(link, p) for p in parts)


def link_clauses(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Have every "SPEC 4.2" and "clause 4.2" of a text lead to its place in the specification."""
    places = _clauses(app)
    for text in list(doctree.findall(nodes.Text)):
        if _is_running_text(text) and _CLAUSE.search(text):
            text.parent.replace(text, list(_linked(app, text, docname, places)))


def _clauses(app: Sphinx) -> dict[str, str]:
    """Return the anchor of each clause by its number."""
    spec = app.env.get_doctree("reference/spec")
    titles = ((s.next_node(nodes.title), s["ids"][0]) for s in spec.findall(nodes.section))
    return {title.astext().split(" ")[0]: anchor for title, anchor in titles if title}


def _is_running_text(text: nodes.Text) -> bool:
    node = text.parent
    while node is not None:
        if isinstance(node, nodes.literal | nodes.literal_block | nodes.reference | nodes.title):
            return False
        node = node.parent
    return True


def _linked(
    app: Sphinx, text: nodes.Text, docname: str, places: dict[str, str]
) -> list[nodes.Node]:
    made: list[nodes.Node] = []
    end = 0
    for found in _CLAUSE.finditer(text):
        if found[2] not in places:
            continue
        made.append(nodes.Text(text[end : found.start()]))
        page = app.builder.get_relative_uri(docname, "reference/spec")
        uri = f"{page if docname != 'reference/spec' else ''}#{places[found[2]]}"
        made.append(nodes.reference("", found[0], refuri=uri, internal=True))
        end = found.end()
    return [*made, nodes.Text(text[end:])]


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the steps of a build."""
    app.connect("source-read", show)
    app.connect("doctree-resolved", link_clauses)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
