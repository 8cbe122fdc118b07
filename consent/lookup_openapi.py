"""The lookup API in the OpenAPI document: plain Starlette routes are not described by FastAPI.

Request schemas come from the models that read the requests; the rest is written here. The answer is described
twice, as what goes over the wire (a compact JWS) and as the claims inside.
"""

from typing import Any

from consent.answer import ANSWER_MEDIA_TYPE
from consent.disclosure import PUBLIC_TEXTS
from consent.lookup import AUDIENCE_PATH, SCOPE
from consent.lookup_routes import MATCHES_PATH, RECORDS_PATH
from consent.lookup_schemas import LookupIn, MatchesIn, RecordsIn
from core.dpop import PROOF_ALGORITHMS

_SCHEME = "dpop"
_OVER_TLS = "mtls"
_REFS = "#/components/schemas/"
_ORIGIN = {
    "source": {"type": "string", "description": "The register the value comes from."},
    "as_of": {"type": "string", "format": "date"},
}
_NOT_ABOUT_LOOKUPS = frozenset({"own-record", "own-family", "outside-area", "not-your-record"})


def lookup_openapi() -> dict[str, Any]:
    """`paths` and `components`, to be merged into the application's document."""
    return {
        "paths": {
            MATCHES_PATH: {"post": _operation("matches", "Compare values with a record", MatchesIn, _MATCHES)},
            RECORDS_PATH: {"post": _operation("records", "Read fields of a record", RecordsIn, _RECORD)},
        },
        "components": {
            "schemas": {**_request_schemas(), "Problem": _PROBLEM},
            "securitySchemes": {_SCHEME: _SECURITY, _OVER_TLS: _MUTUAL_TLS},
        },
    }


def _operation(name: str, summary: str, kind: type[LookupIn], answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": f"lookup_{name}",
        "tags": ["lookup"],
        "summary": summary,
        "description": "Every answer has exactly one line in the journal, committed before it leaves; so has every "
        "refusal that names a person or a case. A repeated request is decided and journalled anew.",
        "security": [{_SCHEME: []}, {_OVER_TLS: []}],
        "parameters": [
            {
                "name": "DPoP",
                "in": "header",
                "required": True,
                "schema": {"type": "string"},
                "description": "A proof for this request and this token (RFC 9449), good for one request.",
            }
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REFS + kind.__name__}}},
        },
        "responses": {
            "200": {
                "description": "A compact JWS, typ lookup-answer+jwt, ES256 by a key of the provider's key set. "
                "File it with the dossier.",
                "content": {
                    ANSWER_MEDIA_TYPE: {
                        "schema": {
                            "type": "string",
                            "contentMediaType": ANSWER_MEDIA_TYPE,
                            "contentSchema": _claims(answer),
                        }
                    }
                },
            },
            **{status: _problem(text) for status, text in _REFUSALS.items()},
        },
    }


def _claims(answer: dict[str, Any]) -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["iss", "aud", "iat", "jti", "request_id", "request_digest", "answer", "journal"],
        "properties": {
            "iss": text,
            "aud": {**text, "description": "The client that asked."},
            "sub": {**text, "description": "The person, as your tokens name him, where his own token was shown."},
            "iat": {"type": "integer"},
            "jti": text,
            "request_id": text,
            "request_digest": {**text, "description": "SHA-256 of the request's body as sent, base64url."},
            "purpose": text,
            "legal_basis": text,
            "procedure": text,
            "dossier": text,
            "replaces": text,
            "answer": answer,
            "journal": {
                "type": "object",
                "required": ["line_id", "leaf_hash"],
                "properties": {"line_id": {**text, "format": "uuid"}, "leaf_hash": {**text, "description": "Hex."}},
            },
        },
    }


def _fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": {"type": "object", "properties": {**properties, **_ORIGIN}}}


_REFUSED = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "description": "Asked fields that stay in, with the reason.",
}
_MATCHES = {
    "type": "object",
    "required": ["kind", "fields"],
    "properties": {
        "kind": {"const": "matches"},
        "fields": _fields(result={"enum": ["match", "no-match", "not-held"]}),
        "refused": _REFUSED,
    },
}
_RECORD = {
    "type": "object",
    "required": ["kind", "fields"],
    "properties": {
        "kind": {"const": "record"},
        "fields": _fields(value={"description": "As in the field catalogue: a text, an object or a list."}),
        "not_held": {"type": "array", "items": {"type": "string"}},
        "refused": _REFUSED,
    },
}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `type` is urn:dinhdanh:problem:<code>; codes are stable.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_SECURITY = {
    "type": "http",
    "scheme": "DPoP",
    "description": f"An access token for the audience <issuer>{AUDIENCE_PATH}, bound to a key: by client_credentials "
    f"with the scope `{SCOPE}`, or given by a person with authorization_details; then `person` is left out. "
    f"Proofs are signed with {', '.join(sorted(PROOF_ALGORITHMS))}.",
}
_MUTUAL_TLS = {
    "type": "mutualTLS",
    "description": "The same token, bound to the certificate of the connection (RFC 8705) and sent as Bearer. Offered "
    "where discovery says tls_client_certificate_bound_access_tokens; mtls_endpoint_aliases name the origin.",
}
_REFUSALS = {
    "400": "malformed-json, malformed-parameters, invalid_request",
    "401": "No token, or one that does not hold here; see WWW-Authenticate.",
    "403": ", ".join(code for code in PUBLIC_TEXTS if code not in _NOT_ABOUT_LOOKUPS | {"person-not-matched"}),
    "404": "person-not-matched",
    "413": "body-too-large",
    "415": "wrong-content-type",
    "422": "invalid-input, person-incomplete",
    "429": "too-many-misses; see Retry-After.",
    "503": "Nothing was answered and nothing told; see Retry-After.",
}


def _problem(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/problem+json": {"schema": {"$ref": _REFS + "Problem"}}}}


def _request_schemas() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in (MatchesIn, RecordsIn):
        schema = kind.model_json_schema(ref_template=_REFS + "{model}")
        found |= schema.pop("$defs", {})
        found[kind.__name__] = schema
    return found
