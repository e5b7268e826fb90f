"""Settings of the OIDC provider: what cannot work, or is not safe, is refused at the start."""

import pytest
from pydantic import ValidationError

from services.chassis.access_settings import Oidc


def test_a_provider_is_named_by_its_host_unless_it_has_a_name() -> None:
    oidc = Oidc(issuer="https://login.example.com/realms/x", client_id="drumbeat")
    assert oidc.shown_name() == "login.example.com"
    assert oidc.model_copy(update={"name": "Example"}).shown_name() == "Example"


def test_domains_are_read_in_any_case_with_or_without_the_sign() -> None:
    assert Oidc(allowed_domains=" X.example, @y.example ,,").domains() == {"x.example", "y.example"}


@pytest.mark.parametrize(
    "fields",
    [
        {"issuer": "http://login.example.com", "client_id": "x"},
        {"issuer": "login.example.com", "client_id": "x"},
        {"issuer": "https://login.example.com/?x=1", "client_id": "x"},
        {"issuer": "https://login.example.com"},
        {"client_id": "x"},
        {"scopes": "email"},
        {"roles": {"cs": "boss"}},
        {"default_role": "boss"},
    ],
)
def test_what_cannot_work_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Oidc.model_validate(fields)


@pytest.mark.parametrize(
    "issuer", ["http://127.0.0.1:9000", "http://localhost:9000", "https://login.example.com/"]
)
def test_http_is_for_this_machine_only(issuer: str) -> None:
    assert Oidc(issuer=issuer, client_id="x").issuer == issuer
