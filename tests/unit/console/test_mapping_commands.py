"""`drumbeat mapping`, and every example of docs/connectors.md: what it prints is what the page says."""

import json
import re
from pathlib import Path

import pytest

from tests.unit.console.drumbeat import drumbeat

Capture = pytest.CaptureFixture[str]
PAGE = (Path(__file__).resolve().parents[3] / "docs" / "connectors.md").read_text()
EXAMPLES = re.findall(
    r"```(?:json|xml)\n(.*?)```\n\n```text\n\$ drumbeat mapping test (\S+) (\S+)\n(.*?)```", PAGE, re.DOTALL
)


@pytest.mark.parametrize(
    ("body", "mapping", "sample", "printed"), EXAMPLES, ids=[each[1] for each in EXAMPLES]
)
def test_the_examples_of_the_page(
    body: str, mapping: str, sample: str, printed: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / sample).write_text(body)
    if mapping.endswith(".yaml"):
        (yaml,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
        (tmp_path / mapping).write_text(yaml)
        mapping = str(tmp_path / mapping)
    result = drumbeat(capsys, "mapping", "test", mapping, tmp_path / sample)
    assert (result.code, result.err) == (0, "")
    assert re.sub("sha256:[0-9a-f]{64}", "sha256:DIGEST", result.out) == printed


def test_the_page_has_an_example_of_every_source() -> None:
    names = {mapping for _, mapping, _, _ in EXAMPLES}
    assert names == {"hubspot", "opentelemetry", "salesforce", "stripe", "segment", "standard", "acme.yaml"}


def test_programs_get_the_facts_as_json(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "s.json").write_text(
        '{"type": "health.scored", "timestamp": "soon", "data": {"account_id": "a"}}'
    )
    result = drumbeat(capsys, "mapping", "test", "standard", tmp_path / "s.json", "--json")
    (item,) = json.loads(result.out)["items"]
    assert (result.code, item["facts"], len(item["problems"])) == (1, [], 1)


def test_an_item_that_needs_the_provider_says_so(tmp_path: Path, capsys: Capture) -> None:
    deal = {"subscriptionType": "deal.creation", "objectId": 5, "occurredAt": 1796000000000}
    (tmp_path / "s.json").write_text(json.dumps(deal))
    result = drumbeat(capsys, "mapping", "test", "hubspot", tmp_path / "s.json")
    assert (result.code, "GET /crm/v3/objects/deals/5" in result.out) == (1, True)


@pytest.mark.parametrize("body", ["", "no json", "[1]"])
def test_a_sample_that_is_no_body_is_wrong_use(body: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "s.json").write_text(body)
    result = drumbeat(capsys, "mapping", "test", "stripe", tmp_path / "s.json")
    assert (result.code, "body:" in result.error_text) == (2, True)


def test_a_mapping_with_mistakes_is_refused_with_their_places(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "m.yaml").write_text("signature: stripe\ntime: at\nfacts: {}\n")
    result = drumbeat(capsys, "mapping", "check", tmp_path / "m.yaml")
    assert (result.code, result.err.startswith(f"{tmp_path}/m.yaml:3:8: ")) == (1, True)
    assert drumbeat(capsys, "mapping", "check", "stripe").out == "stripe: 3 facts, no mistake\n"
    assert drumbeat(capsys, "mapping", "check", tmp_path / "absent.yaml").code == 1
