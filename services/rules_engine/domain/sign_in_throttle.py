"""How fast passwords may be tried for one name, whether there is such a user or not."""

from datetime import timedelta
from typing import Final

FREE_ATTEMPTS: Final = 5
LONGEST_PAUSE: Final = timedelta(minutes=15)
FORGOTTEN_AFTER: Final = timedelta(hours=1)
"""Real time after the last attempt; a right password forgets them at once."""


def pause_after(attempts: int) -> timedelta:
    """How long nobody may try again after so many attempts in a row: nothing at first, then 1, 2, 4 s and so on.

    Anybody may make somebody else wait, so no name is locked for good (OWASP Authentication Cheat Sheet, account
    lockout): at the longest pause some twenty passwords an hour are tried.
    """
    if attempts < FREE_ATTEMPTS:
        return timedelta(0)
    return min(LONGEST_PAUSE, timedelta(seconds=2.0 ** min(attempts - FREE_ATTEMPTS, 20)))
