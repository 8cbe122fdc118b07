"""Errors the command line tells in one sentence."""


class CommandError(Exception):
    """A command cannot go on. `str()` is one sentence for the terminal, without secrets."""
