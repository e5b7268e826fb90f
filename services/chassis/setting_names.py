"""The names of settings: which there are, and which one somebody probably meant."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource

PREFIX = "DRUMBEAT_"
_ALIASES = frozenset({"DRUMBEAT_EMAIL__FROM", "DRUMBEAT_SMS__FROM"})
_SECRET = re.compile("PASSWORD|SECRET|KEY|URL|USERNAME|TOKEN")
_CLOSE_ENOUGH = 0.6  # of 1.0: the similarity of two names without their prefix


def setting_names(settings: type[BaseSettings], variable: str = "") -> frozenset[str]:
    """Every variable that these settings read, also those of a whole group as JSON.

    Of groups that have a name each, like `DRUMBEAT_WEBHOOKS__HUBSPOT__SECRET`, those with the name that `variable` has.
    """
    return frozenset(_names(settings, variable.upper())) | _ALIASES


def _names(settings: type[BaseSettings], asked: str) -> Iterator[str]:
    for name, field in settings.model_fields.items():
        variable = f"{PREFIX}{name}".upper()
        yield variable
        if get_origin(field.annotation) is dict:
            group: type[BaseModel] = get_args(field.annotation)[1]
            own_name = asked.removeprefix(f"{variable}__").partition("__")[0]
            yield from (f"{variable}__{own_name}__{member}".upper() for member in group.model_fields)
            yield f"{variable}__{own_name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from (f"{variable}__{member}".upper() for member in field.annotation.model_fields)


def no_such_setting(variable: str, settings: type[BaseSettings]) -> str:
    """What to do about a variable that no setting reads: the name that was probably meant, or where all are listed."""
    names = {name.removeprefix(PREFIX): name for name in sorted(setting_names(settings, variable))}
    close = get_close_matches(variable.removeprefix(PREFIX), names, n=1, cutoff=_CLOSE_ENOUGH)
    advice = f"did you mean {names[close[0]]}?" if close else "docs/settings.md lists all of them"
    return f"there is no such setting; {advice}"


def unknown_settings(settings: type[BaseSettings]) -> list[str]:
    """A sentence for each variable of the environment and of `.env` that looks like a setting and has no effect."""
    sources: tuple[tuple[str, Mapping[str, str | None]], ...] = (
        ("", EnvSettingsSource(settings).env_vars),
        (" (in .env)", DotEnvSettingsSource(settings).env_vars),
    )
    found = {
        variable: where
        for where, variables in reversed(sources)
        for variable in sorted(name.upper() for name, value in variables.items() if value)
        if variable.startswith(PREFIX) and variable not in setting_names(settings, variable)
    }
    return [
        f"{variable}{where} has no effect: {no_such_setting(variable, settings)}"
        for variable, where in found.items()
    ]


def describe_error(variable: str, error: ErrorDetails, settings: type[BaseSettings]) -> str:
    """What is wrong with a variable, with its value unless that may be secret or contain a secret."""
    if error["type"] == "extra_forbidden":
        return f"{variable}: {no_such_setting(variable, settings)}"
    if _SECRET.search(variable) or not isinstance(error["input"], str | int | float):
        return f"{variable}: {error['msg']}"
    return f"{variable}: {error['msg']} (the value is {error['input']!r})"
