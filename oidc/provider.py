"""The room: the endpoints put together, and what other code asks of the provider."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from consent.api import Consent, Policy
from core.cache import Cache
from core.clock import Clock
from core.database import Database, Tx
from core.dpop_nonces import DpopNonces
from core.interaction import Interactions
from core.outbound import Outbound
from core.settings import Settings
from core.token import TokenVerifier
from core.web.pages import Pages
from identity.api import Identity
from oidc.asked_elsewhere import AskedElsewhere
from oidc.authorize.answers import Answers
from oidc.authorize.endpoint import AuthorizeEndpoint
from oidc.authorize.grants_together import GrantsTogether
from oidc.authorize.issue_code import CodeEnding
from oidc.authorize.jarm import SignedAnswers
from oidc.authorize.walk import Walk
from oidc.certificates import CertificateAuthorities
from oidc.client_authentication import ClientAuthentication
from oidc.client_ends import ClientEnds
from oidc.client_keys import ClientKeys
from oidc.elsewhere import GRANTS, build_elsewhere
from oidc.foundation import ProviderFoundation
from oidc.introspect import IntrospectionEndpoint
from oidc.introspection_form import IntrospectionForms
from oidc.logout.delivery import LogoutDelivery
from oidc.logout.endpoint import LogoutEndpoint
from oidc.logout.request import LogoutRequests
from oidc.logout.signed_out import SignedOutPage
from oidc.metadata import provider_metadata
from oidc.par import ParEndpoint
from oidc.proof import Proofs
from oidc.published import Published
from oidc.pushed import PushedRequests
from oidc.registration.register import DEFAULT_PURPOSE, Registered, Registrar
from oidc.registration.sector_document import check_sector_document
from oidc.revoke import RevocationEndpoint
from oidc.services import ServicesPage
from oidc.token.context import TokenRooms
from oidc.token.endpoint import TokenEndpoint
from oidc.userinfo import UserinfoEndpoint
from oidc.userinfo_response import UserinfoForms
from population_db.api import FIELDS, Registry
from privacy.journal.api import ActorRef, Journal
from privacy.pseudonyms.api import Pseudonyms
from privacy.vault.api import Vault


class OpenIdProvider:
    """One per process, on a loaded foundation."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        database: Database,
        cache: Cache,
        outbound: Outbound,
        interactions: Interactions,
        pages: Pages,
        foundation: ProviderFoundation,
        identity: Identity,
        consent: Consent,
        journal: Journal,
        registry: Registry,
        vault: Vault,
        pseudonyms: Pseudonyms,
        tokens: TokenVerifier,
        nonces: DpopNonces,
        client_ends: ClientEnds,
    ) -> None:
        issuer, clients, keys = settings.issuer, foundation.clients, foundation.keys
        self.foundation = foundation
        self._outbound = outbound
        self.metadata = provider_metadata(
            issuer,
            FIELDS,
            certificates=bool(settings.client_certificate_header),
            authorities=settings.client_ca_file is not None,
            mtls_base=settings.mtls_base,
        )
        self.registrar = Registrar(journal, clock, self.metadata, settings.sandbox)
        client_keys = ClientKeys(outbound, fetched=client_ends.note_keys)
        proofs = Proofs(issuer, settings.mtls_base, nonces)
        authentication = ClientAuthentication(
            issuer=issuer,
            mtls_base=settings.mtls_base,
            clients=clients,
            client_keys=client_keys,
            authorities=CertificateAuthorities.from_file(settings.client_ca_file),
        )
        pushed = PushedRequests(cache, clock)
        answers = Answers(issuer=issuer, pages=pages, signed=SignedAnswers(issuer, keys, client_keys), clock=clock)
        walk = Walk(database, clock, interactions, identity, consent, pseudonyms)
        self.published = Published(self.metadata, keys)

        async def policy_of(agency_id: uuid.UUID, purpose: str) -> Policy | None:
            async with database.raw_read() as tx:
                return await consent.policy(tx, agency_id, purpose)

        self.par = ParEndpoint(
            issuer=issuer,
            authentication=authentication,
            proofs=proofs,
            clients=clients,
            client_keys=client_keys,
            policy_of=policy_of,
            pushed=pushed,
            keys=keys,
            cache=cache,
            clock=clock,
        )
        self.authorize = AuthorizeEndpoint(
            issuer=issuer,
            clients=clients,
            client_keys=client_keys,
            policy_of=policy_of,
            pushed=pushed,
            keys=keys,
            interactions=interactions,
            answers=answers,
            walk=walk,
            ending=CodeEnding(pushed, GrantsTogether(database, identity), answers),
            cache=cache,
            clock=clock,
        )
        self.token = TokenEndpoint(
            TokenRooms(issuer, database, keys, pseudonyms, client_keys),
            authentication=authentication,
            proofs=proofs,
            cache=cache,
            clock=clock,
            further=GRANTS,
        )
        self.elsewhere = build_elsewhere(
            AskedElsewhere(issuer, database, clients, pushed, keys, client_keys, policy_of, identity, consent, journal),
            authentication=authentication,
            walk=walk,
            interactions=interactions,
            registry=registry,
            vault=vault,
            pseudonyms=pseudonyms,
            outbound=outbound,
            cache=cache,
            clock=clock,
        )
        foundation.statuses.also_tell(self.token.standing.forget)
        self.userinfo = UserinfoEndpoint(
            issuer=issuer,
            verifier=tokens,
            clients=clients,
            consent=consent,
            database=database,
            forms=UserinfoForms(issuer, keys, client_keys),
            identity=identity,
            pseudonyms=pseudonyms,
            claim_values=keys.claim_values,
            clock=clock,
        )
        self.introspection = IntrospectionEndpoint(
            issuer=issuer,
            authentication=authentication,
            keys=keys,
            statuses=foundation.statuses,
            pseudonyms=pseudonyms,
            database=database,
            cache=cache,
            clock=clock,
            forms=IntrospectionForms(issuer, keys, client_keys),
        )
        self.revocation = RevocationEndpoint(
            authentication=authentication, keys=keys, database=database, cache=cache, clock=clock
        )
        self.signed_out = SignedOutPage(issuer, pages, cache)
        self.services = ServicesPage(issuer, identity, pages, database)
        requests = LogoutRequests(issuer, clients, keys, cache)
        self.logout = LogoutEndpoint(
            requests, identity, interactions, answers, pages, self.signed_out, database, clock, pseudonyms
        )
        self.logout_delivery = LogoutDelivery(
            issuer=issuer,
            database=database,
            clock=clock,
            clients=clients,
            client_keys=client_keys,
            keys=keys,
            pseudonyms=pseudonyms,
            outbound=outbound,
        )

    async def register_client(
        self,
        tx: Tx,
        metadata: Mapping[str, Any],
        *,
        agency_id: uuid.UUID,
        agency_code: str,
        by: ActorRef,
        seconded_by: ActorRef | None = None,
        profile: str = "fapi2",
        purpose: str = DEFAULT_PURPOSE,
        audiences: Sequence[str] = (),
        sector: str | None = None,
        client_id: str | None = None,
    ) -> Registered:
        """See registration.register.Registrar.register. The document of a sector is fetched and checked first."""
        checked = self.registrar.check(metadata, profile)
        await check_sector_document(self._outbound, checked.sector_document)
        return await self.registrar.register(
            tx,
            metadata,
            agency_id=agency_id,
            agency_code=agency_code,
            by=by,
            seconded_by=seconded_by,
            profile=profile,
            purpose=purpose,
            audiences=audiences,
            sector=sector,
            client_id=client_id,
        )
