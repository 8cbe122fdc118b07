"""Interoperability: client libraries as portals use them, against a running service (`make interop`).

Not collected by pytest: it needs Node and packages from npm, which the suite does not.
"""
