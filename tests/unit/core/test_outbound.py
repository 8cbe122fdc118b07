"""The guarded client against servers that behave badly (security cases 45, 46). Real sockets, real TLS."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from core.outbound import MAX_AT_ONCE_PER_HOST, Outbound, OutboundRefused
from tests.support.certificates import Authority
from tests.support.other_servers import Answering, NameServer, OtherServer, answers, other_server, says

HOST = "keys.example"
HERE: Sequence[str] = ("127.0.0.1",)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def tls(authority: Authority) -> ssl.SSLContext:
    return authority.server(HOST)


@pytest.fixture
async def server(tls: ssl.SSLContext) -> AsyncIterator[OtherServer]:
    async with other_server(answers(b'{"keys":[]}'), tls) as running:
        yield running


def client(
    server: OtherServer, authority: Authority | None, *addresses: Sequence[str], allowed: bool = True, host: str = HOST
) -> Outbound:
    """allowed: whether the server's place is on the list; the resolver is ours in any case."""
    return Outbound(
        allowed=(f"{host}:{server.port}",) if allowed else (),
        ca_file=authority.ca_file if authority else None,
        resolve=NameServer(list(addresses or (HERE,))),
    )


async def refused(client: Outbound, url: str, *, seconds: float = 5.0) -> str:
    with pytest.raises(OutboundRefused) as caught:
        await client.get_json(url, timeout_seconds=seconds)
    assert str(caught.value)
    return caught.value.reason


