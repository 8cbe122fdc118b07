"""Relations to the head of a household (quan hệ với chủ hộ), as codes with what people read."""

from collections.abc import Mapping
from types import MappingProxyType

RELATIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "head": ("Chủ hộ", "Head of household"),
        "wife": ("Vợ", "Wife"),
        "husband": ("Chồng", "Husband"),
        "child": ("Con đẻ", "Child"),
        "adopted-child": ("Con nuôi", "Adopted child"),
        "daughter-in-law": ("Con dâu", "Daughter-in-law"),
        "son-in-law": ("Con rể", "Son-in-law"),
        "father": ("Cha", "Father"),
        "mother": ("Mẹ", "Mother"),
        "grandfather": ("Ông", "Grandfather"),
        "grandmother": ("Bà", "Grandmother"),
        "older-brother": ("Anh", "Older brother"),
        "older-sister": ("Chị", "Older sister"),
        "younger-sibling": ("Em", "Younger brother or sister"),
        "grandchild": ("Cháu", "Grandchild, nephew or niece"),
        "other": ("Khác", "Other"),
        "lodger": ("Người ở nhờ, ở thuê, ở trọ", "Lodger"),
    }
)
"""code → (Vietnamese, English). Value set of the residence forms (Circular 66/2023, from memory)."""
