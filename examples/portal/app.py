"""The portal's pages. Everything about OpenID Connect is in `sign_in`, `login`, `callback`, `sign_out` and
`backchannel_logout`."""

import secrets
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import jinja2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from joserfc.jwk import KeySet
from starlette.middleware.sessions import SessionMiddleware
from starlette.staticfiles import StaticFiles

from examples.portal.form import fill
from examples.portal.logout_tokens import LogoutRefused, LogoutTokens
from examples.portal.settings import PortalSettings
from examples.portal.texts import text_of
from examples.portal.visits import Visit, Visits

HERE = Path(__file__).parent
LEVEL = "urn:dinhdanh:loa:ial2:aal2"
"""Enrolment is a legal act: a level 2 account and two factors."""

PAGES = frozenset({"/", "/apply", "/filed"})
"""Where a sign-in that was started elsewhere may end: own pages, named one by one."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {issuer}; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def create_portal(settings: PortalSettings) -> FastAPI:
    """The portal as an application; one process, sessions in its memory."""
    app = FastAPI(title="Portal example", openapi_url=None)
    visits = Visits()
    logout_tokens = LogoutTokens(settings.issuer, settings.client_id)
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    oauth = OAuth()
    oauth.register(
        "dinhdanh",
        server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        client_kwargs={
            "scope": settings.scope,
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_basic",
        },
    )
    client = oauth.create_client("dinhdanh")

    app.add_middleware(
        SessionMiddleware,
        secret_key=settings.cookie_secret,
        session_cookie="portal",
        same_site="lax",
        https_only=settings.base_url.startswith("https://"),
        max_age=1800,
    )
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")

    def language(request: Request) -> str:
        chosen = request.query_params.get("lang") or request.session.get("lang") or "vi"
        request.session["lang"] = "en" if chosen == "en" else "vi"
        return str(request.session["lang"])

    def page(request: Request, name: str, status: int = 200, **context: object) -> HTMLResponse:
        lang = language(request)
        request.session.setdefault("csrf", secrets.token_urlsafe(24))
        html = pages.get_template(name).render(
            lang=lang,
            _=lambda code: text_of(lang, code),
            csrf=request.session["csrf"],
            visit=visits.of(request.session.get("visit")),
            **context,
        )
        headers = {name: value.format(issuer=settings.issuer) for name, value in SECURITY_HEADERS.items()}
        return HTMLResponse(html, status, headers)

    def form_is_ours(request: Request, csrf: str) -> bool:
        known = request.session.get("csrf", "")
        return bool(known) and secrets.compare_digest(csrf, known)

    def visit_of(request: Request) -> Visit | None:
        return visits.of(request.session.get("visit"))

    @app.get("/")
    async def start(request: Request) -> Response:
        return page(request, "start.html")

    @app.get("/sign-in")
    async def sign_in(request: Request) -> Response:
        lang = language(request)
        redirect: Response = await client.authorize_redirect(
            request, settings.redirect_uri, acr_values=LEVEL, ui_locales=lang
        )
        return redirect

    @app.get("/login")
    async def login(request: Request, iss: str = "", target_link_uri: str = "") -> Response:
        """OpenID Connect Core §4: somebody else's page starts the sign-in. It may choose an own page to end at,
        never the provider and never a page elsewhere; a login_hint is not passed on."""
        if iss != settings.issuer:
            return page(request, "failed.html", 400, error="unknown_issuer")
        request.session["after"] = own_page(target_link_uri)
        return await sign_in(request)

    @app.post("/login")
    async def login_by_form(iss: str = Form(""), target_link_uri: str = Form("")) -> Response:
        # From another site our cookie is not with it: to our own GET first.
        query = urlencode({"iss": iss, "target_link_uri": target_link_uri})
        return RedirectResponse(f"/login?{query}", 303)

    def own_page(target: str) -> str:
        """The path of one of our pages, else of the usual one."""
        parts = urlsplit(target)
        ours = f"{parts.scheme}://{parts.netloc}" == settings.base_url and parts.path in PAGES
        return parts.path if ours else "/apply"

    @app.get("/callback")
    async def callback(request: Request) -> Response:
        # RFC 9207: the answer must come from the provider that was asked, and say so once.
        if request.query_params.getlist("iss") != [settings.issuer]:
            return page(request, "failed.html", 400, error="issuer_mismatch")
        try:
            token = await client.authorize_access_token(request)
            claims = dict(await client.userinfo(token=token))
            if claims.get("sub") != token["userinfo"]["sub"]:  # OpenID Connect Core §5.3.2
                raise OAuthError(error="subject_mismatch")
        except OAuthError as refused:
            if refused.error == "access_denied":
                return page(request, "refused.html")
            return page(request, "failed.html", 400, error=refused.error)
        if token["userinfo"].get("acr") != LEVEL:
            return page(request, "failed.html", 403, error="level_too_low")
        request.session["visit"] = visits.begin(claims, token["id_token"], token["userinfo"].get("sid"))
        return RedirectResponse(request.session.pop("after", "/apply"), 303)

    @app.get("/apply")
    async def apply(request: Request) -> Response:
        visit = visit_of(request)
        if visit is None:
            return RedirectResponse("/", 303)
        return page(request, "apply.html", form=fill(visit.claims), error=None)

    @app.post("/apply")
    async def file_application(request: Request, csrf: str = Form(""), child: str = Form("")) -> Response:
        visit = visit_of(request)
        if visit is None or not form_is_ours(request, csrf):
            return page(request, "failed.html", 403, error="form_expired")
        form = fill(visit.claims)
        if form.children and child not in {str(number) for number in range(len(form.children))}:
            return page(request, "apply.html", 422, form=form, error="choose_child")
        visit.dossier = visit.dossier or f"H26.{secrets.randbelow(10**6):06d}"
        return RedirectResponse("/filed", 303)

    @app.get("/filed")
    async def filed(request: Request) -> Response:
        visit = visit_of(request)
        if visit is None or visit.dossier is None:
            return RedirectResponse("/apply", 303)
        return page(request, "filed.html", dossier=visit.dossier, account_url=f"{settings.issuer}/me/consents")

    @app.post("/sign-out")
    async def sign_out(request: Request, csrf: str = Form("")) -> Response:
        if not form_is_ours(request, csrf):
            return page(request, "failed.html", 403, error="form_expired")
        visit = visits.end(request.session.pop("visit", None))
        metadata = await client.load_server_metadata()
        query = {"post_logout_redirect_uri": settings.signed_out_uri, "client_id": settings.client_id}
        if visit is not None:
            query["id_token_hint"] = visit.id_token
        return RedirectResponse(f"{metadata['end_session_endpoint']}?{urlencode(query)}", 303)

    @app.post("/backchannel-logout")
    async def backchannel_logout(logout_token: str = Form("")) -> Response:
        """The provider says that a session has ended (Back-Channel Logout 1.0 §2.7, §2.8)."""
        try:
            keys = KeySet.import_key_set(await client.fetch_jwk_set())
            if not logout_tokens.is_signed_by_one_of(logout_token, keys):
                keys = KeySet.import_key_set(await client.fetch_jwk_set(force=True))
            logout = logout_tokens.read(logout_token, keys)
        except LogoutRefused as refused:
            return Response(str(refused), 400, {"Cache-Control": "no-store"}, "text/plain")
        visits.end_of(logout.subject, logout.sid)
        return Response(status_code=200, headers={"Cache-Control": "no-store"})

    @app.get("/signed-out")
    async def signed_out(request: Request) -> Response:
        return page(request, "signed_out.html")

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app
