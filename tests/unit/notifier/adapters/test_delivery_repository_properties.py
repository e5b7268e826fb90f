"""The id of a delivery follows from event, channel and recipient."""

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.adapters.delivery_repository import delivery_id
from services.notifier.domain.delivery import Recipient, RecipientKind

ENDPOINT = Recipient(RecipientKind.SUBSCRIPTION, "s1")


@given(event=st.text(max_size=20), other=st.text(max_size=20), recovery=st.integers(0, 3))
def test_an_id_follows_from_event_channel_and_recipient(event: str, other: str, recovery: int) -> None:
    first = delivery_id(event, "webhook", ENDPOINT, recovery=recovery)

    assert first == delivery_id(event, "webhook", ENDPOINT, recovery=recovery)
    assert "." not in first
    assert (delivery_id(other, "webhook", ENDPOINT, recovery=recovery) == first) == (event == other)
    assert delivery_id(event, "email", ENDPOINT, recovery=recovery) != first


def test_ids_stay_the_same_in_every_version() -> None:
    contact, nobody = Recipient(RecipientKind.CONTACT, "ann"), Recipient(RecipientKind.CSM, None)

    assert delivery_id("t1:3:due", "email", contact) == "d4650a97-4c2d-56d9-62da-de8226612767"
    assert delivery_id("t1:3:due", "email", nobody) == "3483ad48-b24f-52f3-425e-67b84e77b407"
    assert delivery_id("t1:3:due", "webhook", ENDPOINT, recovery=2) == "4e3c851e-9c6e-3324-1401-4f4228e37138"
