"""Links to the console's pages, as messages carry them."""

from urllib.parse import quote


def account_page(account_id: str) -> str:
    """The path of an account's page, below the address of the console."""
    return f"/?account={quote(account_id, safe='')}"


def draft_page(draft_id: str) -> str:
    """The path of a draft's page, below the address of the console."""
    return f"/drafts/{quote(draft_id, safe='')}"
