"""The project's own source files, parsed once."""

import ast
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("core", "population_db", "identity", "consent", "oidc", "privacy", "service")
ROOMS = (
    "population_db",
    "identity",
    "consent",
    "oidc",
    "privacy.vault",
    "privacy.journal",
    "privacy.pseudonyms",
    "privacy.desk",
)
"""What has a door (`api.py`)."""


@lru_cache
def modules() -> dict[str, Path]:
    """Dotted name → file, of every module of the packages."""
    found = {}
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


@lru_cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def room_of(module: str) -> str | None:
    """The room a dotted name lies in."""
    for room in ROOMS:
        if module == room or module.startswith(room + "."):
            return room
    return None


def imports(module: str) -> set[str]:
    """Dotted names that a module imports (for `from a import b` both a and a.b)."""
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def called_names(node: ast.AST) -> set[str]:
    """Dotted names of everything called below a node, as written: `datetime.now`, `tx.row`."""
    return {ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
