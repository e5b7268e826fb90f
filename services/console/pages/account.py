"""One account: its plan with reasons, its calendar, its messages, its decisions, its facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.console import labels
from services.console.account_view import Change, Decision, Fact, Mark, Portrait, Wish
from services.console.activity_feed import TONES, Delivery
from services.console.explanations import Inquiry, Question
from services.console.pages.elements import Badge, Keyed, Node, Plain
from services.console.pages.explain_panel import AbsentRow, WhyButton
from services.console.touchpoints import Touchpoint, selection, timing

TOUCHPOINT_TONES = {"due": "due", "overdue": "bad", "settled": "good", "planned": "waiting"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is shown of one account at `now`. A trouble stands where its part is missing."""

    portrait: Portrait
    calendar: Sequence[Touchpoint]
    deliveries: Sequence[Delivery]
    decisions: Sequence[Decision]
    absent: Sequence[tuple[str, Question]]
    troubles: dict[str, str]
    now: datetime

    def wishes(self, wishes: Sequence[Wish]) -> list[tuple[Wish, Question, datetime]]:
        """Parts of the plan, each with the question why."""
        return [(each, Question(self.portrait.id, rule=each.rule), self.now) for each in wishes]

    def touchpoints(self) -> list[tuple[Touchpoint, Question | None, datetime]]:
        """What of the calendar is shown; what is still open has a question, unless somebody planned it by hand."""
        known = {each.rule for each in (*self.portrait.rhythms, *self.portrait.one_offs)}
        return [(each, self._question(each, known), self.now) for each in selection(self.calendar)]

    def _question(self, each: Touchpoint, known: set[str]) -> Question | None:
        if not each.rule or each.status in ("settled", "cancelled"):
            return None
        if each.rule in known:
            return Question(self.portrait.id, rule=each.rule)
        return Question(self.portrait.id, touchpoint_type=each.type)


