"""What every package stands on: settings, clock, errors, actor, database, cache, outbox, web shell.

Owns the two doors to PostgreSQL, the cache, the outbox, the interaction that a sign-in walks through,
JOSE, and the page shell. Never knows a domain word: no person, no consent, no client of the provider.
"""
