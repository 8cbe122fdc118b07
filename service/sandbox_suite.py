"""Configurations of the OpenID Foundation's conformance suite for this sandbox, one per plan (docs/conformance.md).

Member names are the suite's. Its browser drives our pages by the ids of their elements, as a person without a
second factor would; what it cannot do (allow a request of a desk) is left to a person. A module that wants a page to
look at hands its browser a placeholder, which is filled only where a command says so: a sign-in page in the place of
an error page that never comes would end the module before its answer does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oidc.api import Level
from service.errors import CommandError
from service.sandbox_conformance import CALLBACK
from service.sandbox_guide import ClientGuide, PersonaGuide, Sandbox

PERSONA = "An"
"""Says everything of herself that the scopes of OpenID Connect can carry."""
SIGN_IN = "sign-in"
_TRUST_FRAMEWORK = "vn_dinhdanh"
_FIELDS = ("full_name", "birth_date", "sex", "phone", "email", "permanent_residence", "card", "self_declared")
_WAIT_SECONDS = 10
_KEPT = (".+", "update-image-placeholder-optional")
"""Behind a wait: the page, once there is text in the element, fills the module's placeholder if it has one."""

ERROR_PAGES = (
    "oidcc-ensure-registered-redirect-uri",
    "oidcc-ensure-redirect-uri-in-authorization-request",
    "oidcc-redirect-uri-query-mismatch",
    "oidcc-redirect-uri-query-added",
    "fapi2-security-profile-final-par-attempt-to-use-expired-request_uri",
    "fapi2-security-profile-final-par-attempt-to-use-request_uri-for-different-client",
)
"""Modules in which no redirect is safe: the suite keeps what our error page says."""
REFUSALS = ("fapi2-security-profile-final-user-rejects-authentication",)
SECOND_SIGN_INS = ("oidcc-prompt-login", "oidcc-max-age-1")
"""Modules that want to see the sign-in page: that of the second visit, the first has no placeholder."""
OPENED_TWICE = "fapi2-security-profile-final-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds"
"""Fails when somebody signs in at the first visit."""
USED_TWICE = "fapi2-security-profile-final-par-attempt-reuse-request_uri"
"""Ends as any other at the first visit, on the error page at the second."""
LOGOUT_ERRORS = (
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-modified-id-token-hint",
    "oidcc-rp-initiated-logout-bad-id-token-hint",
)
LOGOUT_QUESTIONS = ("oidcc-rp-initiated-logout-no-id-token-hint",)
"""Modules that want to see that the person is asked before anybody is signed out."""
UNKNOWN_METADATA = ("verified_claims_supported",)
"""Members of our discovery document of which the suite's schema does not know: Identity Assurance §8 has them."""


@dataclass(frozen=True, slots=True)
class SuitePlan:
    """A plan of the suite. name, variant: as there. clients: the stem of our client ids; post: of a second pair.

    by_certificate: whether its clients come by mTLS. signs_out: whether its modules end at our sign-out page.
    """

    name: str
    variant: Mapping[str, str]
    clients: str
    scope: str
    post: str = ""
    by_certificate: bool = False
    dpop: bool = False
    signs_out: bool = False


_OIDCC = {"server_metadata": "discovery", "client_registration": "static_client"}
_FAPI2 = {"fapi_profile": "plain_fapi", "openid": "openid_connect", "authorization_request_type": "simple"}
_ALL = "openid profile email phone address offline_access"
_OFFLINE = "openid offline_access"


def _fapi2(auth: str, bound: str, clients: str) -> SuitePlan:
    return SuitePlan(
        "fapi2-security-profile-final-test-plan",
        {"client_auth_type": auth, "sender_constrain": bound, **_FAPI2},
        clients,
        _OFFLINE,
        by_certificate="mtls" in {auth, bound},
        dpop=bound == "dpop",
    )


def _ciba(mode: str) -> SuitePlan:
    variant = {
        "client_auth_type": "private_key_jwt",
        "ciba_mode": mode,
        "fapi_ciba_profile": "plain_fapi",
        "client_registration": "static_client",
    }
    return SuitePlan("fapi-ciba-id1-test-plan", variant, f"ciba-{mode}", _OFFLINE, by_certificate=True)


