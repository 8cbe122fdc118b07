"""Device authorization: a kiosk shows a code, the person enters it in a browser of his own and answers there.

Owns: the requests (schema oidc, `device_requests`), the codes, the pages on which a person enters one and answers.

Never does: show an account to whoever only has a code, let a code be guessed without limit, or answer for a person
who has not said that he sees the code before him.

Source: RFC 8628.
"""
