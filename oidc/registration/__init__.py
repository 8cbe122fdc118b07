"""Registering clients: what may stand in their metadata (RFC 7591), and the act."""
