"""The OpenID Provider: signs people in for portals, issues tokens, answers userinfo.

Owns: clients (relying parties and resource servers), authorization requests, grants with their codes and
refresh tokens, the published keys, discovery, logout at the wish of a portal.

Never does: check a password or keep a session (identity), decide what may be told or ask the citizen
(consent), read a record. A claim about a person leaves only through consent's disclosure door. There is no
implicit, hybrid or password grant, no `plain` challenge, no unsigned or symmetric token, and no setting
that weakens a check: what differs between clients is the profile, and a profile is data (profiles.py).

Sources: OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0; RFC 6749, 6750, 7009, 7523, 7591,
7636, 7662, 8414, 8707, 9068, 9101, 9126, 9207, 9396,
9449, 9700; JARM; FAPI 2.0 Security Profile and Message Signing.
"""
