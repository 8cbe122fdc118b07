"""Who access tokens are for. Pure."""


def userinfo_audience(issuer: str) -> str:
    """Tokens about a person open userinfo, nothing else."""
    return f"{issuer}/userinfo"


def lookup_audience(issuer: str) -> str:
    """Tokens of an agency's back end open the lookup API, nothing else."""
    return f"{issuer}/api/lookup"
