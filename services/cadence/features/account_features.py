"""The words of an account: what any condition may read, each with what may change it."""

from services.cadence.features.feature import (
    ANSWERS,
    COLORS,
    COMPLEXITIES,
    CONTRACT_STATES,
    FREQUENCIES,
    SEGMENTS,
    STAGES,
    Feature,
    Kind,
)

_USAGE = ("usage.reported",)
_CONTRACT = ("contract.changed",)
_SETTLED = ("touchpoint.settled",)
_TOUCH = ("interaction.logged", "touchpoint.settled")
_SURVEY = ("survey.answered",)
_MAIL = ("delivery.finished", "message.engaged")
_PEOPLE = ("contact.described", "contact.left")
_ASKED = ("request.received",)
_REQUEST = ("request.received", "request.answered")
_MILESTONE = ("milestone.reached",)


def _described(name: str, kind: Kind, description: str, values: tuple[str, ...] = ()) -> Feature:
    return Feature(name, kind, description, ("account.described",), values, rests_on=(name,))


def _number(name: str, description: str, changed_by: tuple[str, ...], *rests_on: str) -> Feature:
    return Feature(name, "number", description, changed_by, rests_on=rests_on)


def _amount(name: str, description: str, changed_by: tuple[str, ...]) -> Feature:
    return Feature(name, "number", description, changed_by, nullable=False)


def _truth(name: str, description: str, changed_by: tuple[str, ...], *rests_on: str) -> Feature:
    return Feature(name, "truth", description, changed_by, nullable=False, rests_on=rests_on)


def _since(name: str, description: str, changed_by: tuple[str, ...], *rests_on: str) -> Feature:
    return Feature(name, "number", description, changed_by, counts="since", rests_on=rests_on)


def touch_word(touchpoint_type: str) -> Feature:
    """`days_since_<type>`: how long ago a touchpoint of that type was last held."""
    label = touchpoint_type.replace("_", " ")
    what = f"Days since the last {label} took place, whether planned here, settled by hand or logged"
    return _since(f"days_since_{touchpoint_type}", what, _TOUCH)


