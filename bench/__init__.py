"""Benchmarks: our works beside a peer's and beside limits, measured in the same run on the same core.

`python -m bench` (or `make bench`) starts a sandbox of its own with one web process, pins that process to one
core and everything else (PostgreSQL, Redis, the worker, the load client) to another, does the same for the peer,
and interleaves their runs so that the drift of a noisy machine hits both. It asserts no time: it reports.

Files: `load` and `http_client` make requests; `machine` pins and reads CPU times; `house` is our sandbox,
`peer_server` the peer; `works_*` say what is measured; `measure` runs it, `report` prints and writes it.
"""
