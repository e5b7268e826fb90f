"""Defects to plant into the shipped policy, one small edit each, and the finding that results."""

from typing import NamedTuple

ACCOUNTS, RHYTHMS, TRIGGERS = "10-accounts.yaml", "20-rhythms.yaml", "30-triggers.yaml"
TIMELINES, CALENDAR, CATALOGUE = "40-timelines.yaml", "50-calendar.yaml", "60-catalogue.yaml"
_STAGES = "stage: [onboarding, adoption, growth, renewal]"
_LED = "segment: [enterprise, mid_market]"


class Defect(NamedTuple):
    """In `file`, `old` becomes `new` after the text `near`. `at`: a text on the line that the finding names."""

    name: str
    kind: str
    rule: str
    file: str
    near: str
    old: str
    new: str
    at: str = ""


def _added(name: str, kind: str, rule: str, file: str, section: str, new: str) -> Defect:
    return Defect(name, kind, rule, file, f"\n{section}:\n", "\n", f"\n{new}\n")


DEFECTS = (
    Defect("a stage without its monthly word", "below-minimum", "monthly-word", RHYTHMS,
        "rule: monthly-word", _STAGES, "stage: [onboarding, adoption, renewal]"),
    Defect("no minimum for healthy accounts", "below-minimum", "monthly-word", RHYTHMS,
        "rule: monthly-word", _STAGES, f'{_STAGES}\n    when: color is null or color != "green"'),
    Defect("an enterprise account of little revenue", "never-fires", "enterprise-value-watch", RHYTHMS,
        "rule: enterprise-value-watch", "every: 7d", "every: 7d\n    when: arr is not null and arr < 50_000"),
    Defect("red with the score of green", "never-fires", "red-action-plan", TRIGGERS,
        "rule: red-action-plan\n", 'color == "red"',
        'color == "red" and health_score is not null and health_score >= 70'),
    Defect("an answer that cannot be given", "never-fires", "advocacy-by-nps", TRIGGERS,
        "rule: advocacy-by-nps", "nps_score >= 9", "nps_score >= 11"),
    Defect("a condition that is over when the window opens", "never-fires", "renewal-14-urgency", TIMELINES,
        "rule: renewal-14-urgency\n", "touchpoint: renewal_urgency",
        "touchpoint: renewal_urgency\n        when: days_to_renewal is not null and days_to_renewal > 20"),
    Defect("a step behind its stage", "never-fires", "led-day-14-survey", TIMELINES,
        "rule: led-day-14-survey", "touchpoint: survey", "touchpoint: survey, stage: growth"),
    Defect("a segment nobody reaches", "shadowed", "mid_market", ACCOUNTS,
        "segment: mid_market", "arr >= 10_000", "arr >= 100_000", "segment: mid_market"),
    Defect("a stage nobody reaches", "shadowed", "onboarding", ACCOUNTS,
        "half a year to put in place", "days_since_start < 180", "days_since_start < 60",
        "# A complex product takes half a year to put in place.\n  - stage"),
    _added("a rhythm that another always comes before", "shadowed", "enterprise-newsletter", RHYTHMS, "rhythms",
        "  - {rule: newsletters, touchpoint: newsletter, every: 14d, because: Twice a month.}"),
    _added("a rhythm that is said again", "shadowed", "webinars", RHYTHMS, "rhythms",
        f"  - {{rule: webinars, touchpoint: webinar, segment: mid_market, {_STAGES}, every: 60d, because: Rarely.}}"),
    _added("a trigger that another answers for", "shadowed", "advocacy-by-nps-too", TRIGGERS, "triggers",
        f"  - {{rule: advocacy-by-nps-too, on: nps.answered, touchpoint: advocacy_ask, {_STAGES}, {_LED}, within: 48h,"
        " cooldown: 90d, when: nps_score >= 10, because: Ten.}"),
    Defect("a step said twice", "shadowed", "renewal-30-reminder-again", TIMELINES,
        "rule: renewal-30-reminder", "\n",
        "\n        at: -30d\n        within: 16d\n        touchpoint: renewal_reminder\n"
        "        because: It ends.\n      - rule: renewal-30-reminder-again\n"),
    Defect("a clause said twice", "shadowed", "signs-of-growth", RHYTHMS,
        "rule: signs-of-growth", "seat_ratio >= 90%", "seat_ratio >= 90% and seat_ratio >= 90%"),
    Defect("a percent sign forgotten", "shadowed", "mails-unread", RHYTHMS,
        "rule: mails-unread", "open_rate < 15%", "open_rate < 15"),
    Defect("a clause that the stage says already", "shadowed", "yellow-check-in", RHYTHMS,
        "rule: yellow-check-in", "when: color",
        'when: (contract_state is null or contract_state != "ended") and color'),
    Defect("red as a default", "contradiction", "red-check-in", RHYTHMS,
        "rule: red-check-in", "    precedence: escalation\n", ""),
    Defect("red that a wish may stretch", "contradiction", "red-self-service-check-in", RHYTHMS,
        "rule: red-self-service-check-in", "precedence: escalation", "within: 7d..90d"),
    _added("a floor rarer than any wish may make it", "contradiction", "half-yearly-call", RHYTHMS, "rhythms",
        "  - {rule: half-yearly-call, touchpoint: check_in, segment: enterprise, "
        f"{_STAGES}, every: 180d, precedence: floor, because: At least.}}"),
    Defect("two owners of equal right", "contradiction", "mid-market-pooled-check-in/onboarding", RHYTHMS,
        "rule: mid-market-pooled-check-in", "    when: csm_id is null\n", "",
        "rule: mid-market-pooled-check-in\n    touchpoint: check_in\n    segment: mid_market\n    every"),
    Defect("two CSMs answer one score", "contradiction", "red-action-plan", TRIGGERS,
        "rule: red-action-plan-pooled", "segment: small_business", "segment: [small_business, mid_market]"),
    Defect("a deadline behind its window", "contradiction", "renewal-7-escalation", TIMELINES,
        "rule: renewal-7-escalation\n", "deadline: 24h", "deadline: 14d"),
    Defect("a deadline before its window opens", "contradiction", "expansion-closed", TRIGGERS,
        "rule: expansion-closed", "within: 35d", "within: 35d\n    deadline: 7d"),
    Defect("a cap that the cool-down makes idle", "contradiction", "expansion-by-usage", TRIGGERS,
        "rule: expansion-by-usage", "cooldown: 90d", "cooldown: 90d\n    cap: 2 per 30d"),
    Defect("a minimum nobody needs", "contradiction", "monthly-word", RHYTHMS,
        "rule: monthly-word", "every: month", "every: month\n    segment: self_service"),
    _added("an adjustment that undoes another", "contradiction", "complex-product", RHYTHMS, "adjustments",
        "  - {rule: complex-is-light, touchpoints: [check_in], rarer: 1,"
        " when: 'complexity is not null and complexity == \"complex\"', because: Light.}"),
    _added("a rhythm that its own calls switch off", "oscillation", "silence-call", RHYTHMS, "rhythms",
        f"  - {{rule: silence-call, touchpoint: check_in, segment: self_service, {_STAGES}, every: 14d,"
        " owner: pooled_csm, when: days_since_touch is null or days_since_touch >= 21, because: Silence.}"),
    _added("two kinds of mail that wake each other", "oscillation", "tip-after-report", RHYTHMS, "rhythms",
        "  - {rule: tip-after-report, touchpoint: tips, segment: self_service, every: 7d, urgency: soon,"
        " because: Then a tip., when: days_since_nurture is not null and days_since_nurture < 8}\n"
        "  - {rule: help-after-tip, touchpoint: nurture, segment: self_service, every: 14d, because: Then help.,"
        " when: days_since_tips is null or days_since_tips > 20}"),
    _added("an adjustment that its own calls switch off", "oscillation", "closer-after-silence", RHYTHMS, "adjustments",
        "  - {rule: closer-after-silence, touchpoints: [check_in], when: days_since_check_in is not null and"
        " days_since_check_in > 20, denser: 1, because: Silence.}"),
    Defect("feedback with nowhere to go", "never-fires", "mails-unread", RHYTHMS,
        "rule: mails-unread", "touchpoints: [tips, newsletter, nurture, feature_spotlight, usage_report, value_report]",
        "touchpoints: [tips]\n      segment: self_service"),
    Defect("feedback that wears off at once", "oscillation", "feedback", RHYTHMS,
        "\nfeedback:", "lasts: 180d", "lasts: 30d", "ladder:"),
    Defect("a training swallowed by a season", "blackout", "release-training", TRIGGERS,
        "rule: release-training", "within: 91d", "within: 28d"),
    Defect("an ask swallowed by the turn of the year", "blackout", "advocacy-by-nps", CALENDAR,
        "blackout: end-of-year", "touchpoints: [", "touchpoints: [advocacy_ask, "),
    Defect("a step swallowed by tax season", "blackout", "renewal-pre-review", CALENDAR,
        "blackout: accounting-tax-season", "touchpoints: [", "touchpoints: [pre_renewal_review, "),
    Defect("a season too long for what is never skipped", "blackout", "enterprise-business-review", RHYTHMS,
        "rule: enterprise-business-review", "every: 90d\n    within: 30d..90d", "every: 30d"),
    Defect("seasons that leave no day", "blackout", "mid-market-workshop", CALENDAR,
        "blackout: retail-fourth-quarter", "from: 11-15", "from: 01-04"),
    Defect("a season that hushes everything", "blackout", "end-of-year", CALENDAR,
        "blackout: end-of-year", "from: 12-18\n    to: 01-03\n    when: true\n"
        "    touchpoints: [business_review, executive_review, training_session]\n", "from: 12-01\n    to: 01-15\n",
        "blackout: end-of-year"),
    Defect("a purpose that says nothing", "purpose", "tips", CATALOGUE,
        "\n  tips:", "One tip for the daily work", "Tips", "  tips:"),
    Defect("a purpose that is its name", "purpose", "renewal_value_summary", CATALOGUE,
        "\n  renewal_value_summary:", "Recall what was reached in this term", "The renewal value summary",
        "  renewal_value_summary:"),
    Defect("a borrowed purpose", "purpose", "newsletter", CATALOGUE,
        "\n  newsletter:", "Product news, tips and a customer in the spotlight", "One tip for the daily work.",
        "  newsletter:"),
    Defect("a machine on the phone", "purpose", "small-business-check-in", RHYTHMS,
        "rule: small-business-check-in", "    channel: email\n", ""),
    Defect("a meeting in no time", "purpose", "kickoff", CATALOGUE,
        "\n  kickoff:", "minutes: 60", "minutes: 0", "  kickoff:"),
    Defect("a kickoff for everybody", "person", "kickoff-after-signature", TRIGGERS,
        "rule: kickoff-after-signature", f"    {_LED}\n", ""),
    Defect("a salesperson for a small business", "person", "expansion-proposal", TRIGGERS,
        "rule: expansion-proposal", _LED, "segment: [enterprise, mid_market, small_business]"),
    Defect("a call for self-service in red", "person", "red-self-service-check-in", RHYTHMS,
        "rule: red-self-service-check-in", "owner: automation\n    channel: email", "owner: csm"),
    Defect("a touchpoint nobody asks for", "unused", "event_invitation", TIMELINES,
        "rule: event-invitation", "touchpoint: event_invitation", "touchpoint: webinar_invitation",
        "  event_invitation:"),
    Defect("a limit that is never reached", "limit", "asks-of-the-customer", CALENDAR,
        "limit: asks-of-the-customer", "at_most: 2 per 90d", "at_most: 3 per 90d"),
    Defect("a limit that rhythms use up", "limit", "unplanned-calls", CALENDAR,
        "limit: unplanned-calls", "at_most: 3 per 14d", "at_most: 1 per 14d"),
    Defect("a limit on what nobody triggers", "limit", "unplanned-calls", CALENDAR,
        "limit: unplanned-calls", "touchpoints: [ad_hoc_call, intro_call, milestone_check_in]",
        "touchpoints: [newsletter, tips]"),
    Defect("a budget that calls use up", "budget", "account-week", CALENDAR,
        "budget: account-week", "at_most: 6 per 7d", "at_most: 1 per 7d"),
    Defect("a budget that rhythms use up", "budget", "account-week", CALENDAR,
        "budget: account-week", "at_most: 6 per 7d", "at_most: 3 per 28d"),
    Defect("a budget for which nothing waits", "budget", "person-week", CALENDAR,
        "budget: person-week", "at_most: 3 per 7d", "at_most: 3 per 7d\n    channels: [call, meeting]"),
    _added("a budget that another one keeps", "budget", "person-day", CALENDAR, "contact_budgets",
        "  - {budget: person-day, per: person, at_most: 4 per 1d, because: Of four.,"
        " exempt: [welcome, onboarding_step, in_app_guide, renewal_reminder]}"),
)  # fmt: skip


def planted(defect: Defect, texts: dict[str, str]) -> dict[str, str]:
    """The files with the defect. Raises ValueError if the edit is not possible."""
    text = texts[defect.file]
    start = text.index(defect.near)
    begin = text.index(defect.old, start + (len(defect.near) - 1 if defect.old == "\n" else 0))
    changed = text[:begin] + defect.new + text[begin + len(defect.old) :]
    return {**texts, defect.file: changed}


def line_of(defect: Defect, texts: dict[str, str]) -> tuple[str, int]:
    """File and line that the finding names."""
    marker = defect.at or next(
        marker
        for marker in (f": {defect.rule}\n", f": {defect.rule},")
        if any(marker in text for text in texts.values())
    )
    for file, text in texts.items():
        if marker in text and not file.endswith("_test.yaml"):
            return file, text[: text.index(marker) + len(marker.rstrip("\n"))].count("\n") + 1
    raise AssertionError(marker)
