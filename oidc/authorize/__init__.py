"""The authorization endpoint: a table of checks (table.py), then a walk to the answer (walk.py)."""