_SIGNING = {"fapi_request_method": "signed_non_repudiation", "fapi_response_mode": "jarm"}
_EKYC = {
    **_OIDCC,
    "client_auth_type": "client_secret_basic",
    "response_type": "code",
    "response_mode": "default",
    "security_profile": "none",
    "auth_request_method": "http_query",
    "auth_request_non_repudiation_method": "unsigned",
    "sender_constrain": "none",
    "ekyc_profile": "plain_ekyc",
    "ekyc_verified_claims_response_support": "userinfo",
}
_LOGOUT = {"client_registration": "static_client", "response_type": "code"}

PLANS: Mapping[str, SuitePlan] = {
    "oidcc-basic": SuitePlan("oidcc-basic-certification-test-plan", _OIDCC, "core", _ALL, post="core-post"),
    "oidcc-config": SuitePlan("oidcc-config-certification-test-plan", {}, "core", _ALL),
    "oidcc-formpost-basic": SuitePlan(
        "oidcc-formpost-basic-certification-test-plan", _OIDCC, "core", _ALL, post="core-post"
    ),
    "oidcc-rp-initiated-logout": SuitePlan(
        "oidcc-rp-initiated-logout-certification-test-plan", _LOGOUT, "core", "openid", signs_out=True
    ),
    "oidcc-backchannel-logout": SuitePlan(
        "oidcc-backchannel-rp-initiated-logout-certification-test-plan",
        _LOGOUT,
        "backchannel",
        "openid",
        signs_out=True,
    ),
    "oidcc-frontchannel-logout": SuitePlan(
        "oidcc-frontchannel-rp-initiated-logout-certification-test-plan",
        _LOGOUT,
        "frontchannel",
        "openid",
        signs_out=True,
    ),
    "fapi2-private-key-dpop": _fapi2("private_key_jwt", "dpop", "fapi2-dpop"),
    "fapi2-private-key-mtls": _fapi2("private_key_jwt", "mtls", "fapi2-mtls"),
    "fapi2-mtls-dpop": _fapi2("mtls", "dpop", "tls-auth-dpop"),
    "fapi2-mtls-mtls": _fapi2("mtls", "mtls", "tls-auth"),
    "fapi2-message-signing": SuitePlan(
        "fapi2-message-signing-final-test-plan",
        {"client_auth_type": "private_key_jwt", "sender_constrain": "dpop", **_FAPI2, **_SIGNING},
        "signing",
        _OFFLINE,
        dpop=True,
    ),
    "fapi-ciba-poll": _ciba("poll"),
    "fapi-ciba-ping": _ciba("ping"),
    "ekyc": SuitePlan("ekyc-test-plan-oidccore", _EKYC, "core", "openid"),
}


def suite_configuration(sandbox: Sandbox, plan_name: str, mtls_base: str) -> dict[str, Any]:
    """The JSON that the suite takes for a plan. mtls_base: where we ask for certificates, "" without a TLS front.

    Raises CommandError when there is no such plan, or this sandbox lacks its clients.
    """
    plan = PLANS.get(plan_name)
    if plan is None:
        raise CommandError(f"there is no plan {plan_name}: take one of {', '.join(PLANS)}")
    first, second = (_client(sandbox, f"conformance-{plan.clients}-{number}") for number in (1, 2))
    base = mtls_base if plan.by_certificate else sandbox.issuer
    told: dict[str, Any] = {
        "alias": sandbox.conformance_redirect.removesuffix(CALLBACK).rpartition("/")[2],
        "description": f"Dinh Danh: {plan_name}",
        "server": {
            "discoveryUrl": f"{sandbox.issuer}/.well-known/openid-configuration",
            "allow_unexpected_metadata_fields": list(UNKNOWN_METADATA),
        },
        "client": _as_client(sandbox, plan, first),
        "client2": _as_client(sandbox, plan, second),
        "resource": {"resourceUrl": f"{base}/userinfo"},
    }
    if second.delivery_mode is not None:
        # The suite's second client asks for a level, and finds in the id_token what one reaches by password alone.
        told["client2"]["acr_value"] = Level(ial=2, aal=1).acr
    if plan.by_certificate:
        told |= {"mtls": _certificate(first), "mtls2": _certificate(second)}
    if plan.post:
        told["client_secret_post"] = _as_client(sandbox, plan, _client(sandbox, f"conformance-{plan.post}-1"))
    if plan_name == "ekyc":
        told["ekyc"] = _ekyc(_persona(sandbox))
    told["browser"] = _Pages(sandbox).browser(signs_out=plan.signs_out)
    told["override"] = _Pages(sandbox).overrides()
    return told


