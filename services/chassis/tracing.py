# ruff: noqa: ARG002 - what is off uses no argument
"""Traces through HTTP, Kafka, the database and deliveries, as W3C Trace Context describes them; off unless set up.

A trace goes on where work waits: records have the header `traceparent`, rows of tables a *carrier*, which is the
traceparent and the moment it was written. Here is what happens while tracing is off, which is nothing; `spans` does the
rest.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Literal, Protocol

from services.chassis.kafka_message import Headers, Message

Kind = Literal["internal", "server", "client"]
Attributes = Mapping[str, str | int]
"""Of a span, by the names of OpenTelemetry's conventions. None of them may be personal data."""
NOTHING: Final[Attributes] = {}


class Record(Protocol):
    """A Kafka record as it was read."""

    @property
    def topic(self) -> str: ...

    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int: ...

    @property
    def key(self) -> bytes | None: ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Span:
    """A span in progress; this one is none."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What an HTTP request sends along, so that the trace goes on there."""
        return {}

    def note(self, attributes: Attributes) -> None:
        """Add attributes."""

    def rename(self, name: str) -> None:
        """Give it its final name."""

    def fail(self, kind: str) -> None:
        """Mark it as failed. `kind`: the name of an exception or an outcome, never what it says."""


_NO_SPAN: Final[AbstractContextManager[Span]] = nullcontext(Span())
_UNTRACED: Final[AbstractContextManager[None]] = nullcontext()


class Traces:
    """The traces of a process; of this one there are none."""

    is_on: bool = False
    """For what is done so often that even a call which does nothing would count."""

    def close(self) -> None:
        """Export what is recorded, within some seconds."""

    def current_ids(self) -> Mapping[str, str]:
        """`trace_id` and `span_id` of the span in progress, in hexadecimal; empty where there is none."""
        return {}

    def span(
        self,
        name: str,
        kind: Kind = "internal",
        *,
        parent: str | None = None,
        attributes: Attributes = NOTHING,
    ) -> AbstractContextManager[Span]:
        """A span around a block: below the traceparent `parent`, else below the span in progress."""
        return _NO_SPAN

    def inner_span(self, name: str, attributes: Attributes = NOTHING) -> AbstractContextManager[object]:
        """The same of a call of a server where a span is in progress that is recorded; else nothing."""
        return _UNTRACED

    def waiting_span(
        self, name: str, key: str, attributes: Attributes = NOTHING
    ) -> AbstractContextManager[Span]:
        """The same in the trace of a row that was remembered under this key."""
        return _NO_SPAN

    def batch(self, group: str, records: Sequence[Record]) -> AbstractContextManager[None]:
        """Spans around the transaction of a batch: one for each key and trace of its records, linked with each other."""
        return _UNTRACED

    def sent(self, messages: Sequence[Message]) -> AbstractContextManager[Sequence[Message]]:
        """Spans around the sending of records; yields them with the header by which readers go on with the trace."""
        return nullcontext(messages)

    def headers_of(self, key: str, event_id: str = "") -> Headers:
        """The headers of what is written now about a key, because of that event or of the last one of the key.

        Where the batch has neither: those of the span in progress.
        """
        return ()

    def event_headers(self, name: str, key: str, of_batch: str) -> Headers:
        """The headers of an event about a row that was remembered under `key`; without one those of `of_batch`.

        The event is a span of its own, `name`, in the trace of the row.
        """
        return ()

    def carriers(self, keys: Sequence[str], event_ids: Sequence[str] = ()) -> list[str | None]:
        """What rows about these keys store, for those who go on with them later. See `headers_of`."""
        return [None] * len(keys)

    def remember(self, rows: Sequence[tuple[str, str | None]]) -> None:
        """Note the carriers of rows that were just read, each under the key for which its trace is asked soon."""

    def link(self, keys: Sequence[str]) -> None:
        """Link the span in progress with the traces of other rows that go on in it."""


class _State:
    traces: Traces = Traces()


_state: Final = _State()


def traces() -> Traces:
    return _state.traces


def use_traces(recorded: Traces) -> None:
    """What `traces()` is from now on."""
    _state.traces = recorded
