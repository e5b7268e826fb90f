# pyright: reportUnknownMemberType=false
"""What operators do while services run: switch the mode, erase an account, erase a contact."""

import json
import tempfile
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from confluent_kafka import Producer

from services.cadence.account.packing import unpacked
from services.chassis.keys import digest, new_secret, read_or_create_secrets
from services.chassis.record_signatures import sign_record
from tests.faults.conftest import MONDAY_MORNING, SMALL_POLICY
from tests.faults.ledger import Ledger, binary
from tests.stack import SERVICES, Stack, event, receiving, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.long,
    pytest.mark.timeout(480),
    pytest.mark.asyncio(loop_scope="module"),
]

THANKS = """
triggers:
  - rule: thanks
    on: milestone.reached
    touchpoint: nurture
    within: 48h
    because: A milestone is reached.

touchpoints:
  nurture:
    purpose: Say thanks
    aim: share_insight
    expects: The customer feels seen
    topic: education
    owner: automation
    channel: email
    minutes: 0

"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ledger() -> AsyncGenerator[Ledger]:
    """All services, a webhook subscription to every type, and a policy that answers a milestone with a mail."""
    with tempfile.TemporaryDirectory(prefix="drumbeat-operating-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        policy = folder / "policy" / "policy.yaml"
        thanks = folder / "policy" / "content" / "en" / "nurture.md"
        thanks.parent.mkdir(parents=True)
        thanks.write_text('---\nsubject: "Thank you"\n---\nThat was a milestone.\n')
        triggers, touchpoints = THANKS.split("touchpoints:\n")
        text = SMALL_POLICY.read_text().replace("triggers:\n", triggers.lstrip(), 1)
        policy.write_text(text.replace("touchpoints:\n", f"touchpoints:\n{touchpoints}", 1))
        settings = {"DRUMBEAT_POLICY": str(policy.parent)}
        async with (
            Stack(folder, start=MONDAY_MORNING, settings=settings) as stack,
            receiving() as receiver,
        ):
            await stack.run()
            types = [f"drumbeat.touchpoint.{kind}.v1" for kind in ("scheduled", "moved", "cancelled", "due")]
            await stack.post("notifier", "/v1/subscriptions", {"url": receiver.url, "types": types})
            await stack.tell(
                event("csm.described", "csm-1", {"name": "Kim", "email": "kim@example.com"}, id="kim",
                      time=MONDAY_MORNING)
            )  # fmt: skip
            yield Ledger(stack, receiver)


def facts(account: str, time: datetime) -> list[dict[str, object]]:
    """An account with a contact, in trouble, that reached a milestone."""
    described = {"name": f"{account} Ltd", "arr": 50_000, "csm_id": "csm-1"}
    contact = {
        "contact_id": f"ann-of-{account}", "email": f"ann@{account}.example", "name": f"Ann {account}",
        "role": "champion",
    }  # fmt: skip
    return [
        event("account.described", account, described, id=f"{account}-1", time=time),
        event("contact.described", account, contact, id=f"{account}-2", time=time),
        event("health.scored", account, {"color": "red"}, id=f"{account}-3", time=time),
        event("milestone.reached", account, {"milestone": "x"}, id=f"{account}-4", time=time),
    ]


async def mail_of(ledger: Ledger, account: str) -> tuple[str, str | None] | None:
    """State and reason of the mail to the account's customer, once it is final."""
    rows = await ledger.rows(
        "notifier",
        "SELECT state, reason FROM delivery WHERE account_id = $1 AND touchpoint_type = 'nurture'"
        " AND channel = 'email' AND state <> 'pending'",
        account,
    )
    return (rows[0][0], rows[0][1]) if rows else None


async def switch(stack: Stack, mode: str) -> dict[str, Any]:
    answer = await stack.client.put(f"{stack.processes['rules_engine'].url}/v1/mode", json={"mode": mode})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until_the_notifier_knows(ledger: Ledger, mode: str) -> None:
    await until(
        lambda: ledger.rows("notifier", "SELECT 1 FROM mode WHERE mode = $1 AND version > 0", mode),
        20,
        f"the notifier knows the mode {mode}",
    )