def _client(sandbox: Sandbox, client_id: str) -> ClientGuide:
    found = next((each for each in sandbox.clients if each.client_id == client_id), None)
    if found is None:
        raise CommandError(f"this sandbox has no client {client_id}: some are there behind TLS only (make run TLS=1)")
    return found


def _as_client(sandbox: Sandbox, plan: SuitePlan, client: ClientGuide) -> dict[str, Any]:
    told: dict[str, Any] = {"client_id": client.client_id, "scope": plan.scope}
    if client.client_secret is not None:
        told["client_secret"] = client.client_secret
    if client.private_jwk is not None:
        told["jwks"] = {"keys": [client.private_jwk]}
    if plan.dpop:
        told["dpop_signing_alg"] = "ES256"
    if client.delivery_mode is not None:
        told |= {"hint_type": "login_hint", "hint_value": _persona(sandbox).number}
    return told


def _ekyc(person: PersonaGuide) -> dict[str, Any]:
    """What the suite asks of verified claims, and what it may find.

    No `electronic_record` is asked for: the suite looks for its details under another name than the specification's.
    The second set under `userinfo` is what we do not announce, so that there is something to leave out.
    """
    document = {"type": {"value": "document"}, "document_details": {"type": None}}
    least: dict[str, Any] = {"trust_framework": {"value": _TRUST_FRAMEWORK}}
    verifications = (
        {**least, "assurance_level": None, "time": None, "verification_process": None},
        {**least, "evidence": [document]},
    )
    held = {"trust_framework": _TRUST_FRAMEWORK, "assurance_level": f"ial{person.level}"}
    return {
        "unverified_claims_names": ["name"],
        "verified_claims_names": ["name", "birthdate"],
        "request_schemas": [],
        "response_schemas": [],
        "verified_claims_request_list": [
            {"userinfo": {"verified_claims": {"verification": each, "claims": {"name": None, "birthdate": None}}}}
            for each in verifications
        ],
        "userinfo": {
            "verified_claims": [
                {"verification": held, "claims": {"name": person.name, "birthdate": person.birth_date}},
                {"verification": {"trust_framework": "eidas"}, "claims": {"msisdn": "84000000000"}},
            ]
        },
    }


def _certificate(client: ClientGuide) -> dict[str, str]:
    return {"cert": client.certificate or "", "key": client.certificate_key or ""}


def _persona(sandbox: Sandbox) -> PersonaGuide:
    return next(each for each in sandbox.personas if each.key == PERSONA)


