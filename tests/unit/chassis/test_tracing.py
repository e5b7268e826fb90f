"""While tracing is off nothing happens, and nothing of OpenTelemetry's SDK is imported."""

import subprocess
import sys

import pytest

from services.chassis.kafka_message import Message
from services.chassis.outbox import Outbox, Outgoing, unpack
from services.chassis.start_tracing import start_tracing
from services.chassis.tracing import traces
from services.chassis.tracing_settings import Tracing
from tests.unit.chassis.recorded_spans import recorded
from tests.unit.chassis.test_outbox import outgoing
from tests.unit.chassis.test_record_groups import record


def test_nothing_is_added_to_records_and_rows() -> None:
    start_tracing(Tracing(), "rules_engine")
    messages = [Message("account.signals", b"acme", b"{}", [])]
    with (
        traces().span("POST", "server", parent="x") as span,
        traces().inner_span("transaction"),
        traces().batch("g", [record(0, b"acme", "1" * 32)]),
        traces().sent(messages) as sent,
        traces().waiting_span("POST webhook", "1") as attempt,
    ):
        span.note({"http.response.status_code": 500})
        span.rename("POST /v1/events")
        span.fail("500")
        traces().remember([("touchpoint-1", "x")])
        traces().link(["touchpoint-1"])
        assert (span.headers, attempt.headers, traces().current_ids()) == ({}, {}, {})
        assert traces().carriers(["acme", "beta"]) == [None, None]
        assert traces().headers_of("acme") == traces().event_headers("due", "touchpoint-1", "acme") == ()
        assert sent is messages
    traces().close()


@pytest.mark.timeout(300)
def test_the_services_do_not_import_the_sdk() -> None:
    """It takes a third of a second and 15 MB."""
    names = ", ".join(
        f"services.{name}.main" for name in ("rules_engine", "scheduler", "notifier", "console")
    )
    command = f"import sys, {names}; print(*[name for name in sys.modules if '.sdk' in name])"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_row_of_the_outbox_has_the_trace_in_which_it_is_written_or_the_one_it_goes_on_in() -> None:
    def written(row: Outgoing) -> str:
        return dict(unpack(Outbox("/drumbeat/test")._pack(row, {})))["traceparent"].decode()  # pyright: ignore[reportPrivateUsage]

    with recorded(), traces().span("POST", "server") as span:
        assert written(outgoing("acme", "1")) == span.headers["traceparent"]
        another = outgoing("acme", "1")._replace(headers=[("traceparent", b"00-of-a-row")])
        assert written(another) == "00-of-a-row"
