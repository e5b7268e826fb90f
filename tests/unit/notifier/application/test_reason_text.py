"""Why now, in the reader's language: shipped reasons are translated, those of a policy of one's own are not."""

import re
from dataclasses import replace

import pytest

from services.cadence.policy.load import SHIPPED, load_policy
from services.calendar.absences import AccountTouch, describe_difficulties
from services.calendar.busy_time import make_busy_time
from services.calendar.levelling import Obstacle
from services.calendar.touchpoint import Touchpoint
from services.notifier.adapters.phrases import load_people_phrases
from services.notifier.application.note_text import translate_why
from services.notifier.application.reason_text import translate_reason
from tests.unit.calendar.plans import calendar, one_off, plan, season
from tests.unit.calendar.test_absences import book, touch
from tests.unit.calendar.test_reconciliation_of_escalations import REVIEW, STUCK, escalations
from tests.unit.notifier.owner_claims import CARL, claim, directory, write

BOOK = load_people_phrases()
OTHERS = sorted(set(BOOK.languages) - {"en"})
FIELD = re.compile(r"\{\w+\}")
RED = "Health is red, so the CSM calls every week until it is stable."
DUE = "The contract renews on 2026-04-01 and is not signed yet."

NO_DAY = (
    "No day is left for 2 of type check in and value watch in weeks 2026-W43 to 2026-W44: Kim Okafor is away on every"
    " working day of the window, and nobody of the account's pool can stand in. What helps: a colleague leads it, or the"
    " time off moves."
)


def shipped_reasons() -> set[str]:
    return {rule.because for rule in load_policy(SHIPPED).content.rules if rule.because}


@pytest.mark.parametrize("language", OTHERS)
def test_every_reason_of_the_shipped_policy_is_translated_with_its_fields(language: str) -> None:
    translations = BOOK.languages[language]["reasons"]

    assert shipped_reasons() <= translations.keys()
    for sentence, translated in translations.items():
        assert sorted(FIELD.findall(str(translated))) == sorted(FIELD.findall(sentence)), sentence


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_translates_the_same_sentences(language: str) -> None:
    """Also those that the services add themselves."""
    assert BOOK.languages[language]["reasons"].keys() == BOOK.languages["de"]["reasons"].keys()


@pytest.mark.parametrize(
    ("language", "text", "translated"),
    [
        ("de", RED, "Der Zustand ist rot, deshalb ruft der CSM jede Woche an, bis er stabil ist."),
        ("de", DUE, "Der Vertrag verlängert sich am 1. April 2026 und ist noch nicht unterschrieben."),
        ("pt-BR", DUE, "O contrato é renovado em 1 de abril de 2026 e ainda não está assinado."),
        (
            "pt",
            NO_DAY,
            (
                "Não resta nenhum dia para Conversa rápida e Acompanhamento de resultados (2), semana 43 de 2026"
                " \u2013 semana 44 de 2026: Kim Okafor está ausente em todos os dias úteis possíveis, e ninguém da"
                " equipe compartilhada da conta pode substituir. O que ajuda: outra pessoa assume, ou a folga muda de"
                " data."
            ),
        ),
        (
            "es",
            "The customer says it is too much. So it is every 14 days instead of 7.",
            "El cliente dice que es demasiado. Por eso, cada 14 días en lugar de 7.",
        ),
        (
            "id",
            "The customer shows a sign of growth: seat limit. Find out what they need next.",
            "Pelanggan menunjukkan tanda pertumbuhan: batas lisensi. Cari tahu apa yang mereka perlukan berikutnya.",
        ),
        (
            "de",
            "The customer reached 1,200 users. Or more with 88 % of their seats in use. Find out what they need next.",
            (
                "Der Kunde hat einen Meilenstein erreicht (1,200 users. Or more), und 88\u00a0% seiner Lizenzen"
                " sind in Gebrauch. Finden Sie heraus, was er als Nächstes braucht."
            ),
        ),
        (
            "de",
            "Usage of the last four weeks is down to 0.7 of what it was; look into it before the customer does.",
            (
                "Die Nutzung der letzten vier Wochen ist auf das 0,7-Fache der früheren gesunken;"
                " sehen Sie nach, bevor der Kunde es tut."
            ),
        ),
        (
            "es",
            "It cannot become rarer, so it moves to in app.",
            "No puede ser menos frecuente, así que pasa a ser en la aplicación.",
        ),
        ("en", DUE, "The contract renews on 1 April 2026 and is not signed yet."),
    ],
)
def test_a_reason_has_its_values_as_the_language_writes_them(
    language: str, text: str, translated: str
) -> None:
    assert translate_reason(text, BOOK.phrases(language)) == translated


@pytest.mark.parametrize(
    "text", ["", "Wir rufen an, weil es brennt.", f"{RED} And we like them.", "Week two"]
)
def test_a_reason_without_a_translation_stays_as_the_policy_writes_it(text: str) -> None:
    assert translate_reason(text, BOOK.phrases("de")) == text


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("obstacle", [Obstacle.AWAY, Obstacle.CLOSED, Obstacle.NO_HOURS])
def test_every_escalation_of_a_day_that_is_missing_is_translated(language: str, obstacle: Obstacle) -> None:
    """As the calendar writes it, so that a new wording there needs a new translation here."""
    (found,) = describe_difficulties(book([touch()]), [AccountTouch(touch(), obstacle)], set())

    assert "What helps" not in translate_reason(found.text, BOOK.phrases(language))


