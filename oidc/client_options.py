"""What a client registered beyond the values that every request looks at; names as in the registries. Pure.

Kept as one JSON object of the client's row; what is not there has the default.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """Values by their registered names (OpenID Connect Registration, RFC 8705, 9101, 9126, 9396, 9701, JARM,
    Back- and Front-Channel Logout, CIBA). `None`: not asked for.

    tls_subject: the one `tls_client_auth_…` member and its value. authorization_details_types: types the
    client may ask for.
    """

    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str | None = None
    userinfo_signed_response_alg: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str | None = None
    introspection_signed_response_alg: str | None = None
    introspection_encrypted_response_alg: str | None = None
    introspection_encrypted_response_enc: str | None = None
    authorization_signed_response_alg: str | None = None
    authorization_encrypted_response_alg: str | None = None
    authorization_encrypted_response_enc: str | None = None
    request_object_signing_alg: str | None = None
    require_signed_request_object: bool = False
    tls_subject: tuple[str, str] | None = None
    sector_identifier_uri: str | None = None
    initiate_login_uri: str | None = None
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    backchannel_token_delivery_mode: str | None = None
    backchannel_client_notification_endpoint: str | None = None
    backchannel_authentication_request_signing_alg: str | None = None
    backchannel_user_code_parameter: bool = False
    authorization_details_types: tuple[str, ...] = ()
    require_auth_time: bool = False

    @property
    def told_of_sign_outs(self) -> bool:
        """Whether the client has an address for back- or front-channel logout, and so a use for `sid`."""
        return self.backchannel_logout_uri is not None or self.frontchannel_logout_uri is not None

    def to_json(self) -> dict[str, Any]:
        """Only what differs from the default."""
        default = asdict(ClientOptions())
        return {name: value for name, value in asdict(self).items() if value != default[name]}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "ClientOptions":
        """Reads what `to_json` gave; members of a newer release are left out."""
        known = {field.name for field in fields(cls)}
        found = {name: value for name, value in raw.items() if name in known}
        for name in ("tls_subject", "authorization_details_types"):
            if found.get(name) is not None:
                found[name] = tuple(found[name])
        return cls(**found)
