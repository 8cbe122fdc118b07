"""The example of an agency's back end, run against the whole application and a furnished sandbox."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc.jwk import KeySet

from examples.agency.__main__ import arguments, check, show
from examples.agency.answers import AnswerRefused, verify_answer
from examples.agency.provider import Case, LookupRefused, Provider
from examples.agency.settings import Person, read_guide
from tests.support.furnished import Furnished

CASE = Case("benefit-check", "statutory-duty", "1.001667", "BHXH-2026-0001", official="clerk-7")


@pytest.fixture
def guide_file(furnished: Furnished, tmp_path: Path) -> Path:
    file = tmp_path / "sandbox.json"
    file.write_text(json.dumps(furnished.sandbox.as_json(), ensure_ascii=False), encoding="utf-8")
    return file


@pytest.fixture
async def provider(furnished: Furnished, guide_file: Path) -> AsyncIterator[Provider]:
    settings, _ = read_guide(guide_file, "agency-insurance", "An")
    async with furnished.http() as http:
        yield Provider(http, settings, lambda: furnished.clock.now().timestamp())


def person(furnished: Furnished, key: str) -> Person:
    one = furnished.persona(key)
    return Person(one.number, one.name)


async def test_the_smaller_question_then_the_field(
    furnished: Furnished, provider: Provider, guide_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = arguments(["--sandbox", str(guide_file)])
    matched, record = await check(asked, provider, person(furnished, "An"))
    assert matched.fields["life_status"]["result"] == "match"
    assert record.fields["life_status"]["value"] == "alive"
    assert matched.journal_line != record.journal_line
    show(record)
    assert "life_status: alive" in capsys.readouterr().out


async def test_a_death_is_found(furnished: Furnished, provider: Provider) -> None:
    answer = await provider.matches(person(furnished, "Phuc"), CASE, {"life_status": "alive"})
    assert answer.fields["life_status"]["result"] == "no-match"


async def test_a_refusal_has_a_code_to_act_upon(furnished: Furnished, provider: Provider) -> None:
    with pytest.raises(LookupRefused) as beyond:
        await provider.records(person(furnished, "An"), CASE, ["religion"])
    assert (beyond.value.status, beyond.value.code) == (403, "field-not-allowed")
    stranger = Person(furnished.persona("An").number, "Nguyễn Thị Ân")
    with pytest.raises(LookupRefused) as unknown:
        await provider.records(stranger, CASE, ["life_status"])
    assert unknown.value.code == "person-not-matched"


async def test_a_new_token_is_got_when_the_old_one_ends(furnished: Furnished, provider: Provider) -> None:
    an = person(furnished, "An")
    await provider.matches(an, CASE, {"life_status": "alive"})
    furnished.clock.advance(timedelta(minutes=11))
    await provider.matches(an, CASE, {"life_status": "alive"})


async def test_an_answer_to_another_question_is_refused(furnished: Furnished, provider: Provider) -> None:
    answer = await provider.matches(person(furnished, "An"), CASE, {"life_status": "alive"})
    async with furnished.http() as http:
        keys = KeySet.import_key_set((await http.get("/jwks")).json())
    issuer = furnished.settings.issuer
    with pytest.raises(AnswerRefused, match="request_digest"):
        verify_answer(answer.signed, keys, issuer=issuer, client_id="agency-insurance", request_body=b"{}")
    head, body, signature = answer.signed.split(".")
    with pytest.raises(AnswerRefused, match="signature"):
        verify_answer(f"{head}.{body}.{signature[:-4]}AAAA", keys, issuer=issuer, client_id="x", request_body=b"")


@pytest.mark.parametrize(("client", "key"), [("portal-enrolment", "An"), ("agency-insurance", "Nobody")])
def test_a_wrong_choice_is_told_in_words(guide_file: Path, client: str, key: str) -> None:
    with pytest.raises(ValueError, match="must be one of"):
        read_guide(guide_file, client, key)


def test_a_file_that_is_no_guide_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        read_guide(tmp_path / "none.json", "a", "b")
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(ValueError, match="is not what"):
        read_guide(tmp_path / "other.json", "a", "b")
