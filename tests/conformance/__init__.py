"""The OpenID Foundation's test plans, module by module, in our own words and code.

A test is named after the module whose demands it checks (`oidcc-scope-all` → `test_oidcc_scope_all`), written from
the published description of the module and the specification it cites. The suite itself needs a JVM and MongoDB;
docs/conformance.md says how an outsider runs it against `make run TLS=1`, and lists every module with its test here.
A module that ends with a warning in the suite fails here.
"""
