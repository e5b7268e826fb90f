# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportPrivateImportUsage=false
"""Personal data through the running services: where it never is, what an export shows, and what an erasure leaves."""

import asyncio
import json
import re
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Final, cast

import asyncpg
import httpx
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from schemas.topics import PERSONAL, PERSONAL_OF_CSMS, TOPICS
from services.cadence.account.packing import unpacked
from services.chassis.database import database_url
from tests.faults.conftest import SMALL_POLICY
from tests.faults.ledger import binary
from tests.integration.test_operating import THANKS
from tests.otlp import SpanReceiver, receiving_spans
from tests.stack import KEY, PARTS, SERVICES, Stack, event, until
from tests.unit.notifier.inbound_mails import gmail_reply

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(900)]

MONDAY: Final = datetime(2026, 3, 2, 10, tzinfo=UTC)
DATABASES: Final = {
    "rules_engine": "drumbeat_rules",
    "scheduler": "drumbeat_scheduler",
    "notifier": "drumbeat_notifier",
}
XENIA, ULF = "contact-5512", "contact-7731"
ADDRESS, REFUSED = "xenia.zubrowka@qvist.example", "ulf.rauschebart@qvist.example"
NAMES: Final = ("zubrowka", "rauschebart", "qvist.example", "15155512345", "151 55512345")
"""What nothing but contacts, people and messages may contain, in lower case."""
SUBJECTS: Final = (*NAMES, XENIA, ULF)
"""What an erasure leaves nowhere."""
EVENTS_OF_THE_STREAM: Final = ("notifier.feed", "notifier.undelivered_event")
NOTES: Final = "Xenia Zubrowka wants a tour"
COMPACTED: Final = [topic.name for topic in TOPICS if topic.name in PERSONAL and topic.cleanup == "compact"]


@dataclass(frozen=True, slots=True)
class Found:
    """A record of a topic that names somebody."""

    topic: str
    written_at: datetime
    part: str  # key, header or value


async def test_a_contact_is_named_nowhere_else_is_exported_whole_and_is_gone_after_an_erasure() -> None:
    """Issue 16, point 5."""
    with tempfile.TemporaryDirectory(prefix="drumbeat-privacy-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with (
            receiving_spans() as spans,
            Stack(folder, start=MONDAY, settings=_settings(folder, spans)) as stack,
        ):
            stack.mail.handle_RCPT = _refuse_ulf  # pyright: ignore[reportAttributeAccessIssue]
            stack.environment["DRUMBEAT_NOTIFIER__URL"] = f"http://127.0.0.1:{stack.ports['notifier']}"
            await stack.run(*PARTS)
            await _tell_of_people(stack)
            await _live_with_them(stack)
            await _check_that_nothing_else_names_them(stack, spans)
            await _check_export(stack)
            receipt = await _erase(stack)
            await _check_tables(stack)
            await _check_that_topics_age_out(stack, receipt)
            await _check_that_nothing_else_names_them(stack, spans)
            await _check_erasure_of_a_csm(stack)


def _settings(folder: Path, spans: SpanReceiver) -> dict[str, str]:
    """A policy that answers a milestone with a mail that has a link; clicks are measured, and everything is traced."""
    policy = folder / "policy" / "policy.yaml"
    thanks = folder / "policy" / "content" / "en" / "nurture.md"
    thanks.parent.mkdir(parents=True)
    thanks.write_text('---\nsubject: "Thank you"\n---\nRead [how](https://northwind.example/how).\n')
    triggers, touchpoints = THANKS.split("touchpoints:\n")
    text = SMALL_POLICY.read_text().replace("triggers:\n", triggers.lstrip(), 1)
    policy.write_text(text.replace("touchpoints:\n", f"touchpoints:\n{touchpoints}", 1))
    return {
        "DRUMBEAT_POLICY": str(policy.parent),
        "DRUMBEAT_TRACKING__CLICKS": "1",
        "DRUMBEAT_TRACKING__OPENS": "1",
        "DRUMBEAT_TRACING__ENDPOINT": spans.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }


