"""`python -m services.devstack.sample`: feed the sample book, unless the store already knows an account."""

import json
import sys
from datetime import datetime
from typing import cast

from services.chassis.settings import SettingsRejected, load_settings
from services.console.calls import Api, CallFailed
from services.devstack.sample.history import book


def feed(api: Api) -> str:
    """Post the book and say what came of it; `CallFailed` when it was not taken in whole."""
    if api.get("rules_engine", "/v1/accounts", limit=1).get("items"):
        return "The store already holds accounts: the sample book was left out."
    now = datetime.fromisoformat(str(api.get("rules_engine", "/v1/clock")["now"]))
    events = book(now)
    lines = "\n".join(json.dumps(event) for event in events)
    answer = api.post("rules_engine", "/v1/events", lines.encode(), "application/x-ndjson")
    results = cast("list[dict[str, object]]", answer.get("results", []))
    lost = [each for each in results if each.get("status") != "accepted"]
    if lost or len(results) != len(events):
        raise CallFailed(f"of {len(events)} events {len(lost)} were not accepted, the first: {lost[:1]}")
    accounts = len({event["subject"] for event in events if event["type"] == "drumbeat.account.described.v1"})
    return (
        f"A sample book was fed: {accounts} accounts, {len(events)} facts (DRUMBEAT_SAMPLE=0 leaves it out)."
    )


def main() -> int:
    try:
        with Api(load_settings()) as api:
            sys.stdout.write(feed(api) + "\n")
    except (CallFailed, SettingsRejected) as trouble:
        sys.stdout.write(f"sample book: {trouble}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
