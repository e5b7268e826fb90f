"""Whole policies of any number of rules, as YAML: segments, stages, catalogue as delivered, rules from the book."""

from collections.abc import Mapping

import yaml

from services.cadence.policy.load import SHIPPED, policy_texts
from tests.benchmarks.rules.rulebook import rulebook

KEPT = ("health", "segments", "stages", "touchpoints")


def shipped() -> dict[str, str]:
    """The delivered policy, as the engine reads it."""
    return policy_texts(SHIPPED)


def texts_of(rules: int) -> dict[str, str]:
    """One file with so many rhythms over the delivered catalogue."""
    content: dict[str, object] = {}
    for text in shipped().values():
        sections: Mapping[str, object] = yaml.load(text, yaml.CSafeLoader)
        content.update({name: found for name, found in sections.items() if name in KEPT})
    catalogue = content["touchpoints"]
    assert isinstance(catalogue, dict)
    types = sorted(str(name) for name in catalogue)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    content["rhythms"] = [
        {
            "rule": f"rule-{number:04}",
            "touchpoint": types[number % len(types)],
            "every": f"{(7, 14, 30, 90)[number % 4]}d",
            "when": condition,
            "because": f"Rule {number} of the benchmark holds.",
        }
        for number, condition in enumerate(rulebook(rules))
    ]
    return {"policy.yaml": yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False, width=110)}