class AccountSheet:
    """The sheet of the account that is looked at; hidden while there is none."""

    def __init__(self, inquiry: Inquiry) -> None:
        self._inquiry = inquiry
        with Node("article", classes="sheet") as self.root:
            self._name = Node("h2", classes="sheet-name", id="account-name", tabindex="-1")
            self._id = Node("p", classes="sheet-id")
            self._marks = Keyed[Mark](Node("dl", classes="marks"), _MarkRow, lambda each: each.label)
            warnings = Node("ul", classes="warnings")
            self._warnings = Keyed[str](warnings, lambda: Plain(classes="warning"), str)
            self._plan()
            self._absent = _Part("Not planned", "Every kind of touchpoint is planned.")
            with self._absent.body:
                self._absent_rows = Keyed[tuple[str, Question, datetime]](
                    Node("ul", classes="absent"), lambda: AbsentRow(inquiry), lambda each: each[0]
                )
            self._calendar = _Part(
                "Calendar", "This account has no touchpoint in the last or the next 90 days."
            )
            with self._calendar.body:
                self._touchpoints = Keyed[tuple[Touchpoint, Question | None, datetime]](
                    Node("ul", classes="rows"), lambda: _TouchpointRow(inquiry), lambda each: each[0].id
                )
            self._messages = _Part("Messages", "Nothing was sent about this account yet.")
            with self._messages.body:
                self._deliveries = Keyed[tuple[Delivery, datetime]](
                    Node("ul", classes="rows"), _DeliveryRow, lambda each: each[0].id
                )
            self._trail = _Part("Decisions", "No decision was recorded yet.")
            with self._trail.body:
                trail = Node("ol", classes="trail")
                self._decisions = Keyed[Decision](trail, _DecisionRow, lambda each: each.key)
            self._known()

    def _plan(self) -> None:
        self._wishes = _Part("Plan", "No rhythm and no touchpoint is planned for this account.")
        with self._wishes.body:
            self._rhythms_title = Node("h4", "Rhythms")
            self._rhythms = self._wish_rows()
            self._one_offs_title = Node("h4", "One-time touchpoints")
            self._one_offs = self._wish_rows()

    def _wish_rows(self) -> Keyed[tuple[Wish, Question, datetime]]:
        return Keyed(Node("ul", classes="wishes"), lambda: _WishRow(self._inquiry), lambda each: each[0].key)

    def _known(self) -> None:
        self._facts = _Part("Facts", "Nothing is known yet.")
        with self._facts.body:
            self._fact_rows = Keyed[Fact](Node("dl", classes="facts"), _FactRow, lambda each: each.name)
            self._contracts_title = Node("h4", "Contracts")
            self._contracts = Keyed[str](Node("ul", classes="simple"), Plain, str)
            self._people_title = Node("h4", "People")
            self._people = Keyed[str](Node("ul", classes="simple"), Plain, str)

    def show(self, sheet: Sheet) -> None:
        portrait, now = sheet.portrait, sheet.now
        self._name.say(portrait.name)
        self._id.say(portrait.id if portrait.id != portrait.name else "")
        self._marks.show(portrait.marks)
        self._warnings.show(list(dict.fromkeys(portrait.warnings)))
        self._wishes.show(portrait.decided, "", full=bool(portrait.rhythms or portrait.one_offs))
        self._rhythms_title.show(bool(portrait.rhythms))
        self._rhythms.show(sheet.wishes(portrait.rhythms))
        self._one_offs_title.show(bool(portrait.one_offs))
        self._one_offs.show(sheet.wishes(portrait.one_offs))
        self._absent.show("Point at one, or choose it, to read why not.", "", full=bool(sheet.absent))
        self._absent.root.show(bool(sheet.absent))
        self._absent_rows.show([(title, question, now) for title, question in sheet.absent])
        self._calendar.show("", sheet.troubles.get("calendar", ""), full=bool(sheet.calendar))
        self._touchpoints.show(sheet.touchpoints())
        self._messages.show("", sheet.troubles.get("deliveries", ""), full=bool(sheet.deliveries))
        self._deliveries.show([(each, now) for each in sheet.deliveries])
        self._trail.show("", sheet.troubles.get("decisions", ""), full=bool(sheet.decisions))
        self._decisions.show(sheet.decisions)
        self._facts.show("", "", full=bool(portrait.facts))
        self._fact_rows.show(portrait.facts)
        self._contracts_title.show(bool(portrait.contracts))
        self._contracts.show(list(dict.fromkeys(portrait.contracts)))
        self._people_title.show(bool(portrait.people))
        self._people.show(list(dict.fromkeys(portrait.people)))


class _Part:
    """A part of the sheet: heading, trouble, what to read when it is empty, body."""

    def __init__(self, title: str, empty: str) -> None:
        self._nothing = empty
        with Node("section", classes="part") as self.root:
            with Node("div", classes="part-head"):
                Node("h3", title)
                self._note = Node("p", classes="part-note")
            self._trouble = Node("p", classes="trouble", role="alert")
            self._empty = Node("p", classes="empty")
            self.body = Node("div")

    def show(self, note: str, trouble: str, *, full: bool) -> None:
        self._note.say(note)
        self._trouble.say(trouble)
        self._empty.say("" if full or trouble else self._nothing)
        self.body.show(full)


class _MarkRow:
    def __init__(self) -> None:
        with Node("div", classes="mark") as self.root:
            self._label = Node("dt")
            with Node("dd"):
                self._badge = Badge()

    def show(self, item: Mark) -> None:
        self._label.say(item.label)
        self._badge.tell(item.word, item.tone)


