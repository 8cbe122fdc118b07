"""Religion of a household by area (census of 2019 in outline; most people declare none)."""

from population_db.synthetic.draw import Draw, Weighted
from population_db.synthetic.places import Place

NONE = "Không"
_USUAL = Weighted([(NONE, 8900), ("Công giáo", 600), ("Phật giáo", 420), ("Tin Lành", 70), ("Cao Đài", 10)])
_AREAS = (
    (("089", "087", "092"), ((NONE, 5200), ("Phật giáo Hòa Hảo", 3400), ("Phật giáo", 1000), ("Công giáo", 400))),
    (("072", "080", "083"), ((NONE, 6300), ("Cao Đài", 2400), ("Phật giáo", 900), ("Công giáo", 400))),
    (("036", "037", "075", "068"), ((NONE, 6900), ("Công giáo", 2500), ("Phật giáo", 550), ("Tin Lành", 50))),
    (("084", "094", "091", "046"), ((NONE, 6600), ("Phật giáo", 3100), ("Công giáo", 300))),
    (("064", "066", "062", "067", "011", "010"), ((NONE, 7900), ("Tin Lành", 1500), ("Công giáo", 600))),
    (("058",), ((NONE, 7900), ("Bà-la-môn giáo", 800), ("Hồi giáo", 600), ("Công giáo", 700))),
)
_BY_PREFIX = {prefix: Weighted(shares) for prefixes, shares in _AREAS for prefix in prefixes}


def religion(draw: Draw, place: Place) -> str:
    """What a household of this area declares."""
    return draw.weighted(_BY_PREFIX.get(place.prefix, _USUAL))
