"""What a storm's logs must not hold: its people, and every secret that went over the wire."""

import json
import re
from html import unescape

from tests.actors.load_watch import Exchange
from tests.support.leak_canaries import Needles
from tests.support.load_storm import Storm

_CSRF = re.compile(r'name="csrf" value="([^"]*)"')
_TOKENS = ("access_token", "refresh_token", "id_token")


def needles_of(storm: Storm) -> Needles:
    """Names, numbers, passwords and code secrets of the personas; cookies, codes, tokens, client secrets."""
    found = Needles()
    for persona in storm.live.sandbox.personas:
        found.texts |= {persona.name: "name", persona.number: "number"}
        for secret in (persona.password, persona.totp_secret):
            if secret:
                found.texts[secret] = "secret"
    for client in storm.live.sandbox.clients:
        if client.client_secret:
            found.add("client secret", client.client_secret)
    for exchange in storm.watch.exchanges:
        _of_exchange(found, exchange)
    return found


def _of_exchange(found: Needles, one: Exchange) -> None:
    for name in ("code", "code_verifier", "refresh_token", "client_assertion", "csrf"):
        found.add(name, one.form.get(name, ""))
    for cookie in one.headers.get_list("set-cookie"):
        found.add("cookie", cookie.split(";", 1)[0].partition("=")[2])
    for token in _CSRF.findall(one.body):
        found.add("form token", unescape(token))
    if one.path == "/token" and one.status == 200:
        told = json.loads(one.body)
        for name in _TOKENS:
            found.add(name, told.get(name, ""))
