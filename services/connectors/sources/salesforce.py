"""Salesforce: Outbound Messages (SOAP) and change events (JSON), both as items `{object, id, change, record, ...}`.

A change event of several records is an item for each. Sources: Salesforce's SOAP API Developer Guide, "Outbound
Messaging", and its Change Data Capture Developer Guide.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, cast

from schemas.problems import Malformed
from services.connectors.sources.items import Item, as_items, mapping_of, parse_body
from services.connectors.sources.xml_tree import Element, parse_xml

ACK: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    b"</soapenv:Body></soapenv:Envelope>\n"
)
"""The answer that ends the repetition of an Outbound Message."""
ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/envelope/"
OUTBOUND: Final = "http://soap.sforce.com/2005/09/outbound"
XSI_NIL: Final = "http://www.w3.org/2001/XMLSchema-instance nil"
XSI_TYPE: Final = "http://www.w3.org/2001/XMLSchema-instance type"
MOST_RECORDS: Final = 1000


class SalesforceBody(NamedTuple):
    """`organization_ids`: those that the items claim to come from."""

    items: list[Item]
    organization_ids: frozenset[str]
    is_soap: bool


def read_salesforce(body: bytes) -> SalesforceBody:
    """Raises Malformed for what is neither an Outbound Message nor a change event."""
    if body.lstrip(b"\xef\xbb\xbf\x00\xff\xfe \t\r\n")[:1] == b"<":
        return _read_soap(parse_xml(body))
    items = list(_change_items(parse_body(body)))
    return SalesforceBody(items, frozenset(), is_soap=False)


def _read_soap(envelope: Element) -> SalesforceBody:
    # SessionId stays unread: it would open the organisation to whoever sees it.
    if envelope.name != (ENVELOPE, "Envelope"):
        raise Malformed(f"body: <{envelope.name[1]}> is no SOAP envelope; send an Outbound Message")
    bodies = [child for child in envelope.children if child.name == (ENVELOPE, "Body")]
    found = [child for part in bodies for child in part.children if child.name == (OUTBOUND, "notifications")]
    if len(found) != 1:
        raise Malformed("body: the envelope has no <notifications> of an Outbound Message")
    organization = _text_of(found[0], "OrganizationId")
    items = [
        _notification(child, organization)
        for child in found[0].children
        if child.name == (OUTBOUND, "Notification")
    ]
    if not items:
        raise Malformed("body: the message has no <Notification>")
    return SalesforceBody(as_items(items), frozenset(filter(None, [organization])), is_soap=True)


def _notification(element: Element, organization: str | None) -> Item:
    records = [child for child in element.children if child.name[1] == "sObject"]
    record = records[0] if records else Element(("", "sObject"))
    fields = {child.name[1]: _value(child) for child in record.children}
    return {
        "notification_id": _text_of(element, "Id"),
        "organization_id": organization,
        "object": record.attributes.get(XSI_TYPE, "").rpartition(":")[2],
        "id": fields.get("Id"),
        "change": "OUTBOUND",
        "record": {name: value for name, value in fields.items() if name != "Id"},
    }


def _text_of(element: Element, name: str) -> str | None:
    return next((child.text.strip() for child in element.children if child.name == (OUTBOUND, name)), None)


def _value(element: Element) -> object:
    """A text, null where it says nil, an object where it has parts (an address)."""
    if element.attributes.get(XSI_NIL) in ("true", "1"):
        return None
    return {child.name[1]: _value(child) for child in element.children} if element.children else element.text


def _change_items(document: object) -> Iterator[Item]:
    for event in as_items(document):
        nested = (
            mapping_of(event.get("payload"))
            or mapping_of(mapping_of(event.get("detail")).get("payload"))
            or event
        )
        header = mapping_of(nested.get("ChangeEventHeader"))
        if not header:
            raise Malformed(
                "body: the event has no ChangeEventHeader; send change events, or an Outbound Message"
            )
        record_ids = header.get("recordIds")
        listed = cast("list[object]", record_ids) if isinstance(record_ids, list) else [record_ids]
        if len(listed) > MOST_RECORDS:
            raise Malformed(f"body: the event is about {len(listed)} records, more than {MOST_RECORDS}")
        record = {name: value for name, value in nested.items() if name != "ChangeEventHeader"}
        for name in cast("list[object]", header.get("nulledFields") or []):
            record.setdefault(str(name), None)
        for record_id in listed:
            yield {
                "object": str(header.get("entityName", "")),
                "id": record_id,
                "change": str(header.get("changeType", "")),
                "committed_at": header.get("commitTimestamp"),
                "transaction": header.get("transactionKey"),
                "sequence": header.get("sequenceNumber"),
                "record": _flat(_changed_fields(record, header), header),
            }


def _flat(record: Item, header: Item) -> Item:
    """With compound fields under the names of queries and messages: `Name` as text, `BillingCountry` of `BillingAddress`.

    A name is left out of which an update tells one part: the whole name is not known then.
    """
    flat: dict[str, object] = {}
    for field, value in record.items():
        parts = mapping_of(value)
        if field == "Name" and parts:
            first, last = parts.get("FirstName"), parts.get("LastName")
            if last and (first or header.get("changeType") != "UPDATE"):
                flat[field] = " ".join(str(part) for part in (first, last) if part)
            else:
                flat |= {f"{field}.{part}": found for part, found in parts.items()}  # counted as not mapped
        elif field.endswith("Address") and parts:
            prefix = field.removesuffix("Address")
            flat |= {f"{prefix}{part}": found for part, found in parts.items() if found is not None}
        else:
            flat[field] = value
    return flat


def _changed_fields(record: Item, header: Item) -> Item:
    """Of an update the fields that changed: a client that expands the event fills in null for the others.

    Where the event lists none, those that are not null.
    """
    if header.get("changeType") != "UPDATE":
        return {name: value for name, value in record.items() if value is not None}
    changed = header.get("changedFields")
    names = {str(name) for name in cast("list[object]", changed)} if isinstance(changed, list) else set[str]()
    nulled = {str(name) for name in cast("list[object]", header.get("nulledFields") or [])}
    return {name: value for name, value in record.items() if value is not None or name in names | nulled}
