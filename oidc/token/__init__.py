"""The token endpoint: one file per grant type, one for what is issued."""
