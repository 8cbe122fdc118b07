"""Pooled connections are handed on as they are (core.database): nothing on them may outlive a transaction."""

import ast
import re

from tests.architecture.sources import modules, tree

LASTING = re.compile(
    r"^\s*SET\s+(?!LOCAL\b|TRANSACTION\b)|^\s*LISTEN\b|^\s*CREATE\s+TEMP|\bWITH HOLD\b"
    r"|\bset_config\([^)]*,\s*false\s*\)|\bpg_(try_)?advisory_lock\(",
    re.IGNORECASE,
)
CONNECTIONS_OF_THEIR_OWN = {"population_db.import_run", "service.embedded_logins"}
"""Open one connection each for what they do, and close it."""
NO_SQL = {"service.tls_nginx"}
"""Writes the settings of another program, whose words look alike."""


def test_no_statement_leaves_state_on_a_pooled_connection() -> None:
    found = []
    for module in modules():
        if module in CONNECTIONS_OF_THEIR_OWN | NO_SQL:
            continue
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and LASTING.search(node.value):
                found.append(f"{module}: {node.value[:60]}")
    assert found == []
