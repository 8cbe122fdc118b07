"""A public-service portal as relying party: "register a child for first grade".

Shows what a portal's developer writes: Authlib as OpenID Connect client, one scope for the purpose, a form
filled from the record, the list of papers nobody has to bring. It keeps no copy of the data: what it was
given lives in memory for the length of the visit.
"""
