"""Lists open on what is theirs for a CSM, with a switch that is remembered."""

import pytest
from starlette.requests import Request

from services.chassis.clock import service_clock
from services.chassis.settings import Clock
from services.console.auth import Cookies
from services.console.client import AsyncApiClient
from services.console.pages.own_scope import own_scope
from services.console.reader import Backend, Reader
from services.console.shared_reads import SharedReads
from tests.unit.console.test_client import make_settings


def reader(role: str, own_id: str) -> Reader:
    settings = make_settings()
    apis = AsyncApiClient(settings)
    backend = Backend(apis, SharedReads(apis), service_clock(Clock()), Cookies(settings))
    user: dict[str, object] = {"role": role, "name": "Kim Okafor", "email": "kim@x.example"}
    one = Reader(backend, "token", {"user": user, "key_id": "u0123abcd"}, "")
    one.own_id = own_id
    return one


def request(query: str, cookie: str = "") -> Request:
    headers = [(b"cookie", f"drumbeat_scope={cookie}".encode())] if cookie else []
    return Request({"type": "http", "path": "/", "query_string": query.encode(), "headers": headers})


@pytest.mark.parametrize(
    ("role", "query", "cookie", "shown"),
    [
        ("csm", "", "", "kim"),
        ("csm", "of=all", "", ""),
        ("csm", "of=mine", "all", "kim"),
        ("csm", "", "all", ""),
        ("csm", "of=nonsense", "", "kim"),
        ("manager", "", "", ""),
        ("manager", "of=mine", "", "kim"),
        ("admin", "", "mine", "kim"),
    ],
)
def test_what_is_shown_is_what_was_chosen_else_what_fits_the_role(
    role: str, query: str, cookie: str, shown: str
) -> None:
    scope = own_scope(reader(role, "kim"), request(query, cookie))
    assert scope.csm_id == shown
    assert [is_current for *_, is_current in scope.links] == [bool(shown), not shown]


def test_the_switch_keeps_the_account_and_the_search() -> None:
    scope = own_scope(reader("csm", "kim"), request("account=a%26b&q=x&of=all&failed=no"))
    assert [address for _, address, _ in scope.links] == [
        "/?account=a%26b&q=x&of=mine",
        "/?account=a%26b&q=x&of=all",
    ]


def test_whoever_is_no_person_of_ours_has_no_switch() -> None:
    scope = own_scope(reader("csm", ""), request("of=mine"))
    assert (scope.csm_id, list(scope.links)) == ("", [])


def test_the_name_of_a_user_has_the_role() -> None:
    assert reader("csm", "kim").shown_name() == "Kim Okafor, CSM"
