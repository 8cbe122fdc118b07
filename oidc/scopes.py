"""Scopes: what the words mean, and nothing else. Pure."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

from oidc.errors import OAuthError

OPENID = "openid"
OFFLINE = "offline_access"
LOOKUP = "lookup"
CLAIM_SCOPES = ("profile", "email", "phone", "address")
PURPOSE_PREFIX = "purpose:"

_PLAIN = frozenset({OPENID, OFFLINE, LOOKUP, *CLAIM_SCOPES})

MAX_SCOPES = 40
_NAME_LENGTH = 64
_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""NQCHAR of RFC 6749, appendix A."""


def parse(raw: str) -> tuple[str, ...]:
    """The scopes of a request, in order, each once. Raises OAuthError invalid_scope (RFC 6749 §3.3)."""
    return _parsed(raw) if len(raw) <= _REMEMBERED_LENGTH else _parse(raw)


def _parse(raw: str) -> tuple[str, ...]:
    words = raw.split(" ")
    if len(words) > MAX_SCOPES or any(_TOKEN.fullmatch(word) is None for word in words):
        raise OAuthError("invalid_scope", "scope must be words separated by single spaces.")
    return tuple(dict.fromkeys(words))


_parsed = lru_cache(maxsize=512)(_parse)
_REMEMBERED_LENGTH = 256
"""Characters: clients ask for the same few again and again, and what strangers make up takes little room."""


def is_scope_token(word: str) -> bool:
    """NQCHAR of RFC 6749, and not endless."""
    return len(word) <= len(PURPOSE_PREFIX) + _NAME_LENGTH and _TOKEN.fullmatch(word) is not None


def purposes_of(scopes: Iterable[str]) -> tuple[str, ...]:
    """The purpose codes asked for by `purpose:<code>`, in order."""
    return tuple(scope.removeprefix(PURPOSE_PREFIX) for scope in scopes if scope.startswith(PURPOSE_PREFIX))


def granted(asked: Iterable[str], purposes: Collection[str]) -> tuple[str, ...]:
    """The scopes without those of purposes that were not agreed to: a scope tells what was granted (RFC 6749 §3.3)."""
    return tuple(
        scope
        for scope in asked
        if not scope.startswith(PURPOSE_PREFIX) or scope.removeprefix(PURPOSE_PREFIX) in purposes
    )


def of_use(scopes: Iterable[str], *, at_lookups: bool) -> tuple[str, ...]:
    """Those that mean something at the one audience of a token, the lookup API or userinfo (RFC 9068 §2.2.3)."""
    return tuple(scope for scope in scopes if scope != OFFLINE and (scope == LOOKUP) == at_lookups)


def may_be_registered(scope: str) -> bool:
    """Whether a client may hold this scope at all."""
    if scope.startswith(PURPOSE_PREFIX):
        return is_scope_token(scope) and len(scope) > len(PURPOSE_PREFIX)
    return scope in _PLAIN


def understood(asked: Iterable[str]) -> tuple[str, ...]:
    """Without the words that are no scope here at all. Every purpose is one, whether it was ever declared or not."""
    return tuple(scope for scope in asked if scope in _PLAIN or scope.startswith(PURPOSE_PREFIX))


def narrowed(held: Iterable[str], raw: str | None) -> tuple[str, ...]:
    """The scopes of a refresh: those asked for, which must all be held; all when none is named.

    Raises OAuthError invalid_scope when more is asked (RFC 6749 §6).
    """
    held = tuple(held)
    if raw is None:
        return held
    asked = parse(raw)
    if not set(asked) <= set(held):
        raise OAuthError("invalid_scope", "A refresh may ask for fewer scopes than were granted, never for more.")
    return asked