async def _refuse_ulf(_: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:
    """As a server does that repeats the address in its refusal."""
    if address == REFUSED:
        return f"550 5.1.1 <{address}>: user unknown"
    envelope.rcpt_tos.append(address)
    return "250 OK"


async def _tell_of_people(stack: Stack) -> None:
    account = {"name": "Acme Ltd", "arr": 50_000, "csm_id": "kim", "timezone": "UTC"}
    xenia = {
        "contact_id": XENIA, "name": "Xenia Zubrowka", "email": ADDRESS, "phone": "+49 151 55512345", "role": "champion",
        "timezone": "UTC",
    }  # fmt: skip
    ulf = {"contact_id": ULF, "name": "Ulf Rauschebart", "email": REFUSED, "role": "user", "timezone": "UTC"}
    kim = {"name": "Kim Ostergard", "email": "kim@ostergard.example", "timezone": "UTC"}
    await stack.tell(
        event("csm.described", "kim", kim, id="kim", time=MONDAY),
        event("account.described", "acme", account, id="acme", time=MONDAY),
        event("contact.described", "acme", xenia, id="xenia", time=MONDAY),
        event("contact.described", "acme", ulf, id="ulf", time=MONDAY),
        event("nps.answered", "acme", {"contact_id": XENIA, "score": 9}, id="nps", time=MONDAY),
        event("health.scored", "acme", {"color": "red"}, id="red", time=MONDAY),
        event("milestone.reached", "acme", {"milestone": "x"}, id="milestone", time=MONDAY),
        event(
            "interaction.logged", "acme", {"contact_id": XENIA, "channel": "call", "notes": NOTES}, id="call", time=MONDAY
        ),
    )  # fmt: skip


async def _live_with_them(stack: Stack) -> None:
    """She gets a mail, clicks, answers and opts in; somebody writes about her; his address is refused."""
    mail = await until(lambda: _mail(stack), 240, "the mail to Xenia")
    link = re.search(r"https://drumbeat\.example(/c/[^\s\"<>)]+)", _html(mail))
    assert link is not None, mail
    notifier = stack.processes["notifier"].url
    followed = await stack.client.get(
        notifier + link.group(1), headers={"user-agent": "Mozilla/5.0 Firefox/140"}
    )
    assert followed.status_code < 400, followed.text
    delivery_id = str(mail["Message-ID"]).strip("<>").partition("@")[0]
    reply = gmail_reply(delivery_id, ADDRESS)
    headers = {"content-type": "message/rfc822"}
    await until(lambda: _counts(stack, reply, headers), 120, "the reply counts")
    allowed = {"topics": {"events": {"opted_in": True}}, "by_contact": True}
    answer = await stack.client.put(f"{notifier}/v1/contacts/{XENIA}/preferences", json=allowed)
    assert answer.status_code == 200, answer.text
    await _act(stack)
    await _send_nonsense(stack)
    refused = "SELECT 1 FROM refused_address"
    await until(lambda: _rows(stack, "notifier", refused), 240, "his address is refused")
    clicked = "SELECT 1 FROM inbound_mail WHERE kind = 'clicked'"
    await until(lambda: _rows(stack, "notifier", clicked), 240, "the click counts")


async def _act(stack: Stack) -> None:
    """Somebody of ours settles a touchpoint with notes about her."""
    planned = "SELECT id::text, sequence FROM touchpoint WHERE status = 'planned' AND owner = 'csm'"
    rows = await until(lambda: _rows(stack, "scheduler", planned), 240, "planned touchpoints")
    path = f"/v1/touchpoints/{rows[0][0]}/settle"
    settled = {"outcome": "attended", "version": rows[0][1], "notes": NOTES}
    assert (await stack.post("scheduler", path, settled))["status"] == "settled"


async def _send_nonsense(stack: Stack) -> None:
    """What is refused, parked or unreadable, and searches: all of it names her."""
    engine = stack.processes["rules_engine"].url
    bad = event(
        "contact.described",
        "acme",
        {"email": ADDRESS, "phone": "+49 151 55512345 Zubrowka"},
        id="bad",
        time=MONDAY,
    )
    answer = await stack.client.post(
        f"{engine}/v1/events",
        content=json.dumps([bad]),
        headers={"content-type": "application/cloudevents-batch+json"},
    )
    assert answer.status_code == 422, answer.text
    value, headers = binary({**bad, "id": "bad-in-kafka"})
    producer = Producer({"bootstrap.servers": stack.kafka.bootstrap})
    producer.produce("account.signals", value, b"acme", headers=headers)
    unknown = {"contact_id": XENIA, "role": "Zubrowka's boss", "email": ADDRESS, "language": "Zubrowka"}
    value, headers = binary(event("contact.described", "acme", unknown, id="odd", time=MONDAY))
    producer.produce("account.signals", value, b"acme", headers=headers)
    producer.produce("account.signals", f"no JSON, but {ADDRESS}".encode(), b"acme", headers=headers)
    outcome = {
        "touchpoint_id": "Zubrowka",
        "touchpoint_type": "check_in",
        "outcome": "Zubrowka",
        "notes": XENIA,
    }
    value, headers = binary(event("touchpoint.settled", "acme", outcome, id="o", time=MONDAY))
    producer.produce("touchpoint.outcomes", value, b"acme", headers=headers)
    producer.flush(20)
    for service, path in (
        ("rules_engine", "/v1/accounts?q=Zubrowka"),
        ("rules_engine", "/v1/accounts/Zubrowka"),
        ("notifier", f"/v1/inbox?contact_id={XENIA}&limit=Zubrowka"),
        ("notifier", f"/v1/contacts/{ADDRESS}/preferences"),
        ("notifier", "/p/Zubrowka"),
        ("scheduler", "/v1/touchpoints?account_id=Zubrowka&cursor=Zubrowka"),
        ("console", "/?account=Zubrowka"),
    ):
        assert (await stack.client.get(stack.processes[service].url + path)).status_code < 500, path
    letters = "SELECT 1 FROM dead_letter"
    for service in ("rules_engine", "scheduler"):
        await until(lambda of=service: _rows(stack, of, letters), 120, f"dead letters of {service}")


async def _check_that_nothing_else_names_them(stack: Stack, spans: SpanReceiver) -> None:
    """Keys and headers of records, topics that are not about people, logs, metrics, and traces."""
    found = await asyncio.to_thread(_search_topics, stack.kafka.bootstrap, NAMES)
    wrong = {(each.topic, each.part) for each in found if each.part != "value" or each.topic not in PERSONAL}
    assert not wrong
    for name in PARTS:
        shown = (await stack.client.get(f"{stack.processes[name].url}/metrics")).text
        assert not _named(shown, NAMES), name
        lines = stack.processes[name].log.read_text()
        assert "service.started" in lines
        assert not (named := [line for line in lines.splitlines() if _named(line, NAMES)]), named[:5]
    assert spans.spans
    traced = [span for span in spans.spans if _named(f"{span.name} {span.attributes}", NAMES)]
    assert not traced, traced[:5]


async def _check_export(stack: Stack) -> None:
    ran = await stack.drumbeat("export", "person", XENIA, "--file", "xenia.json")
    assert ran.returncode == 0, ran.stderr
    file = stack.folder / "xenia.json"
    assert file.stat().st_mode & 0o777 == 0o600
    document = json.loads(file.read_bytes())
    engine, scheduler, notifier = (document["services"][name] for name in SERVICES)
    (account,) = engine["accounts"]
    fields = {each["field"]: each["value"] for each in account["fields"]}
    assert (fields["name"], fields["email"], fields["phone"]) == (
        "Xenia Zubrowka",
        ADDRESS,
        "+49 151 55512345",
    )
    kinds = {each["kind"] for each in account["entries"]}
    assert {"nps.answered", "noted"} <= kinds, kinds
    assert [each["topic"] for each in account["preferences"]] == ["events"]
    assert engine["dead_letters"]
    assert engine["decisions"]
    assert notifier["contact"]["email"] == ADDRESS
    assert {"clicked", "reply"} <= {each["kind"] for each in notifier["inbound"]}
    texts = [each["message"]["text"] for each in notifier["deliveries"] if each["message"]]
    assert any("Read" in text for text in texts), notifier["deliveries"]
    assert [each["opted_in"] for each in notifier["preferences"]] == [True]
    assert notifier["budget"]
    assert all(each["account_id"] == "acme" for each in scheduler["planned"])
    for service in (engine, scheduler, notifier):
        assert {"what", "ends", "days", "setting"} == set(service["retention"][0])
    assert "rauschebart" not in file.read_text().lower(), "it shows nobody else"
    await _check_download(stack, document)
    unknown = await stack.drumbeat("export", "person", "nobody")
    assert (unknown.returncode, "nobody" in unknown.stderr) == (1, True)
    audited = {"action": "contact.exported", "object": f"contact/{XENIA}"}

    async def is_audited() -> bool:
        entries = (await stack.get("rules_engine", "/v1/audit", **audited))["items"]
        return {entry["service"] for entry in entries} == set(SERVICES)

    await until(is_audited, 60, "the audit log has the export")
    made = await stack.post("rules_engine", "/v1/keys", {"name": "reader", "scopes": ["read"]})
    headers = {"authorization": f"Bearer {made['key']}"}
    path = f"{stack.processes['rules_engine'].url}/v1/contacts/{XENIA}/data"

    async def is_refused() -> bool:
        status = (await stack.client.get(path, headers=headers)).status_code
        assert status != 200
        return status == 403  # 401 until the key is known

    await until(is_refused, 60, "a key that may only read exports nobody")


async def _check_download(stack: Stack, document: Mapping[str, Any]) -> None:
    """The console has the same document behind a link beside the contact."""
    console = stack.processes["console"].url
    async with httpx.AsyncClient(base_url=console, timeout=120, follow_redirects=True) as visitor:
        assert (await visitor.post("/sign-in", data={"key": KEY})).status_code == 200

        async def is_linked() -> bool:
            page = (await visitor.get("/?account=acme")).text
            return f'href="/contacts/data?contact={XENIA}"' in page

        await until(is_linked, 60, "the link beside Xenia")
        answer = await visitor.get("/contacts/data", params={"contact": XENIA})
        assert answer.headers.get("content-disposition") == f'attachment; filename="contact-{XENIA}.json"', (
            answer.url
        )
        shown = answer.json()
        for name in SERVICES:
            assert shown["services"][name].keys() == document["services"][name].keys(), name
        assert (
            shown["services"]["rules_engine"]["accounts"] == document["services"]["rules_engine"]["accounts"]
        )
        unknown = await visitor.get("/contacts/data", params={"contact": "nobody"})
        assert "No service stores anything" in unknown.text


async def _erase(stack: Stack) -> dict[str, Any]:
    before = {each.partition(":")[0] for each in await _search_tables(stack, SUBJECTS)}
    assert before >= {
        "rules_engine.account.state", "rules_engine.decision.state", "rules_engine.dead_letter.value",
        "scheduler.touchpoint.outcome_notes", "notifier.contact.email", "notifier.written_message.content",
        "notifier.inbound_mail.recipient_id",
    }  # fmt: skip
    receipts: list[dict[str, Any]] = []
    for contact_id in (ULF, XENIA):
        path = f"/v1/accounts/acme/contacts/{contact_id}"
        answer = await stack.client.delete(stack.processes["rules_engine"].url + path)
        assert answer.status_code == 200, answer.text
        receipts.append(answer.json())
    return receipts[-1]


async def _check_tables(stack: Stack) -> None:
    """No row of any table names them, also where it is stored compressed; the opt-in stays under the hash alone."""
    last: list[str] = []

    async def are_gone() -> bool:
        last[:] = await _search_tables(stack, SUBJECTS)
        return not last

    try:
        await until(are_gone, 60, "no table names them")
    except AssertionError:
        raise AssertionError(last) from None
    kept = await _rows(stack, "notifier", "SELECT opted_in FROM address_consent WHERE opted_in")
    assert kept
    assert [row[0] for row in await _rows(stack, "notifier", "SELECT detail FROM refused_address")] == [
        "550 5.1.1"
    ]
    assert (await stack.drumbeat("export", "person", XENIA)).returncode == 1


async def _check_erasure_of_a_csm(stack: Stack) -> None:
    """No table names them any more, but for events of the stream, which are not changed and age out."""
    name = ("ostergard",)
    before = {each.partition(":")[0] for each in await _search_tables(stack, name)}
    assert before >= {"rules_engine.csm.state", "scheduler.person.name", "notifier.person.email"}, before
    lou = {"name": "Lou", "email": "lou@example.com", "timezone": "UTC"}
    await stack.tell(event("csm.described", "lou", lou, id="lou", time=MONDAY))
    ran = await stack.drumbeat("erase", "--csm", "kim", "--yes", "--json")
    assert ran.returncode == 0, ran.stderr
    receipt = json.loads(ran.stdout)
    assert {each["topic"] for each in receipt["ages_out"]} == PERSONAL_OF_CSMS
    last: list[str] = []

    async def are_gone() -> bool:
        found = {each.partition(".data:")[0] for each in await _search_tables(stack, name)}
        last[:] = sorted(place for place in found if not place.startswith(EVENTS_OF_THE_STREAM))
        return not last

    try:
        await until(are_gone, 60, "no table names the CSM")
    except AssertionError:
        raise AssertionError(last) from None
    records = await asyncio.to_thread(_search_topics, stack.kafka.bootstrap, name)
    assert {(each.topic, each.part) for each in records} <= {(topic, "value") for topic in PERSONAL_OF_CSMS}
    again = await stack.drumbeat("erase", "--csm", "kim", "--yes", "--json")
    assert json.loads(again.stdout) == receipt
    unknown = await stack.drumbeat("erase", "--csm", "nobody", "--yes")
    assert (unknown.returncode, "There is no CSM 'nobody'" in unknown.stderr) == (1, True)
    both = await stack.drumbeat("erase", "acme", "--csm", "kim", "--yes")
    assert (both.returncode, "by itself" in both.stderr) == (2, True)


async def _check_that_topics_age_out(stack: Stack, receipt: Mapping[str, Any]) -> None:
    """What still names them is where the receipt says, and the broker's settings end it by the day that it says."""
    by = {each["topic"]: datetime.fromisoformat(each["by"]) for each in receipt["ages_out"]}
    assert set(by) == PERSONAL
    assert max(by.values()).isoformat() == datetime.fromisoformat(receipt["topics_clear_by"]).isoformat()
    found = await asyncio.to_thread(_search_topics, stack.kafka.bootstrap, SUBJECTS)
    assert {each.part for each in found} == {"value"}
    assert {each.topic for each in found} <= set(by)
    configs = await asyncio.to_thread(_configs, stack.kafka.bootstrap, sorted(by))
    for each in found:
        settings = configs[each.topic]
        if settings["cleanup.policy"] == "delete":
            kept = timedelta(milliseconds=int(settings["retention.ms"]) + int(settings["segment.ms"]))
        else:
            kept = timedelta(milliseconds=int(settings["max.compaction.lag.ms"]))
        assert each.written_at + kept <= by[each.topic] + timedelta(minutes=1), each
    await _compact(stack)


async def _compact(stack: Stack) -> None:
    """With the compaction of a week made one of a moment, the compacted topics name them no more."""
    await asyncio.to_thread(_hurry_compaction, stack.kafka.bootstrap)
    number = 0

    async def are_compacted() -> bool:
        """Other accounts are written to, as on any day: what is behind the newest segment is compacted."""
        nonlocal number
        number += 1
        now = await stack.now()
        await stack.tell(
            *(
                event(
                    "account.described",
                    f"other-{each}",
                    {"name": f"Other {number}"},
                    id=f"o-{each}-{number}",
                    time=now,
                )
                for each in range(16)
            )
        )
        await asyncio.sleep(1.5)
        found = await asyncio.to_thread(_search_topics, stack.kafka.bootstrap, SUBJECTS, COMPACTED)
        return not found

    await until(are_compacted, 240, "compacted topics name nobody who was erased")


def _search_topics(bootstrap: str, needles: Collection[str], topics: Collection[str] = ()) -> list[Found]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "privacy",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    try:
        known = consumer.list_topics(timeout=30).topics
        parts = {
            (name, part)
            for name, topic in known.items()
            if name in topics or not topics
            for part in topic.partitions
        }
        consumer.assign([TopicPartition(*part, OFFSET_BEGINNING) for part in parts])
        return list(_search_partitions(consumer, parts, needles))
    finally:
        consumer.close()


def _search_partitions(
    consumer: Consumer, parts: set[tuple[str, int]], needles: Collection[str]
) -> Iterable[Found]:
    """Of all records that the partitions have now."""
    while parts:
        record = consumer.poll(30)
        assert record is not None, f"no end of {parts}"
        topic, error = str(record.topic()), record.error()
        if error is not None:
            assert error.code() == KafkaError._PARTITION_EOF, error
            parts.discard((topic, cast("int", record.partition())))  # again after records that came later
            continue
        headers = cast("list[tuple[str, bytes | None]]", record.headers() or [])
        written_at = datetime.fromtimestamp(record.timestamp()[1] / 1000, UTC)
        pieces = [("key", record.key()), ("value", record.value())]
        pieces += [(f"header {name}", value) for name, value in headers]
        for kind, content in pieces:
            text = (content or b"").decode(errors="replace")
            if _named(text, needles):
                yield Found(topic, written_at, kind)


def _configs(bootstrap: str, topics: Collection[str]) -> dict[str, dict[str, str]]:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
    answers = admin.describe_configs(resources)
    return {
        resource.name: {name: str(entry.value) for name, entry in future.result(30).items()}
        for resource, future in answers.items()
    }


def _hurry_compaction(bootstrap: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    hurried = {"segment.ms": "1000", "max.compaction.lag.ms": "1000", "min.cleanable.dirty.ratio": "0.0001"}
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in hurried.items()
    ]
    resources = [ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries) for name in COMPACTED]
    # The cleaner, which is every topic's, looks again after fifteen seconds if it finds nothing.
    often = [ConfigEntry("log.cleaner.backoff.ms", "500", incremental_operation=AlterConfigOpType.SET)]
    resources.append(ConfigResource(ResourceType.BROKER, "1", incremental_configs=often))
    for future in admin.incremental_alter_configs(resources).values():
        future.result(30)


