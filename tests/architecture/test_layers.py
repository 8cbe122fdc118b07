"""Imports run one way, and a room is entered by its door only."""

import logging

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tests.architecture.sources import ROOT, imports, modules, room_of


def test_import_contracts_hold() -> None:
    loggers = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    silenced = [each for each in loggers if not each.disabled]
    try:
        assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS
    finally:
        for each in silenced:  # its own set-up of logging silences all that are there
            each.disabled = False


def test_a_room_is_entered_by_its_door() -> None:
    """`consent` may import `identity.api`, never `identity.tables`; service composes and may go in."""
    wrong = []
    known = modules()
    for module in known:
        if module.startswith("service"):
            continue
        for name in imports(module):
            target = name if name in known else name.rsplit(".", 1)[0]
            room = room_of(target)
            if room is None or room == room_of(module) or target not in known:
                continue
            if target not in {f"{room}.api", room}:
                wrong.append(f"{module} imports {target}")
    assert wrong == []


def test_service_reaches_tables_of_no_room() -> None:
    wrong = [
        f"{module} imports {name}"
        for module in modules()
        if module.startswith("service")
        for name in imports(module)
        if name.endswith(".tables") and room_of(name)
    ]
    assert wrong == []