class _WishRow:
    def __init__(self, inquiry: Inquiry) -> None:
        with Node("li", classes="wish") as self.root:
            with Node("p", classes="wish-head"):
                self._title = WhyButton(inquiry, self.root)
                self._how = Node("span", classes="how")
            self._when = Node("p", classes="timing")
            self._why = Node("p", classes="why")
            with Node("details"):
                Node("summary", "Rule and facts")
                self._rule = Node("p", classes="rule")
                self._facts = Keyed[Fact](Node("dl", classes="facts"), _FactRow, lambda each: each.name)

    def show(self, item: tuple[Wish, Question, datetime]) -> None:
        wish, question, now = item
        self._title.show(wish.title, question, now)
        self._how.say(wish.how)
        self._when.say(wish.when)
        self._why.say(wish.why)
        purpose = f" To {wish.purpose[:1].lower()}{wish.purpose[1:]}." if wish.purpose else ""
        self._rule.say(f"By the rule “{wish.rule}”.{purpose}")
        self._facts.show(wish.facts)


class _FactRow:
    def __init__(self) -> None:
        with Node("div", classes="fact") as self.root:
            self._name = Node("dt")
            with Node("dd"):
                self._value = Node("span", classes="fact-value")
                self._since = Node("span", classes="fact-since")
                self._source = Node("span", classes="fact-source")

    def show(self, item: Fact) -> None:
        self._name.say(item.name)
        self._value.say(item.value)
        self._since.say(item.since)
        self._source.say(item.source)


class _TouchpointRow:
    def __init__(self, inquiry: Inquiry) -> None:
        with Node("li", classes="row") as self.root:
            self._badge = Badge()
            with Node("div", classes="pointed") as body:
                with Node("p", classes="wish-head"):
                    self._title = WhyButton(inquiry, body)
                    self._how = Node("span", classes="how")
                self._when = Node("p", classes="timing")
                self._note = Node("p", classes="why")

    def show(self, item: tuple[Touchpoint, Question | None, datetime]) -> None:
        each, question, now = item
        word = each.outcome if each.status == "settled" and each.outcome else each.status
        tone = "bad" if word == "missed" else TOUCHPOINT_TONES.get(each.status, "quiet")
        self._badge.tell(word, tone)
        self._title.show(each.title, question, now)
        self._how.say(each.how)
        self._when.say(timing(each, now))
        self._note.say(each.note or each.outcome_notes)


class _DeliveryRow:
    def __init__(self) -> None:
        with Node("li", classes="row") as self.root:
            self._badge = Badge()
            with Node("div"):
                with Node("p", classes="wish-head"):
                    self._title = Node("strong")
                    self._about = Node("span", classes="how")
                self._when = Node("p", classes="timing")
                self._reason = Node("p", classes="why")

    def show(self, item: tuple[Delivery, datetime]) -> None:
        each, now = item
        self._badge.tell(each.state, TONES.get(each.state, "quiet"))
        self._title.say(each.what)
        self._about.say(each.title)
        self._when.say(labels.when(each.at, now))
        self._reason.say(each.detail)


class _DecisionRow:
    def __init__(self) -> None:
        with Node("li", classes="decision") as self.root:
            with Node("p", classes="wish-head"):
                self._when = Node("strong")
                self._policy = Node("span", classes="how")
            self._heard = Node("p", classes="timing")
            changes = Node("ul", classes="changes")
            self._changes = Keyed[Change](changes, _ChangeRow, lambda each: f"{each.kind} {each.text}")
            self._set_aside_title = Node("p", "Set aside:", classes="timing")
            self._set_aside = Keyed[str](Node("ul", classes="changes"), Plain, str)

    def show(self, item: Decision) -> None:
        self._when.say(item.when)
        self._policy.say(f"policy {item.policy}" if item.policy else "")
        self._heard.say(item.heard)
        self._changes.show(item.changes)
        self._set_aside_title.show(bool(item.set_aside))
        self._set_aside.show(list(dict.fromkeys(item.set_aside)))


class _ChangeRow:
    def __init__(self) -> None:
        with Node("li") as self.root:
            self._kind = Node("span", classes="change-kind")
            self._text = Node("span")

    def show(self, item: Change) -> None:
        self._kind.say(item.kind)
        self._text.say(item.text)
