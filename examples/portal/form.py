"""The application form, filled from claims: what is known, what was refused, which papers fall away. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CLAIM = "urn:dinhdanh:claim:"


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that used to be asked for. claim: what replaces it. known: whether the record gave it."""

    title_vi: str
    title_en: str
    known: bool


@dataclass(frozen=True, slots=True)
class Child:
    """A child as the parent's record names it."""

    full_name: str
    birth_date: str
    number: str

    @property
    def masked_number(self) -> str:
        return f"{self.number[:4]}*****{self.number[-3:]}" if self.number else ""


@dataclass(frozen=True, slots=True)
class ApplicationForm:
    """parent, birth_date, phone, email, address: "" where the person refused or nothing is held."""

    parent: str
    birth_date: str
    phone: str
    email: str
    address: str
    children: tuple[Child, ...]
    papers: tuple[Paper, ...]


def fill(claims: Mapping[str, Any]) -> ApplicationForm:
    """Every claim may be missing: a person may refuse any of them."""
    address = claims.get(f"{CLAIM}permanent_residence") or claims.get("address") or {}
    children = tuple(
        Child(
            full_name=str(child.get("full_name", "")),
            birth_date=shown_date(str(child.get("birth_date", ""))),
            number=str(child.get("number", "")),
        )
        for child in claims.get(f"{CLAIM}children") or ()
    )
    return ApplicationForm(
        parent=str(claims.get("name") or claims.get(f"{CLAIM}full_name") or ""),
        birth_date=shown_date(str(claims.get("birthdate") or claims.get(f"{CLAIM}birth_date") or "")),
        phone=shown_phone(str(claims.get("phone_number") or claims.get(f"{CLAIM}phone") or "")),
        email=str(claims.get("email") or claims.get(f"{CLAIM}email") or ""),
        address=shown_address(address),
        children=children,
        papers=(
            Paper("Bản sao Giấy khai sinh của trẻ", "Copy of the child's birth certificate", bool(children)),
            Paper("Giấy xác nhận thông tin về cư trú (CT07)", "Residence confirmation (CT07)", bool(address)),
            Paper("Bản sao thẻ căn cước của cha, mẹ", "Copy of the parent's identity card", bool(claims.get("sub"))),
        ),
    )


def shown_date(iso: str) -> str:
    """2019-05-17 → 17/05/2019; a partial date keeps its precision."""
    return "/".join(reversed(iso.split("-"))) if iso else ""


def shown_phone(e164: str) -> str:
    """+84912345678 → 0912 345 678."""
    if not e164.startswith("+84"):
        return e164
    local = "0" + e164[3:]
    return f"{local[:4]} {local[4:7]} {local[7:]}"


def shown_address(address: Mapping[str, Any] | str) -> str:
    """One line from a registry address or an OpenID Connect `address` claim."""
    if isinstance(address, str):
        return address
    if address.get("formatted"):
        return str(address["formatted"])
    text = str(address.get("text", ""))
    places = [str(address[name]) for name in ("commune_name", "province_name") if address.get(name)]
    return ", ".join(part for part in (text, *(place for place in places if place not in text)) if part)
