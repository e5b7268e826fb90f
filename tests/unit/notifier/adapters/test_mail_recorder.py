"""What the recorder of mails says of an outage: nothing of its own (issue 11, A13 c)."""

from collections.abc import Sequence
from typing import cast

import pytest
from asyncpg import LockNotAvailableError
from structlog.testing import capture_logs

from services.chassis.outages import Outages
from services.notifier.adapters.delivery_queue import DeliveryQueue
from services.notifier.adapters.mail_recorder import REPORTER, MailRecorder
from services.notifier.application.mail_ports import BeginningMail, OptOuts
from services.notifier.application.ports import ClaimResult


class Away:
    """A queue whose database is away for so many tries."""

    def __init__(self, problem: Exception, tries: int) -> None:
        self.problem, self.tries = problem, tries

    async def hand_over(
        self, begins: Sequence[BeginningMail], _: Sequence[ClaimResult]
    ) -> list[OptOuts | None]:
        self.tries -= 1
        if self.tries >= 0:
            raise self.problem
        return [None for _ in begins]


def recorder(problem: Exception, tries: int) -> MailRecorder:
    return MailRecorder(cast("DeliveryQueue", Away(problem, tries)), reported=lambda: None)


@pytest.fixture(autouse=True)
def _no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever other tests of this process left behind."""
    monkeypatch.setattr("services.chassis.outages.SETTLED_SECONDS", 0.0)
    monkeypatch.setattr("services.notifier.adapters.mail_recorder.OUTAGES", Outages())


async def test_kept_outcomes_are_part_of_the_outage_that_the_process_reports() -> None:
    with capture_logs() as lines:
        await recorder(ConnectionRefusedError("away"), tries=2).record([])

    events = [line["event"] for line in lines if line["part"] == "PostgreSQL"]
    assert events == ["outage.began", "outage.ended"]
    assert lines[0]["noticed_by"] == REPORTER


async def test_a_mail_that_did_not_begin_waits_without_a_line() -> None:
    with capture_logs() as lines:
        begun = await recorder(ConnectionRefusedError("away"), tries=1).begin(
            BeginningMail([], [], "ann@acme.example")
        )

    assert begun is None
    assert lines == []


async def test_another_failure_of_the_database_has_a_line() -> None:
    with capture_logs() as lines:
        await recorder(LockNotAvailableError("locked"), tries=2).record([])

    assert [line["event"] for line in lines] == ["mails.wait_for_database"]
