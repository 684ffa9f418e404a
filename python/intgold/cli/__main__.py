"""``python -m intgold.cli``."""

import sys

from . import main

sys.exit(main())
