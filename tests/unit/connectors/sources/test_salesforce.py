"""Outbound Messages and change events of Salesforce, as its documentation shows them."""

import json

import pytest

from schemas.problems import Malformed
from services.connectors.sources.salesforce import read_salesforce
from tests.unit.connectors.mapping.samples import map_body

SOAP = """<?xml version="1.0" encoding="{encoding}"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
  xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>00D000000000062EAA</OrganizationId><ActionId>04kD00000008OIAIA2</ActionId>
   <SessionId xsi:nil="true"/><EnterpriseUrl>https://x.example</EnterpriseUrl><PartnerUrl>https://x.example</PartnerUrl>
   <Notification><Id>04lD0000000AAAAAA4</Id>
    <sObject xsi:type="sf:Contract" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>800D000000IqhSL</sf:Id><sf:AccountId>001D000000IqhSLIAZ</sf:AccountId>
     <sf:EndDate xsi:nil="true"/><sf:Note>a &lt;b&gt; &amp; ü</sf:Note>
     <sf:BillingAddress><sf:city>Köln</sf:city></sf:BillingAddress>
    </sObject></Notification>
   <Notification><Id>04lD0000000BBBBAA4</Id>
    <sObject xsi:type="sf:Contract" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>800D000000IqhSM</sf:Id></sObject>
   </Notification>
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>"""


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1"])
def test_an_outbound_message_is_an_item_for_each_notification(encoding: str) -> None:
    body = read_salesforce(SOAP.format(encoding=encoding).encode(encoding))
    assert body.is_soap
    assert body.organization_ids == {"00D000000000062EAA"}
    assert [item["notification_id"] for item in body.items] == ["04lD0000000AAAAAA4", "04lD0000000BBBBAA4"]
    assert body.items[0]["object"] == "Contract"
    assert body.items[0]["record"] == {
        "AccountId": "001D000000IqhSLIAZ",
        "EndDate": None,
        "Note": "a <b> & ü",
        "BillingAddress": {"city": "Köln"},
    }


def test_the_session_id_goes_nowhere() -> None:
    text = SOAP.format(encoding="UTF-8").replace(
        '<SessionId xsi:nil="true"/>', "<SessionId>00D!secret</SessionId>"
    )
    assert "secret" not in str(read_salesforce(text.encode()))


