"""The composition root: builds the rooms, runs the servers and the command line. Nothing imports it.

Owns: command line, embedded servers, supervision, the app factory, the worker, health and metrics.
Never: a rule of the domain, SQL of another package, an address or secret of its own.
"""
