"""The end of a session at the provider and at the services it was used for.

RP-Initiated Logout 1.0 (`endpoint`, `request`), Back-Channel Logout 1.0 (`messages` written in the transaction that
ends the session, `delivery` by the worker, `token`), Front-Channel Logout 1.0 (`frames`). Sessions themselves are
identity's.
"""
