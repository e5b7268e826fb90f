"""Why something moved or was cancelled: notes of the calendar in the reader's language, those of people as they are."""

import re
from zoneinfo import ZoneInfo

import pytest

from schemas.recurrence_text import interval_text
from services.notifier.adapters.phrases import load_people_phrases
from services.notifier.application.note_text import translate_note
from services.notifier.domain.event import CANCELLED, MOVED
from tests.unit.notifier.owner_claims import CARL, MONDAY, claim, directory, write

BOOK = load_people_phrases()
FIELD = re.compile(r"\{\w+\}")
ENGLISH = frozenset(
    {"every", "each", "the", "day", "days", "week", "weeks", "month", "quarter", "year", "of", "by", "rule"}
)
GAP = "; 45 days since the one before, more than the 40 it should be at most"
RETAIL = "Retailers sell most at the end of the fourth quarter; they have no time for us."


@pytest.mark.parametrize("language", [*BOOK.languages])
def test_every_language_has_the_same_notes_with_no_field_of_its_own(language: str) -> None:
    notes = BOOK.languages[language]["notes"]

    assert notes.keys() == BOOK.languages["en"]["notes"].keys()
    for note, translated in notes.items():
        assert {*FIELD.findall(str(translated))} <= {*FIELD.findall(note)}, note


@pytest.mark.parametrize(
    ("language", "note", "translated"),
    [
        ("en", "withdrawn: version 7 of the plan no longer contains it", "the plan no longer contains it"),
        ("de", "withdrawn: version 7 of the plan no longer contains it", "der Plan enthält das nicht mehr"),
        (
            "de",
            "suppressed: another value_report came due at 2026-11-29T09:00:00Z, less than 30 days before",
            (
                "„Ergebnisbericht“ war schon am Sonntag, 29. November 2026 um 10:00 MEZ an der"
                " Reihe, weniger als 30 Tage vorher"
            ),
        ),
        (
            "en",
            "expired: its deadline passed at 2026-11-29T09:00:00.250000Z during an outage",
            "its deadline passed on Sunday, 29 November 2026 at 10:00 CET during an outage",
        ),
        (
            "pt",
            "levelled: the week 2026-W14 had 1620 of 1500 minutes and has 1450 now, the week 2026-W15 has more room",
            (
                "a semana 14 de 2026 tinha 1.620 de 1.500 minutos planejados e agora tem 1.450;"
                " a semana 15 de 2026 tem mais espaço"
            ),
        ),
        (
            "pt",
            "covered by Bob Ode: Ada Lind is away (week 2026-W13)",
            "Bob Ode substitui Ada Lind, que está ausente (semana 13 de 2026)",
        ),
        (
            "de",
            "covered by Bob Ode: Ada Lind has no hours (week 2026-W13)",
            "Bob Ode springt ein, weil Ada Lind keine Stunden hat (Kalenderwoche 13 (2026))",
        ),
        (
            "de",
            (
                "withdrawn: gave way: no room from 2026-W14 to 2026-W15: 1500 minutes, 1480 of them needed by what goes"
                " before it, 60 by itself"
            ),
            (
                "es ist kein Platz von Kalenderwoche 14 (2026) bis Kalenderwoche 15 (2026): 1.480 von 1.500 Minuten"
                " braucht, was vorgeht, dies braucht 60"
            ),
        ),
        (
            "en",
            (
                "withdrawn: gave way: no room in 2026-W14: 1500 minutes, 1480 of them needed by what goes before it, 60"
                " by itself"
            ),
            (
                "there is no room in week 14 of 2026, where 1,500 minutes are open and 1,480 of them go to what comes"
                " first; this takes 60"
            ),
        ),
        (
            "de",
            "moved to the nearest open day: Thursday 29 February is closed (time off of Ada, no working day)",
            "am nächsten offenen Tag: am Donnerstag, 29. Februar geht es nicht (Ada ist nicht da, kein Arbeitstag)",
        ),
        ("id", "moved: every Monday, Wednesday and Friday", "setiap Senin, Rabu, dan Jumat"),
        ("es", "moved: every 2 weeks on Tuesday", "cada 2 semanas, en martes"),
        ("pt", "moved: on the last Friday of each month", "em dias fixos de cada mês"),
        (
            "de",
            "moved: the rules of America/Vancouver changed with tzdata 2026f",
            "die Zeitregeln von America/Vancouver haben sich geändert (tzdata 2026f)",
        ),
        (
            "pt",
            "moved: public holidays changed with holidays 0.110",
            "os feriados mudaram (holidays 0.110)",
        ),
        ("es", "withdrawn: its cause is gone", "el motivo ya no existe"),
        (
            "pt",
            "levelled: there is room for it again in the week 2026-W14",
            "na semana 14 de 2026 há espaço para isto de novo",
        ),
        (
            "es",
            "levelled: another day of the week 2026-W15 has more room",
            "otro día de la semana 15 de 2026 tiene más espacio",
        ),
        (
            "de",
            "levelled: the week 2026-W15 has more room than 2026-W14",
            "Kalenderwoche 15 (2026) hat mehr Platz als Kalenderwoche 14 (2026)",
        ),
        ("de", "moved: public holiday Good Friday", "Feiertag: Good Friday"),
        ("id", "moved: public holiday Epiphany of the customer", "hari libur pelanggan: Epiphany"),
        ("es", "moved: time off of Kim van Dam", "Kim van Dam no está"),
        ("de", "moved: Kim van Dam is busy then", "Kim van Dam hat dann einen anderen Termin"),
        (
            "de",
            (
                "late: nothing is open before its deadline, 2026-11-29T09:00:00Z: time off of"
                " Kim, public holiday Epiphany"
            ),
            (
                "vor der Frist, Sonntag, 29. November 2026 um 10:00 MEZ, ist kein Tag frei: Kim"
                " ist nicht da, Feiertag: Epiphany"
            ),
        ),
        (
            "id",
            "levelled: part of the business review on 2026-04-08",
            "bagian dari “Tinjauan hasil” pada 8 April 2026",
        ),
        (
            "de",
            "suppressed: part of the business review, which is held until further notice",
            "Teil von „Ergebnisgespräch“, das bis auf Weiteres zurückgehalten ist",
        ),
        (
            "es",
            "levelled: another day keeps it two days apart from another touchpoint of the account",
            "otro día deja dos días de distancia con otra cita con el cliente",
        ),
        ("de", "moved after quarter_end", "das liegt jetzt nach „quarter_end“"),
        ("de", "moved before our summer break: Wir sind dann nicht da.", "Wir sind dann nicht da."),
        (
            "de",
            "moved before its window: public holiday Epiphany",
            "das kommt früher, weil die eigenen Tage nicht gehen: Feiertag: Epiphany",
        ),
        (
            "de",
            f"moved after quarter_end{GAP}",
            (
                "das liegt jetzt nach „quarter_end“; 45 Tage nach dem davor, mehr als die"
                " höchstens vorgesehenen 40"
            ),
        ),
        (
            "es",
            f"moved before retail-q4: {RETAIL}{GAP}",
            (
                "El comercio vende más al final del cuarto trimestre; entonces no tiene"
                " tiempo para nosotros; 45 días después de la anterior,"
                " más de los 40 previstos como máximo"
            ),
        ),
        (
            "de",
            f"suppressed: retail-q4 leaves it no room: {RETAIL}",
            (
                "„retail-q4“ lässt dafür keinen Platz: Der Handel verkauft am Ende des vierten Quartals"
                " am meisten; er hat dann keine Zeit für uns"
            ),
        ),
        ("de", "moved: the one before it had to move", "das davor musste verschoben werden"),
        ("de", "expired: on 2026-13-41T25:00:00Z", "on 2026-13-41T25:00:00Z"),
        ("de", "cancelled: Wir warten, bis Kim zurück ist.", "Wir warten, bis Kim zurück ist."),
    ],
)
def test_a_note_of_the_calendar_is_in_the_language_of_who_reads_it(
    language: str, note: str, translated: str
) -> None:
    phrases = BOOK.phrases(language, ZoneInfo("Europe/Berlin"))

    assert translate_note(note, phrases).replace("\xa0", " ") == translated