async def test_a_good_answer(server: OtherServer, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment changes the way; nothing is remembered of an answer."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.answering = answers(b'{"a":1}', Set_Cookie="a=b", content_type="application/jwk-set+json; charset=utf-8")
    outbound = client(server, authority)
    for _ in range(2):
        answer = await outbound.get_json(server.url("/jwks?x=1"), accept=("application/jwk-set+json",))
        assert (answer.status, answer.body) == (200, b'{"a":1}')
    assert server.connections == 2
    for asked in server.asked:
        assert (asked.method, asked.path) == ("GET", "/jwks?x=1")
        assert asked.headers["host"] == f"{HOST}:{server.port}"
        assert asked.headers["accept-encoding"] == "identity"
        assert not {"cookie", "authorization", "referer"} & set(asked.headers)


async def test_a_post(server: OtherServer, authority: Authority) -> None:
    server.answering = answers(b"no", status="400 Bad Request", content_type="text/plain")
    answer = await client(server, authority).post(
        server.url("/logout"), body=b"a=b", content_type="application/x-www-form-urlencoded", headers={"X-A": "1"}
    )
    assert (answer.status, answer.body) == (400, b"no")
    (asked,) = server.asked
    assert (asked.method, asked.body, asked.headers["x-a"]) == ("POST", b"a=b", "1")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"


async def test_a_post_reads_no_more_than_it_needs(server: OtherServer, authority: Authority) -> None:
    server.answering = says(OK + b"\r\n", again=b"x" * 65536)
    answer = await client(server, authority).post(server.url(), body=b"", content_type="text/plain")
    assert answer.status == 200
    assert len(answer.body) == 16 * 1024


@pytest.mark.parametrize(
    ("answering", "reason"),
    [
        pytest.param(says(OK + b"\r\n", again=b"x" * 65536), "size", id="endless body"),
        pytest.param(
            says(OK + b"Transfer-Encoding: chunked\r\n\r\n", again=b"1000\r\n" + b"x" * 4096 + b"\r\n"),
            "size",
            id="chunks",
        ),
        pytest.param(answers(b"x" * (64 * 1024 + 1)), "size", id="one byte too many"),
        pytest.param(answers(gzip.compress(b"0" * 10**7), Content_Encoding="gzip"), "encoding", id="gzip bomb"),
        pytest.param(answers(b"{}", Content_Encoding="br"), "encoding", id="another encoding"),
        pytest.param(answers(b"{}", status="302 Found", Location="https://other.example/"), "redirect", id="302"),
        pytest.param(answers(b"{}", status="308 Permanent", Location="http://127.0.0.1/"), "redirect", id="308"),
        pytest.param(answers(b"{}", X_Long="x" * 17_000), "head", id="long head"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\n", again=b"X-A: b\r\n" * 4096), "protocol", id="endless head"),
        pytest.param(answers(b"{}", status="404 Not Found"), "status", id="404"),
        pytest.param(answers(b"{}", status="204 No Content"), "status", id="204"),
        pytest.param(answers(b"<p>", content_type="text/html"), "content-type", id="a page"),
        pytest.param(says(OK + b"Content-Length: 100\r\n\r\n{}"), "protocol", id="cut short"),
        pytest.param(says(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "protocol", id="no HTTP"),
        pytest.param(says(), "protocol", id="nothing"),
    ],
)
async def test_an_answer_that_is_not_taken(
    server: OtherServer, authority: Authority, answering: Answering, reason: str
) -> None:
    server.answering = answering
    assert await refused(client(server, authority), server.url()) == reason
    assert server.connections == 1


@pytest.mark.parametrize(
    "answering",
    [
        pytest.param(says(again=b"H", every_seconds=0.01), id="slow head"),
        pytest.param(says(OK + b"\r\n", again=b" ", every_seconds=0.01), id="slow body"),
        pytest.param(says(again=b"HTTP/1.1 100 Continue\r\n\r\n", every_seconds=0.01), id="for ever about to answer"),
    ],
)
async def test_a_slow_answer(server: OtherServer, authority: Authority, answering: Answering) -> None:
    """The limit holds for the whole call: a byte now and then does not lengthen it."""
    server.answering = answering
    assert await refused(client(server, authority), server.url(), seconds=0.5) == "time"


async def test_a_resolver_that_does_not_answer(server: OtherServer, authority: Authority) -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return ()

    outbound = Outbound(ca_file=authority.ca_file, resolve=never)
    assert await refused(outbound, "https://keys.example/", seconds=0.2) == "time"


async def test_certificates(server: OtherServer, authority: Authority, tmp_path: Path) -> None:
    assert await refused(client(server, None), server.url()) == "tls", "an authority that nobody named"
    other = client(server, authority, host="other.example")
    assert await refused(other, server.url(host="other.example")) == "tls", "a certificate of another name"
    async with other_server(answers(), authority.server(HOST, days=-1)) as expired:
        assert await refused(client(expired, authority), expired.url()) == "tls"
    async with other_server(answers(), Authority.made(tmp_path).server(HOST)) as foreign:
        assert await refused(client(foreign, authority), foreign.url()) == "tls"
    async with other_server(answers(), None) as plain:
        assert await refused(client(plain, authority), plain.url(), seconds=0.5) in {"tls", "time"}
        assert plain.asked == []
    assert server.asked == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["0.0.0.0"],  # noqa: S104  (an address to refuse)
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
        ["fe80::1%1"],
    ],
)
async def test_a_name_at_a_private_address(server: OtherServer, authority: Authority, addresses: Sequence[str]) -> None:
    """Case 45: refused without a connection."""
    outbound = client(server, authority, addresses, allowed=False)
    assert await refused(outbound, server.url()) == "address"
    assert server.connections == 0


async def test_the_system_resolver_does_not_help(server: OtherServer, authority: Authority) -> None:
    outbound = Outbound(ca_file=authority.ca_file)
    assert await refused(outbound, f"https://localhost.localdomain:{server.port}/") in {"address", "name"}
    assert await refused(outbound, "https://no-such-host.invalid/") == "name"
    outbound.close()
    assert server.connections == 0


async def test_a_name_that_moves(server: OtherServer, authority: Authority) -> None:
    """Case 45, DNS rebinding: the name is asked for once, and the connection goes where that answer said."""
    names = NameServer([("198.18.0.1",), HERE, HERE])
    outbound = Outbound(ca_file=authority.ca_file, resolve=names)
    assert await refused(outbound, server.url()) == "address"
    names = NameServer([("192.0.2.255", "127.0.0.1"), ("8.8.8.8",)])
    assert await refused(Outbound(ca_file=authority.ca_file, resolve=names), server.url()) == "address"
    assert names.asked == [HOST]
    # First public, then ours: the second answer is never asked for.
    names = NameServer([("100.63.0.1",), HERE])
    outbound = Outbound(ca_file=authority.ca_file, resolve=names)
    assert await refused(outbound, server.url(), seconds=0.5) in {"time", "connect", "tls", "protocol"}
    assert names.asked == [HOST]
    assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://1.1.1.1/",
        "https://keys.example.1/",
        "https://localhost/",
        "https://keys.example./",
        "https://-keys.example/",
        "https://keys..example/",
    ],
)
async def test_hosts_that_are_not_names(url: str) -> None:
    names = NameServer([("8.8.8.8",)])
    assert await refused(Outbound(resolve=names), url) == "address"
    assert names.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.example/",
        "ftp://keys.example/",
        "file:///etc/passwd",
        "gopher://keys.example/",
        "//keys.example/",
        "https:keys.example",
        "https:///jwks",
        "https://a@keys.example/",
        "https://keys.example@evil.example/",
        "https://keys.example\\@evil.example/",
        "https://keys.example/\r\nX: y",
        "https://keys.example/a b",
        "https://keys.example/\x00",
        "https://keys.exam\tple/",
        "https://keys.example/#a",
        "https://keys.example:0/",
        "https://keys.example:99999/",
        "https://kéys.example/",
        "https://keys.example/" + "a" * 2048,
        "javascript:alert(1)",
        "",
    ],
)
async def test_urls_that_are_not_called(url: str) -> None:
    names = NameServer([("8.8.8.8",)])
    assert await refused(Outbound(resolve=names), url) == "url"
    assert names.asked == []


