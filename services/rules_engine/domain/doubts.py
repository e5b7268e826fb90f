"""Doubts about an account: what is not known of it and has an effect on its touchpoints, each with what to do."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.directory import CsmRecord
from schemas.zones import is_country, spell_country
from services.cadence.account import Facts
from services.cadence.account.place import text_fact, zones_of
from services.cadence.features.contracts import revenue_amounts
from services.cadence.rates import Rates


class Doubt(NamedTuple):
    """`about`: the field. `text`: what is doubtful, and what follows from it. `remedy`: what to do."""

    about: str
    text: str
    remedy: str


def find_doubts(facts: Facts, csm: CsmRecord | None, rates: Rates, currency: str) -> Iterator[Doubt]:
    """`csm`: the account's CSM as described, if anybody described them; `currency`: that of the policy."""
    yield from _about_csm(text_fact(facts, "csm_id"), csm)
    yield from _about_zone(facts)
    for unknown in sorted(
        {own for _, own in revenue_amounts(facts, currency) if not rates.factor(own, currency)}
    ):
        yield Doubt("currency", *no_rate(unknown, currency))


def no_rate(currency: str, to: str) -> tuple[str, str]:
    """What follows from a currency without an exchange rate, and what to do."""
    text = f"no exchange rate from {currency} to {to}, the policy's currency: the revenue counts as unknown"
    return text, f"add {currency} to the file that DRUMBEAT_RATES names"


def no_country(country: str) -> str:
    """What follows from a text that names no country, and what to do."""
    return (
        f"{country!r} names no country: it gives no time zone and no public holidays; send a code such as JP"
    )


def _about_csm(csm_id: str | None, csm: CsmRecord | None) -> Iterator[Doubt]:
    if csm_id is None:
        return
    if csm is None:
        text = f"CSM {csm_id!r} was never described: nobody is told of the work they own"
        yield Doubt("csm_id", text, f"send csm.described for {csm_id!r}, or the right csm_id")
    elif csm.working_days == ():
        text = f"CSM {csm_id!r} has no working days: what they own keeps its date and is on nobody's day"
        yield Doubt("csm_id", text, "give the account another CSM, or the CSM working days")


def _about_zone(facts: Facts) -> Iterator[Doubt]:
    timezone, _, zones = zones_of(facts)
    if timezone is not None:
        return
    country = text_fact(facts, "country")
    if zones:
        text = f"time zone not told, and {country} has several: no message goes while one of them has quiet hours"
        yield Doubt("timezone", text, "send account.described with a timezone")
        return
    text = "time zone unknown: quiet hours and appointments go by UTC"
    yield Doubt("timezone", text, "send account.described with a timezone or a country")
    if country is not None and not is_country(spell_country(country)):
        yield Doubt("country", *no_country(country).split("; "))
