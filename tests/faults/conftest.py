"""Tests that change the user need root."""

import os

collect_ignore = [] if os.geteuid() == 0 else ["test_embedded_as_root.py"]
