"""The catalogue of fields: Law on Identification 26/2023/QH15 art. 9, in the groups they are sealed in.

A field's code is the same in import files, policies, consents, tokens and answers. `sensitive` marks what
Decree 356/2025 art. 4 calls sensitive personal data; the others are basic (art. 3).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

GROUPS = ("civil", "family", "residence", "contact", "sensitive")
"""The sealed groups, in the order they are stored and shown."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field: its code, its group, whether it is sensitive, what people call it."""

    code: str
    group: str
    sensitive: bool
    label_vi: str
    label_en: str


_CIVIL = (
    ("full_name", "Họ, chữ đệm và tên khai sinh", "Full name at birth registration"),
    ("other_name", "Tên gọi khác", "Other name"),
    ("birth_date", "Ngày, tháng, năm sinh", "Date of birth"),
    ("sex", "Giới tính", "Sex"),
    ("nationality", "Quốc tịch", "Nationality"),
    ("birth_place", "Nơi sinh", "Place of birth"),
    ("birth_registration_place", "Nơi đăng ký khai sinh", "Place of birth registration"),
    ("home_village", "Quê quán", "Home village"),
    ("personal_number", "Số định danh cá nhân", "Personal identification number"),
    ("old_id_numbers", "Số chứng minh nhân dân 9 số", "Old 9-digit identity card numbers"),
    ("card", "Thẻ căn cước: ngày cấp, nơi cấp, thời hạn", "Identity card: issued on, by, expires"),
    ("marital_status", "Tình trạng hôn nhân", "Marital status"),
    ("life_status", "Tình trạng sống, chết, mất tích", "Life status"),
    ("death_date", "Ngày chết hoặc mất tích", "Date of death or disappearance"),
)
_FAMILY = (
    ("father", "Cha", "Father"),
    ("mother", "Mẹ", "Mother"),
    ("spouse", "Vợ hoặc chồng", "Spouse"),
    ("children", "Con", "Children"),
    ("representative", "Người đại diện hợp pháp", "Legal representative"),
    ("represented", "Người được đại diện", "Persons represented"),
)
_RESIDENCE = (
    ("permanent_residence", "Nơi thường trú", "Permanent residence"),
    ("temporary_residence", "Nơi tạm trú", "Temporary residence"),
    ("current_residence", "Nơi ở hiện tại", "Current residence"),
    ("temporary_absence", "Khai báo tạm vắng", "Declared temporary absence"),
    ("residence_file_number", "Số hồ sơ cư trú", "Residence file number"),
    ("household_head", "Chủ hộ", "Head of household"),
    ("household_members", "Thành viên hộ gia đình", "Members of the household"),
    ("relation_to_head", "Quan hệ với chủ hộ", "Relation to head of household"),
)
_CONTACT = (
    ("phone", "Số thuê bao di động", "Mobile phone number"),
    ("email", "Địa chỉ thư điện tử", "E-mail address"),
)
_SENSITIVE = (
    ("ethnicity", "Dân tộc", "Ethnicity"),
    ("religion", "Tôn giáo", "Religion"),
    ("blood_group", "Nhóm máu", "Blood group"),
)


def _catalogue() -> Mapping[str, FieldSpec]:
    rows = zip(GROUPS, (_CIVIL, _FAMILY, _RESIDENCE, _CONTACT, _SENSITIVE), strict=True)
    return MappingProxyType(
        {
            code: FieldSpec(code, group, group == "sensitive", label_vi, label_en)
            for group, fields in rows
            for code, label_vi, label_en in fields
        }
    )


FIELDS: Mapping[str, FieldSpec] = _catalogue()


def groups_of(codes: Iterable[str]) -> tuple[str, ...]:
    """The groups that hold these fields, in the order of GROUPS. ValueError names an unknown code."""
    needed = set()
    for code in codes:
        spec = FIELDS.get(code)
        if spec is None:
            raise ValueError(f"there is no field {code!r}")
        needed.add(spec.group)
    return tuple(group for group in GROUPS if group in needed)


def codes_of(group: str) -> tuple[str, ...]:
    """The fields of one group, in the catalogue's order."""
    return tuple(code for code, spec in FIELDS.items() if spec.group == group)
