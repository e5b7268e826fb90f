"""Who takes which accounts: those of a leaver, or new ones of a pool.

Work is level over people and over the year, counted by blocks of four weeks, so that nobody gets accounts whose busy
weeks are already theirs. Only the given accounts change hands; a host whom the account knows has an advantage.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from services.calendar.levelling.model import MOST_MINUTES
from services.calendar.levelling.price import LOAD, OVER, SHORTEST_WEEK, Ints

BLOCK_WEEKS: Final = 4
KNOWN_PERCENT: Final = 3
"""A person whom the account knows is worth so many per cent of load."""
MOST_SWAPPED: Final = 300
"""With more accounts than this they only move, and are not swapped pair by pair: there is enough choice without."""
NOT_ALLOWED: Final = 1 << 62


class AccountLoad(NamedTuple):
    """An account without a lead: its minutes in each block of four weeks.

    `hosts`: the people who may take it; empty: all. `known_to`: who has stood in for its lead.
    """

    account_id: str
    minutes: tuple[int, ...]
    hosts: tuple[str, ...] = ()
    known_to: str | None = None


class Host(NamedTuple):
    """A person who may take accounts: planned and available minutes in each block of four weeks."""

    csm_id: str
    minutes: tuple[int, ...]
    available: tuple[int, ...]


def share_out(accounts: Sequence[AccountLoad], hosts: Sequence[Host]) -> dict[str, str]:
    """By account the person who takes it; an account that nobody may take is left out. Who has no minutes takes none.

    The heaviest first, each to where the price rises least; then moves and swaps among these accounts while they lower
    the price. Raises ValueError when the blocks of accounts and hosts differ in number.
    """
    accounts, hosts = _scale(accounts, sorted(host for host in hosts if any(host.available)))
    names = {host.csm_id: number for number, host in enumerate(hosts)}
    open_to = [
        each for each in accounts if hosts and (not each.hosts or any(name in names for name in each.hosts))
    ]
    if len({len(row) for host in hosts for row in host[1:]} | {len(each.minutes) for each in accounts}) > 1:
        raise ValueError("accounts and hosts have different numbers of blocks; give each the same weeks")
    if not open_to:
        return {}
    sharing = _Sharing(sorted(open_to, key=lambda each: (-sum(each.minutes), each.account_id)), hosts, names)
    while sharing.move_each() or sharing.swap_each():
        pass
    return {
        account.account_id: hosts[place].csm_id
        for account, place in zip(sharing.accounts, sharing.places, strict=True)
    }


def _scale(accounts: Sequence[AccountLoad], hosts: list[Host]) -> tuple[Sequence[AccountLoad], list[Host]]:
    """In units of so many minutes that prices fit 64 bits; one minute up to `MOST_MINUTES` in all."""
    total = sum(sum(each.minutes) for each in (*accounts, *hosts))
    unit = -(-total // MOST_MINUTES)
    if unit <= 1:
        return accounts, hosts

    def scaled(minutes: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(-(-each // unit) for each in minutes)

    return [each._replace(minutes=scaled(each.minutes)) for each in accounts], [
        each._replace(minutes=scaled(each.minutes), available=scaled(each.available)) for each in hosts
    ]


def choose_host(minutes: Sequence[int], hosts: Sequence[Host]) -> str | None:
    """The host for whom one account raises the price least, of equal ones the first by id; None: there is nobody.

    As `share_out` of this account alone, without building arrays: plans come one by one.
    """

    def rise(host: Host) -> int:
        blocks = zip(host.minutes, minutes, host.available, strict=True)
        return sum(
            _price_block(load + more, available) - _price_block(load, available)
            for load, more, available in blocks
        )

    able = [host for host in hosts if any(host.available)]
    return min(able, key=lambda host: (rise(host), host.csm_id)).csm_id if able else None


def _price_block(load: int, available: int) -> int:
    return LOAD // max(available, SHORTEST_WEEK) * load * load + OVER * max(load - available, 0)


class _Sharing:
    """Accounts, heaviest first, and the host whom each has; -1 before it has one."""

    def __init__(self, accounts: Sequence[AccountLoad], hosts: Sequence[Host], names: dict[str, int]) -> None:
        self.accounts = accounts
        self.minutes = np.array([each.minutes for each in accounts], np.int64)
        self.load = np.array([each.minutes for each in hosts], np.int64)
        self.available = np.array([each.available for each in hosts], np.int64)
        self.rate = LOAD // np.maximum(self.available, SHORTEST_WEEK)
        self.bonus = np.zeros((len(accounts), len(hosts)), np.int64)
        for row, each in enumerate(accounts):
            if each.hosts:
                self.bonus[row] = -NOT_ALLOWED
                self.bonus[row, [names[name] for name in each.hosts if name in names]] = 0
            if each.known_to in names and self.bonus[row, names[each.known_to]] == 0:
                self.bonus[row, names[each.known_to]] = 2 * LOAD * KNOWN_PERCENT * sum(each.minutes) // 100
        self.places = [-1] * len(accounts)

    def move_each(self) -> bool:
        """Give each account to whom it costs least, the others where they are. Whether one moved."""
        moved = False
        for row, before in enumerate(self.places):
            if before >= 0:
                self.load[before] -= self.minutes[row]
            rise = self._price(self.load + self.minutes[row], slice(None)) - self._price(
                self.load, slice(None)
            )
            rise = np.where(self.bonus[row] == -NOT_ALLOWED, NOT_ALLOWED, rise - self.bonus[row])
            after = int(np.argmin(rise))
            if before >= 0 and rise[after] >= rise[before]:
                after = before
            self.places[row] = after
            self.load[after] += self.minutes[row]
            moved = moved or after != before
        return moved

    def swap_each(self) -> bool:
        """Swap each account with the one that lowers the price most. Whether any did."""
        if len(self.accounts) > MOST_SWAPPED:
            return False
        swapped = False
        for row, mine in enumerate(self.places):
            other = self._find_swap(row)
            if other is not None:
                theirs = self.places[other]
                self.load[mine] += self.minutes[other] - self.minutes[row]
                self.load[theirs] += self.minutes[row] - self.minutes[other]
                self.places[row], self.places[other] = theirs, mine
                swapped = True
        return swapped

    def _find_swap(self, row: int) -> int | None:
        mine, places = self.places[row], np.array(self.places)
        difference = self.minutes - self.minutes[row]
        rise = self._price(self.load[mine] + difference, mine) - self._price(self.load[mine], mine)
        rise += self._price(self.load[places] - difference, places) - self._price(self.load[places], places)
        rows = np.arange(len(places))
        mine_there, theirs_here = self.bonus[row, places], self.bonus[:, mine]
        allowed = (places != mine) & (mine_there != -NOT_ALLOWED) & (theirs_here != -NOT_ALLOWED)
        rise -= np.where(
            allowed, mine_there + theirs_here - self.bonus[row, mine] - self.bonus[rows, places], 0
        )
        rise = np.where(allowed, rise, 0)
        best = int(np.argmin(rise))
        return best if rise[best] < 0 else None

    def _price(self, load: Ints, host: Ints | int | slice) -> Ints:
        """The price of a load of a host by block, summed over the blocks."""
        over = OVER * np.maximum(load - self.available[host], 0)
        return (self.rate[host] * load * load + over).sum(axis=-1)
