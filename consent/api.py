"""The door of consent.

How it is put together (service/compose.py): a `ConsentGuard` for the journal, a `DisclosureDoor` over database,
registry, journal and `Brake`, a `Consent` over all of these, a `LookupApi` with oidc's tokens and signer.
"""

from fastapi import APIRouter

from consent import lookup_routes, my_pages, official_pages, pages
from consent.answer import ANSWER_MEDIA_TYPE, ANSWER_TYPE
from consent.asking import Granted, Standing
from consent.brake import Brake
from consent.catalogue import CATALOGUE
from consent.coverage import GivenConsent
from consent.disclose import DisclosureDoor
from consent.disclosure import Disclosure, DisclosureDenied, DisclosureRequest, PersonProof
from consent.drafts import PolicyDraft, PurposeDraft
from consent.guard import ConsentGuard
from consent.lookup import LookupApi
from consent.lookup_openapi import lookup_openapi
from consent.plugs import (
    AllowedLookup,
    AnswerSigner,
    ClientRecipients,
    GrantStatusInTx,
    PersonGrant,
    PersonGrants,
    Recipient,
)
from consent.policies import Policy
from consent.purposes import Purpose, PurposeTexts
from consent.question import AskedPurpose, ConsentAsk, PurposeAsk, Question
from consent.receipts import Receipt
from consent.room import Consent, register_events
from consent.tables import LEGAL_BASES
from consent.withdraw import WITHDRAWN

__all__ = [
    "ANSWER_MEDIA_TYPE",
    "ANSWER_TYPE",
    "CATALOGUE",
    "LEGAL_BASES",
    "WITHDRAWN",
    "AllowedLookup",
    "AnswerSigner",
    "AskedPurpose",
    "Brake",
    "ClientRecipients",
    "Consent",
    "ConsentAsk",
    "ConsentGuard",
    "Disclosure",
    "DisclosureDenied",
    "DisclosureDoor",
    "DisclosureRequest",
    "GivenConsent",
    "GrantStatusInTx",
    "Granted",
    "LookupApi",
    "PersonGrant",
    "PersonGrants",
    "PersonProof",
    "Policy",
    "PolicyDraft",
    "Purpose",
    "PurposeAsk",
    "PurposeDraft",
    "PurposeTexts",
    "Question",
    "Receipt",
    "Recipient",
    "Standing",
    "lookup_openapi",
    "register_events",
    "routers",
]


def routers() -> list[APIRouter]:
    """The lookup API and the pages."""
    return [lookup_routes.router, pages.router, my_pages.router, official_pages.router]
