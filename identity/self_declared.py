"""What people say of themselves (hồ sơ tự khai): a nickname, a picture's address, a language. Pure.

It is no fact of the registry and nobody has checked it. It is kept apart, travels under one field code of its
own, and never stands among verified claims (OpenID Connect Core §5.1 has the names of the members).
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from identity.self_declared_rules import check_language, check_text, check_time_zone, check_url
from population_db.api import FieldSpec

SELF_DECLARED = "self_declared"
"""The field code in policies, consents and grants. It is asked for and agreed to as one."""
SOURCE = "self"
"""The source that goes with it wherever a value has one."""

MAX_TEXT = 60
MAX_URL = 500
MAX_CODE = 40

SELF_DECLARED_SPEC = FieldSpec(
    SELF_DECLARED,
    SOURCE,
    False,
    "Hồ sơ tự khai (biệt danh, tên hiển thị, ảnh, trang web, múi giờ, ngôn ngữ)",
    "Self-declared profile (nickname, display name, picture, websites, time zone, language)",
)


@dataclass(frozen=True, slots=True)
class SelfDeclared:
    """The members by their claim's name; None is not said. updated_at: of the whole; None when nothing is said."""

    nickname: str | None = field(default=None, repr=False)
    preferred_username: str | None = field(default=None, repr=False)
    profile: str | None = field(default=None, repr=False)
    picture: str | None = field(default=None, repr=False)
    website: str | None = field(default=None, repr=False)
    zoneinfo: str | None = field(default=None, repr=False)
    locale: str | None = field(default=None, repr=False)
    updated_at: datetime | None = None

    @classmethod
    def of(cls, said: Mapping[str, Any], updated_at: datetime | None = None) -> "SelfDeclared":
        """The inverse of `said`; members of a newer release are left out."""
        known: dict[str, Any] = {name: value for name, value in said.items() if name in MEMBERS}
        return cls(**known, updated_at=updated_at)

    def said(self) -> dict[str, str]:
        """The members that are said, by name."""
        return {name: value for name in MEMBERS if (value := getattr(self, name)) is not None}

    def claims(self) -> dict[str, Any]:
        """The same with `updated_at` as epoch seconds; empty when nothing is said."""
        said: dict[str, Any] = dict(self.said())
        if said and self.updated_at is not None:
            said["updated_at"] = int(self.updated_at.timestamp())
        return said


@dataclass(frozen=True, slots=True)
class Member:
    """One member. longest: characters of the form. check: gives the value to keep; ValueError is an English msgid."""

    label_vi: str
    label_en: str
    longest: int
    check: Callable[[str], str]


MEMBERS: Mapping[str, Member] = MappingProxyType(
    {
        "nickname": Member("Biệt danh", "Nickname", MAX_TEXT, check_text),
        "preferred_username": Member("Tên hiển thị", "Display name", MAX_TEXT, check_text),
        "profile": Member("Trang hồ sơ cá nhân", "Profile page", MAX_URL, check_url),
        "picture": Member("Ảnh đại diện", "Picture", MAX_URL, check_url),
        "website": Member("Trang web", "Website", MAX_URL, check_url),
        "zoneinfo": Member("Múi giờ", "Time zone", MAX_CODE, check_time_zone),
        "locale": Member("Ngôn ngữ", "Language", MAX_CODE, check_language),
    }
)

PART_LABELS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        part_code: (f"{one.label_vi} (tự khai)", f"{one.label_en} (self-declared)")
        for name, one in MEMBERS.items()
        for part_code in (f"{SELF_DECLARED}.{name}",)
    }
)
"""Code of a member in a journal line → what people call it, Vietnamese and English."""


def part_codes(names: Mapping[str, Any]) -> tuple[str, ...]:
    """The codes under which a journal line names these members; `updated_at` is no member."""
    return tuple(f"{SELF_DECLARED}.{name}" for name in MEMBERS if name in names)


def from_form(form: Mapping[str, str]) -> tuple[SelfDeclared, dict[str, str]]:
    """What a form says, and per member what to mend (English msgids). An empty entry erases the member."""
    said: dict[str, str] = {}
    faults: dict[str, str] = {}
    for name, member in MEMBERS.items():
        typed = unicodedata.normalize("NFC", form.get(name, "")).strip()
        if not typed:
            continue
        try:
            value = member.check(typed)
            if len(value) > member.longest:
                raise ValueError("This entry is too long.")
            said[name] = value
        except ValueError as fault:
            faults[name] = str(fault)
    return SelfDeclared.of(said), faults
