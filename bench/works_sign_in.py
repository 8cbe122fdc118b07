"""Works of a whole sign-in: with a session that exists, and by password and code."""

from urllib.parse import urlsplit

from bench.citizens import Portal, code_of, sign_in
from bench.http_client import Answer, Connection, cookie_header, form, request
from bench.jwts import pkce
from bench.load import Walk
from bench.measure import Contender, Work
from bench.peer_server import Peer
from bench.stage import SCOPE, PeerClients, Stage


def works(stage: Stage, peer: Peer | None, clients: PeerClients, rounds: int) -> list[Work]:
    """The sign-ins. rounds: of the measuring; each takes its share of the people with passwords."""
    ours = stage.house.server()
    peers: tuple[Contender, ...] = ()
    if peer is not None:
        server, running = peer.server(), peer
        peers = (
            Contender("5 requests, session made", server, lambda: _peer_whole(running, clients.portal)),
            Contender("3 requests, session there", server, lambda: _peer_with_session(running, clients.portal)),
        )
    return [
        Work(
            "sign-in",
            "sign-in: code, tokens, userinfo (session and consent there)",
            Contender("3 requests, journalled", ours, lambda: _with_session(stage)),
            peers,
            goal=1.5,
        ),
        Work(
            "password",
            "sign-in by password and TOTP, to the code",
            Contender("7 requests, Argon2id", ours, lambda: _by_password(stage)),
            goal_text="≥ 0.85 × Argon2id of the core",
            in_flight=8,
            most=max(1, len(stage.by_password) // rounds),
        ),
    ]


async def _with_session(stage: Stage) -> Walk:
    cookies = [cookie_header(citizen.cookies) for citizen in stage.signed_in]
    portal, port = stage.portal, stage.house.port

    async def walk(connection: Connection, turn: int) -> None:
        verifier, challenge = pkce()
        path = f"/authorize?{portal.authorize(SCOPE, challenge)}"
        answer = await connection.send(request("GET", path, port, cookies[turn % len(cookies)]), expect=303)
        await _tokens_and_claims(connection, portal, code_of(answer), verifier, "/userinfo")

    return walk


async def _by_password(stage: Stage) -> Walk:
    async def walk(connection: Connection, turn: int) -> None:
        citizen = stage.by_password[turn % len(stage.by_password)]
        await sign_in(connection, stage.portal, citizen, "openid")

    return walk


async def _peer_whole(peer: Peer, portal: Portal) -> Walk:
    async def walk(connection: Connection, _: int) -> None:
        code, verifier, _cookies = await peer_code(connection, portal, SCOPE)
        await _tokens_and_claims(connection, portal, code, verifier, "/me")

    return walk


async def _peer_with_session(peer: Peer, portal: Portal) -> Walk:
    connection = await Connection(peer.port).open()
    sessions = [(await peer_code(connection, portal, SCOPE))[2] for _ in range(48)]
    connection.close()

    async def walk(connection: Connection, turn: int) -> None:
        verifier, challenge = pkce()
        path = f"/auth?{portal.authorize(SCOPE, challenge)}"
        head = cookie_header(sessions[turn % len(sessions)])
        answer = await connection.send(request("GET", path, connection.port, head), expect=303)
        await _tokens_and_claims(connection, portal, code_of(answer), verifier, "/me")

    return walk


async def peer_code(connection: Connection, portal: Portal, scope: str, **more: str) -> tuple[str, str, dict[str, str]]:
    """Authorize, interaction, resume at the peer: code, verifier, and the cookies of the session made."""
    verifier, challenge = pkce()
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    cookies: dict[str, str] = {}

    async def get(path: str) -> Answer:
        raw = request("GET", path, connection.port, cookie_header(cookies))
        answer = await connection.send(raw, expect=303)
        cookies.update(answer.cookies)
        return answer

    page = await get(f"/auth?{portal.authorize(scope, challenge)}{extra}")
    page = await get(page.location)
    page = await get(urlsplit(page.location).path)
    session = {name: value for name, value in cookies.items() if name.startswith("_session")}
    return code_of(page), verifier, session


async def _tokens_and_claims(connection: Connection, portal: Portal, code: str, verifier: str, userinfo: str) -> None:
    raw = form("/token", connection.port, portal.exchange(code, verifier), portal.basic)
    token = (await connection.send(raw)).json()["access_token"]
    await connection.send(request("GET", userinfo, connection.port, {"Authorization": f"Bearer {token}"}))
