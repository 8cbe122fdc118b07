"""People for the load: out of the registry, with accounts, sessions and consents got by the ordinary ways."""

import asyncio
import base64
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from time import time
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
import pyotp

from bench.http_client import Answer, Connection, Failed, cookie_header, request
from bench.jwts import pkce
from core.database import Database
from core.runtime import Parts
from identity.api import Identity
from population_db.api import Registry
from privacy.journal.api import ActorRef

OPERATOR = ActorRef(kind="operator", id="bench", name_hint="Bench")
SCHOOL = "purpose:school-enrolment"
TWO_FACTORS = "urn:dinhdanh:loa:ial2:aal2"
AT_ONCE = 4


@dataclass
class Citizen:
    """One person. cookies: of the browser in which he is signed in."""

    number: str
    full_name: str
    birth_date: str
    password: str = field(default="", repr=False)
    totp_secret: str = field(default="", repr=False)
    cookies: dict[str, str] = field(default_factory=dict, repr=False)

    def code(self) -> str:
        """The one-time code of this moment; each is taken once."""
        return pyotp.TOTP(self.totp_secret).at(int(time()))


@dataclass(frozen=True)
class Portal:
    """A relying party with a secret."""

    client_id: str
    secret: str = field(repr=False)
    redirect_uri: str

    @property
    def basic(self) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()}

    def authorize(self, scope: str, challenge: str, **more: str) -> str:
        """Parameters of an authorization request."""
        return urlencode(
            {
                **more,
                "response_type": "code",
                "client_id": self.client_id,
                "redirect_uri": self.redirect_uri,
                "scope": scope,
                "state": secrets.token_urlsafe(8),
                "nonce": secrets.token_urlsafe(8),
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )

    def exchange(self, code: str, verifier: str) -> dict[str, str]:
        """Form of the token request."""
        return {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }


def grown_ups(file: Path) -> Iterator[Citizen]:
    """Living people with a current number who are of age, as a generated file has them."""
    with file.open("rb") as lines:
        for line in lines:
            row = orjson.loads(line)
            birth = str(row["birth_date"])
            if row.get("life_status") != "alive" or row.get("number_status") != "active" or "representative" in row:
                continue
            if len(birth) == 10 and "1960" <= birth[:4] <= "2000":
                yield Citizen(row["number"], row["full_name"], birth)


async def enrol(parts: Parts, citizens: Sequence[Citizen]) -> None:
    """Accounts of level 2 with a second factor."""
    todo = list(citizens)

    async def some() -> None:
        while todo:
            citizen = todo.pop()
            citizen.password = f"Thử-{secrets.token_hex(8)}"
            citizen.totp_secret = pyotp.random_base32()
            async with parts.get(Database).raw() as tx:
                person = await parts.get(Registry).find_by_number(tx, citizen.number)
                if person is None:
                    raise Failed("a person of the file is not in the registry")
                await parts.get(Identity).enrol(
                    tx,
                    person.person_id,
                    ial=2,
                    password=citizen.password,
                    totp_secret=citizen.totp_secret,
                    by=OPERATOR,
                )

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def agree(port: int, portal: Portal, citizens: Sequence[Citizen], scope: str) -> None:
    """Each signs in at the portal by the pages and agrees to all; the session stays in `cookies`."""
    todo = list(citizens)

    async def some() -> None:
        connection = await Connection(port).open()
        while todo:
            await sign_in(connection, portal, todo.pop(), scope)
        connection.close()

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def sign_in(connection: Connection, portal: Portal, citizen: Citizen, scope: str) -> tuple[str, str]:
    """A fresh browser: password, code, consent where it is asked. Gives the code and its verifier."""
    visit = Visit(connection, citizen)
    verifier, challenge = pkce()
    page = await visit.get(f"/authorize?{portal.authorize(scope, challenge, acr_values=TWO_FACTORS)}")
    page = await visit.submit(page, "signin-form", number=citizen.number, password=citizen.password)
    page = await visit.submit(page, "code-form", code=citizen.code())
    if page.status == 200:
        page = await visit.submit(page, "consent-form", everything=True, decision="allow")
    citizen.cookies = visit.cookies
    return code_of(page), verifier


def code_of(answer: Answer) -> str:
    """The code in a redirect to the portal. Raises Failed."""
    query = dict(parse_qsl(urlsplit(answer.location).query))
    if answer.status != 303 or "code" not in query:
        raise Failed(f"no code: {answer.status} {answer.location[:200]} {answer.text[-300:]}")
    return query["code"]


class Visit:
    """One browser on a connection: keeps cookies, follows our own redirects. address: a synthetic one."""

    def __init__(self, connection: Connection, citizen: Citizen) -> None:
        self.connection = connection
        self.cookies: dict[str, str] = {}
        number = int(citizen.number) % 2**24
        self.address = f"10.{number & 255}.{number >> 8 & 255}.1"  # each in a network of his own

    async def get(self, path: str) -> Answer:
        """The page at the end of our own redirects, or the redirect that leaves us."""
        answer = await self._send(request("GET", path, self.connection.port, self._headers()))
        return await self._follow(answer)

    async def submit(self, page: Answer, ident: str, *, everything: bool = False, **values: str) -> Answer:
        """Fills in the form with this id and sends it. everything: with all its boxes ticked. Raises Failed."""
        found = _Form(ident)
        found.feed(page.text)
        if not found.action:
            raise Failed(f"no form {ident}: {page.status} {page.text[-400:]}")
        fields = [*found.hidden, *(found.boxes if everything else []), *values.items()]
        head = {"Content-Type": "application/x-www-form-urlencoded", **self._headers()}
        body = urlencode(fields).encode()
        return await self._follow(await self._send(request("POST", found.action, self.connection.port, head, body)))

    async def _follow(self, answer: Answer) -> Answer:
        while answer.status in {302, 303} and answer.location.startswith("/"):
            answer = await self._send(request("GET", answer.location, self.connection.port, self._headers()))
        return answer

    async def _send(self, raw: bytes) -> Answer:
        answer = await self.connection.send(raw, expect=None)
        self.cookies |= answer.cookies
        return answer

    def _headers(self) -> dict[str, str]:
        return {"X-Forwarded-For": self.address, "User-Agent": "bench", **cookie_header(self.cookies)}


class _Form(HTMLParser):
    """The fields of one form of a page."""

    def __init__(self, ident: str) -> None:
        super().__init__()
        self.action = ""
        self.hidden: list[tuple[str, str]] = []
        self.boxes: list[tuple[str, str]] = []
        self._ident, self._inside = ident, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = found.get("id") == self._ident
            self.action = found.get("action", "") if self._inside else self.action
        elif self._inside and tag == "input" and "name" in found:
            if found.get("type") == "hidden":
                self.hidden.append((found["name"], found.get("value", "")))
            elif found.get("type") == "checkbox":
                self.boxes.append((found["name"], found.get("value", "on")))

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"