class _Pages:
    """Our pages as the suite's browser goes through them: a task is a page, its commands name elements by id."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._issuer = sandbox.issuer
        self._person = _persona(sandbox)

    def browser(self, *, signs_out: bool) -> list[dict[str, Any]]:
        """From an authorization request to the suite's own page; for sign-out plans, the way out as well."""
        return [self._through(), self._sign_out()] if signs_out else [self._through()]

    def overrides(self) -> dict[str, Any]:
        """Modules that end elsewhere, or differently at the second visit, or want to see a page."""
        error = [self._authorize(self._seen("The error page", "/authorize*", "error-message"))]
        refused = [self._authorize(self._task("Leave", "/signin*", [["click", "id", "leave"]]), self._complete())]
        opened = self._authorize(self._task("Look", "/signin*", [["wait", "id", "signin-form", _WAIT_SECONDS]]))
        once = {"match-limit": 1}
        no_logout = self._logout(self._seen("The error page", "/logout*", "error-message"))
        found = {
            **dict.fromkeys(ERROR_PAGES, error),
            **dict.fromkeys(REFUSALS, refused),
            **{name: [self._through(seen=True)] for name in SECOND_SIGN_INS},
            OPENED_TWICE: [{**opened, **once}, self._through()],
            USED_TWICE: [{**self._through(), **once}, *error],
            **{name: [self._through(), no_logout] for name in LOGOUT_ERRORS},
            **{name: [self._through(), self._sign_out(asked=True)] for name in LOGOUT_QUESTIONS},
        }
        return {module: {"browser": browser} for module, browser in found.items()}

    def _through(self, *, seen: bool = False) -> dict[str, Any]:
        """Signed in, consented, and back at the suite. seen: the suite keeps the sign-in page."""
        return self._authorize(self._sign_in(seen=seen), self._consent(), self._form_post(), self._complete())

    def _authorize(self, *tasks: dict[str, Any]) -> dict[str, Any]:
        return {"match": f"{self._issuer}/authorize*", "tasks": list(tasks)}

    def _logout(self, *tasks: dict[str, Any]) -> dict[str, Any]:
        return {"match": f"{self._issuer}/logout*", "tasks": list(tasks)}

    def _sign_in(self, *, seen: bool) -> dict[str, Any]:
        commands: list[list[Any]] = [
            ["wait", "id", "signin-form", _WAIT_SECONDS, *(_KEPT if seen else ())],
            ["text", "id", "number", self._person.number],
            ["text", "id", "password", self._person.password],
            ["click", "id", "signin-submit"],
        ]
        return self._task("Sign in", "/signin*", commands, optional=True)

    def _consent(self) -> dict[str, Any]:
        ticked = [f"purpose-{SIGN_IN}", *(f"field-{SIGN_IN}-{field}" for field in _FIELDS)]
        commands: list[list[Any]] = [["click", "id", ident, "optional"] for ident in ticked]
        return self._task("Consent", "/consent*", [*commands, ["click", "id", "consent-allow"]], optional=True)

    def _form_post(self) -> dict[str, Any]:
        """The form to the client sends itself while the page loads; only where that did not work is it still there."""
        commands: list[list[Any]] = [["click", "id", "form-post-submit", "optional"]]
        return self._task("Form post", "/authorize*", commands, optional=True)

    def _sign_out(self, *, asked: bool = False) -> dict[str, Any]:
        """asked: the suite keeps the page that asks, else the one that tells the outcome."""
        confirm: list[list[Any]] = [["click", "id", "logout-submit", "optional"]]
        if asked:
            confirm = [["wait", "id", "logout-form", _WAIT_SECONDS, *_KEPT], ["click", "id", "logout-submit"]]
        return self._logout(
            self._task("Confirm", "/logout*", confirm, optional=not asked),
            self._seen("Signed out", "/logout*", "logout-result", optional=True, then="logout-continue"),
            {"task": "Back at the suite", "match": "*/test/*/post_logout_redirect*", "optional": True},
        )

    def _seen(self, name: str, path: str, ident: str, *, optional: bool = False, then: str = "") -> dict[str, Any]:
        """A page that the suite keeps. then: what to click on it, if it is there."""
        shown: list[list[Any]] = [["wait", "id", ident, _WAIT_SECONDS, *_KEPT]]
        return self._task(
            name, path, [*shown, *([["click", "id", then, "optional"]] if then else [])], optional=optional
        )

    def _task(self, name: str, path: str, commands: list[list[Any]], *, optional: bool = False) -> dict[str, Any]:
        told: dict[str, Any] = {"task": name, "match": f"{self._issuer}{path}", "commands": commands}
        return {**told, "optional": True} if optional else told

    @staticmethod
    def _complete() -> dict[str, Any]:
        waited = [["wait", "id", "submission_complete", _WAIT_SECONDS]]
        return {"task": "Back at the suite", "match": f"*/test/*{CALLBACK}*", "commands": waited}
