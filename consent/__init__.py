"""Consent and disclosure: who may get which field of whose record, for what, and on which ground.

Owns: purposes and their texts, sharing policies (agency × purpose → fields), the consents of citizens with
their receipts and withdrawal; the disclosure door, consented lookup and the officials' check.

Never does: sign anybody in (identity), speak OAuth (oidc), keep or open a person's record (population_db,
privacy.vault), write history (privacy.journal). It never tells a field without a committed journal line, and
never changes a consent once given: an addition is a new row, a withdrawal sets its instant once.

Sources: Law 91/2025/QH15 on personal data protection art. 9, 10, 17, 19, 24; Decree 356/2025/NĐ-CP art. 6.
"""