def test_a_mail_says_in_the_language_of_its_reader_why_something_moved_or_was_cancelled() -> None:
    german = directory(CARL.model_copy(update={"language": "de"}))
    moved = claim("t1", event_type=MOVED, previous_due_at=MONDAY, note="moved: time off of Kim")
    over = claim("t2", event_type=CANCELLED, status="cancelled", note="withdrawn: the account was erased")
    text = write(moved, over, among=german).message.text

    assert "Kim ist nicht da" in text
    assert "Abgesagt: das Konto wurde gelöscht" in text


@pytest.mark.parametrize("language", sorted(BOOK.languages.keys() - {"en"}))
@pytest.mark.parametrize(
    ("every_days", "rule"),
    [
        (1, None),
        (14, None),
        (7, "FREQ=WEEKLY"),
        (7, "FREQ=WEEKLY;BYDAY=WE"),
        (1, "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        (14, "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH"),
        (21, "FREQ=WEEKLY;INTERVAL=3"),
        (30, "FREQ=MONTHLY"),
        (60, "FREQ=MONTHLY;INTERVAL=2"),
        (30, "FREQ=MONTHLY;BYDAY=-1FR"),
        (30, "FREQ=MONTHLY;BYMONTHDAY=1,15"),
        (91, "FREQ=MONTHLY;INTERVAL=3"),
        (91, "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1"),
        (91, "FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=15"),
        (365, "FREQ=YEARLY"),
        (365, "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
        (730, "FREQ=YEARLY;INTERVAL=2"),
        (30, "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR"),
    ],
)
def test_how_often_something_takes_place_is_said_in_each_language(
    language: str, every_days: int, rule: str | None
) -> None:
    said = interval_text(every_days, rule)

    translated = translate_note(f"moved: {said}", BOOK.phrases(language, ZoneInfo("UTC")))

    assert not {*re.findall(r"[a-z]+", said)} & {*re.findall(r"[a-z]+", translated)} & ENGLISH, translated
