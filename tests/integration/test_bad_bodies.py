"""Issue 14, "Prove it": bodies that nobody can have meant, at every door: a clear 4xx, never a 5xx, nothing lost."""

import asyncio
import gzip
import json
import re
import socket
import tempfile
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
import zstandard
from fastapi import APIRouter
from fastapi.routing import APIRoute

from services.chassis.clock import service_clock
from services.chassis.settings import Clock, Settings
from services.console.web import make_console
from tests.integration.rules_engine.conftest import problem_of
from tests.stack import KEY, PARTS, SERVICES, Stack, event, until
from tests.unit.connectors.bad_bodies import BAD_BODIES
from tests.unit.connectors.signatures import senders
from tests.unit.connectors.tables.bad_tables import BAD_TABLES
from tests.unit.notifier.domain.test_inbound_mail import HOSTILE

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="module"),
]

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"
SECRET, STANDARD = senders.SECRET, senders.STANDARD_SECRET
SOURCES = {
    **dict.fromkeys(("hubspot", "opentelemetry", "salesforce", "segment", "stripe"), SECRET),
    "standard": STANDARD,
}
HUGE = b"9" * 5_000
MORE_BODIES = {
    **BAD_BODIES,
    "NUL in a name": b'{"a\\u0000b": 1}',
    "huge integer": b'{"name": ' + HUGE + b', "limit": ' + HUGE + b"}",
    "huge exponent": b'{"name": 1e99999999999}',
    "overlong UTF-8": b'{"name": "\xc0\x80"}',
    "Latin-1": '{"name": "Müller"}'.encode("latin-1"),
    "UTF-32": '{"name": "a"}'.encode("utf-32"),
    "duplicate names": b'{"specversion": "1.0", "specversion": 7}',
    "deep in a member": b'{"data": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "comment": b'{"a": 1} // no',
    "YAML aliases": b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "XML": b'<?xml version="1.0"?><a/>',
    "gzip without saying so": gzip.compress(b"{}"),
}
CODINGS = (
    *(({"content-type": f"application/json; charset={name}"}, name) for name in ("utf-16", "Latin-1", "x")),
    *(
        ({"content-type": "application/json", "content-encoding": name}, "Content-Encoding")
        for name in ("gzip", "zstd", "br")
    ),
)
"""Headers of a body that no door reads, and what the refusal names."""
Answer = httpx.Response
Door = tuple[str, str, str]
"""Service, method, path."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncGenerator[Stack]:
    secrets = {f"DRUMBEAT_WEBHOOKS__{source.upper()}__SECRET": secret for source, secret in SOURCES.items()}
    settings = {**secrets, "DRUMBEAT_WEBHOOKS__HUBSPOT__URL": senders.URL}
    with tempfile.TemporaryDirectory(prefix="drumbeat-bodies-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder, settings=settings) as running:
            await running.run(*PARTS)
            yield running


def faults_of(answer: Answer, what: str) -> Iterator[str]:
    """Why an answer is not the refusal that it should be."""
    if not 400 <= answer.status_code < 500:
        yield f"{what}: {answer.status_code} {answer.text[:200]}"
        return
    if answer.headers.get("content-type") != "application/problem+json":
        yield f"{what}: {answer.status_code} as {answer.headers.get('content-type')}"
        return
    document = answer.json()
    if (
        document["status"] != answer.status_code
        or len(document["detail"]) < 10
        or len(answer.content) > 20_000
    ):
        yield f"{what}: {answer.text[:300]}"


async def doors_of(stack: Stack) -> list[Door]:
    """Every operation that takes a body, from the OpenAPI documents."""
    doors: list[Door] = []
    for service in SERVICES:
        document = (await stack.client.get(f"{stack.processes[service].url}/openapi.json")).json()
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if operation.get("requestBody", {}).get("required"):
                    doors.append((service, method.upper(), path))
    return doors


async def test_no_door_takes_a_body_that_is_none(stack: Stack) -> None:
    doors = await doors_of(stack)
    assert len(doors) > 25, doors
    faults: list[str] = []
    for service, method, path in doors:
        url = stack.processes[service].url + re.sub(r"{\w+}", "1", path)
        for name, body in MORE_BODIES.items():
            headers = {"content-type": "application/json"}
            answer = await stack.client.request(method, url, content=body, headers=headers)
            faults += faults_of(answer, f"{method} {path} {name}")
        for headers, named in CODINGS:
            answer = await stack.client.request(method, url, content=b"{}", headers=headers)
            faults += faults_of(answer, f"{method} {path} {named}")
            if answer.status_code != 415 or named not in answer.json()["detail"]:
                faults.append(f"{method} {path} {named}: {answer.status_code} {answer.text}")
    assert not faults, "\n".join(faults[:20])
    check_logs(stack)


@pytest.mark.parametrize("mode", ["structured", "binary", "batch", "ndjson"])
async def test_events_are_refused_and_the_good_ones_beside_them_are_taken(stack: Stack, mode: str) -> None:
    good = event("health.scored", f"good-{mode}", {"score": 30}, id=f"good-{mode}", time=await stack.now())
    media = {"structured": STRUCTURED, "binary": "application/json", "batch": BATCH, "ndjson": NDJSON}[mode]
    headers = {"content-type": media}
    if mode == "binary":
        headers |= {f"ce-{name}": str(value) for name, value in good.items() if name != "data"}
    url = f"{stack.processes['rules_engine'].url}/v1/events"
    faults: list[str] = []
    for name, body in MORE_BODIES.items():
        answer = await stack.client.post(url, content=body, headers=headers)
        faults += faults_of(answer, f"{mode} {name}")
        assert all(result["status"] == "refused" for result in answer.json()["results"]), name
        for charset in ("utf-16", "iso-8859-1", "utf-7", "nowhere"):
            wrong = {**headers, "content-type": f"{media}; charset={charset}"}
            answer = await stack.client.post(url, content=body, headers=wrong)
            assert charset in problem_of(answer, 415)["detail"]
    assert not faults, "\n".join(faults[:20])
    if mode == "ndjson":
        lines = [body for body in MORE_BODIES.values() if b"\n" not in body and body.strip()]
        mixed = b"\n".join([*lines, json.dumps(good).encode(), *lines])
        answer = await stack.client.post(url, content=mixed, headers=headers)
        statuses = [result["status"] for result in answer.json()["results"]]
        assert (answer.status_code, statuses.count("accepted"), len(statuses)) == (207, 1, 2 * len(lines) + 1)
    else:
        sent = {"structured": good, "binary": good["data"], "batch": [7, good]}[mode]
        answer = await post_until_answered(stack, url, sent, headers)
        assert answer.status_code == (207 if mode == "batch" else 202), answer.text
    found = await until(
        lambda: stack.find("rules_engine", "/v1/events", source="/test", id=good["id"]), 120, "it is read"
    )
    assert found["status"] == "folded"
    listed = await stack.get("rules_engine", "/v1/accounts", limit=500)
    assert {account["id"].partition("-")[0] for account in listed["items"]} == {"good"}, (
        "and of the bad ones none"
    )
    check_logs(stack)


async def post_until_answered(stack: Stack, url: str, sent: object, headers: Mapping[str, str]) -> Answer:
    """Post, and again after a 503, which asks for it: the broker of a busy machine may be late."""

    async def answered() -> Answer | None:
        answer = await stack.client.post(url, json=sent, headers=headers)
        return None if answer.status_code == 503 else answer

    answer: Answer = await until(answered, 60, "the broker acknowledges the events")
    return answer


PACKED: Mapping[str, tuple[str, bytes, int]] = {
    "gzip that is none": ("gzip", b"{}", 400),
    "gzip cut": ("gzip", gzip.compress(b"{}\n" * 999)[:-9], 400),
    "gzip with a wrong sum": ("gzip", gzip.compress(b"{}\n")[:-8] + bytes(8), 400),
    "gzip and something after it": ("gzip", gzip.compress(b"{}\n") + b"more", 400),
    "gzip in gzip": ("gzip", gzip.compress(gzip.compress(b"{}\n")), 422),
    "gzip bomb": ("gzip", gzip.compress(b" " * (70 << 20), 9), 413),
    "gzip bomb of one line": ("gzip", gzip.compress(b"x" * (2 << 20), 9), 413),
    "gzip members of nothing": ("gzip", gzip.compress(b"") * 20_000, 422),
    "zstd that is none": ("zstd", b"{}", 400),
    "zstd cut": ("zstd", zstandard.compress(b"{}\n" * 999)[:-3], 400),
    "zstd bomb": ("zstd", zstandard.compress(b" " * (70 << 20)), 413),
    "zstd frames of nothing": ("zstd", zstandard.compress(b"") * 20_000, 422),
    "deflate": ("deflate", b"{}", 415),
    "two encodings": ("gzip, gzip", gzip.compress(gzip.compress(b"{}")), 415),
}


@pytest.mark.parametrize("name", PACKED)
async def test_what_is_packed_wrongly_or_too_well_is_refused_within_seconds(stack: Stack, name: str) -> None:
    encoding, body, status = PACKED[name]
    headers = {"content-type": NDJSON, "content-encoding": encoding}
    url = f"{stack.processes['rules_engine'].url}/v1/events"
    answer, alive = await asyncio.gather(
        stack.client.post(url, content=body, headers=headers),
        stack.client.get(f"{stack.processes['rules_engine'].url}/livez"),
    )
    problem_of(answer, status)
    assert alive.status_code == 200


def signed(source: str, body: bytes) -> Mapping[str, str]:
    """The headers by which a source proves a body."""
    sign: Mapping[str, Callable[[bytes, datetime], Any]] = {
        "hubspot": senders.hubspot, "standard": senders.standard, "stripe": senders.stripe, "segment": senders.segment
    }  # fmt: skip
    if source in sign:
        return sign[source](body, datetime.now(UTC)).headers
    return {"authorization": f"Bearer {SECRET}"}


class Listener:
    """A place that nobody may call: it counts who does."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/x.dtd"
        self.calls = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()

    def close(self) -> None:
        self._socket.close()


