"""The provider's endpoints for programs in the OpenAPI document: plain Starlette routes are not described by FastAPI.

A form's members are told with the section that defines them. What a member may hold is decided by the endpoint alone;
nothing is checked against this description.
"""

from collections.abc import Mapping
from typing import Any

from oidc.metadata import CONFIDENTIAL_METHODS
from oidc.token.endpoint import GRANT_TYPES

_FORM = "application/x-www-form-urlencoded"
_REFS = "#/components/schemas/"
_REFUSAL = {"content": {"application/json": {"schema": {"$ref": f"{_REFS}OAuthError"}}}}
_AUTHENTICATION = {
    "client_id": "RFC 6749 §2.3.1",
    "client_secret": "RFC 6749 §2.3.1, for client_secret_post",
    "client_assertion_type": "RFC 7521 §4.2",
    "client_assertion": "RFC 7523 §2.2, a signed JWT",
}
_AUTHORIZATION = {
    "response_type": "code",
    "redirect_uri": "exactly as registered",
    "scope": "openid and what the person is asked for",
    "state": "RFC 6749 §4.1.1",
    "nonce": "OpenID Connect Core §3.1.2.1",
    "code_challenge": "RFC 7636 §4.3",
    "code_challenge_method": "S256",
    "response_mode": "query, form_post, jwt, query.jwt, form_post.jwt",
    "prompt": "OpenID Connect Core §3.1.2.1",
    "max_age": "seconds",
    "acr_values": "levels, the best liked first",
    "claims": "JSON, OpenID Connect Core §5.5",
    "id_token_hint": "an id_token of ours",
    "login_hint": "taken and forgotten",
    "ui_locales": "vi, en",
    "resource": "RFC 8707",
    "authorization_details": "JSON, RFC 9396",
    "dpop_jkt": "RFC 9449 §10",
    "request": "RFC 9101, a signed JWT",
}
_TOKEN = {
    "grant_type": ", ".join(GRANT_TYPES),
    "code": "RFC 6749 §4.1.3",
    "redirect_uri": "as in the authorization request",
    "code_verifier": "RFC 7636 §4.5",
    "refresh_token": "RFC 6749 §6",
    "scope": "RFC 6749 §3.3",
    "resource": "RFC 8707 §2.2",
    "device_code": "RFC 8628 §3.4",
    "auth_req_id": "CIBA Core §10.1",
}
_CIBA = {
    "scope": "openid and what the person is asked for",
    "login_hint": "the personal number; it is not kept",
    "id_token_hint": "an id_token of ours",
    "binding_message": "shown at the desk and to the person",
    "acr_values": "levels",
    "requested_expiry": "seconds",
    "client_notification_token": "for ping",
    "request": "CIBA Core §7.1.1, a signed JWT",
}
_TOKEN_TYPE = {"token": "RFC 7009 §2.1, RFC 7662 §2.1", "token_type_hint": "RFC 7009 §2.1"}


def provider_openapi() -> dict[str, Any]:
    """`paths` and `components`, to be merged into the application's document."""
    return {
        "paths": {
            "/.well-known/openid-configuration": {"get": _read("metadata", "What the provider supports")},
            "/jwks": {"get": _read("keys", "The provider's published keys")},
            "/par": {"post": _braked(_form("par", "Push a request (RFC 9126)", _AUTHORIZATION, ok="201"))},
            "/token": {"post": _form("token", "Redeem a grant (RFC 6749 §3.2)", _TOKEN)},
            "/introspect": {"post": _form("introspect", "Ask about a token (RFC 7662)", _TOKEN_TYPE)},
            "/revoke": {"post": _form("revoke", "End a token (RFC 7009)", _TOKEN_TYPE)},
            "/bc-authorize": {"post": _form("bc-authorize", "Ask a person on his own device (CIBA)", _CIBA)},
            "/device_authorization": {
                "post": _braked(
                    _form("device-authorization", "Codes for a kiosk (RFC 8628)", {"scope": "RFC 8628 §3.1"})
                )
            },
            "/userinfo": {"get": _bearer("userinfo", "Consented claims of the person"), "post": _userinfo_form()},
            "/register": {"post": _registration("register", "Register a client (RFC 7591)", ok="201")},
            "/register/{client_id}": {
                "parameters": [
                    {"name": "client_id", "in": "path", "required": True, "schema": {"type": "string"}},
                ],
                "get": _bearer("read-client", "Read a registration (RFC 7592)"),
                "put": _registration("change-client", "Change a registration (RFC 7592)", ok="200"),
                "delete": _bearer("delete-client", "End a registration (RFC 7592)", ok="204"),
            },
        },
        "components": {
            "schemas": {"OAuthError": _ERROR},
            "securitySchemes": {
                "client": {
                    "type": "http",
                    "scheme": "basic",
                    "description": f"Or another registered method: {', '.join(CONFIDENTIAL_METHODS)}.",
                },
                "access_token": {"type": "http", "scheme": "bearer", "description": "Bound tokens: scheme DPoP."},
            },
        },
    }


def _read(name: str, summary: str) -> dict[str, Any]:
    return {"operationId": f"oidc-{name}", "summary": summary, "tags": ["oidc"], "responses": _answers("200")}


def _bearer(name: str, summary: str, *, ok: str = "200") -> dict[str, Any]:
    return {**_read(name, summary), "security": [{"access_token": []}], "responses": _answers(ok)}


def _form(name: str, summary: str, members: Mapping[str, str], *, ok: str = "200") -> dict[str, Any]:
    return {
        **_read(name, summary),
        "security": [{"client": []}, {}],
        "requestBody": {"required": True, "content": {_FORM: {"schema": _members({**members, **_AUTHENTICATION})}}},
        "responses": _answers(ok),
    }


def _braked(operation: dict[str, Any]) -> dict[str, Any]:
    """For public clients, by network."""
    told = {"description": "Too many come from this network; `Retry-After` says when.", **_REFUSAL}
    return {**operation, "responses": {**operation["responses"], "429": told}}


def _userinfo_form() -> dict[str, Any]:
    body = {"content": {_FORM: {"schema": _members({"access_token": "RFC 6750 §2.2, for tokens bound to nothing"})}}}
    return {**_bearer("userinfo-post", "The same by POST"), "requestBody": body}


def _registration(name: str, summary: str, *, ok: str) -> dict[str, Any]:
    schema = {"type": "object", "description": "Client metadata (RFC 7591 §2, OpenID Connect Registration §2)"}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {**_bearer(name, summary, ok=ok), "requestBody": body}


def _members(members: Mapping[str, str]) -> dict[str, Any]:
    told = {name: {"type": "string", "description": text} for name, text in members.items()}
    return {"type": "object", "properties": told}


def _answers(ok: str) -> dict[str, Any]:
    return {
        ok: {"description": "As the section named defines it."},
        "400": {"description": "The request does not hold.", **_REFUSAL},
        "401": {"description": "Client or token do not hold.", **_REFUSAL},
        "503": {"description": "A server behind this one does not answer; `Retry-After` says when.", **_REFUSAL},
    }


_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "description": "RFC 6749 §5.2 and its extensions"},
        "error_description": {"type": "string", "description": "What to mend, in words"},
    },
}
