"""Sphinx: the pages of this folder, and references made from the code, the parsers, the header."""

import sys
from pathlib import Path

from numpydoc.xref import DEFAULT_LINKS
from sphinx.application import Sphinx

import intgold

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "intgold"
author = copyright = "the intgold authors"
release = version = intgold.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_c_autodoc",
    "c_header",
    "command_reference",
    "hypothesis_table",
    "repository_pages",
]
exclude_patterns = ["_build"]
default_role = "py:obj"
smartquotes = False  # two hyphens begin an option

html_theme = "furo"
html_title = f"intgold {release}"
html_copy_source = html_show_sourcelink = False

myst_heading_anchors = 4

autodoc_mock_imports = ["torch", "pytorch_optimizer"]  # gigabytes, for a few signatures
autodoc_default_options = {"no-value": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
# Types of this package are links; those of Python and NumPy would need their inventories.
numpydoc_xref_aliases = {
    **{name: name for name in DEFAULT_LINKS},
    **{name: f"intgold.{name}" for name in intgold.__all__},
}

c_autodoc_roots = ["../csrc"]
c_autodoc_compilation_args = ["-std=c99"]
c_maximum_signature_line_length = 88


def setup(app: Sphinx) -> None:
    """Let the signatures of data classes be parsed, so that their types are links."""
    app.connect(
        "autodoc-process-signature",
        lambda *event: (event[5] and event[5].replace("<factory>", "..."), event[6]),
    )
