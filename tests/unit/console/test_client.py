"""The clients turn every error into a plain sentence."""

from pathlib import Path

import httpx
import pytest

from services.chassis.settings import EngineHttp, Http, Settings
from services.console.client import ApiClient, AsyncApiClient, Failure, Service, Unreachable

KEY = "db_0123abcd_secret"


def make_settings() -> Settings:
    return Settings(rules_engine=EngineHttp(port=1), scheduler=Http(port=2), notifier=Http(port=3))


@pytest.mark.parametrize(
    ("service", "status", "expected"),
    [
        (
            "rules_engine",
            401,
            "The rules engine does not accept this session. Sign out, and sign in again.",
        ),
        ("scheduler", 403, "You cannot read this from the scheduler: the database is not answering"),
        ("scheduler", 404, "the database is not answering"),
        ("notifier", 503, "The notifier is temporarily unavailable: the database is not answering"),
        ("notifier", 500, "The notifier answered 500: the database is not answering"),
    ],
)
async def test_a_refusal_is_a_sentence_with_its_status(service: Service, status: int, expected: str) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json={"detail": "the database is not answering"})

    answer = await AsyncApiClient(make_settings(), httpx.MockTransport(respond)).get(
        KEY, service, "/v1/clock"
    )

    assert isinstance(answer, Failure)
    assert (answer.status, answer.text) == (status, expected)


async def test_a_service_that_is_down_is_named_with_its_address() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        raise httpx.ConnectError("refused")

    answer = await AsyncApiClient(make_settings(), httpx.MockTransport(respond)).get(KEY, "scheduler", "/")

    assert isinstance(answer, Failure)
    assert (answer.status, answer.text) == (None, "The scheduler does not answer at http://127.0.0.1:2.")


async def test_a_body_that_is_not_json_is_an_empty_document() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=b"<html>"))
    assert await AsyncApiClient(make_settings(), transport).get(KEY, "scheduler", "/") == {}


@pytest.mark.parametrize(
    "content", ["", "KEY=m4rk3r\nOTHER=m4rk3r", "db_m4rk3r m4rk3r", "db_m4rk3r_\x01", "db_m4rk3r_ü"]
)
def test_a_key_file_with_anything_else_is_refused_and_never_quoted(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    with pytest.raises(Unreachable, match="is not a key file") as refused:
        ApiClient(make_settings().model_copy(update={"api_key_file": tmp_path / "key"}))
    assert "m4rk3r" not in str(refused.value)