async def test_a_switch_of_the_mode_holds_customer_mail_at_once_and_going_live_flushes_nothing(
    ledger: Ledger,
) -> None:
    """U2."""
    stack = ledger.stack
    assert (await stack.get("rules_engine", "/v1/mode"))["mode"] == "live"
    await until_the_notifier_knows(ledger, "live")
    before = await stack.get("rules_engine", "/v1/policies/progress")

    switched = await switch(stack, "hold")

    assert (switched["mode"], switched["changed"], switched["setting"]) == ("hold", True, "live")
    assert switched["epoch"] > before["epoch"]
    assert (await switch(stack, "hold"))["changed"] is False
    await until_the_notifier_knows(ledger, "hold")
    await stack.tell(*facts("during-hold", await stack.now()))
    expired = await until(lambda: mail_of(ledger, "during-hold"), 90, "the mail under hold is final")
    assert expired == ("expired", "customer messages are on hold")

    # A setting that is what it was at the last start switches nothing back.
    stack.kill("rules_engine")
    stack.spawn("rules_engine")
    await stack.ready("rules_engine")
    assert (await stack.get("rules_engine", "/v1/mode"))["mode"] == "hold"

    # What came due under hold, but is read only after going live, is not sent either.
    stack.freeze("notifier")
    await stack.tell(*facts("read-late", await stack.now()))
    released = (
        "SELECT 1 FROM touchpoint WHERE account_id = 'read-late' AND type = 'nurture' AND status <> 'planned'"
    )
    await until(lambda: ledger.rows("scheduler", released), 90, "it came due under hold")
    await switch(stack, "live")
    stack.thaw("notifier")
    await stack.tell(*facts("after-hold", await stack.now()))
    sent = await until(lambda: mail_of(ledger, "after-hold"), 90, "the mail after hold is final")
    late = await until(lambda: mail_of(ledger, "read-late"), 90, "the late mail is final")
    assert sent[0] == "sent"
    assert late == ("expired", "customer messages are on hold")
    assert await mail_of(ledger, "during-hold") == expired
    # On a slow machine later messages have come due by now, which are sent; what was held never is.
    held = await ledger.rows(
        "notifier",
        "SELECT message_id::text FROM delivery WHERE account_id = 'during-hold' AND state = 'expired'",
    )
    ids = [row[0].encode() for row in held]
    assert ids
    assert not [mail for _, mail in stack.mail.messages if any(each in mail for each in ids)]


async def test_a_changed_setting_switches_the_mode_at_the_next_start(ledger: Ledger) -> None:
    """U2."""
    stack = ledger.stack
    await switch(stack, "live")
    for setting in ("observe", "live"):
        stack.kill("rules_engine")
        stack.environment["DRUMBEAT_MODE"] = setting
        stack.spawn("rules_engine")
        await stack.ready("rules_engine")
        assert (await stack.get("rules_engine", "/v1/mode"))["mode"] == setting
        await until_the_notifier_knows(ledger, setting)


async def test_only_an_admin_switches_the_mode_and_erases(ledger: Ledger) -> None:
    stack = ledger.stack
    engine = stack.processes["rules_engine"].url
    made = await stack.post("rules_engine", "/v1/keys", {"name": "reader", "scopes": ["read"]})
    headers = {"Authorization": f"Bearer {made['key']}"}

    async def status(method: str, path: str, **more: Any) -> int:
        return (await stack.client.request(method, engine + path, headers=headers, **more)).status_code

    async def known() -> bool:
        return await status("GET", "/v1/mode") == 200

    await until(known, 90, "the key is known")
    assert await status("PUT", "/v1/mode", json={"mode": "hold"}) == 403
    assert await status("DELETE", "/v1/accounts/acme") == 403
    assert await status("DELETE", "/v1/accounts/acme/contacts/ann") == 403


async def counted(stack: Stack, service: str, metric: str) -> float:
    text = (await stack.client.get(f"{stack.processes[service].url}/metrics")).text
    line = next(line for line in text.splitlines() if line.startswith(f"{metric} "))
    return float(line.split()[1])


