"""Examples: a portal that signs people in, an agency's back end that looks up. Not part of the service."""
