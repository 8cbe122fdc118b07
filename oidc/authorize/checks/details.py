"""What the agency itself may look up, and where tokens may go."""

from oidc import authorization_details, resources
from oidc.authorization_details import check_policy, refused
from oidc.authorize.asking import Asking


async def check_authorization_details(asking: Asking) -> None:
    """Of a type that the client is registered for, and within its agency's policies (RFC 9396 §5)."""
    asked = authorization_details.parse(
        asking.params.get("authorization_details"), allowed_types=asking.client.options.authorization_details_types
    )
    if asked and asking.policy_of is None:
        raise refused("are not taken at this endpoint")
    for each in asked:
        if each.purpose == asking.client.purpose:
            raise refused("asks for the purpose of the sign-in, which the scopes are for")
        check_policy(each, await asking.policy_of(asking.client.agency_id, each.purpose) if asking.policy_of else None)
    asking.authorization_details = asked


def check_resource(asking: Asking) -> None:
    """Audiences that tokens about this person may have (RFC 8707)."""
    asking.resources = resources.asked_resources(
        asking.params.get("resource"), issuer=asking.issuer, with_lookup=bool(asking.authorization_details)
    )
