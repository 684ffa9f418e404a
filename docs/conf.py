"""Sphinx: the pages of this folder (Markdown) and the API reference (numpydoc)."""

import intgold

project = "intgold"
author = "the intgold authors"
release = version = intgold.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
html_theme = "furo"
html_title = f"intgold {release}"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
autodoc_mock_imports = ["torch", "pytorch_optimizer"]  # gigabytes, for a few signatures
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
nitpicky = False
