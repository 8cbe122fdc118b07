"""What the vault raises. Messages name places (a purpose, a bucket, a key number), never content."""


class VaultError(Exception):
    """The keys do not fit: a missing or readable-by-others file, a key that no longer unwraps."""


class SealBroken(ValueError):
    """A sealed value does not open: changed, cut, moved to another row, or sealed by another key."""


class KeyMissing(SealBroken):
    """The key a value was sealed with is not there: not loaded, or destroyed on purpose."""
