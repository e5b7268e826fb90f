"""The records of a batch by key and trace: each group is one span, linked with what else was folded together with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from opentelemetry.trace import Link, SpanContext

from services.chassis.trace_context import Carrier, origin_of, step_before, traceparent_of
from services.chassis.tracing import Record

Step = tuple[Record, SpanContext]


@dataclass(slots=True)
class RecordGroup:
    """Records of one key in one trace, in order; or all that have no trace. `others`: of the key, in other traces."""

    steps: list[Step] = field(default_factory=list[Step])
    others: list[SpanContext] = field(default_factory=list[SpanContext])

    @property
    def is_traced(self) -> bool:
        return self.steps[-1][1].is_valid

    @property
    def parent(self) -> Carrier:
        """The step before the last record."""
        return Carrier(traceparent_of(self.steps[-1][1]) if self.is_traced else "")

    def links(self) -> Sequence[Link]:
        """The steps before the other records, and where the events began, where that was another trace."""
        parent = self.steps[-1][1]
        before = [context for _, context in self.steps[:-1] if context.is_valid]
        origins = [origin_of(record.headers) for record, _ in self.steps]
        began = [context for context in origins if context.is_valid and context.trace_id != parent.trace_id]
        found = {traceparent_of(context): context for context in (*before, *self.others, *began)}
        return [Link(context) for context in found.values()]

    def names(self) -> Iterable[str]:
        """The key, and the ids of the events."""
        yield (self.steps[-1][0].key or b"").decode(errors="replace")
        for record, _ in self.steps:
            for name, value in record.headers:
                if name == "ce_id":
                    yield value.decode(errors="replace")

    def attributes(self, consumer_group: str) -> Mapping[str, str | int]:
        last = self.steps[-1][0]
        return {
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.destination.name": last.topic,
            "messaging.destination.partition.id": str(last.partition),
            "messaging.consumer.group.name": consumer_group,
            "messaging.kafka.offset": last.offset,
            "messaging.batch.message_count": len(self.steps),
        }


def group_records(records: Sequence[Record]) -> Sequence[RecordGroup]:
    """The groups in the order of their last records."""
    groups: dict[tuple[bytes, int], RecordGroup] = {}
    for record in records:
        context = step_before(record.headers)
        place = (record.key or b"", context.trace_id) if context.is_valid else (b"", 0)
        group = groups.pop(place, None) or RecordGroup()
        group.steps.append((record, context))
        groups[place] = group
    of_keys: dict[bytes, list[RecordGroup]] = {}
    for (key, trace_id), group in groups.items():
        if trace_id:
            of_keys.setdefault(key, []).append(group)
    for same_key in of_keys.values():
        for group in same_key:
            group.others += [other.steps[-1][1] for other in same_key if other is not group]
    return [*groups.values()]
