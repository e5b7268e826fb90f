"""What a check of a deployment found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """A check and its result. `remedy`: what to do, empty when all is well; `hint`: what one may want to do."""

    name: str
    result: str
    remedy: str = ""
    hint: str = ""
