"""How often the unusual happens, in 10,000. The odd cases are the point: real registries are full of them."""

FOUNDER_ALONE = 900
"""The oldest of a kin never married."""
OLD_PARENT_AT_HOME = 4500
MARRIED_CHILD_STAYS = 6000
"""One married child stays with the parents: three generations under a roof."""
SINGLE_MOVES_OUT = 1200
DIVORCED = 600
TWINS = 110
ADOPTED = 30
FATHER_UNKNOWN = 200
"""Of those whose parents are known by name only."""
FOREIGN_SPOUSE = 35
ODD_LETTERS = 10
"""A name in decomposed Unicode, or with a look-alike of Đ."""
BORN_ABROAD = 10
FORMER_NUMBER = 35
"""The number was set anew: sex or birth date corrected, or a duplicate."""
MISSING = 4
"""Declared missing by a court."""
RENOUNCED = 5
"""Gave up the nationality."""
NO_CAPACITY = 25
"""A grown-up without legal capacity, with a representative."""
OTHER_NAME = 150
BLOOD_KNOWN = 1500
OLD_ID = 8500
"""Of those born until 2002: has had a card with nine digits; of these TWO_OLD_IDS had two."""
TWO_OLD_IDS = 800
PHONE = 9300
PHONE_OLD = 6000
"""From 65 years on."""
EMAIL = 3000
TEMPORARY_RESIDENCE = 900
"""Of those 18 to 35: lives elsewhere to study or work."""
TEMPORARY_ABSENCE = 120