async def test_a_forged_entry_of_the_audit_log_is_not_believed(ledger: Ledger) -> None:
    """Issue 11, B: unsigned, signed wrongly, or with the signature of a record of another topic."""
    stack = ledger.stack
    secret = read_or_create_secrets(stack.folder / "secrets-key")[0]
    data = {"id": "forged", "at": "2026-03-02T09:00:00Z", "service": "scheduler", "actor": "0123abcd",
            "action": "key.created", "object": "key/ffffffff"}  # fmt: skip
    value, headers = binary(
        event(
            "audit.recorded",
            "scheduler",
            data,
            id="forged",
            time=MONDAY_MORNING,
            source="/drumbeat/scheduler",
        )
    )
    producer = Producer({"bootstrap.servers": stack.kafka.bootstrap})
    signatures: list[list[tuple[str, bytes]]] = [
        [],
        [("signature", b"v1,0,0")],
        [sign_record(secret, "directory.keys", "scheduler", value)],
    ]
    for signature in signatures:
        producer.produce("audit.entries", value, key="scheduler", headers=[*headers, *signature])
    assert producer.flush(20) == 0

    async def is_refused() -> bool:
        return await counted(stack, "rules_engine", "drumbeat_audit_entries_refused_total") == 3

    await until(is_refused, 90, "the entries are refused")
    select = "SELECT reason FROM dead_letter WHERE topic = 'audit.entries'"

    async def are_letters() -> Any:
        letters = await ledger.rows("rules_engine", select)
        return len(letters) == 3 and letters

    await until(are_letters, 90, "the entries are dead letters")
    assert not (await stack.get("rules_engine", "/v1/audit", object="key/ffffffff"))["items"]
    assert (await stack.get("rules_engine", "/v1/audit"))["items"], "those of the services are believed"
    ended = await stack.drumbeat("audit", "verify")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert stack.processes["rules_engine"].log.read_text().count("audit.entry_refused") <= 3
    await ledger.rows("rules_engine", "DELETE FROM dead_letter WHERE topic = 'audit.entries' RETURNING id")


async def test_a_forged_record_of_a_key_makes_no_key(ledger: Ledger) -> None:
    """Issue 11, B: whoever may write to Kafka can neither add a key nor widen or revive one."""
    stack = ledger.stack
    own = await stack.post("rules_engine", "/v1/keys", {"name": "reader", "scopes": ["read"]})
    attacker_id, attacker = new_secret()

    async def status(service: str, key: str) -> int:
        headers = {"authorization": f"Bearer {key}"}
        url = stack.processes[service].url + "/v1/dead-letters"
        return (await stack.client.get(url, headers=headers)).status_code

    async def is_known() -> bool:
        return [await status(service, own["key"]) for service in SERVICES] == [200, 200, 200]

    await until(is_known, 90, "every service knows the key")
    producer = Producer({"bootstrap.servers": stack.kafka.bootstrap})
    for number, (key_id, signature) in enumerate(
        [(attacker_id, None), (own["key_id"], None), (attacker_id, b"v1,0,0")], start=1
    ):
        data = {"key_id": key_id, "sha256": digest(attacker), "scopes": ["admin"], "version": 2**50 + number}
        forged = event("key.directory", key_id, data, id=f"forged-{number}", time=MONDAY_MORNING,
                       source="/drumbeat/rules_engine")  # fmt: skip
        value, headers = binary(forged)
        headers += [("signature", signature)] if signature else []
        producer.produce("directory.keys", value, key=key_id, headers=headers)
    assert producer.flush(20) == 0

    for service in ("scheduler", "notifier"):

        async def is_refused(service: str = service) -> bool:
            return await counted(stack, service, "drumbeat_key_records_refused_total") == 3

        await until(is_refused, 90, f"{service} refuses the records")
        assert await status(service, attacker) == 401
        assert await status(service, own["key"]) == 200
    await stack.client.delete(f"{stack.processes['rules_engine'].url}/v1/keys/{own['key_id']}")

    async def is_revoked() -> bool:
        return [await status(service, own["key"]) for service in SERVICES] == [401, 401, 401]

    await until(is_revoked, 90, "the key is revoked everywhere")
    for service in SERVICES:  # what was signed by an earlier start is signed again, and still believed
        assert not await ledger.rows(service, "SELECT reason FROM dead_letter")