def xml_bodies(url: str) -> Mapping[str, bytes]:
    soap = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'
    laughs = "".join(f'<!ENTITY l{each} "{f"&l{each - 1};" * 10}">' for each in range(1, 10))
    documents = {
        "laughs": f'<!DOCTYPE a [<!ENTITY l0 "ha">{laughs}]>' + soap.format("&l9;"),
        "quadratic": f'<!DOCTYPE a [<!ENTITY a "{"x" * 50_000}">]>' + soap.format("&a;" * 5_000),
        "external entity": f'<!DOCTYPE a [<!ENTITY a SYSTEM "{url}">]>' + soap.format("&a;"),
        "a file": '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + soap.format("&a;"),
        "external DTD": f'<!DOCTYPE a SYSTEM "{url}">' + soap.format(""),
        "parameter entity": f'<!DOCTYPE a [<!ENTITY % p SYSTEM "{url}"> %p;]>' + soap.format(""),
        "unknown entity": soap.format("&nobody;"),
        "deep": soap.format("<a>" * 100_000 + "</a>" * 100_000),
        "attributes": soap.format("<a " + " ".join(f'a{each}=""' for each in range(60_000)) + "/>"),
        "cut": soap.format("<a>")[:-20],
        "an encoding that is none": '<?xml version="1.0" encoding="nowhere"?>' + soap.format(""),
        "another encoding than it says": '<?xml version="1.0" encoding="utf-16"?>' + soap.format(""),
        "NUL": soap.format("\x00"),
        "no envelope": "<a/>",
        "an include": soap.format(f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{url}"/>'),
    }
    return {name: document.encode() for name, document in documents.items()}


async def test_webhooks_that_are_genuine_and_have_a_bad_body(stack: Stack) -> None:
    listener = Listener()
    base = f"{stack.processes['rules_engine'].url}/v1/webhooks"
    faults: list[str] = []
    async with httpx.AsyncClient(timeout=120) as client:
        for source in SOURCES:
            bodies = {**MORE_BODIES, **(xml_bodies(listener.url) if source == "salesforce" else {})}
            for name, body in bodies.items():
                query = senders.URL.partition("?")[2] if source == "hubspot" else ""
                media = "text/xml" if body[:1] == b"<" else "application/json"
                headers = {"content-type": media, **signed(source, body)}
                answer = await client.post(f"{base}/{source}?{query}", content=body, headers=headers)
                if answer.status_code == 202 and name in WELL_FORMED:
                    assert answer.json()["facts"] == {}, name
                    continue
                faults += faults_of(answer, f"{source} {name}")
                assert answer.status_code != 401, (source, name, answer.text)
                wrong = {**headers, "content-type": "application/json; charset=utf-16"}
                problem_of(await client.post(f"{base}/{source}?{query}", content=body, headers=wrong), 415)
    listener.close()
    assert not faults, "\n".join(faults[:20])
    assert listener.calls == 0, "no address in a body is called"
    check_logs(stack)


WELL_FORMED = frozenset({"duplicate names", "deep in a member"})
"""Bodies of which only a mapping knows that they say nothing: counted as not mapped."""


async def test_tables_that_are_none_are_refused_and_say_where(stack: Stack) -> None:
    url = f"{stack.processes['rules_engine'].url}/v1/imports"
    query = {"kind": "accounts"}
    faults: list[str] = []
    bodies = {
        **MORE_BODIES,
        **{name: body for name, body, _ in BAD_TABLES},
        "gzip": gzip.compress(b"account_id\na\n"),
    }
    for name, body in bodies.items():
        answer = await stack.client.post(
            url, content=body, params=query, headers={"content-type": "text/csv"}
        )
        faults += faults_of(answer, name)
    assert not faults, "\n".join(faults[:20])
    good = b"account_id,name\ntable-good,Good\n"
    for headers in (
        {"content-type": "text/csv; charset=nowhere"},
        {"content-type": "application/json"},
        {"content-type": "text/csv", "content-encoding": "gzip"},
    ):
        problem_of(await stack.client.post(url, content=good, params=query, headers=headers), 415)

    async def endless() -> AsyncGenerator[bytes]:
        for _ in range(80):
            yield good * (1 << 15)

    answer = await stack.client.post(
        url, content=endless(), params=query, headers={"content-type": "text/csv"}, timeout=120
    )
    assert str(64 << 20) in problem_of(answer, 413)["detail"]
    listed = await stack.get("rules_engine", "/v1/accounts", q="table-good")
    assert listed["items"] == [], "nothing of a table that is refused is taken in"
    check_logs(stack)


FORM = "application/x-www-form-urlencoded"
PART = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n'
FORMS: Mapping[str, tuple[str, bytes]] = {
    "empty": (FORM, b""),
    "no UTF-8": (FORM, b"act=%ff%fe&id=\xff&text=%C0%80"),
    "NUL": (FORM, b"act=a%00b&id=%00&login=%00&key=%00&text=%00"),
    "surrogates": (FORM, b"act=%ED%A0%80&id=%ED%A0%80&login=%ED%A0%80&kind=%ED%A0%80"),
    "broken percent": (FORM, b"act=%&id=%g1&=&&==&"),
    "huge integers": (FORM, b"version=" + HUGE + b"&limit=" + HUGE + b"&id=" + HUGE),
    "5,000 fields": (FORM, b"&".join(b"f%d=1" % each for each in range(5_000))),
    "one name 900 times": (FORM, b"&".join([b"act=1"] * 900)),
    "larger than it may be": (FORM, b"act=" + b"a" * (12 << 20)),
    "another charset": (f"{FORM}; charset=utf-16", "act=a".encode("utf-16")),
    "JSON": ("application/json", b'{"act": "a"}'),
    "multipart without a boundary": ("multipart/form-data", b"--b\r\n\r\n--b--"),
    "multipart that is none": ("multipart/form-data; boundary=b", b"act=a"),
    "multipart cut": ("multipart/form-data; boundary=b", PART + b"\r\na"),
    "multipart of 3,000 parts": ("multipart/form-data; boundary=b", (PART + b"\r\na\r\n") * 3_000 + b"--b--"),
    "multipart with a header that is none": (
        "multipart/form-data; boundary=b",
        b"--b\r\n\x00\xff\r\n\r\na\r\n--b--",
    ),
    "multipart of another charset": (
        "multipart/form-data; boundary=b; charset=nowhere",
        PART + b"\r\na\r\n--b--",
    ),
    "a table with NUL": ("multipart/form-data; boundary=b", PART + b"\r\na\x00,b\r\n--b--\r\n"),
}
ACTS_WITHOUT_FIELDS = frozenset({"/sign-out", "/setup/sample", "/setup/sample/erase", "/setup/test-mail"})
"""Forms that are a button alone: whatever their body is, they do what the button says."""


def console_forms() -> list[str]:
    """The path of every form of the console."""
    app = make_console(Settings.model_construct(), service_clock(Clock()))
    # FastAPI keeps a router that is included as one route, until a request comes.
    routers: list[APIRouter] = [
        included.original_router
        for included in cast("list[Any]", app.routes)
        if hasattr(included, "original_router")
    ]
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    forms = [
        route.path for route in routes if "POST" in (route.methods or ()) and not route.include_in_schema
    ]
    return [path for path in forms if path not in ACTS_WITHOUT_FIELDS]


async def test_no_form_of_the_console_breaks_on_what_no_browser_sends(stack: Stack) -> None:
    """A browser gets the page again, or is led back with a message: 2xx or 303 says no more than that it was told."""
    console = stack.processes["console"].url
    policy = await stack.get("rules_engine", "/v1/policies/current")
    faults: list[str] = []
    paths = console_forms()
    assert len(paths) > 12, paths
    for path in paths:
        async with httpx.AsyncClient(base_url=console, timeout=120) as visitor:
            assert (await visitor.post("/sign-in", data={"key": KEY})).status_code == 303
            for name, (media, body) in FORMS.items():
                url = re.sub(r"{\w+}", "none", path)
                try:
                    answer = await visitor.post(url, content=body, headers={"content-type": media})
                except httpx.TransportError as problem:
                    faults.append(f"{path} {name}: {problem!r}")
                    continue
                if answer.status_code >= 500 or answer.status_code == 401:
                    faults.append(f"{path} {name}: {answer.status_code} {answer.text[:200]}")
    assert not faults, "\n".join(faults[:20])
    assert (await stack.get("rules_engine", "/v1/policies/current"))["hash"] == policy["hash"]
    check_logs(stack)


def policy_files() -> Mapping[str, str]:
    aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{each}: &a{each} [{', '.join([f'*a{each - 1}'] * 10)}]\n" for each in range(1, 9)
    )
    return {
        "aliases": aliases,
        "an alias of itself": "a: &a\n  b: *a\n",
        "deep": "[" * 5_000 + "]" * 5_000,
        "deep by indent": "\n".join(" " * each + "a:" for each in range(2_000)),
        "tags": "policy: !!python/object/apply:os.system ['true']\n",
        "NUL": "policy: a\x00b\n",
        "NaN": "policy: .nan\n",
        "huge integer": f"rules: {'9' * 6_000}\n",
        "duplicate keys": "rules: {}\nrules: {}\n",
        "two documents": "rules: {}\n---\nrules: {}\n",
        "a text": "hello",
        "nothing": "",
        "merge keys": "a: &a {b: 1}\nc:\n  <<: [*a, *a, *a]\n",
    }