_ACCOUNT = (
    Feature(
        "account_id",
        "text",
        "The account's id, as the events about it name it",
        nullable=False,
    ),
    _described(
        "arr", "number", "Yearly recurring revenue; without one described, the sum of the live contracts"
    ),
    _number(
        "arr_percentile",
        "Percent of all accounts whose revenue is less, 0-99; null while the revenue, or the ranking, is unknown",
        ("account.described", "contract.changed"),
        "arr",
    ),
    _described("currency", "text", "Currency of the revenue"),
    _described("segment_override", "choice", "Segment set by hand", SEGMENTS),
    _described("complexity", "choice", "How complex the product is for this account", COMPLEXITIES),
    _described("csm_id", "text", "The customer success manager"),
    _described("pool", "text", "The pool of customer success managers"),
    _described("industry", "text", "Industry"),
    _described("country", "text", "Country"),
    _described("language", "text", "Language"),
    _described("timezone", "text", "Time zone"),
    _truth(
        "paid_success",
        "Has bought a success package; not said means no",
        ("account.described",),
        "paid_success",
    ),
    _truth("paused", "Outreach to the account is paused", ("outreach.paused", "outreach.resumed")),
    Feature(
        "segment",
        "choice",
        "Segment by the policy",
        values=SEGMENTS,
        nullable=False,
        rests_on=("segment_override", "arr"),
    ),
    Feature(
        "stage", "choice", "Stage by the policy", values=STAGES, nullable=False, rests_on=("renewal", "start")
    ),
)
_FEELING = (
    Feature(
        "color", "choice", "Health colour, said or derived", ("health.scored",), COLORS, rests_on=("color",)
    ),
    _number("health_score", "Health, 0-100", ("health.scored",), "health_score"),
    _number("nps_score", "Newest NPS answer, 0-10", ("nps.answered",), "nps_score"),
    _number(
        "nps_trend",
        "Newest NPS answer minus the mean of up to three answers before it; null until there are two answers",
        ("nps.answered",),
    ),
    _number("csat", "Newest satisfaction, 1-5", _SURVEY, "csat"),
    Feature(
        "survey_answer",
        "choice",
        "Newest view of our rhythm",
        _SURVEY,
        ANSWERS,
        rests_on=("survey_answer",),
    ),
    _since("days_since_survey", "Days since the customer last answered a survey", _SURVEY),
)
_USE = (
    _number("active_users", "Active users of the newest report", _USAGE, "active_users"),
    _number("seats", "Seats bought", _USAGE, "seats"),
    _number("seats_used", "Seats in use", _USAGE, "seats_used"),
    _number("seat_ratio", "Seats in use per seat bought", _USAGE, "seats_used", "seats"),
    _number("limit_ratio", "The fullest of the account's limits, used per limit", _USAGE, "limit_ratio"),
    _number(
        "usage_spike_ratio",
        "Daily usage of the newest period per mean daily usage of the 28 days before it (21 of them known)",
        _USAGE,
        "usage",
    ),
    _number(
        "usage_change",
        "Mean daily usage of the 28 days up to the end of the newest report, per that of the 28 days before them: "
        "0.7 is a fall by 30 %; null unless 21 days of each are known",
        _USAGE,
    ),
    _since("days_since_usage", "Days since the end of the newest usage report", _USAGE, "usage"),
    _truth("went_live", "A milestone of kind go_live was reached", _MILESTONE),
    _since("days_since_go_live", "Days since the first milestone of kind go_live", _MILESTONE),
)
_TERM = (
    Feature(
        "contract_status",
        "choice",
        "Status of the contract that renews next",
        _CONTRACT,
        CONTRACT_STATES,
        rests_on=("status",),
    ),
    _truth("contract_signed", "That contract is signed beyond its term", _CONTRACT, "signature"),
    _truth("auto_renew", "That contract renews by itself", _CONTRACT, "contract"),
    Feature(
        "days_to_renewal",
        "number",
        "Days until that contract's term ends",
        _CONTRACT,
        counts="until",
        rests_on=("renewal",),
    ),
    _since(
        "days_since_start",
        "Days since the first contract started; without one, since the account was first heard of",
        (),
        "start",
    ),
)
_CONTACT = (
    _since("days_since_touch", "Days since we last spoke, planned or not", _TOUCH, "touch"),
    _amount(
        "declines_in_row",
        "How many of the newest calls and meetings were declined or missed in a row, at most 32; "
        "rescheduled and cancelled ones do not count either way",
        _SETTLED,
    ),
    _number(
        "attendance_rate",
        "Share of the last 8 calls and meetings that the customer attended (completed or attended, of those and of "
        "the missed and the declined); null until there are 8",
        _SETTLED,
    ),
    _number(
        "open_rate",
        "Share of the last 8 mails that were opened, of those sent at least 3 days ago; a mail to three contacts is "
        "three; null until there are 8",
        _MAIL,
    ),
    _number(
        "click_rate",
        "Share of the last 8 mails in which a link was followed, of those sent at least 3 days ago; null until there "
        "are 8",
        _MAIL,
    ),
    Feature(
        "preferred_frequency",
        "choice",
        "How often the customer wishes to hear about the account (a wish for all topics counts): of the contacts "
        "present, a champion, decision maker or executive sponsor before others, then the newest wish",
        ("preference.changed", *_PEOPLE),
        tuple(FREQUENCIES),
    ),
)
_CUSTOMER = (
    _truth("has_champion", "A champion is among the contacts present", _PEOPLE),
    _truth("has_decision_maker", "A decision maker is among the contacts present", _PEOPLE),
    _truth("has_executive_sponsor", "An executive sponsor is among the contacts present", _PEOPLE),
    _since(
        "days_since_stakeholder_left",
        "Days since a champion, decision maker or executive sponsor last left",
        _PEOPLE,
    ),
    _since(
        "days_since_stakeholder_joined",
        "Days since the newest of the champions, decision makers and executive sponsors present was first described",
        _PEOPLE,
    ),
    _amount("requests_28d", "Requests the customer sent us in the last 28 days, at most 48", _ASKED),
    _amount(
        "requests_prior_28d",
        "Requests of the 28 days before those; the newest 48 requests are known",
        _ASKED,
    ),
    _amount("open_requests", "Requests nobody has answered yet, at most 48", _REQUEST),
    _number(
        "response_hours",
        "Mean hours until we answered, over the last 8 requests that were answered; null until one was",
        _REQUEST,
    ),
)
ACCOUNT_WORDS = (*_ACCOUNT, *_FEELING, *_USE, *_TERM, *_CONTACT, *_CUSTOMER)
