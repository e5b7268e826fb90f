"""One account: its plan with reasons, its calendar, its messages, its decisions, its facts."""

from collections.abc import Sequence
from datetime import datetime

from services.console import labels
from services.console.account_view import (
    AccountView,
    DecisionEntry,
    Fact,
    PlanItem,
    Property,
    account_view,
    decision_entries,
)
from services.console.activity_feed import DELIVERY_TONES, Delivery
from services.console.explanations import Explanations, Question
from services.console.json_fields import Json
from services.console.pages.elements import Badge, KeyedList, Message, Node, text_list
from services.console.pages.explain_panel import NotPlannedRow, WhyButton
from services.console.poller import SelectedAccount
from services.console.touchpoints import Touchpoint, selection, timing

_TOUCHPOINT_TONES = {"due": "due", "overdue": "bad", "settled": "good", "planned": "waiting"}


class AccountSheet:
    """The page of the open account; hidden while none is open."""

    def __init__(self, explanations: Explanations) -> None:
        self._explanations = explanations
        with Node("article", classes="sheet") as self.root:
            self._name = Node("h2", classes="sheet-name", id="account-name", tabindex="-1")
            self._id = Node("p", classes="sheet-id")
            self._properties = KeyedList[Property](
                Node("dl", classes="properties"), _PropertyRow, lambda row: row.label
            )
            self._warnings = text_list("warnings", "warning")
            self._plan = _Section("Plan", "Nothing is planned for this account.")
            with self._plan.body:
                self._rhythms = _plan_list("Rhythms", explanations)
                self._one_offs = _plan_list("One-offs", explanations)
            self._not_planned = _Section("Not planned", "")
            with self._not_planned.body:
                self._not_planned_rows = KeyedList[tuple[str, Question, datetime]](
                    Node("ul", classes="not-planned"),
                    lambda: NotPlannedRow(explanations),
                    lambda row: row[0],
                )
            self._calendar = _Section("Calendar", "No touchpoints in the last or the next 90 days.")
            with self._calendar.body:
                self._touchpoints = KeyedList[tuple[Touchpoint, Question | None, datetime]](
                    Node("ul"), lambda: _TouchpointRow(explanations), lambda row: row[0].id
                )
            self._messages = _Section("Messages", "No messages about this account yet.")
            with self._messages.body:
                self._deliveries = KeyedList[tuple[Delivery, datetime]](
                    Node("ul"), _DeliveryRow, lambda row: row[0].id
                )
            self._history = _Section("Decisions", "No decisions yet.")
            with self._history.body:
                self._decisions = KeyedList[DecisionEntry](Node("ol"), _DecisionRow, lambda row: row.key)
            self._facts_section = _Section("Facts", "No facts yet.")
            with self._facts_section.body:
                self._facts = _fact_list()
                self._contracts = text_list("simple", heading=Node("h4", "Contracts"))
                self._people = text_list("simple", heading=Node("h4", "People"))

    def show(self, account: SelectedAccount, document: Json, now: datetime) -> None:
        """`document` is the account's, which has been read."""
        view, errors = account_view(document, account.calendar, now), account.errors
        self._name.show_text(view.name)
        self._id.show_text(view.id if view.id != view.name else "")
        self._properties.show(view.properties)
        self._warnings.show(view.warnings)
        self._plan.show(view.decided, "", has_content=bool(view.rhythms or view.one_offs))
        self._rhythms.show(_explained(view.rhythms, view.id, now))
        self._one_offs.show(_explained(view.one_offs, view.id, now))
        not_planned = self._explanations.not_planned(document)
        self._not_planned.show("Select one to see why it is not planned.", "", has_content=True)
        self._not_planned.root.show(bool(not_planned))
        self._not_planned_rows.show([(title, question, now) for title, question in not_planned])
        self._calendar.show("", errors.get("calendar", ""), has_content=bool(account.calendar))
        self._touchpoints.show([(item, _question(item, view), now) for item in selection(account.calendar)])
        self._messages.show("", errors.get("deliveries", ""), has_content=bool(account.deliveries))
        self._deliveries.show([(delivery, now) for delivery in account.deliveries])
        self._history.show("", errors.get("decisions", ""), has_content=bool(account.decisions))
        self._decisions.show(decision_entries(account.decisions, now))
        self._facts_section.show("", "", has_content=bool(view.facts))
        self._facts.show(view.facts)
        self._contracts.show(view.contracts)
        self._people.show(view.people)


def _explained(
    items: Sequence[PlanItem], account_id: str, now: datetime
) -> list[tuple[PlanItem, Question, datetime]]:
    """Items of the plan, each with its question."""
    return [(item, Question(account_id, rule=item.rule), now) for item in items]


def _question(item: Touchpoint, view: AccountView) -> Question | None:
    """The question about an open touchpoint; None for a closed one and for one that a person planned."""
    if not item.rule or item.status in ("settled", "cancelled"):
        return None
    if any(item.rule == planned.rule for planned in (*view.rhythms, *view.one_offs)):
        return Question(view.id, rule=item.rule)
    return Question(view.id, touchpoint_type=item.type)


class _Section:
    """A section: heading, note, error, a text for when it is empty, body."""

    def __init__(self, title: str, empty: str) -> None:
        self._empty_text = empty
        with Node("section", classes="part") as self.root:
            with Node("div", classes="part-head"):
                Node("h3", title)
                self._note = Node("p", classes="part-note")
            self._error = Message("error", role="alert")
            self._empty = Message("empty")
            self.body = Node("div")

    def show(self, note: str, error: str, *, has_content: bool) -> None:
        self._note.show_text(note)
        self._error.show_text(error)
        self._empty.show_text("" if has_content or error else self._empty_text)
        self.body.show(has_content)


