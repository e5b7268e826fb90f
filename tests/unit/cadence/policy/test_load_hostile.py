"""A hostile policy is refused in bounded time, with `PolicyRefused` and nothing else."""

import time
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.cadence.policy.load import PolicyRefused, read_content
from tests.unit.cadence.policy_texts import FULL

SECONDS = 5.0
RULE = "  - {{rule: r{0}, touchpoint: survey, every: 7d, because: So., when: {1}}}\n"


def rules(count: int, when: str = "paid_success") -> str:
    return FULL.replace(
        "rhythms:\n", "rhythms:\n" + "".join(RULE.format(number, when) for number in range(count))
    )


def catalogue(count: int) -> str:
    return FULL.replace(
        "touchpoints:\n", "touchpoints:\n" + "".join(f"  t{number}: {{}}\n" for number in range(count))
    )


def conditions(count: int) -> dict[str, str]:
    """Valid conditions in several files, each small enough by itself."""
    part = "rhythms:\n" + "".join(RULE.format(f"{{0}}-{number}", "paid_success") for number in range(1_000))
    return {
        "p.yaml": FULL,
        **{f"q{number}.yaml": part.replace("{0}", str(number)) for number in range(count // 1_000)},
    }


BOMB = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE: Mapping[str, dict[str, str]] = {
    "alias bomb": {"p.yaml": BOMB},
    "a megabyte of text": {"p.yaml": FULL + "#" * 1_000_000},
    "a megabyte in one value": {"p.yaml": FULL.replace("Nobody is there.", "x" * 900_000)},
    "a megabyte in one key": {"p.yaml": FULL + "k" * 900_000 + ": 1\n"},
    "nested lists": {"p.yaml": "[" * 400_000},
    "nested mappings": {"p.yaml": "{a: " * 200_000},
    "deeper and deeper": {"p.yaml": "".join(" " * depth + "a:\n" for depth in range(1_000))},
    "too many events": {"p.yaml": "rhythms: [" + "a," * 400_000 + "]"},
    "twenty thousand conditions": conditions(20_000),
    "mistakes without end": {"p.yaml": rules(4_000, "nonsense")},
    "touchpoints without end": {"p.yaml": catalogue(10_000)},
    "a condition too long": {"p.yaml": rules(1, "paid_success and " * 10_000)},
    "a condition too deep": {"p.yaml": rules(1, "(" * 900 + "true" + ")" * 900)},
    "a condition too wide": {"p.yaml": rules(1, " or ".join(["paid_success"] * 130))},
    "huge number in a condition": {"p.yaml": rules(1, "arr is not null and arr > " + "9" * 400)},
    "huge number": {"p.yaml": FULL.replace("minutes: 45", "minutes: " + "9" * 100_000)},
    "huge span": {"p.yaml": FULL.replace("every: 30d", "every: " + "9" * 100_000 + "d")},
    "huge offset": {"p.yaml": FULL.replace("at: -60d", "at: -" + "9" * 6 + "d")},
    "huge day": {"p.yaml": FULL.replace("day: 3", "day: " + "9" * 5_000)},
    "digits that are none": {"p.yaml": FULL.replace("day: 3", "day: ²").replace("every: 30d", "every: ٣d")},
    "huge cap": {"p.yaml": FULL.replace("2 per 365d", "9" * 5_000 + " per 1d")},
    "many files": {f"{number}.yaml": "rhythms: []" for number in range(300)},
    "no file": {},
    "only tests": {"p_test.yaml": FULL},
    "a list": {"p.yaml": "- health"},
    "a word": {"p.yaml": "health"},
    "null": {"p.yaml": "~"},
    "keys that are none": {"p.yaml": "? [a, b]\n: 1\n? {a: b}\n: 2\n"},
    "a Python object": {"p.yaml": "!!python/object/apply:os.system ['true']"},
    "a NUL": {"p.yaml": "health: \0"},
    "a lone surrogate": {"p.yaml": "health: \ud800"},
}


@pytest.mark.parametrize("texts", HOSTILE.values(), ids=HOSTILE.keys())
def test_it_is_refused_in_bounded_time(texts: dict[str, str]) -> None:
    begun = time.process_time()

    with pytest.raises(PolicyRefused) as caught:
        read_content(texts)

    assert time.process_time() - begun < SECONDS
    assert len(caught.value.errors) <= 201
    assert max(map(len, caught.value.errors)) < 3_000


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_policy_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    text = FULL
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(begin, min(len(text), begin + 30)))
        piece = data.draw(
            st.text(max_size=8) | st.sampled_from(["\n", ": ", "- ", "[", "{", '"', "&a ", "*a", "!x ", "  "])
        )
        text = text[:begin] + piece + text[end:]

    with suppress(PolicyRefused):
        read_content({"p.yaml": text})
