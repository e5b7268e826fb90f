"""Links of a running deployment, made with its own keys."""

from services.chassis.clock import real_now
from services.chassis.database import Database
from services.chassis.settings import Settings
from services.notifier.adapters.secret_repository import open_secrets
from services.notifier.domain.page_link import make_page_token
from tests.stack import Stack


async def page_url(stack: Stack, contact_id: str) -> str:
    """The own page of a contact."""
    database = await Database.open(stack.postgres.url, "drumbeat_notifier")
    async with database.transaction() as connection:
        _, keys = await open_secrets(connection, Settings.model_validate({"data_dir": stack.folder}))
    await database.close()
    return f"{stack.processes['notifier'].url}/p/{make_page_token(keys, contact_id, real_now())}"