EXTERNAL = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'
LAUGHS = '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>'
ENTITY = '<!DOCTYPE a [<!ENTITY b SYSTEM "http://127.0.0.1:1/x">]><a>&b;</a>'
PARAMETER = '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]><a/>'


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (EXTERNAL, "document type"),
        (LAUGHS, "document type"),
        (ENTITY, "document type"),
        (PARAMETER, "document type"),
        ("<a>&undefined;</a>", "no well-formed XML"),
        ("<a", "no well-formed XML"),
        ("<a/><b/>", "no well-formed XML"),
        ("<a>\x00</a>", "no well-formed XML"),
        ("<a>" * 40 + "</a>" * 40, "levels"),
        ("<a>" + "<b/>" * 60_000 + "</a>", "elements"),
        ("<a/>", "is no SOAP envelope"),
        ('<?xml version="1.0" encoding="x-unheard-of"?><a/>', "body:"),
        ("<?xml version='1.0' encoding='UTF-7'?><a/>", "body:"),
        (SOAP.format(encoding="UTF-8").replace("Notification>", "Other>"), "no <Notification>"),
        (SOAP.format(encoding="UTF-8").replace("notifications", "others"), "no <notifications>"),
        (SOAP.format(encoding="UTF-8").replace("2005/09/outbound", "2005/09/other"), "no <notifications>"),
        ("{}", "no ChangeEventHeader"),
        ("", "is empty"),
        ("not json", "is not JSON"),
    ],
)
def test_what_is_no_message_is_refused(body: str, problem: str) -> None:
    with pytest.raises(Malformed, match=problem):
        read_salesforce(body.encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    for body in (b"<a>\xff\xfe</a>", b"\xff\xfe<\x00a", b"\x00\x00\x00<", b"<\xc3\x28/>"):
        with pytest.raises(Malformed):
            read_salesforce(body)


def _change(**header: object) -> dict[str, object]:
    return {
        "schema": "IeRuaY6cbI_HsV8Rv1Mc5g",
        "payload": {
            "ChangeEventHeader": {
                "entityName": "Account", "recordIds": ["001D000000IqhSLIAZ"], "changeType": "UPDATE",
                "transactionKey": "0002343d", "sequenceNumber": 1, "commitTimestamp": 1764500000000, **header,
            },
            "Renewal_Date__c": "2027-03-01", "Industry": None, "Name": None,
        },
        "event": {"replayId": 6},
    }  # fmt: skip


def test_a_change_event_is_an_item_for_each_record() -> None:
    event = _change(
        recordIds=["001D000000IqhSLIAZ", "001D000000IqhSMIAZ"], changedFields=["Renewal_Date__c", "Industry"]
    )
    items = read_salesforce(json.dumps(event).encode()).items
    assert [item["id"] for item in items] == ["001D000000IqhSLIAZ", "001D000000IqhSMIAZ"]
    # Name did not change: a client that expands the event has null for it.
    assert items[0]["record"] == {"Renewal_Date__c": "2027-03-01", "Industry": None}
    assert items[0]["committed_at"] == 1764500000000


def test_a_change_event_is_read_bare_in_a_list_and_from_an_event_relay() -> None:
    event = _change()
    for document in (event["payload"], [event], {"detail": event}):
        (item,) = read_salesforce(json.dumps(document).encode()).items
        assert item["record"] == {"Renewal_Date__c": "2027-03-01"}


def test_fields_that_were_set_to_null_are_cleared() -> None:
    event = _change(nulledFields=["Contract_End_Date__c", "Industry"])
    (item,) = read_salesforce(json.dumps(event).encode()).items
    assert item["record"] == {"Renewal_Date__c": "2027-03-01", "Industry": None, "Contract_End_Date__c": None}


def _contact(change: str, name: dict[str, object] | None, **fields: object) -> bytes:
    header = {
        "entityName": "Contact", "recordIds": ["003D000000QOMqmIAH"], "changeType": change, "transactionKey": "0002",
        "sequenceNumber": 1, "commitTimestamp": 1764500000000, "changedFields": ["Name", *fields],
    }  # fmt: skip
    return json.dumps(
        {"ChangeEventHeader": header, "AccountId": "001D000000IqhSLIAZ", "Name": name, **fields}
    ).encode()


@pytest.mark.parametrize(
    ("change", "name", "expected"),
    [
        ("CREATE", {"Salutation": "Dr.", "FirstName": "Ann", "LastName": "Lee"}, "Ann Lee"),
        ("CREATE", {"LastName": "Lee"}, "Lee"),
        ("UPDATE", {"FirstName": "Ann", "LastName": "Lee"}, "Ann Lee"),
        ("UPDATE", {"LastName": "Lee"}, None),
    ],
)
def test_a_contact_of_a_change_event_has_its_whole_name_or_none(
    change: str, name: dict[str, object], expected: str | None
) -> None:
    """In change events a name is an object of its parts; of an update it may have those that changed alone."""
    (item,) = map_body("salesforce", _contact(change, name, Email="ann@acme.example"))
    (fact,) = item.facts
    assert (fact.type, item.problems) == ("drumbeat.contact.described.v1", ())
    assert (fact.data["email"], fact.data.get("name")) == ("ann@acme.example", expected)
    assert ("Contact UPDATE Name.LastName" in item.unmapped) is (expected is None), item.unmapped


def test_the_country_of_an_account_stands_in_its_address() -> None:
    header = {
        "entityName": "Account", "recordIds": ["001D000000IqhSLIAZ"], "changeType": "CREATE", "transactionKey": "0003",
        "sequenceNumber": 1, "commitTimestamp": 1764500000000,
    }  # fmt: skip
    address = {
        "Street": "1 Long Road",
        "City": "Wien",
        "CountryCode": "AT",
        "Country": "Austria",
        "State": None,
    }
    body = json.dumps({"ChangeEventHeader": header, "Name": "Acme", "BillingAddress": address}).encode()
    (item,) = map_body("salesforce", body)
    assert [(fact.data["name"], fact.data["country"]) for fact in item.facts] == [("Acme", "AT")]


def test_an_opportunity_of_a_change_event_is_a_contract() -> None:
    header = {
        "entityName": "Opportunity", "recordIds": ["006D000000AbcdeIAB"], "changeType": "CREATE",
        "transactionKey": "0004", "sequenceNumber": 1, "commitTimestamp": 1764500000000,
    }  # fmt: skip
    record = {"AccountId": "001D000000IqhSLIAZ", "Renewal_Date__c": "2027-03-01", "ARR__c": 60000}
    (item,) = map_body("salesforce", json.dumps({"ChangeEventHeader": header, **record}).encode())
    (fact,) = item.facts
    assert (fact.type, fact.account.id) == ("drumbeat.contract.changed.v1", "001D000000IqhSLIAZ")
    assert (fact.data["renews_on"], fact.data["arr"]) == ("2027-03-01", 60_000)
