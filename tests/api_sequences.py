# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""Sequences of calls along the links of an OpenAPI document, each call also tried by those who must not make it."""

import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import requests
import schemathesis
from hypothesis import seed, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import Bundle
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.stateful.state_machine import StepInput, normalize_name
from schemathesis.specs.openapi.stateful import is_root_allowed, transition

from services.chassis.scope_table import needed_scopes
from tests.stack import KEY, ROOT

SCOPES: Final = ("signals", "directory", "consent", "act", "read", "policy")
WRONG_KEY: Final = "db_0123abcd_" + "x" * 43
SEED: Final = (
    ("csm.described", "dana", {"name": "Dana", "email": "dana@northwind.example"}),
    ("csm.described", "eve", {"name": "Eve", "email": "eve@northwind.example"}),
    ("account.described", "acme", {"name": "Acme", "csm_id": "dana", "arr": 120_000, "currency": "EUR"}),
    ("contact.described", "acme", {"contact_id": "ann", "name": "Ann", "email": "ann@acme.example"}),
)
_POLICY: Final = Path(ROOT, "tests/faults/policy.yaml").read_text()
CATCH_ALL: Final = Bundle("catch_all")
_numbers = itertools.count(1)
schemathesis.serializer.alias("message/rfc822", "application/octet-stream")


@dataclass
class Calls:
    """What a run of sequences did: answers by operation and status, and what must not have happened."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    refusals: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    broken: list[str] = field(default_factory=list[str])

    def succeeded(self) -> set[str]:
        return {label for label, status in self.answers if 200 <= status < 300}


def is_finding(status: int, documented: Collection[str]) -> bool:
    """Whether a call of the first key must not end so. Every part runs: also a documented 503 is a finding."""
    return status in (401, 403) or status >= 500 or str(status) not in documented


def lacking(scopes: Sequence[str]) -> tuple[str, ...] | None:
    """All scopes but those of which one suffices; None when every valid key may make the call."""
    return tuple(scope for scope in SCOPES if scope not in scopes) if scopes else None


def secured(url: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(method, path, scopes of which one suffices) of every operation that declares security."""
    document = httpx.get(f"{url}/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            scopes = needed_scopes(operation)
            if scopes is not None:
                yield method.upper(), path, scopes


def create_lacking_keys(engine: str, services: Sequence[str]) -> dict[tuple[str, ...], str]:
    """A key for every need of these services: with all scopes but those that satisfy it. All services know them."""
    needs = {scopes for url in services for _, _, scopes in secured(url) if scopes}
    keys: dict[tuple[str, ...], str] = {}
    with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}) as client:
        for need in sorted(needs):
            body = {"name": f"not {' or '.join(need)}", "scopes": lacking(need)}
            answer = client.post(f"{engine}/v1/keys", json=body)
            assert answer.status_code == 201, answer.text
            keys[need] = answer.json()["key"]
    for url, key in itertools.product(services, keys.values()):
        deadline = time.monotonic() + 120
        while httpx.get(f"{url}/v1/clock", headers={"Authorization": f"Bearer {key}"}).status_code == 401:
            assert time.monotonic() < deadline, f"{url} does not know the key"
    return keys


def run_sequences(
    url: str, keys: Mapping[tuple[str, ...], str], usual: settings, *, sequences: int, steps: int
) -> Calls:
    """Make so many sequences of so many calls, each first without a key, with a wrong one and with too small a one."""
    calls = Calls()

    class Sequence(load_machine(url)):
        def before_call(self, case: Any) -> None:
            prepare = PREPARED.get(case.operation.label)
            if prepare is not None:
                prepare(case, next(_numbers))
            try_without_right(case, keys, calls)

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Bearer {KEY}"}, "timeout": 60}

        def validate_response(self, response: Any, case: Any, *_: Any, **__: Any) -> None:
            label = case.operation.label
            calls.answers[label, response.status_code] += 1
            if is_finding(response.status_code, case.operation.responses.status_codes):
                calls.broken.append(
                    f"{response.status_code} for {label}: {case.as_curl_command()}: {response.text[:300]}"
                )

    # What a service answers depends on what it has answered before, which Hypothesis takes for a flaw of the test: so
    # there are several short runs, each of which ends when Hypothesis notices.
    for number in range(0, sequences, 4):
        with contextlib.suppress(Flaky):
            seed(number)(Sequence).run(settings=settings(usual, max_examples=4, stateful_step_count=steps))
    return calls


