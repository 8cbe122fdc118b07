"""The vault: keys, sealing and blind indexes.

It owns the hierarchy of keys (a key-encryption key from a file wraps the data keys, a data key wraps the
persons' keys), seals and opens bytes by field group, and computes the keyed blind indexes by which sealed
things are found. Everything else sees ciphertext only.

It never knows what the bytes mean, never decides whether they may be opened, never writes a log line with
a key or a plaintext, and never falls back to an unsealed form: what does not open raises.
"""
