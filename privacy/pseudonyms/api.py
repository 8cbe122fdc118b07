"""The door of the pseudonyms."""

from privacy.pseudonyms.subject import SUBJECT_LENGTH, Pseudonyms

__all__ = ["SUBJECT_LENGTH", "Pseudonyms"]