async def test_plain_http_in_the_sandbox_only(authority: Authority) -> None:
    async with other_server(answers(b"{}"), None) as plain:
        place = f"localhost:{plain.port}"
        url = plain.url(host="localhost", scheme="http")
        assert (await Outbound(allowed=(place,), sandbox=True).get_json(url)).body == b"{}"
        assert await refused(Outbound(allowed=(place,), sandbox=False), url) == "url"
        assert await refused(Outbound(allowed=("localhost:1",), sandbox=True), url) == "url"
        assert await refused(Outbound(sandbox=True), url) == "url"
        assert plain.connections == 1


async def test_the_next_address_when_one_is_dead(authority: Authority, tls: ssl.SSLContext) -> None:
    async with other_server(answers(b"{}"), tls) as server:
        outbound = client(server, authority, ("127.0.0.9", "127.0.0.1"))
        assert (await outbound.get_json(server.url())).status == 200
    assert await refused(outbound, server.url()) == "connect"
    assert await refused(client(server, authority, ()), server.url()) == "name"


async def test_not_too_many_at_once(server: OtherServer, authority: Authority) -> None:
    """One slow host takes its own places only."""
    opened, full = asyncio.Event(), asyncio.Event()

    async def wait(_: object, writer: asyncio.StreamWriter) -> None:
        if server.at_once == MAX_AT_ONCE_PER_HOST:
            full.set()
        await opened.wait()
        writer.write(OK + b"Content-Length: 2\r\n\r\n{}")

    async with other_server(answers(b"{}"), None) as other:
        server.answering = wait
        outbound = Outbound(
            allowed=(f"{HOST}:{server.port}", f"localhost:{other.port}"),
            ca_file=authority.ca_file,
            sandbox=True,
            resolve=NameServer([HERE]),
        )
        many = [asyncio.create_task(outbound.get_json(server.url())) for _ in range(12)]
        await full.wait()
        assert (await outbound.get_json(other.url(host="localhost", scheme="http"))).status == 200
        opened.set()
        assert {answer.status for answer in await asyncio.gather(*many)} == {200}
    assert server.most_at_once == MAX_AT_ONCE_PER_HOST
