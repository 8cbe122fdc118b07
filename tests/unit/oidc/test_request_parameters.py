"""What of a request is kept: what the checks read, and no more."""

import ast
from collections.abc import Iterable

from oidc.asked_elsewhere import CHECKS, LASTING
from oidc.authorize.checks.kept import LONGEST, READ
from tests.architecture.sources import modules, tree

PACKAGE = "oidc.authorize.checks."


def names_read(nodes: Iterable[ast.AST]) -> set[str]:
    """Parameters in these sources: `asking.params["…"]`, `asking.params.get("…")`, `"…" in asking.params`."""
    found: set[str] = set()
    for node in nodes:
        near: list[ast.expr] = []
        if isinstance(node, ast.Subscript) and _is_params(node.value):
            near = [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_params(node.func.value):
            near = node.args[:1]
        elif isinstance(node, ast.Compare) and any(map(_is_params, node.comparators)):
            near = [node.left]
        found |= {each.value for each in near if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return found


def _is_params(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "params"


def _sources() -> list[ast.AST]:
    return [node for name in modules() if name.startswith(PACKAGE) for node in ast.walk(tree(name))]


def test_the_list_is_that_of_the_checks() -> None:
    assert names_read(_sources()) == READ


def test_so_is_that_of_requests_that_are_answered_elsewhere() -> None:
    names = {check.__name__ for check in CHECKS}
    checks = [node for node in _sources() if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert names_read(inner for check in checks if check.name in names for inner in ast.walk(check)) == LASTING
    assert LONGEST.keys() >= LASTING