async def test_the_command_line_switches_the_mode_and_asks_before_it_erases(ledger: Ledger) -> None:
    """U2 and point 6."""
    stack = ledger.stack
    await stack.tell(*facts("by-command", await stack.now()))

    async def is_there() -> bool:
        return await stack.find("rules_engine", "/v1/accounts/by-command") is not None

    await until(is_there, 90, "the account")
    switched = await stack.drumbeat("mode", "hold", "--json")
    assert (switched.returncode, json.loads(switched.stdout)["mode"]) == (0, "hold"), switched.stderr
    assert (await stack.drumbeat("mode")).stdout.startswith("hold since 2026-")
    assert (await stack.drumbeat("mode", "live")).returncode == 0

    refused = await stack.drumbeat("erase", "by-command", answers="n\n")
    assert refused.returncode == 1
    assert await is_there()
    contact = await stack.drumbeat("erase", "by-command", "--contact", "ann-of-by-command", "--yes")
    assert (contact.returncode, "erased" in contact.stdout) == (0, True), contact.stderr
    erased = await stack.drumbeat("erase", "by-command", "--yes", "--json")
    assert erased.returncode == 0, erased.stderr
    assert json.loads(erased.stdout)["topics_clear_by"]
    assert not await is_there()
    assert (await stack.drumbeat("erase", "never-heard-of", "--yes")).returncode == 1


async def test_the_command_line_acts_on_touchpoints_and_takes_back_what_it_did(ledger: Ledger) -> None:
    """Rows 30 and 31, S162: the rules engine forgets an outcome that is undone, and the plan stays as it was."""
    stack = ledger.stack
    await stack.tell(*facts("at-work", await stack.now()))
    engine = f"{stack.processes['rules_engine'].url}/v1/accounts/at-work"

    async def planned() -> list[dict[str, Any]]:
        url = f"{stack.processes['scheduler'].url}/v1/touchpoints?account_id=at-work&csm_id=csm-1&status=planned"
        return (await stack.client.get(url)).json()["items"]

    async def touched() -> object:
        plan = (await stack.client.get(engine)).json()["plan"]
        return next(
            each["last_touch_at"] for each in plan["rhythms"] if each["touchpoint_type"] == item["type"]
        )

    await until(planned, 90, "a touchpoint is planned")
    item = next(each for each in await planned() if each["origin"] == "rhythm")
    unknown = await stack.drumbeat("assign", item["id"], "csm-2")
    assert (unknown.returncode, "nobody is known as 'csm-2'" in unknown.stderr) == (1, True), unknown.stderr
    await stack.tell(event("csm.described", "csm-2", {"name": "Lee"}, id="lee", time=await stack.now()))

    async def is_known() -> bool:
        return bool(await ledger.rows("scheduler", "SELECT 1 FROM person WHERE csm_id = 'csm-2'"))

    await until(is_known, 90, "csm-2 is described")
    given = await stack.drumbeat("assign", item["id"], "csm-2", "--json")
    assert (given.returncode, json.loads(given.stdout)["csm_id"]) == (0, "csm-2"), given.stderr
    assert (await stack.drumbeat("undo", item["id"])).returncode == 0
    done = await stack.drumbeat(
        "done", item["id"], "--outcome", "attended", "--notes", "wants a tour", "--json"
    )
    assert json.loads(done.stdout)["outcome"]["notes"] == "wants a tour", done.stderr

    async def is_counted() -> bool:
        return await touched() is not None

    async def is_forgotten() -> bool:
        return await touched() is None

    await until(is_counted, 90, "the contact counts")
    undone = await stack.drumbeat("undo", item["id"])
    assert (undone.returncode, "nobody has it" in undone.stdout) == (0, False), undone.stderr
    await until(is_forgotten, 90, "the contact is forgotten")
    late = await stack.drumbeat("move", item["id"], "2026-06-01")
    assert (late.returncode, "is after the deadline" in late.stderr) == (1, True), late.stderr
    why = ("--force", "--reason", "their summer")
    moved = await stack.drumbeat("move", item["id"], "2026-06-01", *why, "--json")
    assert json.loads(moved.stdout)["note"] == "their summer"
    assert json.loads(moved.stdout)["due_at"] == f"2026-06-01{item['due_at'][10:]}", moved.stderr
    again = json.loads(moved.stdout)["id"]  # another one when the touchpoint had come due
    taken = await stack.drumbeat("claim", again, "csm-1")
    assert (taken.returncode, "belongs to csm-1" in taken.stderr) == (1, True)
    skipped = await stack.drumbeat("skip", again, "--reason", "on leave", "--as", "csm-1")
    assert (skipped.returncode, "cancelled" in skipped.stdout) == (0, True), skipped.stderr

    async def names_who_acted() -> bool:
        rows = await ledger.rows(
            "notifier", "SELECT convert_from(data, 'UTF8') FROM feed WHERE type LIKE '%cancelled%'"
        )
        acted = [data for row in rows if "on leave" in ((data := json.loads(row[0])).get("note") or "")]
        return [data["actor_id"] for data in acted] == ["csm-1"]

    await until(names_who_acted, 90, "the event names who skipped it")


