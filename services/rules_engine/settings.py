"""What of the settings concerns the rules engine."""

from datetime import timedelta
from pathlib import Path

from services.cadence.policy.load import SHIPPED, PolicyRefused, load_policy
from services.cadence.rates import RatesRefused, load_rates
from services.chassis.compute_budget import ComputeBudget
from services.chassis.settings import CannotStart, Http, Settings
from services.chassis.webhook_settings import WebhookSource
from services.connectors.lookups import API_URLS
from services.connectors.mapping.load import SHIPPED as SHIPPED_MAPPINGS
from services.connectors.mapping.load import MappingRefused, load_mapping, shipped_sources
from services.connectors.signatures.standard import describe_bad_secret
from services.connectors.source import Source, make_proof
from services.rules_engine.adapters.identity_provider import Client
from services.rules_engine.domain.provider_identity import IdentityRules

SAVED_SECONDS = 20.0


def http(settings: Settings) -> Http:
    return settings.rules_engine


def policy_path(settings: Settings) -> Path:
    return settings.policy or SHIPPED


def decisions_kept(settings: Settings) -> timedelta:
    """How long decisions are kept, in real time."""
    return timedelta(days=settings.retention.decisions_days)


def readers_budget(settings: Settings) -> ComputeBudget:
    """The share of a processor for what a key that may only read asks for, and twenty seconds of it."""
    share = settings.policy_checks.readers_share
    return ComputeBudget(share=share, burst_seconds=SAVED_SECONDS * share)


def webhook_sources(settings: Settings) -> dict[str, Source]:
    """The systems that send webhooks, by name. Raises `CannotStart` for one without a mapping, or with mistakes in it."""
    return {name: _source(name, configured, settings) for name, configured in settings.webhooks.items()}


def _source(name: str, configured: WebhookSource, settings: Settings) -> Source:
    variable = f"DRUMBEAT_WEBHOOKS__{name.upper()}"
    path = configured.mapping
    if path is None and name not in shipped_sources():
        shipped = ", ".join(shipped_sources())
        raise CannotStart(f"{variable}__MAPPING is missing: a mapping is shipped for {shipped} only")
    try:
        mapping = load_mapping(path or SHIPPED_MAPPINGS / f"{name}.yaml")
    except MappingRefused as refused:
        raise CannotStart(f"the mapping of {variable}__MAPPING is refused:\n{refused}") from refused
    secrets = tuple(filter(None, (configured.secret, configured.previous_secret)))
    url = configured.url or f"{settings.url_of('rules_engine')}/v1/webhooks/{name}"
    for secret in secrets if mapping.signature.scheme == "standard" else ():
        if problem := describe_bad_secret(secret):
            raise CannotStart(f"{variable}__SECRET or __PREVIOUS_SECRET {problem}")
    proof = make_proof(mapping.signature, secrets, configured.organization_id)
    api_url = configured.api_url or API_URLS.get(mapping.body, "")
    return Source(name, mapping, proof, url, configured.token, api_url)


def check_role(settings: Settings) -> None:
    """Raises `CannotStart` for one role alone on a standing clock: at rest are only both together."""
    role = settings.rules_engine.role
    if role != "all" and settings.clock.rate == 0:
        raise CannotStart(
            f"DRUMBEAT_RULES_ENGINE__ROLE={role} does not go with DRUMBEAT_CLOCK__RATE=0: a rehearsal waits until the"
            " engine is at rest, and asks one process. Use role `all`"
        )


def identity_rules(settings: Settings) -> IdentityRules:
    oidc = settings.oidc
    return IdentityRules(
        oidc.role_claim, oidc.roles, oidc.default_role, oidc.domains(), oidc.require_verified_email
    )


def provider_client(settings: Settings) -> Client | None:
    """How this deployment is known at its OIDC provider, if it has one. Raises `CannotStart` for an unreadable secret."""
    oidc = settings.oidc
    if oidc.issuer is None or oidc.client_id is None:
        return None
    redirect_uri = f"{settings.url_of('console')}/sign-in/callback"
    return Client(oidc.issuer, oidc.client_id, _secret(oidc.client_secret_file), oidc.scopes, redirect_uri)


def _secret(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as problem:
        raise CannotStart(
            f"The file {path} of DRUMBEAT_OIDC__CLIENT_SECRET_FILE cannot be read ({type(problem).__name__})."
        ) from problem
    if not secret:
        raise CannotStart(f"The file {path} of DRUMBEAT_OIDC__CLIENT_SECRET_FILE is empty.")
    return secret


def read_files(settings: Settings) -> None:
    """Read the files that the settings name before anything is started. Raises `CannotStart` with every mistake."""
    check_role(settings)
    provider_client(settings)
    webhook_sources(settings)
    path = policy_path(settings)
    try:
        load_policy(path)
        if settings.rates is not None:
            load_rates(settings.rates)
    except PolicyRefused as refused:
        raise CannotStart(f"the policy {path} is refused:\n{refused}") from refused
    except RatesRefused as refused:
        raise CannotStart(str(refused)) from refused
