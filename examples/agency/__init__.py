"""An agency's back end: is what the pension file says still right?

Shows what such a system writes: a token by `client_credentials` with a signed assertion and a DPoP key, a match
before a record, the check of the signed answer, which is then filed with the dossier in place of a paper. It uses
public libraries only and nothing of the provider's own code.
"""
