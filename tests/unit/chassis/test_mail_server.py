"""A mail relay that does not answer as configured is found in bounded time, over a real socket (A10)."""

import socket
from collections.abc import Generator

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from services.chassis.mail_server import find_mail_problem
from services.chassis.mail_settings import Email


class Refusing:
    """A server that accepts mail, and no login."""

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:  # noqa: N802
        raise AssertionError("the check sends no mail")


def refuse(*_: object) -> AuthResult:
    return AuthResult(success=False, handled=False)


@pytest.fixture
def port() -> Generator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = int(probe.getsockname()[1])
    server = Controller(
        Refusing(), hostname="127.0.0.1", port=free, authenticator=refuse, auth_require_tls=False
    )
    server.start()
    yield free
    server.stop()


async def test_a_relay_that_answers_is_no_problem(port: int) -> None:
    assert await find_mail_problem(Email(host="127.0.0.1", port=port)) is None


async def test_no_relay_is_a_problem_unless_mail_is_only_stored() -> None:
    problem = await find_mail_problem(Email())
    assert problem is not None
    assert problem.remedy == "set DRUMBEAT_EMAIL__HOST"
    assert await find_mail_problem(Email(host="127.0.0.1", port=1, sink="127.0.0.1:1")) is None


async def test_a_port_where_nobody_listens_names_the_settings_of_the_address() -> None:
    with socket.socket() as bound:  # bound and not listening
        bound.bind(("127.0.0.1", 0))
        port = int(bound.getsockname()[1])
        problem = await find_mail_problem(Email(host="127.0.0.1", port=port))
    assert problem is not None
    assert f"the mail relay 127.0.0.1:{port} does not answer (" in problem.reason
    assert "DRUMBEAT_EMAIL__HOST and DRUMBEAT_EMAIL__PORT" in problem.remedy


async def test_a_relay_that_is_silent_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        email = Email(host="127.0.0.1", port=silent.getsockname()[1])
        problem = await find_mail_problem(email, seconds=0.3)
    assert problem is not None
    assert problem.reason.endswith("does not answer within 0.3 s")


async def test_a_refused_login_names_the_settings_of_the_login(port: int) -> None:
    email = Email(host="127.0.0.1", port=port, username="ann", password="wrong")
    problem = await find_mail_problem(email)
    assert problem is not None
    assert "refuses the login (535" in problem.reason
    assert "DRUMBEAT_EMAIL__PASSWORD" in problem.remedy
    assert "wrong" not in str(problem)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_an_encryption_that_the_relay_does_not_offer_names_its_setting(port: int, tls: str) -> None:
    problem = await find_mail_problem(Email.model_validate({"host": "127.0.0.1", "port": port, "tls": tls}))
    assert problem is not None
    assert "DRUMBEAT_EMAIL__TLS" in problem.remedy
