"""Works on tokens: client_credentials, userinfo, introspection, refresh."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bench.citizens import Portal, Visit, code_of
from bench.http_client import Connection, Failed, form, request
from bench.jwts import Signer, pkce
from bench.load import Walk
from bench.measure import Contender, Work
from bench.peer_server import Peer
from bench.stage import SCOPE, PeerClients, Stage, basic
from bench.works_sign_in import peer_code

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FAMILIES = 48

Prepare = Callable[[], Awaitable[Walk]]


def works(stage: Stage, peer: Peer | None, clients: PeerClients) -> list[Work]:
    """In the order of the report."""
    house = stage.house
    ours, theirs = house.server(), None if peer is None else peer.server()
    agency = stage.agency("agency-education")

    def against(label: str, prepare: Callable[[Peer], Prepare]) -> tuple[Contender, ...]:
        return () if peer is None or theirs is None else (Contender(label, theirs, prepare(peer)),)

    secret = basic("bench-back-end", clients.secret)
    introspector = basic("bench-resource-server", clients.secret)
    resource = f"{house.issuer}/api/lookup"
    return [
        Work(
            "client-credentials",
            "client_credentials, secret, ES256 JWT",
            Contender("Bearer", ours, lambda: _back_end(house.port, stage.back_end, resource)),
            against("Bearer", lambda peer: lambda: _back_end(peer.port, secret, resource)),
            goal=1.3,
        ),
        Work(
            "client-credentials-dpop",
            "client_credentials, private_key_jwt, DPoP, ES256 JWT",
            Contender("DPoP", ours, lambda: _by_key(house.port, agency, "agency-education", house.issuer, resource)),
            against(
                "DPoP",
                lambda peer: lambda: _by_key(peer.port, Signer(clients.key), "bench-agency", peer.issuer, resource),
            ),
            goal=1.3,
        ),
        Work(
            "userinfo",
            "userinfo, claims of profile (ours: durable journal line)",
            Contender("3 claims, journalled", ours, lambda: userinfo_walk(stage, SCOPE)),
            against("3 claims", lambda peer: lambda: _peer_userinfo(peer, clients, SCOPE)),
            goal=1.0,
        ),
        Work(
            "userinfo-sub",
            "userinfo, sub alone",
            Contender("sub", ours, lambda: userinfo_walk(stage, "openid")),
            against("sub", lambda peer: lambda: _peer_userinfo(peer, clients, "openid")),
            goal=1.0,
        ),
        Work(
            "introspection",
            "introspection",
            Contender("JWT, live grant", ours, lambda: _introspect_ours(stage, resource)),
            against("opaque token", lambda peer: lambda: _introspect_peer(peer, clients, introspector)),
            goal=1.0,
        ),
        Work(
            "refresh",
            "refresh, bound to the client's secret, ES256 id_token",
            Contender("not rotated", ours, lambda: _refresh(house.port, stage.portal, _families(stage, stage.portal))),
            against(
                "not rotated",
                lambda peer: lambda: _refresh(peer.port, clients.portal, _peer_families(peer, clients.portal)),
            ),
            goal=1.0,
        ),
        Work(
            "refresh-rotating",
            "refresh, rotating, ES256 id_token (ours: in PostgreSQL)",
            Contender("rotated", ours, lambda: _refresh(house.port, stage.app, _families(stage, stage.app))),
            against(
                "rotated", lambda peer: lambda: _refresh(peer.port, clients.app, _peer_families(peer, clients.app))
            ),
            goal=1.0,
        ),
    ]


async def _back_end(port: int, head: Mapping[str, str], resource: str) -> Walk:
    fields = {"grant_type": "client_credentials", "scope": "lookup", "resource": resource}
    raw = form("/token", port, fields, head)

    async def walk(connection: Connection, _: int) -> None:
        await connection.send(raw)

    return walk


async def _by_key(port: int, key: Signer, client_id: str, issuer: str, resource: str) -> Walk:
    async def walk(connection: Connection, _: int) -> None:
        await connection.send(back_end_request(port, key, client_id, issuer, resource))

    return walk


def back_end_request(port: int, key: Signer, client_id: str, issuer: str, resource: str) -> bytes:
    """A token request by assertion and DPoP proof; both good once."""
    fields = {
        "grant_type": "client_credentials",
        "scope": "lookup",
        "resource": resource,
        "client_assertion_type": ASSERTION,
        "client_assertion": key.assertion(client_id, issuer),
    }
    return form("/token", port, fields, {"DPoP": key.proof("POST", f"{issuer}/token")})


async def userinfo_walk(stage: Stage, scope: str) -> Walk:
    """GET /userinfo with tokens of all who are signed in."""
    people = range(len(stage.signed_in))
    tokens = [(await _our_tokens(stage, stage.portal, at, scope))["access_token"] for at in people]
    return await _walk_userinfo(stage.house.port, "/userinfo", tokens)


async def _peer_userinfo(peer: Peer, clients: PeerClients, scope: str) -> Walk:
    tokens = [(await _peer_tokens(peer, clients.portal, scope))["access_token"] for _ in range(FAMILIES)]
    return await _walk_userinfo(peer.port, "/me", tokens)


async def _walk_userinfo(port: int, path: str, tokens: list[str]) -> Walk:
    raw = [request("GET", path, port, {"Authorization": f"Bearer {token}"}) for token in tokens]

    async def walk(connection: Connection, turn: int) -> None:
        await connection.send(raw[turn % len(raw)])

    return walk


async def _introspect_ours(stage: Stage, resource: str) -> Walk:
    connection = await Connection(stage.house.port).open()
    fields = {"grant_type": "client_credentials", "scope": "lookup", "resource": resource}
    answer = await connection.send(form("/token", stage.house.port, fields, stage.back_end))
    connection.close()
    return await _introspect(stage.house.port, "/introspect", str(answer.json()["access_token"]), stage.resource_server)


async def _introspect_peer(peer: Peer, clients: PeerClients, head: Mapping[str, str]) -> Walk:
    token = (await _peer_tokens(peer, clients.portal, SCOPE))["access_token"]
    return await _introspect(peer.port, "/token/introspection", token, head)


async def _introspect(port: int, path: str, token: str, head: Mapping[str, str]) -> Walk:
    raw = form(path, port, {"token": token}, head)

    async def walk(connection: Connection, _: int) -> None:
        answer = await connection.send(raw)
        if b'"active":true' not in answer.body:
            raise Failed(f"introspection: {answer.text[:200]}")

    return walk


async def _refresh(port: int, portal: Portal, families: Awaitable[list[str]]) -> Walk:
    """More families than requests in flight, each used by one request at a time."""
    free = deque(await families)

    async def walk(connection: Connection, _: int) -> None:
        token = free.popleft()
        fields = {"grant_type": "refresh_token", "refresh_token": token, **_by_name(portal)}
        answer = await connection.send(form("/token", port, fields, _by_secret(portal)))
        free.append(str(answer.json().get("refresh_token", token)))

    return walk


async def _families(stage: Stage, portal: Portal) -> list[str]:
    scope = f"{SCOPE} offline_access"
    return [
        (await _our_tokens(stage, portal, at % len(stage.signed_in), scope))["refresh_token"] for at in range(FAMILIES)
    ]


async def _peer_families(peer: Peer, portal: Portal) -> list[str]:
    # Both give refresh tokens for a consent asked for anew only (OpenID Connect Core §11).
    scope = f"{SCOPE} offline_access"
    made = await asyncio.gather(*(_peer_tokens(peer, portal, scope, prompt="consent") for _ in range(FAMILIES)))
    return [tokens["refresh_token"] for tokens in made]


async def _our_tokens(stage: Stage, portal: Portal, at: int, scope: str) -> dict[str, Any]:
    """By an existing session; a consent page, of a public client or for refresh tokens, is answered."""
    citizen = stage.signed_in[at]
    connection = await Connection(stage.house.port).open()
    visit = Visit(connection, citizen)
    visit.cookies = dict(citizen.cookies)
    verifier, challenge = pkce()
    more = {"prompt": "consent"} if "offline_access" in scope else {}
    page = await visit.get(f"/authorize?{portal.authorize(scope, challenge, **more)}")
    if page.status == 200:
        page = await visit.submit(page, "consent-form", everything=True, decision="allow")
    return await _exchange(connection, portal, code_of(page), verifier)


async def _peer_tokens(peer: Peer, portal: Portal, scope: str, **more: str) -> dict[str, Any]:
    connection = await Connection(peer.port).open()
    code, verifier, _ = await peer_code(connection, portal, scope, **more)
    return await _exchange(connection, portal, code, verifier)


async def _exchange(connection: Connection, portal: Portal, code: str, verifier: str) -> dict[str, Any]:
    fields = {**portal.exchange(code, verifier), **_by_name(portal)}
    answer = await connection.send(form("/token", connection.port, fields, _by_secret(portal)))
    connection.close()
    return answer.json()


def _by_secret(portal: Portal) -> dict[str, str]:
    return portal.basic if portal.secret else {}


def _by_name(portal: Portal) -> dict[str, str]:
    return {} if portal.secret else {"client_id": portal.client_id}