def _plan_list(title: str, explanations: Explanations) -> KeyedList[tuple[PlanItem, Question, datetime]]:
    heading = Node("h4", title)
    return KeyedList(
        Node("ul", classes="plan-items"), lambda: _PlanItemRow(explanations), lambda row: row[0].key, heading
    )


def _fact_list() -> KeyedList[Fact]:
    return KeyedList(Node("dl", classes="facts"), _FactRow, lambda fact: fact.name)


class _PropertyRow:
    def __init__(self) -> None:
        with Node("div", classes="property") as self.root:
            self._label = Node("dt")
            with Node("dd"):
                self._badge = Badge()

    def show(self, item: Property) -> None:
        self._label.show_text(item.label)
        self._badge.show_word(item.value, item.tone)


class _PlanItemRow:
    def __init__(self, explanations: Explanations) -> None:
        with Node("li", classes="plan-item") as self.root:
            with Node("p", classes="item-head"):
                self._title = WhyButton(explanations, self.root)
                self._contact = Node("span", classes="contact")
            self._timing = Node("p", classes="timing")
            self._why = Node("p", classes="why")
            with Node("details"):
                Node("summary", "Rule and facts")
                self._rule = Node("p", classes="rule")
                self._facts = _fact_list()

    def show(self, item: tuple[PlanItem, Question, datetime]) -> None:
        plan_item, question, now = item
        self._title.show(plan_item.title, question, now)
        self._contact.show_text(plan_item.contact)
        self._timing.show_text(plan_item.timing)
        self._why.show_text(plan_item.why)
        purpose = f" Purpose: {plan_item.purpose}." if plan_item.purpose else ""
        self._rule.show_text(f"Rule “{plan_item.rule}”.{purpose}")
        self._facts.show(plan_item.facts)


class _FactRow:
    def __init__(self) -> None:
        with Node("div", classes="fact") as self.root:
            self._name = Node("dt")
            with Node("dd"):
                self._value = Node("span", classes="fact-value")
                self._since = Node("span", classes="fact-since")
                self._source = Node("span", classes="fact-source")

    def show(self, item: Fact) -> None:
        self._name.show_text(item.name)
        self._value.show_text(item.value)
        self._since.show_text(item.since)
        self._source.show_text(item.source)


class _TouchpointRow:
    def __init__(self, explanations: Explanations) -> None:
        with Node("li", classes="row") as self.root:
            self._badge = Badge()
            with Node("div", classes="explained") as body:
                with Node("p", classes="item-head"):
                    self._title = WhyButton(explanations, body)
                    self._contact = Node("span", classes="contact")
                self._timing = Node("p", classes="timing")
                self._note = Node("p", classes="why")

    def show(self, item: tuple[Touchpoint, Question | None, datetime]) -> None:
        touchpoint, question, now = item
        is_settled = touchpoint.status == "settled"
        word = touchpoint.outcome if is_settled and touchpoint.outcome else touchpoint.status
        tone = "bad" if word == "missed" else _TOUCHPOINT_TONES.get(touchpoint.status, "quiet")
        self._badge.show_word(word, tone)
        self._title.show(touchpoint.title, question, now)
        self._contact.show_text(touchpoint.contact)
        self._timing.show_text(timing(touchpoint, now))
        self._note.show_text(touchpoint.note or touchpoint.outcome_notes)


class _DeliveryRow:
    def __init__(self) -> None:
        with Node("li", classes="row") as self.root:
            self._badge = Badge()
            with Node("div"):
                with Node("p", classes="item-head"):
                    self._title = Node("strong")
                    self._about = Node("span", classes="contact")
                self._timing = Node("p", classes="timing")
                self._detail = Node("p", classes="why")

    def show(self, item: tuple[Delivery, datetime]) -> None:
        delivery, now = item
        self._badge.show_word(delivery.state, DELIVERY_TONES.get(delivery.state, "quiet"))
        self._title.show_text(delivery.what)
        self._about.show_text(delivery.title)
        self._timing.show_text(labels.capitalized(labels.when(delivery.at, now)))
        self._detail.show_text(delivery.detail)


class _DecisionRow:
    def __init__(self) -> None:
        with Node("li", classes="decision") as self.root:
            with Node("p", classes="item-head"):
                self._decided = Node("strong")
                self._policy = Node("span", classes="contact")
            self._triggered_by = Node("p", classes="timing")
            self._changes = KeyedList[tuple[str, str]](Node("ul", classes="changes"), _ChangeRow, str)
            self._not_applied = text_list("changes", heading=Node("p", "Did not apply:", classes="timing"))

    def show(self, item: DecisionEntry) -> None:
        self._decided.show_text(item.decided)
        self._policy.show_text(f"policy {item.policy}" if item.policy else "")
        self._triggered_by.show_text(item.triggered_by)
        self._changes.show(item.changes)
        self._not_applied.show(item.not_applied)


class _ChangeRow:
    def __init__(self) -> None:
        with Node("li") as self.root:
            self._kind = Node("span", classes="change-kind")
            self._text = Node("span")

    def show(self, item: tuple[str, str]) -> None:
        self._kind.show_text(item[0])
        self._text.show_text(item[1])
