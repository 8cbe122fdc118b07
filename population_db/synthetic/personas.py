"""The personas of the sandbox: made-up people with fixed numbers, each with something special to try.

They are a contract with the developers of portals: a persona's number, name and family do not change between
releases. `personas()` gives their rows and their families' rows in the form of an import file.
"""

from dataclasses import dataclass

from population_db.generate import rows
from population_db.synthetic.cast import COMMUNES, play
from population_db.synthetic.draw import Draw
from population_db.synthetic.numbering import NEIGHBOURS, Numbering
from population_db.synthetic.numbering import PERSONAS as PERSONA_BAND
from population_db.synthetic.places import places
from population_db.synthetic.rows import Row, row_of

NEIGHBOUR_COUNT = 150
NEIGHBOUR_SEED = 34


@dataclass(frozen=True, slots=True)
class Persona:
    """What the sandbox shows of a persona. level: identity assurance (1, 2), 0 for no account."""

    key: str
    number: str
    full_name: str
    level: int
    has_totp: bool
    special: tuple[str, str]
    """What to try with this persona, Vietnamese and English."""


PERSONAS: tuple[Persona, ...] = (
    Persona(
        "An",
        "036190990001",
        "Nguyễn Thị An",
        2,
        True,
        ("Mẹ của hai con, sống tại Hà Nội, sinh ở Nam Định cũ", "Mother of two in Hà Nội, born in old Nam Định"),
    ),
    Persona(
        "Binh", "001088990002", "Trần Quốc Bình", 2, True, ("Chồng của An, chủ hộ", "An's husband, head of household")
    ),
    Persona(
        "Chau",
        "083302990003",
        "Phạm Minh Châu",
        1,
        False,
        ("Tài khoản mức 1, không có mã OTP, đang tạm trú", "Level 1 only, no one-time code, temporary residence"),
    ),
    Persona(
        "Dung",
        "001147990004",
        "Bùi Thị Dung",
        2,
        True,
        ("Cao tuổi, chỉ biết năm sinh", "Old; only the year of birth is known"),
    ),
    Persona(
        "Giang",
        "079185990005",
        "Hoàng Thị Thu Giang",
        2,
        True,
        ("Đã được xác lập lại số định danh", "The personal number was set anew; the old one is cancelled"),
    ),
    Persona(
        "Hoa",
        "049301990006",
        "Võ Thị Hoa",
        2,
        True,
        ("Chị em sinh đôi với Hoà, tên gần giống nhau", "Twin of Hoà: same birth date, look-alike name"),
    ),
    Persona(
        "Hoa2",
        "049301990007",
        "Võ Thị Hoà",
        2,
        True,
        ("Chị em sinh đôi với Hoa, dấu thanh kiểu mới", "Twin of Hoa; tone mark in the newer place"),
    ),
    Persona(
        "Khoi",
        "001220990008",
        "Trần Minh Khôi",
        0,
        False,
        ("Con của An, 6 tuổi, không có tài khoản", "An's son, 6, no account"),
    ),
    Persona(
        "Lan",
        "030313990009",
        "Đặng Ngọc Lan",
        0,
        False,
        ("Trẻ mồ côi, có người đại diện là Vân", "Orphan of 13 with a legal representative, Vân"),
    ),
    Persona(
        "Minh",
        "001083990010",
        "Đỗ Quang Minh",
        2,
        True,
        ("Cán bộ Một cửa tại Hà Nội", "Official at a one-stop desk in Hà Nội"),
    ),
    Persona(
        "Nga", "040187990011", "Phan Thị Nga", 2, True, ("Cán bộ ở Nghệ An", "Official in Nghệ An, another province")
    ),
    Persona("Phuc", "036060990012", "Nguyễn Văn Phúc", 0, False, ("Đã chết, cha của An", "Dead; An's father")),
    Persona(
        "Quy",
        "036162990013",
        "Lê Thị Quý",
        2,
        True,
        ("Không có số điện thoại, mẹ của An", "No phone number; An's mother"),
    ),
    Persona("Son", "074092990014", "Ngô Thanh Sơn", 2, True, ("Tài khoản bị khóa", "The account is locked")),
    Persona("Tam", "066195990015", "H'Tâm Niê", 2, True, ("Tên Ê Đê, họ đứng sau", "Ê Đê name, family name last")),
    Persona(
        "Uyen",
        "024189990016",
        "Lý Tố Uyên",
        2,
        True,
        (
            "Sống ở tỉnh đã sáp nhập (Bắc Giang cũ, nay là Bắc Ninh)",
            "Lives in a merged province: Bắc Giang, now Bắc Ninh",
        ),
    ),
    Persona("Van", "030170990017", "Đặng Thị Vân", 2, True, ("Người đại diện của Lan", "Legal representative of Lan")),
)


def personas() -> list[Row]:
    """The rows of all personas and their families, always the same."""
    people = play({persona.key: (persona.number, persona.full_name) for persona in PERSONAS})
    draw, numbering = Draw(0, "personas"), Numbering(0, PERSONA_BAND)
    made = [row_of(draw, person, numbering) for person in people]
    return [_without_nothing(row) for row in made]


def sandbox_population() -> list[Row]:
    """The personas and some neighbours in their communes."""
    homes = [place for code in COMMUNES.values() for place in places().of_commune[code]]
    return [*personas(), *rows(NEIGHBOUR_COUNT, NEIGHBOUR_SEED, NEIGHBOURS, homes)]


def persona(key: str) -> Persona:
    """By key. KeyError when there is none."""
    return {one.key: one for one in PERSONAS}[key]


def _without_nothing(row: Row) -> Row:
    """Members set to None taken out, and the source of a group of which nothing is left."""
    kept = {name: value for name, value in row.items() if value is not None}
    if "phone" not in kept and "email" not in kept:
        kept["sources"] = {group: source for group, source in row["sources"].items() if group != "contact"}
    return kept
