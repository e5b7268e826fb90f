"""Who takes a leaver's accounts: level over people and the year, sticky, only these accounts move."""

import random
from collections import Counter
from itertools import product

import pytest

from services.calendar.levelling import AccountLoad, Host, choose_host, share_out
from services.calendar.levelling.model import MOST_MINUTES
from services.calendar.levelling.price import LOAD, OVER, SHORTEST_WEEK

BLOCKS = 13
YEAR = (6000,) * BLOCKS


def account(name: str, minutes: int, hosts: tuple[str, ...] = (), known_to: str | None = None) -> AccountLoad:
    return AccountLoad(name, (minutes,) * BLOCKS, hosts, known_to)


def price(accounts: list[AccountLoad], hosts: list[Host], shared: dict[str, str]) -> int:
    total = 0
    for host in hosts:
        taken = [each for each in accounts if shared[each.account_id] == host.csm_id]
        for block, available in enumerate(host.available):
            load = host.minutes[block] + sum(each.minutes[block] for each in taken)
            total += LOAD // max(available, SHORTEST_WEEK) * load**2 + OVER * max(load - available, 0)
        total -= sum(
            2 * LOAD * 3 * sum(each.minutes) // 100 for each in taken if each.known_to == host.csm_id
        )
    return total


def test_equal_accounts_are_shared_equally() -> None:
    shared = share_out(
        [account(f"{n}", 60) for n in range(12)], [Host(f"c{n}", (0,) * 13, YEAR) for n in range(3)]
    )

    assert sorted(shared.values()) == ["c0"] * 4 + ["c1"] * 4 + ["c2"] * 4


def test_who_has_more_to_do_gets_less_and_who_is_away_when_it_is_busy_too() -> None:
    busy = Host("busy", (3000,) * 13, YEAR)
    idle = Host("idle", (0,) * 13, YEAR)
    away = Host("away", (0,) * 13, (*YEAR[:6], 0, *YEAR[7:]))

    shared = share_out([account(f"{n}", 200) for n in range(10)], [busy, idle, away])

    assert list(shared.values()).count("idle") == 10


def test_a_person_whom_the_account_knows_takes_it_unless_they_have_much_more_to_do() -> None:
    def taker(minutes: int) -> str:
        hosts = [Host("new", (1000,) * 13, YEAR), Host("stand-in", (minutes,) * 13, YEAR)]
        return share_out([account("acme", 60, known_to="stand-in")], hosts)["acme"]

    assert taker(1000) == taker(1150) == "stand-in"
    assert taker(1250) == "new"


def test_only_those_who_may_take_an_account_take_it_and_one_that_nobody_may_take_is_left_out() -> None:
    hosts = [Host("a", (5000,) * 13, YEAR), Host("b", (0,) * 13, YEAR)]
    accounts = [account("french", 60, ("a",)), account("any", 60), account("thai", 60, ("gone",))]

    assert share_out(accounts, hosts) == {"french": "a", "any": "b"}
    assert share_out(accounts, []) == {}
    assert share_out([], hosts) == {}


def test_small_teams_share_about_as_well_as_the_best_of_all_ways() -> None:
    rng = random.Random(3)
    for _ in range(40):
        hosts = [
            Host(f"c{n}", *(tuple(rng.randrange(low, 6000) for _ in range(3)) for low in (0, 3000)))
            for n in range(3)
        ]
        accounts = [
            AccountLoad(
                f"{n}", tuple(rng.randrange(900) for _ in range(3)), (), rng.choice(("c0", "c1", None))
            )
            for n in range(6)
        ]
        shared = share_out(accounts, hosts)
        ways = product([host.csm_id for host in hosts], repeat=len(accounts))
        names = [each.account_id for each in accounts]
        best = min(price(accounts, hosts, dict(zip(names, way, strict=True))) for way in ways)
        found = price(accounts, hosts, shared)
        assert best <= found
        assert found * 100 <= best * 102


def test_the_order_of_accounts_and_hosts_is_no_matter() -> None:
    rng = random.Random(5)
    accounts = [AccountLoad(f"{n}", tuple(rng.randrange(300) for _ in range(13))) for n in range(40)]
    hosts = [Host(f"c{n}", tuple(rng.randrange(3000) for _ in range(13)), YEAR) for n in range(6)]

    shared = share_out(accounts, hosts)

    assert share_out(accounts[::-1], hosts[::-1]) == shared
    assert set(shared) == {each.account_id for each in accounts}


def test_a_pool_of_thousands_is_shared_by_moves_alone() -> None:
    accounts = [account(f"{n:04d}", 10 + n % 7) for n in range(400)]
    shared = share_out(accounts, [Host(f"c{n}", (0,) * 13, YEAR) for n in range(4)])
    loads = [
        sum(each.minutes[0] for each in accounts if shared[each.account_id] == f"c{n}") for n in range(4)
    ]

    assert max(loads) - min(loads) <= 7


def test_loads_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(ValueError, match="different numbers of blocks"):
        share_out([AccountLoad("acme", (1, 2))], [Host("a", (0, 0, 0), (1, 1, 1))])


def test_a_pool_with_more_minutes_than_prices_can_hold_is_shared_as_a_smaller_one() -> None:
    people = [Host(f"p{n:02}", (5_400 + n,) * 13, YEAR) for n in range(72)]
    accounts = [account(f"{n:03}", 60) for n in range(72)]
    assert sum(sum(host.minutes) for host in people) > MOST_MINUTES

    shared = share_out(accounts, people)
    assert set(Counter(shared.values()).values()) <= {1, 2}
    assert set(shared) == {each.account_id for each in accounts}

    huge = [AccountLoad("acme", (MOST_MINUTES * 10, 0, 0))]
    both = [Host(name, (0, 0, 0), (minutes,) * 3) for name, minutes in (("a", 6_000), ("b", 12_000))]
    assert share_out(huge, both) == {"acme": "b"}


def test_who_has_no_minutes_at_all_takes_no_account() -> None:
    full, nobody = Host("full", (9_000,) * 13, YEAR), Host("a", (0,) * 13, (0,) * 13)

    assert share_out([account("acme", 60)], [nobody, full]) == {"acme": "full"}
    assert choose_host((60,) * 13, [nobody, full]) == "full"
    assert share_out([account("acme", 60)], [nobody]) == {}
    assert choose_host((60,) * 13, [nobody]) is None


@pytest.mark.parametrize("seed", range(20))
def test_one_account_alone_goes_to_the_host_that_sharing_out_would_choose(seed: int) -> None:
    rng = random.Random(seed)
    hosts = [
        Host(
            f"c{n}",
            tuple(rng.randrange(12_000) for _ in range(13)),
            tuple(rng.choice((0, 4800, 9600)) for _ in range(13)),
        )
        for n in range(6)
    ]
    minutes = tuple(rng.randrange(600) for _ in range(13))

    assert choose_host(minutes, hosts) == share_out([AccountLoad("acme", minutes)], hosts)["acme"]
    assert choose_host(minutes, []) is None
