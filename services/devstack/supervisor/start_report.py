"""What a start of `drumbeat run` finds and says, each in one sentence with the remedy."""

from collections.abc import Awaitable, Iterator

from services.chassis.setting_names import unknown_settings
from services.chassis.settings import Kafka, Settings
from services.devstack.check import Check
from services.devstack.configuration_checks import check_free_space


def problems_of_settings(settings: Settings) -> Iterator[str]:
    """Before anything starts: variables without effect, and a disk that is nearly full."""
    yield from unknown_settings(Settings)
    space = check_free_space(settings)
    if space.remedy:
        yield f"Only {space.result} are free for the data directory: {space.remedy}"


async def problems_of_servers(settings: Settings) -> list[str]:
    """Once everything runs: a mail relay that does not answer, and servers of one's own with another time."""
    # Imported once everything runs: these clients start slowly.
    from services.chassis.clock_skew import measure_broker_skew, measure_database_skew  # noqa: PLC0415
    from services.chassis.mail_server import find_mail_problem  # noqa: PLC0415

    problems: list[str] = []
    mail = await find_mail_problem(settings.email)
    if mail is not None:
        problems.append(f"{str(mail)[0].upper()}{str(mail)[1:]}")
    if settings.database.url is not None:
        problems += await _skew("the database", measure_database_skew(settings.database.url))
    if settings.kafka.bootstrap_servers is not None:
        problems += await _skew("the broker", measure_broker_skew(settings.kafka))
    return problems


def problems_of_services(settings: Settings) -> list[str]:
    """Once everything runs: partitions that a service does not read any more, each with its reason."""
    from services.console.client import SERVICES, ApiClient  # noqa: PLC0415 - as above
    from services.devstack.service_checks import check_halted  # noqa: PLC0415

    with ApiClient(settings) as api:
        checks = [check for service in SERVICES for check in check_halted(service, api.read_health(service))]
    return [_sentence(check) for check in checks]


async def problems_of_positions(url: str, kafka: Kafka) -> list[str]:
    """Once everything has run for a while: partitions of which the next record is there and nobody reads it."""
    from services.devstack.server_checks import measure_positions  # noqa: PLC0415 - as above

    return [_sentence(check) for check in await measure_positions(url, kafka) if check.remedy]


def _sentence(check: Check) -> str:
    return f"{check.name}: {check.result}: {check.remedy}"


async def _skew(what: str, measured: Awaitable[float]) -> list[str]:
    from services.devstack.server_checks import check_clock  # noqa: PLC0415 - as above

    check = await check_clock(what, measured)
    return [f"{check.result[0].upper()}{check.result[1:]}: {check.remedy}"] if check.remedy else []
