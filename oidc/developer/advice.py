"""What a developer can do about an error: the wire code in words. Texts only; English here, Vietnamese in locale/.

By endpoint and code where the endpoint makes a difference, else by code.
"""

from collections.abc import Mapping

from oidc.client_log import Note

BY_ENDPOINT: Mapping[tuple[str, str], str] = {
    ("token", "invalid_grant"): "The code or refresh token is spent, expired, or belongs to another client or address. "
    "Codes live 60 seconds and are good once: start a new sign-in, and check that redirect_uri and code_verifier are "
    "those of the request.",
    ("token", "invalid_request"): "Send the parameters as a form in the body, each once, none in the URL. "
    "For a code, code_verifier must be there.",
    ("par", "invalid_request"): "A parameter is missing or wrong: see the description. Most often: "
    "code_challenge with S256, a registered redirect_uri, response_type=code.",
    ("authorize", "invalid_request"): "Compare the request with the registration: redirect_uri character by "
    "character, code_challenge with S256, and a pushed request where the profile asks for one.",
    (
        "authorize",
        "access_denied",
    ): "The person did not agree. Let him go on without signing in, and name the paper way.",
    ("userinfo", "invalid_token"): "The access token is expired, revoked or bound to another key. Tokens live ten "
    "minutes; a bound one goes in the scheme DPoP with a proof that carries ath.",
    ("register", "invalid_token"): "The token for registering is used up, expired, or not this client's. "
    "Ask your agency for a new one; at each change the registration token is replaced.",
}

BY_ERROR: Mapping[str, str] = {
    "invalid_client": "The client did not prove itself. Use exactly the registered method, with the present secret or "
    "a registered key; an assertion names the issuer in aud, has a fresh jti and a clock that is right.",
    "invalid_dpop_proof": "Make a new proof for each request: method and address of this very request in htm and htu, "
    "a fresh jti, iat by a clock that is right, and the server's nonce if one was given.",
    "use_dpop_nonce": "This is asked for once and then works: repeat the request with the nonce from the header "
    "DPoP-Nonce in the proof.",
    "invalid_scope": "Ask only for scopes that the client has registered, and at a refresh only for scopes that "
    "were granted.",
    "unauthorized_client": "The client is not registered for this grant type. Change its registration.",
    "unsupported_grant_type": "Check the spelling of grant_type; password and implicit do not exist here.",
    "invalid_request": "A parameter is missing, repeated or misspelt: see the description.",
    "invalid_request_object": "Sign the request object with a registered key, aud the issuer, iss the client, and put "
    "every parameter inside.",
    "invalid_redirect_uri": "Register https addresses without fragment on a host of your own; they are compared "
    "character by character. Only an app may have com.example.app:/path, or http://127.0.0.1/path on any port.",
    "invalid_client_metadata": "The description names the member to mend.",
    "invalid_target": "Ask only for a resource that exists here and that the client may use.",
    "invalid_authorization_details": "See the guide to consented lookups for what authorization_details hold.",
    "insufficient_scope": "The token was not granted for this: ask for the scope at sign-in.",
    "login_required": "With prompt=none nobody may be asked to sign in. Send the person without it.",
    "consent_required": "With prompt=none nobody may be asked to agree. Send the person without it.",
    "interaction_required": "With prompt=none no page may be shown. Send the person without it.",
    "unmet_authentication_requirements": "The person cannot reach the level that is asked for. Ask for a lower one, or "
    "explain how to get the higher.",
    "access_denied": "The person refused, or the client may not do this now.",
    "slow_down": "Ask less often: wait five seconds longer between two questions.",
    "authorization_pending": "The person has not answered yet. Ask again after the interval.",
    "expired_token": "The person did not answer in time. Start anew.",
    "temporarily_unavailable": "Something on our side did not answer. Repeat after the time in Retry-After.",
    "invalid_token": "The token is expired, revoked or not for this address.",
    "invalid_software_statement": "The statement must be signed by a key of its publisher, and not be expired.",
    "unapproved_software_statement": "The publisher of the statement is not trusted here. Ask the operator.",
}

OTHERWISE = "See the description, and the integration guide."


def advice_for(note: Note) -> str:
    """The English text; a page translates it."""
    if note.error is None:
        return ""
    return BY_ENDPOINT.get((note.endpoint, note.error)) or BY_ERROR.get(note.error, OTHERWISE)
