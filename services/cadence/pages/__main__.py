"""`python -m services.cadence.pages schema|reference|requirements`: print one generated page."""

import json
import sys
from collections.abc import Callable, Mapping

from services.cadence.pages.reference import policy_reference
from services.cadence.pages.requirements import requirements_page
from services.cadence.policy.json_schema import policy_schema
from services.cadence.policy.load import SHIPPED, load_policy
from services.cadence.testing.load import read_tests, texts_of_tests
from services.cadence.testing.runner import run


def requirements() -> str:
    """The requirements that the tests of the shipped policy show."""
    policy = load_policy(SHIPPED)
    return requirements_page(
        policy, [run(policy, case) for case in read_tests(texts_of_tests(SHIPPED), policy)]
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "schema": lambda: json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n",
    "reference": policy_reference,
    "requirements": requirements,
}


def main() -> int:
    """Print the page that the command line names. Returns the exit code."""
    names = sys.argv[1:]
    if len(names) != 1 or names[0] not in PAGES:
        sys.stderr.write(f"usage: python -m services.cadence.pages {'|'.join(PAGES)}\n")
        return 2
    sys.stdout.write(PAGES[names[0]]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
