"""Composes what watches over the deployment for its operators: endpoints that fail, partitions that halt."""

from collections.abc import Sequence

from services.chassis.loops import Loop
from services.chassis.service import Runtime
from services.notifier import settings
from services.notifier.adapters.clients.service_client import ServiceClient
from services.notifier.adapters.endpoint_watch import EndpointWatch, watch_loop
from services.notifier.adapters.halt_watch import HaltWatch, halt_watch_loop
from services.notifier.adapters.service_mail_repository import ServiceMailRepository


def watch_loops(runtime: Runtime, mails: ServiceMailRepository, client: ServiceClient) -> Sequence[Loop]:
    """Without an address that is told of work that nobody has, nobody is told of halts."""
    configured, address = runtime.settings, settings.fallback_to(runtime.settings)
    disable_after = settings.disable_after(configured)
    endpoints = EndpointWatch(runtime.database, runtime.outbox, runtime.clock, mails, disable_after, address)
    if address is None:
        return (watch_loop(endpoints),)
    others = {
        "rules_engine": configured.url_of("rules_engine"),
        "scheduler": configured.url_of("scheduler"),
    }
    halts = HaltWatch(runtime.database, runtime.cluster.id, client, others, mails, address)
    return watch_loop(endpoints), halt_watch_loop(halts)
