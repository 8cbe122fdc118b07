"""OAuth errors: one class, with the wire code, a text a developer can act on, and the HTTP status.

They are refusals, so what was claimed or revoked on the way (a code's second use, say) commits.
"""

from collections.abc import Mapping

from core.errors import Refusal


class OAuthError(Refusal):
    """An error of the OAuth family. error: wire code (RFC 6749 §4.1.2.1, §5.2 and their extensions).

    description: visible ASCII without quotes and backslashes (RFC 6749 §5.2), never a secret or what the
    caller sent. private: for the log.
    """

    def __init__(
        self,
        error: str,
        description: str,
        *,
        status: int = 400,
        private: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error.replace("_", "-"), description, private=private, status=status)
        self.error = error
        self.description = description
        self.headers = dict(headers or {})

    def body(self) -> dict[str, str]:
        """The wire form."""
        return {"error": self.error, "error_description": self.description}


def invalid_request(description: str) -> OAuthError:
    return OAuthError("invalid_request", description)


def invalid_grant(description: str, *, private: str = "") -> OAuthError:
    return OAuthError("invalid_grant", description, private=private)


def invalid_client(description: str, *, basic_realm: str | None = None, private: str = "") -> OAuthError:
    """401; with a `WWW-Authenticate` challenge when the client tried Basic (RFC 6749 §5.2)."""
    headers = {} if basic_realm is None else {"WWW-Authenticate": f'Basic realm="{basic_realm}", charset="UTF-8"'}
    return OAuthError("invalid_client", description, status=401, headers=headers, private=private)
