"""The registry of persons (cơ sở dữ liệu quốc gia về dân cư).

Owns: persons under an internal immutable identifier, their numbers with history and status, the fields of
the Law on Identification (26/2023/QH15) art. 9 in sealed groups, each group version with its source and
as-of date, households, the blind search index, life events, the bulk import, administrative units.

Never does: it decides nothing about who may see what (consent does), writes no journal line, knows no
account, token, agency or client, and stores no name, number, date of birth, address or phone in clear: what
is needed again is sealed by privacy.vault, what is searched is a keyed digest. Numbers, names and values go
in and out by `api.py` alone.
"""
