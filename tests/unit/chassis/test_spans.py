"""Traces go on through batches, records and rows that wait."""

from datetime import timedelta

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from services.chassis.clock import real_now
from services.chassis.kafka_message import Message
from services.chassis.spans import LINK_AFTER_SECONDS, MOST_REMEMBERED
from services.chassis.trace_context import Carrier
from services.chassis.tracing import traces
from tests.unit.chassis.recorded_spans import links_of, parent_of, recorded, traceparent
from tests.unit.chassis.test_record_groups import record

TRACE, OTHER = "1" * 32, "2" * 32
STEP = f"00-{TRACE}-{'a' * 16}-01"


def headers(name: str) -> dict[str, str]:
    return {header: value.decode() for header, value in traces().headers_of(name)}


def offset_of(span: ReadableSpan) -> int:
    return int(str((span.attributes or {})["messaging.kafka.offset"]))


def test_a_span_is_below_the_one_in_progress_and_an_exception_is_noted_without_what_it_says() -> None:
    with recorded() as spans:
        with (
            pytest.raises(ValueError, match="Ann"),
            traces().span("outer", "server", parent=STEP),
            traces().span("inner") as inner,
        ):
            inner.note({"drumbeat.outcome": "delivered"})
            raise ValueError("Ann does not exist")
        assert parent_of(spans["outer"]) == STEP
        assert parent_of(spans["inner"]) == traceparent(spans["outer"])
        assert spans["inner"].attributes == {"drumbeat.outcome": "delivered", "error.type": "ValueError"}
        assert not spans["inner"].events
        assert "Ann" not in spans["inner"].to_json()


def test_each_event_of_a_batch_goes_on_in_its_own_trace() -> None:
    with recorded() as spans:
        with traces().batch("rules_engine", [record(0, b"acme", TRACE), record(1, b"beta", OTHER)]):
            of_acme, of_beta, of_nobody = headers("acme"), headers("beta"), headers("gamma")
            with traces().inner_span("transaction"):
                pass
            carried = traces().carriers(["acme", "x"], ["", "event-0"])
        first, last = sorted(spans.all("process account.signals"), key=offset_of)
        assert {TRACE in of_acme["traceparent"], OTHER in of_beta["traceparent"]} == {True}
        assert of_nobody == of_beta == {"traceparent": traceparent(last)}
        assert of_acme == {"traceparent": traceparent(first)}
        assert parent_of(spans["transaction"]) == traceparent(last)
        assert links_of(last) == [traceparent(first)]
        assert [str(each).partition(";")[0] for each in carried] == [traceparent(first)] * 2
        assert headers("acme") == {}, "the batch has ended"


def test_the_events_of_an_account_in_several_traces_are_linked_and_the_last_one_leads_on() -> None:
    with recorded() as spans:
        with traces().batch("rules_engine", [record(0, b"acme", TRACE), record(1, b"acme", OTHER)]):
            leads_on = headers("acme")["traceparent"]
        first, last = sorted(spans.all("process account.signals"), key=offset_of)
        assert leads_on == traceparent(last)
        assert links_of(first) == [f"00-{OTHER}-{2:016x}-01"]
        assert links_of(last) == [f"00-{TRACE}-{1:016x}-01", traceparent(first)]


def test_records_without_a_trace_begin_one_together() -> None:
    with recorded() as spans:
        with traces().batch("scheduler", [record(0, b"acme", None), record(1, b"beta", None)]):
            of_acme = headers("acme")
        assert of_acme == {"traceparent": traceparent(spans["process account.signals"])}
        assert parent_of(spans["process account.signals"]) is None


def test_a_batch_that_fails_marks_its_span() -> None:
    with recorded() as spans:
        with pytest.raises(OSError, match="away"), traces().batch("g", [record(0, b"acme", TRACE)]):
            raise OSError("away")
        span = spans["process account.signals"]
        assert span.attributes is not None
        assert span.attributes["error.type"] == "OSError"
        assert not span.status.is_ok