async def _search_tables(stack: Stack, needles: Collection[str]) -> list[str]:
    """`service.table.column: excerpt` of every value that contains one of the texts: as text, in bytes, compressed."""
    found: list[str] = []
    for service, database in DATABASES.items():
        connection = await asyncpg.connect(database_url(stack.postgres.url, database))
        try:
            tables = await connection.fetch(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
            )
            for (table,) in tables:
                columns = {
                    f"{name}: {excerpt}"
                    for row in await connection.fetch(f'SELECT * FROM "{table}"')
                    for name, value in row.items()
                    if (excerpt := _excerpt(_readable(value), needles))
                }
                found += [f"{service}.{table}.{column}" for column in sorted(columns)]
        finally:
            await connection.close()
    return found


def _readable(value: object) -> str:
    if isinstance(value, bytes):
        return unpacked(value).decode(errors="replace")
    if isinstance(value, list):
        return " ".join(map(_readable, cast("list[object]", value)))
    return str(value)


def _excerpt(text: str, needles: Collection[str]) -> str:
    """What stands around the first of the texts; "" without one."""
    places = [place for needle in needles if (place := text.lower().find(needle)) >= 0]
    return text[max(0, min(places) - 80) : min(places) + 60] if places else ""


def _named(text: str, needles: Collection[str]) -> bool:
    lower = text.lower()
    return any(needle in lower for needle in needles)


async def _rows(stack: Stack, service: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database_url(stack.postgres.url, DATABASES[service]))
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


def _mail(stack: Stack) -> EmailMessage | None:
    """The thanks to Xenia."""
    mails = (
        message_from_bytes(content, _class=EmailMessage, policy=default)
        for recipients, content in stack.mail.messages
        if recipients == [ADDRESS]
    )
    return next((mail for mail in mails if "Thank you" in str(mail["Subject"])), None)


def _html(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    return "" if part is None else str(part.get_content())


async def _counts(stack: Stack, mail: bytes, headers: Mapping[str, str]) -> bool:
    url = f"{stack.processes['notifier'].url}/v1/inbound/mail"
    answer = await stack.client.post(url, content=mail, headers=dict(headers))
    assert answer.status_code == 202, answer.text
    return bool(answer.json()["counted"])
