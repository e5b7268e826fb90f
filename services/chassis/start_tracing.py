"""Switches tracing on where the settings name a receiver."""

from services.chassis.tracing import use_traces
from services.chassis.tracing_settings import Tracing


def start_tracing(settings: Tracing, service: str) -> None:
    """Record and export the spans of this process from now on, where there is a receiver."""
    if settings.endpoint is None:
        return
    # The SDK takes a third of a second and 15 MB, which only those pay who trace.
    from services.chassis.spans import open_spans  # noqa: PLC0415

    use_traces(open_spans(settings.endpoint, settings.sample_ratio, service))