def load_machine(url: str) -> Any:
    """The state machine of the links that the document declares; sequences begin at every operation with links."""
    config = SchemathesisConfig.from_dict(
        {"generation": {"mode": "positive"}, "phases": {"stateful": {"inference": {"algorithms": []}}}}
    )
    document: Any = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
    base: Any = document.as_state_machine()
    operations = {
        operation.label: operation for operation in (found.ok() for found in document.get_all_operations())
    }
    roots = {
        label for label, links in base._transitions.operations.items() if links.outgoing and "{" not in label
    }
    members: dict[str, Any] = dict.fromkeys(base.root_rules)  # those that it would begin with are left out
    for label in sorted(roots):
        name = normalize_name(f"RANDOM -> {label}")
        case = operations[label].as_strategy(generation_mode=GenerationMode.POSITIVE)
        first = case.map(StepInput.initial)
        members[name] = transition(
            name=name, target=CATCH_ALL, input=first, precondition=is_root_allowed(label)
        )
    return type("Sequences", (base,), {**members, "_root_labels": frozenset(roots)})


def try_without_right(case: Any, keys: Mapping[tuple[str, ...], str], calls: Calls) -> None:
    """401 without a key and with a wrong one, 403 with one that has every scope but those that suffice."""
    scopes = needed_scopes(case.operation.definition.raw)
    request: Any = case.as_transport_kwargs()
    url = requests.Request("GET", request["url"], params=request.get("params")).prepare().url or ""
    if scopes is None or "%00" in url or "%0A" in url:  # refused before it reaches an operation
        return
    attempts: list[tuple[str | None, int]] = [(None, 401), (WRONG_KEY, 401)]
    if scopes:
        attempts.append((keys[scopes], 403))
    for key, expected in attempts:
        sent = dict(case.as_transport_kwargs())
        headers = {
            name: value
            for name, value in dict(sent.pop("headers")).items()
            if name.lower() != "authorization"
        }
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        again: Any = {**request, "headers": headers}
        answer = requests.request(**again, timeout=60)
        calls.refusals[case.operation.label, answer.status_code] += 1
        if answer.status_code != expected:
            calls.broken.append(
                f"{answer.status_code} instead of {expected} for {case.operation.label}: {answer.text[:300]}"
            )


def _event(case: Any, number: int) -> None:
    kinds = (
        ("account.described", {"name": "Acme", "arr": number}),
        ("health.scored", {"score": number % 101}),
        ("nps.answered", {"contact_id": "ann", "score": number % 11}),
        ("milestone.reached", {"milestone": f"step {number % 5}"}),
        ("outreach.paused", {"reason": "asked"}),
    )
    kind, data = kinds[number % len(kinds)]
    case.media_type = "application/cloudevents+json"
    case.body = {
        "specversion": "1.0",
        "type": f"drumbeat.{kind}.v1",
        "source": "/sequences",
        "id": f"{number % 40}",
        "subject": f"account {number % 7}",
        "time": "2026-01-01T00:00:00Z",
        "data": data,
    }


def _merged(**members: object) -> Callable[[Any, int], None]:
    """Some members of the body as they must be to be accepted, three times in four."""

    def prepare(case: Any, number: int) -> None:
        if number % 4 and isinstance(case.body, dict):
            case.body = {**case.body, **members}

    return prepare


def _plan(case: Any, number: int) -> None:
    in_hours = datetime.now(UTC) + timedelta(hours=number % 50 - 1)
    owned = {"csm_id": "dana"} if number % 2 else {}
    case.body = {
        "account_id": "acme",
        "type": "check_in",
        "due_at": in_hours.isoformat(),
        "owner": "csm",
        **owned,
    }


def _move(case: Any, number: int) -> None:
    if number % 4 and isinstance(case.body, dict):
        to = datetime.now(UTC) + timedelta(days=number % 9 - 2)
        case.body = {**case.body, "to": to.isoformat(), "force": bool(number % 2), "reason": "asked"}


def _query(**parameters: object) -> Callable[[Any, int], None]:
    def prepare(case: Any, number: int) -> None:
        if number % 4:
            case.query = dict(parameters)

    return prepare


def _policy(case: Any, number: int) -> None:
    case.query = {}
    case.body = {"files": {"policy.yaml": f"{_POLICY}\n# {number % 3}\n"}, "note": "a sequence"}


PREPARED: Final[Mapping[str, Callable[[Any, int], None]]] = {
    "POST /v1/events": _event,
    "PUT /v1/policies/current": _policy,
    "POST /v1/subscriptions": _merged(url="http://127.0.0.1:9/hook", types=[]),
    "POST /v1/touchpoints": _plan,
    "POST /v1/touchpoints/{touchpoint_id}/reassign": _merged(csm_id="eve"),
    "POST /v1/touchpoints/{touchpoint_id}/claim": _merged(csm_id="eve"),
    "POST /v1/touchpoints/{touchpoint_id}/reschedule": _move,
    "GET /v1/inbox": _query(csm_id="dana"),
    "GET /v1/touchpoints": _query(account_id="acme"),
    "GET /v1/deliveries": _query(limit=5),
    "GET /v1/accounts/{account_id}/why": _query(touchpoint_type="check_in"),
}
