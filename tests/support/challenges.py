"""`WWW-Authenticate` read by the letter of RFC 9110 §11.6.1, RFC 6750 §3 and RFC 9449 §7.1."""

import re

from core.dpop import PROOF_ALGORITHMS

_PARAMETER = r'[a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"'
_CHALLENGE = re.compile(rf"(?P<scheme>Bearer|DPoP) (?P<parameters>{_PARAMETER}(?:, {_PARAMETER})*)(?:, |$)")


def challenges_of(header: str) -> list[tuple[str, dict[str, str]]]:
    """The challenges in order: scheme and parameters. Fails the test when one is not as it has to be."""
    found, at = [], 0
    while at < len(header):
        match = _CHALLENGE.match(header, at)
        assert match is not None, header
        pairs = re.findall(r'([a-z_]+)="([^"]*)"', match["parameters"])
        parameters = dict(pairs)
        assert len(parameters) == len(pairs), header
        assert parameters["realm"]
        assert ("error" in parameters) == ("error_description" in parameters)
        assert (match["scheme"] == "DPoP") == ("algs" in parameters)
        assert parameters.get("algs") in {None, " ".join(sorted(PROOF_ALGORITHMS))}
        found.append((match["scheme"], parameters))
        at = match.end()
    return found


def errors_of(header: str) -> list[tuple[str, str | None]]:
    """The scheme and error of each challenge, in order."""
    return [(scheme, parameters.get("error")) for scheme, parameters in challenges_of(header)]