async def mentions(ledger: Ledger, *needles: str) -> list[str]:
    """Every table of the three databases with a row that contains one of the texts, also in binary columns."""
    patterns = [f"%{form}%" for needle in needles for form in (needle, needle.encode().hex())]
    found: list[str] = []
    for service in SERVICES:
        tables = await ledger.rows(
            service, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        )
        for (table,) in tables:
            query = f'SELECT count(*) FROM "{table}" AS t WHERE t::text ILIKE ANY($1::text[])'
            if (await ledger.rows(service, query, patterns))[0][0]:
                found.append(f"{service}.{table}")
    for table, column in PACKED:
        rows = await ledger.rows("rules_engine", f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
        documents = [unpacked(row[0]).lower() for row in rows]
        if any(needle.lower().encode() in document for needle in needles for document in documents):
            found.append(f"rules_engine.{table}")
    return found


PACKED = (("account", "state"), ("account_plan", "plan"), ("decision", "state"), ("decision", "plan"))
"""Columns whose large values are compressed."""


async def make_trouble(ledger: Ledger, account: str) -> None:
    """Dead letters about the account in every service, and a parked event."""
    producer = Producer({"bootstrap.servers": ledger.stack.kafka.bootstrap})
    bad = {
        "specversion": "1.0", "id": f"{account}-bad", "source": "/test", "subject": account,
        "type": "drumbeat.contact.described.v1", "time": "2026-03-02T10:00:00Z", "data": {"email": f"ann@{account}"},
    }  # fmt: skip
    producer.produce("account.signals", json.dumps(bad).encode(), b"another-key",
                     headers=[("content-type", b"application/cloudevents+json")])  # fmt: skip
    for topic in ("touchpoint.commands", "directory.accounts"):
        producer.produce(topic, b"{ broken", account.encode())
    producer.flush(20)
    for service in SERVICES:
        await until(
            lambda service=service: ledger.rows(service, "SELECT 1 FROM dead_letter"),
            20,
            f"a dead letter in {service}",
        )
    await ledger.rows("rules_engine", "UPDATE account SET state = '{}' WHERE account_id = $1", account)
    now = await ledger.stack.now()
    await ledger.stack.tell(event("health.scored", account, {"score": 10}, id=f"{account}-parked", time=now))
    await until(
        lambda: ledger.rows("rules_engine", "SELECT 1 FROM parked WHERE account_id = $1", account),
        20,
        "parked",
    )


async def erase(ledger: Ledger, path: str, status: int = 200) -> dict[str, Any]:
    answer = await ledger.stack.client.delete(ledger.stack.processes["rules_engine"].url + path)
    assert answer.status_code == status, answer.text
    return answer.json()


async def announce_late(ledger: Ledger, account: str) -> None:
    """What the scheduler said of an erased account, read by the engine only now."""
    body = next(body for body in ledger.receiver.of("due") if body["data"]["account_id"] == account)
    due = event(
        "touchpoint.due", account, body["data"], id="late", time=await ledger.stack.now(), source="/drumbeat/scheduler"
    )  # fmt: skip
    value, headers = binary(due)
    producer = Producer({"bootstrap.servers": ledger.stack.kafka.bootstrap})
    producer.produce("touchpoint.events", value, account.encode(), headers=headers)
    # As the scheduler does: nothing about an erased account follows without a tombstone.
    producer.produce("touchpoint.events", None, account.encode())
    producer.flush(20)
    receipt = {"source": "/drumbeat/scheduler", "id": "late"}

    async def is_read() -> bool:
        return await ledger.stack.find("rules_engine", "/v1/events", **receipt) is not None

    await until(is_read, 90, "the late announcement is read")


async def test_an_erased_account_is_gone_from_every_table_of_every_service(ledger: Ledger) -> None:
    """Point 6."""
    stack, account = ledger.stack, "erase-me"
    await stack.tell(*facts(account, await stack.now()))
    await until(lambda: mail_of(ledger, account), 40, "the mail is final")
    plans = "SELECT 1 FROM touchpoint WHERE account_id = $1 AND type = 'check_in' AND status = 'planned'"
    await until(lambda: ledger.rows("scheduler", plans, account), 90, "a planned check-in")
    await make_trouble(ledger, account)
    assert {name.partition(".")[0] for name in await mentions(ledger, account)} == set(SERVICES)
    await stack.tell(*facts("bystander", await stack.now()))

    receipt = await erase(ledger, f"/v1/accounts/{account}")

    erased_at, clear_by = (datetime.fromisoformat(receipt[name]) for name in ("erased_at", "topics_clear_by"))
    assert clear_by - erased_at == timedelta(days=30)

    async def is_gone() -> bool:
        return not await mentions(ledger, account)

    try:
        await until(is_gone, 90, "gone")
    except AssertionError:
        raise AssertionError(await mentions(ledger, account)) from None
    cancelled = [body for body in ledger.receiver.of("cancelled") if body["data"]["account_id"] == account]
    assert cancelled, "who keeps a calendar of it hears that its touchpoints are cancelled"
    assert await erase(ledger, f"/v1/accounts/{account}") == receipt
    await erase(ledger, "/v1/accounts/never-heard-of", 404)

    async def is_bystander_planned() -> bool:
        found = await stack.find("rules_engine", "/v1/accounts/bystander")
        return bool(found and found["plan"] and found["plan"]["touchpoints"])

    await until(is_bystander_planned, 90, "another account keeps its plan")

    await announce_late(ledger, account)
    await until(is_gone, 90, "a late announcement does not bring it back")

    later = await stack.now()
    await stack.tell(event("account.described", account, {"name": "Back"}, id="back", time=later))
    anew = "SELECT 1 FROM touchpoint WHERE account_id = $1 AND type = 'survey'"
    await until(lambda: ledger.rows("scheduler", anew, account), 90, "what is told later starts it anew")


async def test_an_erased_contact_is_gone_and_what_was_told_before_does_not_bring_it_back(
    ledger: Ledger,
) -> None:
    """Point 6."""
    stack, account = ledger.stack, "erase-ann"
    begin = await stack.now()
    ann = "ann-of-erase-ann"
    joe = {"contact_id": "joe", "email": "joe@elsewhere.example", "role": "user"}
    refusal = {"contact_id": ann, "topic": "promotion", "opted_in": False}
    answer = {"contact_id": ann, "score": 9}
    await stack.tell(
        *facts(account, begin),
        event("contact.described", account, joe, id="joe", time=begin),
        event("preference.changed", account, refusal, id="refusal", time=begin),
        event("nps.answered", account, answer, id="answer", time=begin),
    )
    await until(lambda: mail_of(ledger, account), 40, "the mail is final")
    needles = (ann, f"ann@{account}.example", f"Ann {account}")
    assert await mentions(ledger, *needles)

    receipt = await erase(ledger, f"/v1/accounts/{account}/contacts/{ann}")

    async def is_gone() -> bool:
        return not await mentions(ledger, *needles)

    try:
        await until(is_gone, 90, "gone")
    except AssertionError:
        raise AssertionError(await mentions(ledger, *needles)) from None
    assert await erase(ledger, f"/v1/accounts/{account}/contacts/{ann}") == receipt
    await erase(ledger, f"/v1/accounts/{account}/contacts/nobody", 404)
    await stack.tell(
        event("contact.described", account, {"contact_id": ann, "role": "admin"}, id="old", time=begin),
        event("health.scored", account, {"color": "green"}, id="new", time=await stack.now()),
    )

    async def document() -> dict[str, Any]:
        return await stack.get("rules_engine", f"/v1/accounts/{account}")

    async def is_green() -> bool:
        return (await document())["color"] == "green"

    await until(is_green, 90, "the later event is applied")
    assert [contact["contact_id"] for contact in (await document())["contacts"]] == ["joe"]
    assert (await document())["facts"]["nps_score"]["value"] == 9
    contacts = "SELECT contact_id FROM contact WHERE account_id = $1"
    assert [row[0] for row in await ledger.rows("notifier", contacts, account)] == ["joe"]
    assert not await mentions(ledger, *needles)


async def contacts_of(ledger: Ledger, account: str) -> dict[str, Any]:
    """Contact id -> contact, as the engine shows the account; nobody while it knows no such account."""
    document = await ledger.stack.find("rules_engine", f"/v1/accounts/{account}")
    return {contact["contact_id"]: contact for contact in document["contacts"]} if document else {}


async def notified_account(ledger: Ledger, contact_id: str) -> str | None:
    """The account with which the notifier has a contact."""
    rows = await ledger.rows("notifier", "SELECT account_id FROM contact WHERE contact_id = $1", contact_id)
    return rows[0][0] if rows else None


async def test_a_contact_is_in_the_account_of_the_later_statement_whoever_publishes_last(
    ledger: Ledger,
) -> None:
    """Row 9."""
    stack, begin = ledger.stack, await ledger.stack.now()
    person = {"contact_id": "moving", "email": "moving@acme.example", "role": "champion"}
    await stack.tell(event("contact.described", "home-old", person, id="home-1", time=begin))
    later = await stack.now()
    await stack.tell(
        event("contact.described", "home-new", {"contact_id": "moving"}, id="home-2", time=later),
        event("account.described", "home-old", {"name": "Old Home"}, id="home-3", time=later),
        event("contact.left", "home-old", {"contact_id": "moving"}, id="home-4", time=await stack.now()),
        event("health.scored", "home-old", {"color": "red"}, id="home-5", time=await stack.now()),
    )

    async def is_told() -> bool:
        old = await stack.find("rules_engine", "/v1/accounts/home-old")
        is_red = old is not None and old["color"] == "red"
        return is_red and "moving" in await contacts_of(ledger, "home-new")

    await until(is_told, 90, "both accounts")
    assert await contacts_of(ledger, "home-old") == {}
    moved = (await contacts_of(ledger, "home-new"))["moving"]
    assert (moved["email"], moved["left"]) == ("moving@acme.example", False)

    async def is_with_the_new_account() -> bool:
        named = "SELECT 1 FROM account WHERE account_id = 'home-old' AND name = 'Old Home'"
        return (
            bool(await ledger.rows("notifier", named))
            and await notified_account(ledger, "moving") == "home-new"
        )

    await until(is_with_the_new_account, 90, "the notifier follows the later statement")

    await erase(ledger, "/v1/accounts/home-new/contacts/moving")

    async def is_gone() -> bool:
        return not await mentions(ledger, "moving@acme.example")

    await until(is_gone, 90, "the account that the contact left keeps nothing of the erased contact")


async def test_a_merged_account_moves_with_people_and_calendar_and_its_later_events_go_to_the_other(
    ledger: Ledger,
) -> None:
    """Point 6."""
    stack, old, stays = ledger.stack, "merge-old", "merge-stays"
    await stack.tell(
        *facts(old, await stack.now()),
        event("account.described", stays, {"name": "Stays"}, id="stays-1", time=await stack.now()),
    )
    due = "SELECT id::text FROM touchpoint WHERE account_id = $1 AND status <> 'planned'"
    await until(lambda: mail_of(ledger, old), 40, "the mail is final")
    ids = {row[0] for row in await ledger.rows("scheduler", due, old)}
    assert ids

    merge = event("account.merged", stays, {"from": old}, id="merge", time=await stack.now())
    await stack.tell(merge, merge)
    engine = stack.processes["rules_engine"].url

    async def has_moved() -> bool:
        moved = {row[0] for row in await ledger.rows("scheduler", due, stays)}
        there = await ledger.rows("scheduler", "SELECT 1 FROM touchpoint WHERE account_id = $1", old)
        return moved >= ids and not there and await notified_account(ledger, f"ann-of-{old}") == stays

    await until(has_moved, 90, "people and calendar move, and ids of touchpoints stay")
    # The record of the account that stays may bring the people before that of the other brings the messages.
    moved = await until(lambda: mail_of(ledger, stays), 90, "the messages move")
    assert moved[0] == "sent"
    assert await mail_of(ledger, old) is None
    answer = await stack.client.get(f"{engine}/v1/accounts/{old}")
    assert (answer.status_code, answer.json()["merged_into"]) == (404, stays)
    assert f"ann-of-{old}" in await contacts_of(ledger, stays)
    await stack.tell(
        event("health.scored", old, {"color": "green"}, id="merge-late", time=await stack.now()),
        event("account.merged", old, {"from": stays}, id="merge-circle", time=await stack.now()),
    )

    async def document() -> dict[str, Any]:
        return await stack.get("rules_engine", f"/v1/accounts/{stays}")

    async def is_green() -> bool:
        return (await document())["color"] == "green"

    await until(is_green, 90, "a later event of the ended account counts for the one that stays")
    reasons = "SELECT reason FROM parked WHERE event_id = 'merge-circle'"
    parked = await until(lambda: ledger.rows("rules_engine", reasons), 90, "a merge in a circle is parked")
    assert "was merged into" in parked[0][0]
    itself = event("account.merged", stays, {"from": stays}, id="self", time=await stack.now())
    refused = await stack.client.post(
        f"{engine}/v1/events", json=itself, headers={"Content-Type": "application/cloudevents+json"}
    )
    assert refused.status_code == 422
    assert "data.from" in refused.json()["results"][0]["problem"]


async def test_accounts_are_found_by_external_id_and_parent_and_a_parent_shows_the_roll_up(
    ledger: Ledger,
) -> None:
    """U7."""
    stack, now = ledger.stack, await ledger.stack.now()
    child = {"parent_id": "holding", "arr": 10_000, "external_ids": {"crm": "0015", "billing:eu": "x=1"}}
    contract = {"contract_id": "k", "status": "active", "starts_on": "2026-01-01", "renews_on": "2027-01-01"}
    await stack.tell(
        event("account.described", "holding", {"name": "Holding"}, id="holding", time=now),
        event("account.described", "child-1", child, id="child-1", time=now),
        event("account.described", "child-2", {"parent_id": "holding"}, id="child-2", time=now),
        event("health.scored", "child-2", {"color": "yellow"}, id="child-2-health", time=now),
        event("contract.changed", "child-1", contract, id="child-1-contract", time=now),
    )

    async def rollup() -> dict[str, Any] | None:
        answer = await stack.client.get(f"{stack.processes['rules_engine'].url}/v1/accounts/holding")
        found = answer.json().get("rollup")
        return found if found and found["worst_color"] and found["next_renewal_on"] else None

    assert await until(rollup, 90, "the roll-up") == {
        "children": 2, "arr": 10_000, "arr_unknown": 1, "worst_color": "yellow", "next_renewal_on": "2027-01-01",
    }  # fmt: skip
    below = await stack.get("rules_engine", "/v1/accounts", parent_id="holding")
    assert [item["id"] for item in below["items"]] == ["child-1", "child-2"]
    found = await stack.get("rules_engine", "/v1/accounts", external_id="billing:eu:x=1")
    assert [item["id"] for item in found["items"]] == ["child-1"]
    document = await stack.get("rules_engine", "/v1/accounts/child-1")
    assert document["external_ids"] == {"crm": "0015", "billing:eu": "x=1"}
    assert (document["parent_id"], document["rollup"]) == ("holding", None)


async def test_who_opted_out_and_was_erased_gets_no_mail_after_an_import_under_another_id(
    ledger: Ledger,
) -> None:
    """Point 6."""
    stack, account = ledger.stack, "opted-out"
    begin = await stack.now()
    person = {"email": f"ann@{account}.example", "role": "champion"}
    await stack.tell(
        event("account.described", account, {"name": "Opted Out"}, id="out-1", time=begin),
        event("contact.described", account, {"contact_id": "out-ann", **person}, id="out-2", time=begin),
    )
    await until(lambda: notified_account(ledger, "out-ann"), 90, "the contact")
    preferences = f"{stack.processes['notifier'].url}/v1/contacts/out-ann/preferences"
    refusal = {"topics": {"education": {"opted_in": False}}}
    assert (await stack.client.put(preferences, json=refusal)).status_code == 200
    await erase(ledger, f"/v1/accounts/{account}/contacts/out-ann")

    async def is_gone() -> bool:
        return not await mentions(ledger, "out-ann", f"ann@{account}.example")

    await until(is_gone, 90, "gone")
    again = await stack.now()
    await stack.tell(
        event("contact.described", account, {"contact_id": "imported-7", **person}, id="out-3", time=again),
    )
    await until(lambda: notified_account(ledger, "imported-7"), 90, "the contact of the import")
    await stack.tell(
        event("milestone.reached", account, {"milestone": "y"}, id="out-4", time=await stack.now())
    )

    state, reason = await until(lambda: mail_of(ledger, account), 40, "the mail is final")
    assert (state, "opted out" in str(reason)) == ("suppressed", True), reason
    assert not [to for to, _ in stack.mail.messages if to == [f"ann@{account}.example"]]
