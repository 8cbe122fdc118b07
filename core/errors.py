"""Refusals: what the domain says when it does not do a thing.

A refusal has a stable code, a text that is safe to show, and a private detail for the log. It is turned
into an answer in one place at the edge: RFC 9457 problem details for APIs, a page for people. A refusal
commits the request's transaction (counters, claims and refusal lines must stay); any other exception
rolls everything back.
"""

from collections.abc import Mapping


class Refusal(Exception):
    """Base of every domain refusal.

    code: stable, kebab-case. public: English msgid, shown (translated on pages). private: for the log,
    never personal data.
    """

    status: int = 400

    def __init__(
        self,
        code: str,
        public: str,
        *,
        private: str = "",
        status: int | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.public = public
        self.private = private
        self.extra = dict(extra or {})
        if status is not None:
            self.status = status


class BadInput(Refusal):
    """The input has to be mended; `fields` maps a field name to what to mend."""

    status = 422

    def __init__(self, code: str, public: str, *, fields: Mapping[str, str] | None = None, **kw: str) -> None:
        super().__init__(code, public, private=kw.get("private", ""))
        self.fields = dict(fields or {})


class NotAllowed(Refusal):
    """The asker has no right to this."""

    status = 403


class NotFound(Refusal):
    """There is no such thing, or the asker has no right to know of it: the same answer."""

    status = 404


class Conflict(Refusal):
    """Somebody else was first, or the state does not allow the act."""

    status = 409


class TooMany(Refusal):
    """A limit is reached; `retry_after` seconds until it is worth trying again."""

    status = 429

    def __init__(self, code: str, public: str, *, retry_after: int, private: str = "") -> None:
        super().__init__(code, public, private=private)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """A part that is needed does not answer; nothing was done and nothing was told."""

    status = 503

    def __init__(self, code: str, public: str, *, retry_after: int = 2, private: str = "") -> None:
        super().__init__(code, public, private=private)
        self.retry_after = retry_after


class SignInNeeded(Refusal):
    """The page needs a person at these levels; the edge sends a browser to the sign-in page."""

    status = 401

    def __init__(self, *, min_aal: int = 1, min_ial: int = 1) -> None:
        super().__init__("sign-in-needed", "Please sign in.")
        self.min_aal = min_aal
        self.min_ial = min_ial
