"""Client-initiated backchannel authentication: an agency asks, the person answers in a session of his own.

Owns: the requests (schema oidc, `ciba_requests`), their checks, the pages on which a person answers, the ping that
tells a client to collect. Poll and ping only: no token is ever pushed (FAPI-CIBA §5.2.2).

Never does: tell a client whether a personal number exists (see person.py), keep a number, show a request to anybody
but the person it was put to.

Sources: OpenID Connect Client-Initiated Backchannel Authentication Flow - Core 1.0; FAPI-CIBA.
"""
