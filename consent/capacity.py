"""Who may consent for himself. Pure: decided from the registry's birth date and representative.

A child (trẻ em) is a person under 16 (Law on Children 2016 art. 1); for a child, and for a person with a legal
representative, the representative exercises the rights (Law 91/2025 art. 24; Civil Code art. 22-24, 136).
Consent by a representative is another journey; here such a person is only kept from consenting alone.
"""

from datetime import date
from typing import Literal

from population_db.api import PartialDate, age_on

AGE_OF_CONSENT_YEARS = 16

Incapacity = Literal["under-age", "under-guardianship", "age-unknown"]


def incapacity(birth: PartialDate | None, represented: bool, today: date) -> Incapacity | None:
    """Why the person may not consent for himself, or None when he may. today: the day in Viet Nam.

    Of a partial birth date the latest possible day counts (age_on), so that nobody is taken for older than
    he surely is; a birth date after today tells nothing of an age.
    """
    if birth is None or today < birth.earliest():
        return "age-unknown"
    if age_on(birth, today) < AGE_OF_CONSENT_YEARS:
        return "under-age"
    return "under-guardianship" if represented else None
