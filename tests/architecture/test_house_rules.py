"""House rules that matter are tests: time is handed in, one request uses one door, files stay readable."""

import ast
import re

import pytest

from tests.architecture.sources import ROOT, called_names, modules, tree

CLOCK_CALLS = {"datetime.now", "datetime.utcnow", "date.today", "time.time", "datetime.datetime.now"}
MAY_READ_THE_CLOCK = {"core.clock"}
SQL_CLOCK = re.compile(r"\b(now\(\)|current_timestamp|current_date|clock_timestamp\(\))", re.IGNORECASE)


def test_only_the_clock_reads_the_time() -> None:
    found = {
        module: sorted(CLOCK_CALLS & called_names(tree(module)))
        for module in modules()
        if module not in MAY_READ_THE_CLOCK and CLOCK_CALLS & called_names(tree(module))
    }
    assert found == {}


def test_no_rule_asks_the_database_for_the_time() -> None:
    found = []
    for module in modules():
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"text", "sa.text", "sqlalchemy.text"}:
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and SQL_CLOCK.search(str(argument.value)):
                        found.append(module)
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {"func.now", "func.current_timestamp"}:
                found.append(module)
    assert found == []


def _functions(module: str) -> list[ast.AsyncFunctionDef | ast.FunctionDef]:
    return [node for node in ast.walk(tree(module)) if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)]


def test_one_request_uses_one_door() -> None:
    """A route that gets the session's transaction opens no raw one, and the other way round."""
    both = []
    for module in modules():
        for function in _functions(module):
            arguments = [ast.unparse(arg.annotation) for arg in function.args.args if arg.annotation]
            calls = called_names(function)
            by_session = any("PageTx" in annotation for annotation in arguments) or any(
                call.endswith(".page") for call in calls
            )
            by_raw = any(call.endswith((".raw", ".raw_read")) for call in calls)
            if by_session and by_raw:
                both.append(f"{module}.{function.name}")
    assert both == []


def test_whoever_signs_waits_for_a_hardware_token_beside_the_loop() -> None:
    """By `SigningKeys.sign`, which knows where the key is; nobody takes the key itself."""
    found = [
        f"{module}.{function.name}"
        for module in modules()
        if module.startswith("oidc.") and module != "oidc.signing_keys"
        for function in _functions(module)
        if any(call == "sign_jwt" or call.endswith("keys.signing") for call in called_names(function))
    ]
    assert found == []


def test_only_keys_out_of_our_own_seal_are_not_examined() -> None:
    """`as_kept` passes over what is wrong with an RSA key: nothing that comes from elsewhere may be read so."""
    found = {
        module
        for module in modules()
        for node in ast.walk(tree(module))
        if isinstance(node, ast.keyword) and node.arg in {"as_kept", "unsafe_skip_rsa_key_validation"}
    }
    assert found == {"core.rsa_rules", "oidc.signing_key_store"}


def test_files_stay_readable() -> None:
    long = {
        name: lines for name, file in modules().items() if (lines := len(file.read_text("utf-8").splitlines())) > 400
    }
    assert long == {}


@pytest.mark.parametrize("package", ["core", "population_db", "identity", "consent", "oidc", "privacy", "service"])
def test_every_package_says_what_it_owns(package: str) -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text("utf-8")))
    assert docstring
    assert len(docstring) > 100


def test_alembic_is_no_package() -> None:
    """With an __init__.py the folder would hide the library of the same name."""
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_joserfc_and_authlib_have_one_importer() -> None:
    importers: dict[str, set[str]] = {"joserfc": set(), "authlib": set()}
    for module in modules():
        for node in ast.walk(tree(module)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for library, places in importers.items():
                if any(name.split(".")[0] == library for name in names):
                    places.add(module)
    assert importers["joserfc"] == {"core.jose", "core.jwe"}
    assert len(importers["authlib"]) == 1
    assert next(iter(importers["authlib"])).startswith("oidc.")
