"""`python -m services.cadence.pages schema|reference|requirements`: print one generated page."""

import json
import sys
from collections.abc import Callable, Mapping

from services.cadence.pages.reference import policy_reference
from services.cadence.pages.requirements import shipped_requirements
from services.cadence.policy.json_schema import policy_schema

PAGES: Mapping[str, Callable[[], str]] = {
    "schema": lambda: json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n",
    "reference": policy_reference,
    "requirements": shipped_requirements,
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
