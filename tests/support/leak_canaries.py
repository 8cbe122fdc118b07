"""Canaries: a made-up person whose every field is a word that occurs nowhere else, and words for all else we send."""

from dataclasses import dataclass, field
from typing import Any

import pyotp

NUMBER, FORMER_NUMBER = "001190773319", "001190773318"
PASSWORD, WRONG_PASSWORD = "Zarmật-khẩu-đúng-7391", "Zarmật-khẩu-sai-7392"
TOTP_SECRET = "ZARZARZARZAR7654ZARZARZARZAR7654"
FORGED_TOKEN = "zar-forged-token-739173917391"
FULL_NAME, BIRTH_DATE = "Ngô Zarqueldồng Vixthảo", "1990-02-27"
DOSSIER, WRONG_DOSSIER = "ZARHS-2026-771931", "ZARHS-2026-771932"
WRONG_NAME, TYPED_NUMBER = "Lý Zarsaitên Quầngvôi", "zar 0011 9077 gõ nhầm"
ADDRESS_OF_PEER = "198.51.100.231"

ROW: dict[str, Any] = {
    "number": NUMBER,
    "number_status": "active",
    "former_numbers": [{"number": FORMER_NUMBER, "cancelled_on": "2019-08-23", "reason": "wrong-sex"}],
    "full_name": FULL_NAME,
    "other_name": "Út Zarbiệtdanh",
    "birth_date": BIRTH_DATE,
    "sex": "female",
    "nationality": "VN",
    "birth_place": {"text": "Zarnơisinh, tỉnh Hà Tây cũ", "province": "01"},
    "birth_registration_place": {"text": "UBND xã Zarkhaisinh", "province": "01"},
    "home_village": {"text": "làng Zarquêquán", "province": "01"},
    "old_id_numbers": ["917733519"],
    "card": {"issued_on": "2022-03-29", "issued_by": "Cục Zarcấpthẻ", "expires_on": "2030-02-27"},
    "marital_status": "married",
    "life_status": "alive",
    "father": {"full_name": "Ngô Zarthânphụ", "number": "001060773311", "nationality": "VN"},
    "mother": {"full_name": "Vũ Zarthânmẫu", "number": "001160773312", "nationality": "VN"},
    "spouse": {"full_name": "Mai Zarphuquân", "number": "001088773313", "nationality": "VN"},
    "children": [{"full_name": "Mai Zarháitử", "number": "001215773314", "birth_date": "2015-07-31"}],
    "permanent_residence": {"text": "773 ngõ Zarthườngtrú", "province": "01", "since": "2011-11-29"},
    "temporary_residence": {"text": "774 ngõ Zartạmtrú", "province": "01", "since": "2021-10-30"},
    "current_residence": {"text": "775 ngõ Zarhiệntại", "province": "01", "since": "2022-12-30"},
    "temporary_absence": {"text": "Zarvắngmặt", "from": "2025-01-29", "to": "2025-03-30", "reason": "Zarlýdo"},
    "residence_file_number": "ZARCT-551973",
    "household_head": {"full_name": "Mai Zarphuquân", "number": "001088773313", "relation_to_head": "Zarchủhộ"},
    "household_members": [{"full_name": FULL_NAME, "number": NUMBER, "relation": "Zarquanhệ"}],
    "relation_to_head": "Zarquanhệ",
    "phone": "+84977319313",
    "email": "zarquel.vix@zar-canary.example.vn",
    "ethnicity": "Zardântộc",
    "religion": "Zartôngiáo",
    "household": "ZARHO-331977",
    "sources": {
        group: {"source": "police-archive", "as_of": "2025-03-01"}
        for group in ("civil", "family", "residence", "contact", "sensitive")
    },
    "test_note": "Zarghichú",
}
BROKEN_ROW = ROW | {"number": "001190773310", "phone": "Zarhỏng", "full_name": "Zarhỏngtên"}
"""Refused by the import: of its content nothing may stay either."""

HEADERS = {
    "User-Agent": "ZarAgent/7.7 (zar-ua-canary-1) Firefox/7.7",
    "Referer": "https://zar-referer.example/zar-path?number=001190773319",
    "Accept-Language": "vi-ZARLANG;q=0.7, zar-lang",
    "X-Forwarded-For": "203.0.113.231",
    "Forwarded": "for=203.0.113.232;host=zar-forwarded.example",
}
COOKIE = ("zarcookie", "zar-cookie-canary-1")

PEOPLE_DATES = (BIRTH_DATE, "27/02/1990", "27/2/1990", "19900227", "2015-07-31", "31/07/2015")
NAMES = (
    FULL_NAME, "Zarqueldồng", "Vixthảo", "Zarbiệtdanh", "Zarthânphụ", "Zarthânmẫu", "Zarphuquân", "Zarháitử",
    WRONG_NAME, "Zarsaitên", "Zarhỏngtên",
)  # fmt: skip
PLACES = (
    "Zarnơisinh", "Zarkhaisinh", "Zarquêquán", "Zarcấpthẻ", "Zarthườngtrú", "Zartạmtrú", "Zarhiệntại",
    "Zarvắngmặt", "Zarlýdo", "Zarchủhộ", "Zarquanhệ", "Zardântộc", "Zartôngiáo", "Zarghichú", "Zarhỏng",
)  # fmt: skip
NUMBERS = (
    NUMBER, FORMER_NUMBER, "917733519", "001060773311", "001160773312", "001088773313", "001215773314",
    "001190773310", "ZARCT-551973", "ZARHO-331977", "84977319313", "zarquel.vix", DOSSIER, WRONG_DOSSIER,
    TYPED_NUMBER,
)  # fmt: skip
SENT = (
    "zar-ua-canary", "zar-referer", "zar-path", "ZARLANG", "zar-lang", "203.0.113.231", "203.0.113.232",
    "zar-forwarded", "zar-cookie-canary", ADDRESS_OF_PEER,
)  # fmt: skip
SELF_SAID = {
    "nickname": "Zarbíhiệu",
    "preferred_username": "zartênhiểnthị.77",
    "profile": "https://zar-hoso.example.vn/zarqh",
    "picture": "https://zar-anh.example.vn/zarqa.jpg",
    "website": "https://zar-trang.example.vn/zarqt",
    "zoneinfo": "Pacific/Marquesas",
    "locale": "haw-UM",
}
SELF_DECLARED = (
    "Zarbíhiệu", "zartênhiểnthị", "zar-hoso", "zar-anh", "zar-trang", "Marquesas",
    "haw-UM", "http://zar-khongantoan",
)  # fmt: skip
SECRETS = (PASSWORD, WRONG_PASSWORD, TOTP_SECRET, FORGED_TOKEN)


@dataclass
class Needles:
    """What must not be found. texts: by their kind. codes: short digits, looked for as whole numbers."""

    texts: dict[str, str] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)

    @classmethod
    def of_person(cls) -> "Needles":
        """Everything known before the first request."""
        kinds = {
            "date": PEOPLE_DATES, "name": NAMES, "place": PLACES, "number": NUMBERS, "header": SENT, "secret": SECRETS,
            "self-declared": SELF_DECLARED,
        }  # fmt: skip
        return cls({text: kind for kind, texts in kinds.items() for text in texts})

    def add(self, kind: str, text: str) -> None:
        """One more, met on the way: a token, a code, a cookie. Short ones would be found by chance."""
        if len(text) >= 16:
            self.texts[text] = kind

    def one_time_code(self, at: int) -> str:
        """The code of this moment (epoch seconds), which from now on must not be found either."""
        code = pyotp.TOTP(TOTP_SECRET).at(at)
        self.codes.add(code)
        return code
