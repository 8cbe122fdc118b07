"""Hints at the parts of a Vietnamese name: họ, chữ đệm, tên. Pure.

The law knows one full name; where it is cut is a guess. So the parts are hints and nothing more: they come only
with a family name that is known to be one and stands first, which leaves names of other orders (Ê Đê, H'Mông of
some places, foreign ones) and names of one word without any. They are never verified claims.
"""

import unicodedata
from collections.abc import Mapping

_FAMILY_NAMES = frozenset(
    " ".join(
        (
            "an bạch bùi cao châu chu cù cung dương đàm đàng đặng đào đậu điêu điểu đinh đoàn đỗ đồng giang giàng hà",
            "hạ hàn hầu hoàng hồ hồng hứa huỳnh kha khổng khuất kiều kim la lã lại lâm lăng lê lò lộc lục lương lường",
            "lưu lữ lý lỷ mã ma mạc mạch mai mẫn nghiêm ngô ngũ nguyễn nhâm nhan nông ông phạm phan phí phó phùng",
            "phương quách quan quảng sầm sùng tạ tăng tào thạch thái thân thào thiều tiêu tô tôn tống trang tràng",
            "tráng trần triệu trịnh trương từ ung uông ưng văn vàng vi viên võ vũ vương vừ xa",
        )
    ).split()
)
"""Family names of one word, lower case. One that is missing costs a hint, no more."""
_TWO_WORD_FAMILY_NAMES = frozenset({"âu dương", "tôn thất", "tôn nữ", "trương lý", "công tằng"})


def name_parts(full_name: str) -> Mapping[str, str]:
    """`family_name`, `middle_name`, `given_name`, as far as they can be told; empty when the cut would be blind."""
    words = full_name.split()
    folded = [unicodedata.normalize("NFC", word).casefold() for word in words]
    leading = (
        2 if " ".join(folded[:2]) in _TWO_WORD_FAMILY_NAMES else 1 if folded[:1] and folded[0] in _FAMILY_NAMES else 0
    )
    if not leading or len(words) <= leading:
        return {}
    parts = {"family_name": " ".join(words[:leading]), "given_name": words[-1]}
    middle = " ".join(words[leading:-1])
    return {**parts, "middle_name": middle} if middle else parts
