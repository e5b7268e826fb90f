"""`python -m services.console.sample`: send the sample data, unless the deployment already has accounts."""

import json
import sys
from datetime import datetime

from services.chassis.settings import SettingsRejected
from services.console.client import ApiClient, CallFailed, connect
from services.console.event_batches import LINES
from services.console.sample.history import sample_events


def send_sample(api: ApiClient) -> str:
    """Send the sample data and return a message. Raises `CallFailed` when an event is not accepted."""
    if api.get("rules_engine", "/v1/accounts", limit=1).get("items"):
        return "The deployment already has accounts: no sample data was sent."
    now = datetime.fromisoformat(str(api.get("rules_engine", "/v1/clock")["now"]))
    events = sample_events(now)
    lines = "\n".join(json.dumps(event) for event in events)
    results = api.post_events(lines.encode(), LINES)
    refused = [result for result in results if result.get("status") != "accepted"]
    if refused or len(results) != len(events):
        raise CallFailed(
            f"{len(refused)} of {len(events)} events were not accepted, the first: {refused[:1]}"
        )
    accounts = len({event["subject"] for event in events if event["type"] == "drumbeat.account.described.v1"})
    return (
        f"Sample data was sent: {accounts} accounts, {len(events)} events (DRUMBEAT_SAMPLE=0 turns this off)."
    )


def main() -> int:
    try:
        with connect() as api:
            sys.stdout.write(send_sample(api) + "\n")
    except (CallFailed, SettingsRejected) as error:
        sys.stdout.write(f"sample data: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