async def test_policies_with_bombs_are_refused_with_a_reason_and_the_one_in_force_stays(stack: Stack) -> None:
    engine = stack.processes["rules_engine"].url
    before = await stack.get("rules_engine", "/v1/policies/current")
    faults: list[str] = []
    for name, text in policy_files().items():
        for method, path in (("POST", "/v1/policies/validate"), ("PUT", "/v1/policies/current")):
            body = {"files": {"policy.yaml": text}}
            answer = await stack.client.request(method, f"{engine}{path}", json=body)
            faults += faults_of(answer, f"{method} {path} {name}")
    assert not faults, "\n".join(faults[:20])
    after = await stack.get("rules_engine", "/v1/policies/current")
    assert after["hash"] == before["hash"]
    check_logs(stack)


async def test_mails_of_every_kind_are_read_ignored_or_refused(stack: Stack) -> None:
    url = f"{stack.processes['notifier'].url}/v1/inbound/mail"
    for name, raw in HOSTILE.items():
        answer = await stack.client.post(url, content=raw, headers={"content-type": "message/rfc822"})
        if answer.status_code == 202:
            assert answer.json()["counted"] is False, (name, answer.text)
        else:
            assert not [*faults_of(answer, name)], answer.text
    check_logs(stack)


def check_logs(stack: Stack) -> None:
    for service in PARTS:
        log = stack.processes[service].log.read_text()
        assert "Traceback" not in log, log[-3000:]
