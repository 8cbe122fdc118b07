"""The door of identity."""

from fastapi import APIRouter

from identity import appointment_page, lock_page, profile_page, session_pages, sign_in_pages
from identity.agencies import Agency
from identity.assurance import Step, fresh_enough, step_with_session
from identity.events import register_events
from identity.history import SignIn
from identity.identity import Identity
from identity.locks import CLEARED_BY, LOCK_REASONS, Clearer, LockReason
from identity.self_declarations import SelfDeclarations
from identity.self_declared import (
    MEMBERS,
    PART_LABELS,
    SELF_DECLARED,
    SELF_DECLARED_SPEC,
    SOURCE,
    SelfDeclared,
    part_codes,
)
from identity.sessions import Session

__all__ = [
    "CLEARED_BY",
    "LOCK_REASONS",
    "MEMBERS",
    "PART_LABELS",
    "SELF_DECLARED",
    "SELF_DECLARED_SPEC",
    "SOURCE",
    "Agency",
    "Clearer",
    "Identity",
    "LockReason",
    "SelfDeclarations",
    "SelfDeclared",
    "Session",
    "SignIn",
    "Step",
    "fresh_enough",
    "part_codes",
    "register_events",
    "routers",
    "step_with_session",
]


def routers() -> list[APIRouter]:
    """Pages only; identity has no JSON API."""
    return [
        sign_in_pages.router,
        session_pages.router,
        lock_page.router,
        profile_page.router,
        appointment_page.router,
    ]