def test_records_are_sent_with_the_span_of_their_sending() -> None:
    waiting = Message(
        "touchpoint.commands", b"acme", b"{}", [("ce_id", b"1"), ("traceparent", STEP.encode())]
    )
    untraced = waiting._replace(headers=[("ce_id", b"2")])
    with recorded() as spans:
        with traces().sent([waiting, untraced, waiting._replace(key=b"beta")]) as sent:
            pass
        span = spans["send touchpoint.commands"]
        assert parent_of(span) == STEP
        assert [dict(message.headers).get("traceparent") for message in sent] == [
            traceparent(span).encode(), None, traceparent(span).encode(),
        ]  # fmt: skip
        assert [len(message.headers) for message in sent] == [2, 1, 2]
        with traces().span("POST", "server"), traces().sent([untraced]) as sent:
            pass
        assert parent_of(spans.all("send touchpoint.commands")[1]) == traceparent(spans["POST"])


def test_a_row_that_waited_goes_on_in_its_trace_and_after_an_hour_in_a_linked_one() -> None:
    long_ago = real_now() - timedelta(seconds=LINK_AFTER_SECONDS + 5)
    with recorded() as spans:
        traces().remember([("fresh", Carrier.written(STEP, real_now()).text), ("untraced", None)])
        traces().remember([("old", Carrier.written(STEP, long_ago).text)])
        for key in ("fresh", "old", "untraced"):
            with traces().waiting_span(key, key) as span:
                assert TRACE in span.headers["traceparent"] or key != "fresh"
        assert (parent_of(spans["fresh"]), links_of(spans["fresh"])) == (STEP, [])
        assert (parent_of(spans["old"]), links_of(spans["old"])) == (None, [STEP])
        assert (parent_of(spans["untraced"]), links_of(spans["untraced"])) == (None, [])


def test_an_event_about_a_row_that_waited_is_a_step_and_one_that_did_not_is_of_its_batch() -> None:
    with recorded() as spans:
        traces().remember([("touchpoint-1", Carrier.written(STEP, real_now()).text)])
        ((_, of_row),) = traces().event_headers("touchpoint due", "touchpoint-1", "acme")
        assert of_row.decode() == traceparent(spans["touchpoint due"])
        assert parent_of(spans["touchpoint due"]) == STEP
        with traces().batch("scheduler", [record(0, b"acme", OTHER)]):
            ((_, of_batch),) = traces().event_headers("touchpoint due", "touchpoint-1", "acme")
        assert of_batch.decode() == traceparent(spans["process account.signals"])
        assert traces().event_headers("touchpoint due", "unknown", "acme") == ()


def test_a_mail_is_linked_with_the_other_traces_that_it_is_about() -> None:
    with recorded() as spans:
        rows = [
            (trace, Carrier.written(f"00-{trace}-{'a' * 16}-01", real_now()).text) for trace in (TRACE, OTHER)
        ]
        traces().remember(rows)
        with traces().waiting_span("send mail", TRACE):
            traces().link([TRACE, OTHER, "unknown"])
        assert links_of(spans["send mail"]) == [f"00-{OTHER}-{'a' * 16}-01"]


def test_what_is_not_sampled_is_not_recorded_and_goes_on_unsampled() -> None:
    with recorded(ratio=0) as spans:
        unsampled = f"{STEP[:-2]}00"
        with traces().span("POST", "server", parent=unsampled) as span, traces().inner_span("transaction"):
            assert span.headers["traceparent"].startswith(f"00-{TRACE}-")
            assert span.headers["traceparent"].endswith("-00")
        with traces().span("POST", "server"):
            pass
        with traces().span("POST", "server", parent=STEP):
            pass
        assert [parent_of(each) for each in spans.exporter.get_finished_spans()] == [STEP]


def test_what_is_remembered_is_bounded() -> None:
    with recorded() as spans:
        traces().remember([(str(number), STEP) for number in range(MOST_REMEMBERED + 1)])
        with traces().waiting_span("oldest", "0"), traces().waiting_span("newest", str(MOST_REMEMBERED)):
            pass
        assert parent_of(spans["oldest"]) is None
        assert parent_of(spans["newest"]) == STEP
