"""People who do not exist: a deterministic synthetic population, and the personas of the sandbox.

Owns the making of test data: draws, names, places, families, households, and the rows of an import file.
Every row carries `"test_note": "synthetic"`; phone numbers are of a range nobody has, e-mail addresses under
`.example`. Never reads a registry, real data, the clock or a random source: the same seed gives the same bytes
on every Python and every machine.
"""
