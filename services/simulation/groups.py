"""Splits a book into parts that share no person, no pool and nobody of sales, so that each is simulated alone."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from services.simulation.book import BookAccount, Colleague

SALES = "sales"
Node = tuple[str, str]
"""Kind (`account`, `person`, `pool`, `sales`) and name."""


class BookPart(NamedTuple):
    accounts: tuple[BookAccount, ...]
    colleagues: tuple[Colleague, ...]


class _Groups:
    """Disjoint sets; the root of each is its smallest member."""

    def __init__(self) -> None:
        self._parents: dict[Node, Node] = {}

    def root(self, node: Node) -> Node:
        parent = self._parents.setdefault(node, node)
        while parent != self._parents[parent]:
            self._parents[parent] = self._parents[self._parents[parent]]
            parent = self._parents[parent]
        self._parents[node] = parent
        return parent

    def join(self, one: Node, other: Node) -> None:
        first, second = sorted((self.root(one), self.root(other)))
        self._parents[second] = first


def split_book(
    accounts: Sequence[BookAccount], colleagues: Sequence[Colleague], parts: int
) -> list[BookPart]:
    """At most so many parts of about equal size; none is empty. The simulation is the same however many there are."""
    groups = _Groups()
    sells = any(each.role == "sales" for each in colleagues)
    for colleague in colleagues:
        for node in _links_of_colleague(colleague):
            groups.join(("person", colleague.csm_id), node)
    for account in accounts:
        for node in _links_of_account(account, sells=sells):
            groups.join(("account", account.account_id), node)
    by_root: defaultdict[Node, tuple[list[BookAccount], list[Colleague]]] = defaultdict(lambda: ([], []))
    for account in accounts:
        by_root[groups.root(("account", account.account_id))][0].append(account)
    for colleague in colleagues:
        by_root[groups.root(("person", colleague.csm_id))][1].append(colleague)
    return _fill(sorted(by_root.items(), key=lambda item: (-len(item[1][0]), item[0])), parts)


def _fill(
    groups: Sequence[tuple[Node, tuple[list[BookAccount], list[Colleague]]]], parts: int
) -> list[BookPart]:
    """The largest group first, each into the smallest part."""
    bins: list[tuple[list[BookAccount], list[Colleague]]] = [([], []) for _ in range(parts)]
    for _, (accounts, colleagues) in groups:
        smallest = min(bins, key=lambda each: len(each[0]))
        smallest[0].extend(accounts)
        smallest[1].extend(colleagues)
    return [BookPart(tuple(own), tuple(people)) for own, people in bins if own or people]


def _links_of_colleague(colleague: Colleague) -> Iterator[Node]:
    if colleague.pool is not None:
        yield ("pool", colleague.pool)
    if colleague.role == SALES:
        yield ("sales", "")


def _links_of_account(account: BookAccount, *, sells: bool) -> Iterator[Node]:
    """The people of an account, and its pool: its members stand in for who is away and share what has no room."""
    owners, calendar = account.owners, account.calendar
    people = {owners.csm_id, owners.sales_id, *calendar.assigned.values(), *chain(*owners.handovers)}
    people |= {touchpoint.csm_id for touchpoint in calendar.touchpoints}
    for csm_id in sorted(each for each in people if each is not None):
        yield ("person", csm_id)
    if owners.pool is not None:
        yield ("pool", owners.pool)
    if sells and owners.sales_id is None:
        yield ("sales", "")
