"""What binds a message at the moment at which it is handed over."""

from collections.abc import Collection

from services.chassis.database import Connection
from services.notifier.adapters.address_repository import load_consents, unknown_addresses
from services.notifier.adapters.directory_repository import load_preferences
from services.notifier.adapters.mode_repository import load_mode
from services.notifier.application.mail_ports import OptOuts
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.mode import Mode


async def load_opt_outs(
    connection: Connection, key: AddressKey, contact_ids: Collection[str], addresses: Collection[str]
) -> OptOuts:
    """What binds messages to these contacts, at these addresses, now."""
    if not addresses and not contact_ids:
        return OptOuts({}, {}, frozenset(), Mode())
    return OptOuts(
        preferences=await load_preferences(connection, sorted(contact_ids)),
        consents=await load_consents(connection, key, addresses),
        unknown_addresses=await unknown_addresses(connection, key, addresses),
        mode=await load_mode(connection),
    )
