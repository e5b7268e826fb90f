"""Events in structured mode (`application/cloudevents+json`), as producers send them."""

import orjson

from schemas.envelope import Envelope
from schemas.times import format_instant


def to_structured(envelope: Envelope) -> bytes:
    """Write the event as one JSON object (`application/cloudevents+json`)."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": envelope.id,
            "source": envelope.source,
            "type": envelope.type,
            "subject": envelope.subject,
            "time": format_instant(envelope.time),
            "datacontenttype": envelope.datacontenttype,
            **envelope.extensions,
            "data": orjson.Fragment(envelope.data),
        }
    )
