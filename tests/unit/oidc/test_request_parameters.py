"""What of an authorization request is kept: what the checks read, and no more."""

import ast

from oidc.asked_elsewhere import LASTING
from oidc.authorize.checks.kept import LONGEST, READ
from tests.architecture.sources import modules, tree

CHECKS = "oidc.authorize.checks."


def read_by_checks() -> set[str]:
    """Names of parameters in the sources of the checks: `asking.params["…"]`, `.get("…")`, `"…" in asking.params`."""
    found: set[str] = set()
    for module in (name for name in modules() if name.startswith(CHECKS)):
        for node in ast.walk(tree(module)):
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


def test_the_list_is_that_of_the_checks() -> None:
    assert read_by_checks() == READ


def test_of_requests_that_are_answered_elsewhere_as_well() -> None:
    assert LONGEST.keys() >= LASTING
