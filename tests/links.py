"""Links of a running deployment, made with its own keys."""

from collections.abc import Sequence

from schemas.vocabulary import Topic
from services.chassis.clock import real_now
from services.chassis.database import Database
from services.chassis.settings import Settings
from services.notifier.adapters.secret_repository import open_secrets
from services.notifier.domain.link_token import LinkKeys
from services.notifier.domain.page_link import make_page_token
from services.notifier.domain.unsubscribe import make_token
from tests.stack import Stack


async def page_url(stack: Stack, contact_id: str) -> str:
    """The own page of a contact."""
    token = make_page_token(await _keys(stack), contact_id, real_now())
    return f"{stack.processes['notifier'].url}/p/{token}"


async def unsubscribe_url(stack: Stack, contact_id: str, topics: Sequence[Topic]) -> str:
    """What a contact's mail about these topics links to end them; none: all topics."""
    token = make_token(await _keys(stack), contact_id, topics, real_now())
    return f"{stack.processes['notifier'].url}/v1/unsubscribe/{token}"


async def _keys(stack: Stack) -> LinkKeys:
    database = await Database.open(stack.postgres.url, "drumbeat_notifier")
    async with database.transaction() as connection:
        _, keys = await open_secrets(connection, Settings.model_validate({"data_dir": stack.folder}))
    await database.close()
    return keys
