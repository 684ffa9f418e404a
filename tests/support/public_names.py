"""What docs/stability.md declares public."""

import re
from pathlib import Path

_PAGE = Path(__file__).parents[2] / "docs/stability.md"
MODULES = {
    module: tuple(re.findall(r"`(\w+)`", names))
    for module, names in re.findall(
        r"^\| `(intgold[\w.]*)` \| (.*) \|$", _PAGE.read_text(encoding="utf-8"), re.M
    )
}
"""Module -> its public names."""
