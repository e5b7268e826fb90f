"""Composes who may do what: API keys, sessions, users, and the ways to sign in."""

from datetime import timedelta
from functools import partial

from fastapi import APIRouter

from services.chassis.keys import first_key
from services.chassis.loops import Loop
from services.chassis.pruning import prune_loop
from services.chassis.service import Runtime
from services.rules_engine import settings
from services.rules_engine.adapters.identity_provider import IdentityProvider
from services.rules_engine.adapters.identity_repository import IdentityRepository
from services.rules_engine.adapters.key_records import KeyRecords
from services.rules_engine.adapters.key_repository import KeyRepository
from services.rules_engine.adapters.password_hashes import Argon2Hashes
from services.rules_engine.adapters.session_repository import SessionRepository
from services.rules_engine.adapters.sign_in_attempts import SignInAttempts
from services.rules_engine.adapters.sign_in_flows import LIFETIME, SignInFlows
from services.rules_engine.adapters.user_repository import UserRepository
from services.rules_engine.application.sign_in import check_credentials
from services.rules_engine.application.sign_in_by_provider import ProviderPorts
from services.rules_engine.domain.sign_in_throttle import FORGOTTEN_AFTER
from services.rules_engine.entrypoints.http_keys import key_routes
from services.rules_engine.entrypoints.http_sessions import session_routes
from services.rules_engine.entrypoints.http_sign_in import SignInServices, sign_in_routes
from services.rules_engine.entrypoints.http_users import user_routes


async def begin_keys(runtime: Runtime) -> None:
    """Publish the keys again, and end the sessions of a first key that was replaced."""
    records = _make_key_records(runtime)
    await records.publish_again(runtime.database, runtime.relay)
    await _make_sessions(runtime, records).end_orphans(first_key(runtime.settings.key_file))


def people_loops(runtime: Runtime) -> tuple[Loop, ...]:
    """What is over is dropped, in real time."""
    database = runtime.database
    return (
        prune_loop(database, "session", "expires_at"),
        prune_loop(database, "sign_in_attempt", "last_at", keep=FORGOTTEN_AFTER),
        prune_loop(database, "spent_sign_in", "spent_at", keep=2 * LIFETIME),
    )


def people_routers(runtime: Runtime) -> tuple[APIRouter, ...]:
    records = _make_key_records(runtime)
    sessions = _make_sessions(runtime, records)
    keys = KeyRepository(runtime.database, records, runtime.relay, sessions)
    users = UserRepository(runtime.database, sessions, runtime.relay)
    hashes, with_key = Argon2Hashes(), runtime.settings.sessions.with_key
    check = partial(check_credentials, users=users, attempts=SignInAttempts(runtime.database), hashes=hashes)
    services = SignInServices(
        check, sessions, users, _provider(runtime, sessions), runtime.settings.oidc.shown_name(), with_key
    )
    return (
        key_routes(keys),
        session_routes(sessions, with_key=with_key),
        user_routes(users, hashes, check),
        sign_in_routes(services),
    )


def _provider(runtime: Runtime, sessions: SessionRepository) -> ProviderPorts | None:
    client = settings.provider_client(runtime.settings)
    if client is None:
        return None
    return ProviderPorts(
        IdentityProvider(client),
        SignInFlows(runtime.database, runtime.keys.secrets),
        IdentityRepository(runtime.database, sessions, runtime.relay),
        settings.identity_rules(runtime.settings),
    )


def _make_key_records(runtime: Runtime) -> KeyRecords:
    return KeyRecords(runtime.outbox, runtime.clock, runtime.keys.secrets[0])


def _make_sessions(runtime: Runtime, records: KeyRecords) -> SessionRepository:
    lifetime = timedelta(hours=runtime.settings.sessions.hours)
    return SessionRepository(runtime.database, records, runtime.relay, lifetime, runtime.keys.learn)
