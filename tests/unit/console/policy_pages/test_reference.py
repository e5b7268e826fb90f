"""The reference page has every key of the grammar, every feature, and an example that passes."""

import re

from services.cadence.features.event_features import EVENT_FEATURES
from services.cadence.features.registry import FEATURES
from services.cadence.policy import schema
from services.cadence.policy.parse import keys_of
from services.cadence.policy.rule_spec import Spec
from services.cadence.policy.schema import PolicyFile
from services.cadence.testing.load import read_tests
from services.cadence.testing.runner import run
from services.console.policy_pages.reference import policy_reference
from tests.unit.cadence.events import shipped


def specs() -> dict[str, type[Spec]]:
    """Heading on the page -> the mapping."""
    public = {
        name: value
        for name, value in vars(schema).items()
        if name.endswith("Spec") and name[0] != "_" and value.__module__ == schema.__name__
    }
    return {
        re.sub(r"\B(?=[A-Z])", "_", name.removesuffix("Spec")).lower(): spec for name, spec in public.items()
    }


def test_the_page_has_every_section_and_every_key() -> None:
    page = policy_reference()

    assert [section for section in keys_of(PolicyFile) if f"| `{section}` |" not in page] == []
    for heading, spec in specs().items():
        part = page[page.index(f"### `{heading}`\n") :].split("\n### ")[0]
        assert [key for key in keys_of(spec) if f"| `{key}` |" not in part] == []


def test_the_page_has_the_default_and_the_meaning_of_a_key() -> None:
    page = policy_reference()

    assert "| `urgency` | `spread`, `soon` | left out: spread | When the first one is due" in page
    assert "| `ladder` | list of days | left out: [7d, 14d, 30d, 60d, 90d, 180d, 365d] |" in page
    assert "| `rarer` | whole number, 1 to 3 | one of the two |" in page
    assert "| `from` | month-day or date | required | Its first day" in page


def test_the_page_has_every_feature() -> None:
    page = policy_reference()
    of_events = {name for features in EVENT_FEATURES.values() for name in features}
    names = {name for name in FEATURES if not name.startswith("days_since_")} | of_events

    assert [name for name in sorted(names) if f"| `{name}` |" not in page] == []


def test_every_part_of_the_template_is_filled_in() -> None:
    page = policy_reference()
    rule = '{rrule: "FREQ=MONTHLY;BYDAY=2TU"}'
    braces = (rule, "{onboarding: 7d, growth: month}", "{word}", "{nps_score}")

    assert "{" not in re.sub("|".join(map(re.escape, braces)), "", page)


def test_the_example_on_the_page_is_a_test_that_passes() -> None:
    (example,) = re.findall(r"```yaml\n(now:.*?)```", policy_reference(), re.DOTALL)
    (case,) = read_tests({"page_test.yaml": example}, shipped())

    assert run(shipped(), case).failures == ()
    assert sum(len(phase.expected) for phase in case.phases) == 9
