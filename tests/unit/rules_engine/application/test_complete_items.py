"""What a webhook leaves out is asked for with a token; without one, or when it is refused, the reason is kept."""

from datetime import UTC, datetime

import orjson
import pytest

from services.connectors.batch import read_batch
from services.connectors.source import Source
from services.rules_engine.application.complete_items import ProviderAway
from services.rules_engine.application.take_webhook import WebhookResult, take_webhook
from tests.unit.rules_engine.application.webhook_ports import Recorder, source_of

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DEAL = {
    "eventId": 1, "portalId": 3, "occurredAt": 1796000000000, "objectId": 5, "propertyName": "amount",
    "subscriptionType": "deal.propertyChange", "propertyValue": "9",
}  # fmt: skip
THIN = {
    "id": "evt_1", "object": "v2.core.event", "type": "v1.customer.subscription.updated",
    "created": "2026-11-30T11:00:00Z", "related_object": {"id": "sub_1", "url": "/v1/subscriptions/sub_1"},
}  # fmt: skip
ANSWER = {
    "properties": {"renewal_date": "2027-03-01", "hs_arr": "1200", "deal_currency_code": None},
    "associations": {
        "companies": {"results": [{"id": "8", "type": "deal_to_company_unlabeled"}, {"id": "7"}]}
    },
}


async def take(recorder: Recorder, source: Source, document: object) -> WebhookResult:
    items = read_batch(source.mapping, orjson.dumps(document)).items
    return await take_webhook(source, items, recorder.ports, NOW)


async def test_a_deal_is_read_with_its_primary_company() -> None:
    recorder = Recorder(answers={"/crm/v3/objects/deals/5": ANSWER})
    await take(recorder, source_of("hubspot", "pat"), [DEAL])
    (_, contract) = recorder.sent
    assert contract["subject"] == "hubspot:7"
    assert contract["data"] == {"contract_id": "hubspot-deal-5", "renews_on": "2027-03-01", "arr": 1200.0}


async def test_without_a_token_the_setting_is_named_and_nobody_is_asked() -> None:
    for name, document in (("hubspot", [DEAL]), ("stripe", THIN)):
        recorder = Recorder()
        (refused,) = (await take(recorder, source_of(name), document)).refused
        assert f"DRUMBEAT_WEBHOOKS__{name.upper()}__TOKEN" in refused.reason
        assert not recorder.asked


async def test_a_thin_event_is_mapped_like_the_whole_one() -> None:
    subscription = {"id": "sub_1", "customer": "cus_1", "status": "active", "current_period_end": 1803859200}
    recorder = Recorder(answers={"/v1/subscriptions/sub_1": subscription})
    await take(recorder, source_of("stripe", "rk"), THIN)
    contract = recorder.sent[-1]
    assert (contract["subject"], contract["time"]) == ("stripe:cus_1", "2026-11-30T11:00:00Z")
    assert contract["data"] == {
        "contract_id": "sub_1", "status": "active", "renews_on": "2027-03-01", "auto_renew": True,
    }  # fmt: skip


async def test_a_refusal_is_kept_with_the_item_as_it_came() -> None:
    (refused,) = (await take(Recorder(), source_of("hubspot", "pat"), [DEAL])).refused
    assert refused.reason == "api.example answers 404"
    assert "drumbeat_lookup_problem" not in refused.item


async def test_a_provider_that_is_away_has_the_webhook_sent_again() -> None:
    recorder = Recorder(answers={"/crm/v3/objects/deals/5": None})
    with pytest.raises(ProviderAway):
        await take(recorder, source_of("hubspot", "pat"), [DEAL])
    assert not recorder.recorded


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "//evil.example/v1/x/y",
        "/v1/../x/y",
        "/v1/x/y?z=1",
        "/v1/x/y#z",
        "",
        None,
        5,
    ],
)
async def test_an_event_leads_nowhere_but_to_the_objects_of_the_api(url: object) -> None:
    recorder = Recorder()
    await take(recorder, source_of("stripe", "rk"), {**THIN, "related_object": {"id": "x", "url": url}})
    assert not recorder.asked


async def test_an_object_is_asked_for_once_in_a_request() -> None:
    recorder = Recorder(answers={"/crm/v3/objects/deals/5": ANSWER})
    changes = [{**DEAL, "eventId": number, "propertyName": f"p{number}"} for number in range(30)]
    result = await take(recorder, source_of("hubspot", "pat"), changes)
    assert (recorder.asked, len(result.refused)) == (["/crm/v3/objects/deals/5"], 0)


async def test_what_no_fact_would_come_of_is_not_asked_for() -> None:
    recorder = Recorder()
    await take(recorder, source_of("stripe", "rk"), {**THIN, "type": "v1.charge.updated"})
    await take(recorder, source_of("hubspot", "pat"), [{**DEAL, "subscriptionType": "deal.deletion"}])
    assert not recorder.asked
