"""The check of a signed answer: before it is believed, and again whenever it is taken out of the dossier."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ANSWER_TYPE = "lookup-answer+jwt"


class AnswerRefused(Exception):
    """The answer is not one of the provider's to this question of ours."""


@dataclass(frozen=True, slots=True)
class Answer:
    """signed: what to file. fields: per field `result`, or `value`, with `source` and `as_of`."""

    signed: str = field(repr=False)
    fields: dict[str, Any] = field(repr=False)
    refused: dict[str, str]
    not_held: tuple[str, ...]
    journal_line: str
    leaf_hash: str


def verify_answer(signed: str, keys: KeySet, *, issuer: str, client_id: str, request_body: bytes) -> Answer:
    """Key, algorithm, type, issuer, audience, and that it answers this very request. Raises AnswerRefused."""
    try:
        token = jwt.decode(signed, keys, algorithms=["ES256"])
    except (JoseError, ValueError):
        raise AnswerRefused("the signature does not hold") from None
    claims = token.claims
    digest = base64.urlsafe_b64encode(hashlib.sha256(request_body).digest()).rstrip(b"=").decode()
    expected = {"iss": issuer, "aud": client_id, "request_digest": digest}
    wrong = [name for name, value in expected.items() if claims.get(name) != value]
    if token.header.get("typ") != ANSWER_TYPE or wrong:
        raise AnswerRefused(f"it is not the answer to this question ({', '.join(wrong) or 'typ'})")
    answer = claims["answer"]
    return Answer(
        signed=signed,
        fields=answer["fields"],
        refused=answer.get("refused", {}),
        not_held=tuple(answer.get("not_held", ())),
        journal_line=claims["journal"]["line_id"],
        leaf_hash=claims["journal"]["leaf_hash"],
    )
