"""The features of an account, which any condition may read, each with the event types that may change it."""

from services.cadence.account.relation import STATES
from services.cadence.features import feature
from services.cadence.features.feature import Feature, Kind

_DESCRIBED = ("account.described",)
_HEALTH = ("health.scored",)
_USAGE = ("usage.reported",)
_CONTRACT = ("contract.changed",)
_SETTLED = ("touchpoint.settled", "message.engaged")
_TOUCH = ("interaction.logged", "touchpoint.settled")
_SURVEY = ("survey.answered",)
_NPS = ("nps.answered",)
_MAIL = ("delivery.finished", "message.engaged")
_PEOPLE = ("contact.described", "contact.left")
_RECEIVED = ("request.received",)
_SIGNALLED = ("expansion.signalled",)
_REQUEST = ("request.received", "request.answered")
_MILESTONE = ("milestone.reached",)


def _described(name: str, kind: Kind, description: str, values: tuple[str, ...] = ()) -> Feature:
    return Feature(name, kind, description, _DESCRIBED, values, rests_on=(name,))


def _number(name: str, description: str, changed_by: tuple[str, ...], *rests_on: str) -> Feature:
    return Feature(name, "number", description, changed_by, rests_on=rests_on)


def _amount(name: str, description: str, changed_by: tuple[str, ...]) -> Feature:
    return Feature(name, "number", description, changed_by, nullable=False)


def _choice(
    name: str, description: str, changed_by: tuple[str, ...], values: tuple[str, ...], *rests_on: str
) -> Feature:
    return Feature(name, "choice", description, changed_by, values, rests_on=rests_on)


def _by_policy(name: str, values: tuple[str, ...], *rests_on: str) -> Feature:
    description = f"{name.capitalize()} by the policy"
    return Feature(name, "choice", description, values=values, nullable=False, rests_on=rests_on)


def _truth(name: str, description: str, changed_by: tuple[str, ...], *rests_on: str) -> Feature:
    return Feature(name, "truth", description, changed_by, nullable=False, rests_on=rests_on)


def _since(name: str, description: str, changed_by: tuple[str, ...], *rests_on: str) -> Feature:
    return Feature(name, "number", description, changed_by, counts="since", rests_on=rests_on)


def _until(name: str, description: str) -> Feature:
    return Feature(name, "number", description, _CONTRACT, counts="until", rests_on=("renewal",))


def days_since_feature(touchpoint_type: str) -> Feature:
    """`days_since_<type>`: the days since the last touchpoint of that type took place."""
    label = touchpoint_type.replace("_", " ")
    description = f"Days since the last {label} took place, whether planned here, settled by hand or logged"
    return _since(f"days_since_{touchpoint_type}", description, _TOUCH)


