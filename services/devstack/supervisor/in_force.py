"""What is in force after a start: the mode and the policy, which are not always those of the settings."""

from datetime import datetime
from typing import Any, NamedTuple

from services.cadence.policy.load import load_policy
from services.chassis.settings import Settings
from services.rules_engine.settings import policy_path

_IN_FORCE = """
SELECT e.mode, e.version, e.policy_hash, v.origin, v.author,
       extract(epoch FROM clock_timestamp() - v.published_at)::float8,
       former.number, former.origin, former.author
FROM epoch AS e JOIN policy_version AS v ON v.number = e.version
LEFT JOIN policy_version AS former ON former.number = e.version - 1
"""
_ORIGINS = {"file": "from files", "api": "published", "rollback": "rolled back"}


class InForce(NamedTuple):
    """The mode, and the policy in force with the version before it. `age_seconds`: since it came into force."""

    mode: str
    version: int
    policy_hash: str
    origin: str
    author: str | None
    age_seconds: float
    former_version: int | None = None
    former_origin: str | None = None
    former_author: str | None = None


async def read_in_force(database_url: str) -> InForce:
    """From the database of the rules engine, at this server."""
    row = await _read_row(database_url, _IN_FORCE)
    if row is None:
        raise LookupError("no policy is in force yet")
    return InForce(*row)


async def read_standing_time(database_url: str) -> datetime | None:
    """Where a service clock with rate 0 stood last."""
    row = await _read_row(database_url, "SELECT now FROM standing_clock")
    return None if row is None else row[0]


async def _read_row(database_url: str, query: str) -> Any:
    # Imported once everything runs: both start slowly.
    import asyncpg  # noqa: PLC0415

    from services.chassis.database import database_url as url_of  # noqa: PLC0415
    from services.chassis.schema_versions import DATABASES  # noqa: PLC0415

    connection = await asyncpg.connect(url_of(database_url, DATABASES["rules_engine"]))
    try:
        return await connection.fetchrow(query)
    finally:
        await connection.close()


def policy_line(in_force: InForce, settings: Settings, seconds: float) -> str:
    """The policy in force, for people; what `seconds` since the start changed, and files that are not in force."""
    path, version = policy_path(settings), _version(in_force.version, in_force.origin, in_force.author)
    name = "the shipped files" if settings.policy is None else str(path)
    if load_policy(path).hash != in_force.policy_hash:
        # That a published policy replaces the shipped one is what most deployments want.
        advice = (
            "" if settings.policy is None else f"; `drumbeat policy publish {path}` puts the files in force"
        )
        return f"{version}; not that of {name}{advice}"
    if in_force.age_seconds < seconds and in_force.former_version is not None:
        former = _version(in_force.former_version, in_force.former_origin or "", in_force.former_author)
        return f"version {in_force.version}: {name}, edited since the former start, replaced {former}"
    return f"version {in_force.version}: {name}"


def _version(number: int, origin: str, author: str | None) -> str:
    return f"version {number}, {_ORIGINS.get(origin, origin)}{f' by {author}' if author else ''}"
