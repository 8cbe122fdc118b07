"""The door of the registry: what other packages may import."""

from population_db.fields import FIELDS, GROUPS, FieldSpec, codes_of, groups_of
from population_db.import_crew import ImportFailed
from population_db.import_reader import FileRefused
from population_db.import_run import ImportReport, import_file
from population_db.import_run import Progress as ImportProgress
from population_db.life_events import DIED, NUMBER_CHANGED
from population_db.names import fold as fold_name
from population_db.names import normalise as normalise_name
from population_db.names import same_name, sort_key
from population_db.numbers import Number, check_against, parse_number
from population_db.partial_dates import PartialDate, age_on, may_be_same_date, same_date
from population_db.present import present
from population_db.record import FieldValue, PersonRef, Record
from population_db.registry import Registry
from population_db.units import Units, UnknownUnit, units

parse_partial_date = PartialDate.parse

__all__ = [
    "DIED",
    "FIELDS",
    "GROUPS",
    "NUMBER_CHANGED",
    "FieldSpec",
    "FieldValue",
    "FileRefused",
    "ImportFailed",
    "ImportProgress",
    "ImportReport",
    "Number",
    "PartialDate",
    "PersonRef",
    "Record",
    "Registry",
    "Units",
    "UnknownUnit",
    "age_on",
    "check_against",
    "codes_of",
    "fold_name",
    "groups_of",
    "import_file",
    "may_be_same_date",
    "normalise_name",
    "parse_number",
    "parse_partial_date",
    "present",
    "same_date",
    "same_name",
    "sort_key",
    "units",
]