_ACCOUNT = (
    Feature("account_id", "text", "The account's id, as in the events about it", nullable=False),
    _number(
        "arr",
        "Yearly recurring revenue in the policy's currency: as described, else the sum of the live contracts; null if an"
        " amount is in a currency without an exchange rate",
        ("account.described", "contract.changed"),
        "arr",
    ),
    _number(
        "arr_percentile",
        "Percentage of all accounts with less revenue, 0-99; null while the revenue or the ranking is unknown",
        ("account.described", "contract.changed"),
        "arr",
    ),
    _described("currency", "text", "Currency in which the revenue was told"),
    _described("segment_override", "choice", "Segment set by hand", feature.SEGMENTS),
    _described("complexity", "choice", "How complex the product is for this account", feature.COMPLEXITIES),
    _described("csm_id", "text", "The customer success manager"),
    _described("pool", "text", "The pool of customer success managers"),
    _described("industry", "text", "Industry"),
    _described("country", "text", "Country"),
    _described("region", "text", "Region of the country, as described"),
    _described("language", "text", "Language"),
    _described("timezone", "text", "Time zone"),
    _truth("paid_success", "Bought a success package; false unless described", _DESCRIBED, "paid_success"),
    _truth("paused", "Outreach to the account is paused", ("outreach.paused", "outreach.resumed")),
    _by_policy("segment", feature.SEGMENTS, "segment_override", "arr"),
    _by_policy("stage", feature.STAGES, "renewal", "start"),
)
_SENTIMENT = (
    _choice("color", "Health colour: as reported, else from the score", _HEALTH, feature.COLORS, "color"),
    _number("health_score", "Health, 0-100", _HEALTH, "health_score"),
    _number("nps_score", "Newest NPS answer, 0-10", _NPS, "nps_score"),
    _number(
        "nps_trend", "Newest NPS answer minus the mean of up to 3 before it; null without 2 answers", _NPS
    ),
    _number("csat", "Newest satisfaction, 1-5", _SURVEY, "csat"),
    _choice(
        "survey_answer", "Newest opinion on contact frequency", _SURVEY, feature.ANSWERS, "survey_answer"
    ),
    _since("days_since_survey", "Days since the customer last answered a survey", _SURVEY),
)
_PRODUCT_USAGE = (
    _number(
        "active_users", "Active users in the newest period; several sources add up", _USAGE, "active_users"
    ),
    _number(
        "seats", "Seats bought, in the newest period that says them; several sources add up", _USAGE, "seats"
    ),
    _number(
        "seats_used",
        "Seats in use, in the newest period that says them; several sources add up",
        _USAGE,
        "seats_used",
    ),
    _number("seat_ratio", "Seats in use divided by seats bought", _USAGE, "seats_used", "seats"),
    _number("limit_ratio", "The highest usage of a limit, divided by the limit", _USAGE, "limit_ratio"),
    _number(
        "usage_spike_ratio",
        "Daily usage in the newest period, shorter ones joined to days, divided by the mean of the 28 days before it; "
        "null unless 21 of them are known; several sources add up",
        _USAGE,
        "usage",
    ),
    _number(
        "usage_change",
        "Mean daily usage in the 28 days up to the end of the newest report, divided by that of the 28 days before "
        "them: 0.7 is a fall by 30%; null unless 21 days of each are known; several sources add up",
        _USAGE,
    ),
    _since("days_since_usage", "Days since the end of the newest period of a usage report", _USAGE, "usage"),
    _since(
        "days_since_expansion_signal", "Days since the newest sign that the customer needs more", _SIGNALLED
    ),
    _truth("went_live", "A milestone of kind go_live was reached", _MILESTONE),
    _since("days_since_go_live", "Days since the first milestone of kind go_live", _MILESTONE),
)
_TERM = (
    _choice(
        "contract_status",
        "Status of the leading contract as reported. The leading contract is the running one of the most revenue, of "
        "several the one that ends first; when none runs, the one that ended last",
        _CONTRACT,
        feature.CONTRACT_STATES,
        "status",
    ),
    _choice(
        "contract_state",
        "Where the leading contract stands: `leaving` is churned and served until its term ends, `renewed` has its next "
        "term signed, `renewing` renews by itself, `superseded` is continued by another contract",
        _CONTRACT,
        STATES,
        "status",
    ),
    _truth("contract_signed", "The next term of the leading contract is signed", _CONTRACT, "signature"),
    _truth(
        "contract_settled",
        "Nobody is to be asked to sign the next term: it is signed, the contract renews by itself, ends, or another "
        "contract continues it",
        _CONTRACT,
        "signature",
    ),
    _truth("auto_renew", "The leading contract renews by itself", _CONTRACT, "contract"),
    _number("term_days", "Length of the leading contract's term in days", _CONTRACT, "renewal"),
    _until("days_to_renewal", "Days until the leading contract's term ends"),
    _until(
        "days_to_notice",
        "Days until the last day on which a leading contract that renews by itself can be given notice",
    ),
    _since(
        "days_since_start",
        "Days since the relation began: the first start of a contract, after more than 30 days without a running term "
        "the next one; without a contract, the first event about the account",
        (),
        "start",
    ),
)
_CONTACT = (
    _since(
        "days_since_touch",
        "Days since a person was last in contact with the customer, planned or not; internal work, what automation and "
        "marketing send, formats for many (`group`) and contact in the product do not count",
        _TOUCH,
        "touch",
    ),
    _amount(
        "declines_in_row",
        "How many of the newest calls and meetings were declined or missed in a row, at most 32; one to which everybody "
        "of the customer declined the invitation is declined until its outcome is recorded; rescheduled and cancelled "
        "ones are ignored",
        _SETTLED,
    ),
    _number(
        "attendance_rate",
        "Share of the last 8 calls and meetings that the customer attended, of those completed, attended, missed or "
        "declined; null until there are 8",
        _SETTLED,
    ),
    _number(
        "open_rate",
        "Share of the last 8 mails that were opened, of those sent at least 3 days ago; a mail to three contacts "
        "counts three times, one that only machines opened not at all; null until there are 8, and until the account was "
        "heard of to open or click one",
        _MAIL,
    ),
    _number(
        "click_rate",
        "Share of the last 8 mails with a link that a person clicked, of those sent at least 3 days ago; null until "
        "there are 8, and until the account was heard of to open or click one",
        _MAIL,
    ),
    _choice(
        "preferred_frequency",
        "How often the customer wants account messages; a preference for all topics counts. Champions, decision makers "
        "and executive sponsors come before other contacts, then the newest preference counts",
        ("preference.changed", *_PEOPLE),
        tuple(feature.FREQUENCIES),
    ),
    _choice(
        "training_channel",
        "Over which channel the customer wants to learn: the newest channel preference for the topic training or for "
        "all, with the same contacts first",
        ("preference.changed", *_PEOPLE),
        feature.CHANNELS,
    ),
)
_CUSTOMER = (
    _truth("has_champion", "The account has a champion who has not left", _PEOPLE),
    _truth("has_decision_maker", "The account has a decision maker who has not left", _PEOPLE),
    _truth("has_executive_sponsor", "The account has an executive sponsor who has not left", _PEOPLE),
    _since(
        "days_since_stakeholder_left", "Days since a champion, decision maker or sponsor last left", _PEOPLE
    ),
    _since(
        "days_since_stakeholder_joined",
        "Days since the newest present champion, decision maker or sponsor was first described",
        _PEOPLE,
    ),
    _amount("requests_28d", "Requests from the customer in the last 28 days, at most 48", _RECEIVED),
    _amount(
        "requests_prior_28d",
        "Requests from the customer in the 28 days before the last 28, of the newest 48",
        _RECEIVED,
    ),
    _amount("open_requests", "Requests without an answer, at most 48", _REQUEST),
    _number(
        "response_hours",
        "Mean hours until we answered, over the last 8 answered requests; null until there is one",
        _REQUEST,
    ),
)
ACCOUNT_FEATURES = (*_ACCOUNT, *_SENTIMENT, *_PRODUCT_USAGE, *_TERM, *_CONTACT, *_CUSTOMER)
