"""Protection of personal data, on two floors.

Below everything stand three independent rooms: `vault` (sealing, keys, blind indexes), `journal` (the
tamper-evident record of every disclosure, refusal and act) and `pseudonyms` (subjects that differ per
sector). Above everything stands `desk` (what the citizen sees and may ask for).

It never decides who may see what (that is `consent`), never parses a record's content, and never keeps a
key in clear outside the memory of a process.
"""