NO_ROOM = (
    "No room is left for 1 of type check in: the weeks of Ada Lind are full, and what is protected is not given up. The"
    " check in has no room {}: 1500 minutes, 1480 of them needed by what goes before it, 60 by itself. What helps: a"
    " colleague leads one of them, more hours in these weeks, or a later date."
)


@pytest.mark.parametrize("weeks", ["in 2026-W11", "from 2026-W11 to 2026-W12"])
@pytest.mark.parametrize("language", OTHERS)
def test_an_escalation_of_weeks_that_are_full_is_translated(language: str, weeks: str) -> None:
    """The text is that of `test_a_shortage_names_the_demand_the_weeks_and_the_person`."""
    translated = translate_reason(NO_ROOM.format(weeks), BOOK.phrases(language))

    assert "Ada Lind" in translated
    assert not re.search(r"What helps|check in|W11", translated)


@pytest.mark.parametrize("language", OTHERS)
def test_an_escalation_about_somebody_who_is_busy_is_translated(language: str) -> None:
    person = book([touch()])
    person = person._replace(hours=replace(person.hours, busy=make_busy_time([(0, 60_000_000)])))
    (found,) = describe_difficulties(person, [AccountTouch(touch(), Obstacle.AWAY)], set())

    assert "away or busy" in found.text
    assert "away or busy" not in translate_reason(found.text, BOOK.phrases(language))


def escalated(found: list[Touchpoint]) -> str:
    (content,) = (each.content for each in found)
    assert content is not None
    return content.reason.text


@pytest.mark.parametrize("language", OTHERS)
def test_an_escalation_of_a_gap_is_translated_with_why_the_day_is_so_late(language: str) -> None:
    """The text is the calendar's own: a new wording there needs a new translation here."""
    text = escalated(escalations(calendar(plan([REVIEW], avoid=[STUCK]))))
    translated = translate_why(text, BOOK.phrases(language))

    assert "Why it is on that day: moved " in text
    assert "it is not the time" in translated  # the sentence of the policy for that period
    assert not re.search(r"Between|What helps|Why it|business review|W\d\d|moved", translated), translated


@pytest.mark.parametrize("language", OTHERS)
def test_an_escalation_of_a_first_review_that_is_late_is_translated(language: str) -> None:
    text = escalated(escalations(calendar(plan([REVIEW], avoid=[season(0, 210, name="pause")]))))
    translated = translate_why(text, BOOK.phrases(language))

    assert text.startswith("The first touchpoint of type business review")
    assert not re.search(r"The first|What helps|Why it|business review|W\d\d|moved", translated), translated


@pytest.mark.parametrize("language", OTHERS)
def test_an_escalation_of_a_deadline_is_translated_with_why_the_day_is_so_late(language: str) -> None:
    blocked = season(-1, 60, "renewal_discussion", name="freeze")
    late = plan(one_offs=[one_off("renewal_discussion", 8, never_skip=True)], avoid=[blocked])
    text = escalated(escalations(calendar(late)))
    translated = translate_why(text, BOOK.phrases(language))

    assert "Why it is on that day: " in text
    assert not re.search(r"is to take place|What helps|Why it|renewal discussion|W\d\d|moved", translated), (
        translated
    )


@pytest.mark.parametrize(
    ("language", "shift", "translated"),
    [
        (
            "de",
            "levelled: another day of the week 2026-W14 has more room",
            "ein anderer Tag in Kalenderwoche 14 (2026) hat mehr Platz",
        ),
        (
            "es",
            "late: nothing is open before the date it protects: time off of Ada",
            "Por qué ese día: se retrasa, porque no hay día libre antes de su fecha: Ada no está",
        ),
        ("pt", "moved to the nearest open day: public holiday Epiphany", "no dia aberto mais próximo: "),
        ("id", "Kim asked for it", "Mengapa pada hari itu: Kim asked for it"),
    ],
)
def test_why_a_touchpoint_is_on_its_day_is_translated_as_in_other_mails(
    language: str, shift: str, translated: str
) -> None:
    helps = "What helps: agree with the customer on an earlier day, or let a colleague lead it."
    assert translated in translate_why(f"{helps} Why it is on that day: {shift}", BOOK.phrases(language))


def test_a_date_that_does_not_exist_stays() -> None:
    assert translate_reason("On 2026-13-41.", BOOK.phrases("de")) == "On 2026-13-41."


def test_a_mail_in_german_says_why_in_german() -> None:
    german = directory(CARL.model_copy(update={"language": "de"}))
    reason = {"rule": "red-check-in", "policy": "", "facts": (), "text": RED}
    written = write(claim("t1", reason=reason), among=german).message

    assert "Der Zustand ist rot" in written.text
    assert "Der Zustand ist rot" in written.html
    assert "Health is red" not in written.text + written.html
