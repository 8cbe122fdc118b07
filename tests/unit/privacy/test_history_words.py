"""Journal lines as the citizen reads them: in words, in both languages, with nothing of the machine left."""

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest
from babel.messages.pofile import read_po

from privacy.desk.history import BASES, FAILED, KINDS, REASONS, TITLES, HistoryEntry, present_line
from privacy.journal.api import ActorRef, Line, StoredLine
from tests.architecture.sources import ROOT

CATALOGUE = ROOT / "privacy" / "desk" / "locale" / "vi.po"
LATE_ON_THE_FIRST = datetime(2026, 11, 1, 18, 30, tzinfo=UTC)  # already the second in Viet Nam


def vietnamese() -> dict[str, str]:
    with CATALOGUE.open("rb") as source:
        return {str(message.id): str(message.string) for message in read_po(source) if message.id}


def shown(*, intact: bool = True, **changes: Any) -> HistoryEntry:
    told: dict[str, Any] = {
        "kind": "disclosure",
        "action": "oidc.userinfo",
        "subject": uuid.uuid4(),
        "actor": ActorRef(kind="client", id="portal", agency="H26.17"),
        "agency": "H26.17",
        "purpose": "school-enrolment sign-in",
        "legal_basis": "consent",
        "fields": ("full_name", "children"),
        "outcome": "answered",
        **changes,
    }
    stored = StoredLine(
        line_id=uuid.uuid4(), recorded_at=LATE_ON_THE_FIRST, line=Line(**told), intact=intact, leaf_hash=b"\x01" * 32
    )
    return present_line(
        stored,
        translate=lambda text: vietnamese().get(text, text),
        locale="vi",
        agencies={"H26.17": "Sở Giáo dục và Đào tạo Hà Nội"},
        purposes={"school-enrolment": "Đăng ký nhập học lớp 1", "sign-in": "Đăng nhập dịch vụ công"},
    )


@pytest.mark.parametrize("words", [TITLES, FAILED, KINDS, BASES, REASONS], ids=lambda words: next(iter(words)))
def test_every_word_is_translated(words: dict[str, str]) -> None:
    assert [text for text in words.values() if not vietnamese().get(text)] == []


def test_who_saw_what_for_which_purposes() -> None:
    entry = shown()
    assert entry.recipient == "Sở Giáo dục và Đào tạo Hà Nội"
    assert entry.title == "Nhận dữ liệu khi bạn đăng nhập dịch vụ"
    assert entry.purpose == "Đăng ký nhập học lớp 1, Đăng nhập dịch vụ công"
    assert entry.basis == "Sự đồng ý của bạn"
    assert entry.fields == ("Họ, chữ đệm và tên khai sinh", "Con")
    assert not entry.own


def test_the_day_is_the_one_in_viet_nam() -> None:
    assert shown().day == date(2026, 11, 2)


def test_an_official_is_shown_by_his_office_and_the_refusal_by_its_reason() -> None:
    official = ActorRef(kind="official", id="x", agency="H26.17", name_hint="Cán bộ tiếp nhận, H26.01.01")
    entry = shown(kind="refusal", action="official.match", actor=official, outcome="refused", reason="outside-area")
    assert entry.office == "Cán bộ tiếp nhận, H26.01.01"
    assert entry.refused == "Bạn không cư trú trong địa bàn của cán bộ"


def test_a_service_signed_in_to_is_named_and_a_failed_sign_in_says_so() -> None:
    nobody = {"agency": None, "purpose": None, "legal_basis": None, "fields": ()}
    citizen = ActorRef(kind="citizen", id="x")
    details = {"client": "Cổng"}
    signed_in: dict[str, Any] = {"kind": "act", "action": "sign-in", "actor": citizen, "details": details, **nobody}
    assert shown(**signed_in, outcome="done").recipient == "Cổng"
    assert shown(**signed_in, outcome="done").title == "Đăng nhập"
    assert shown(**signed_in, outcome="refused").title == "Đăng nhập không thành công"


def test_the_own_look_is_marked_as_own() -> None:
    assert shown(action="self.view", agency=None, actor=ActorRef(kind="citizen", id="x")).own


def test_a_line_that_does_not_match_its_seal_is_told_apart() -> None:
    changed = shown(action="self.view", agency=None, actor=ActorRef(kind="citizen", id="x"), intact=False)
    assert not changed.intact
    assert not changed.own  # never folded away
