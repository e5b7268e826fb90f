"""Why and why not, by pointing: hovering or focusing a title shows the explanation, a click keeps it open."""

from datetime import datetime
from typing import Final

from services.console.explanation_view import Clause, Explanation, explanation
from services.console.explanations import Asked, Inquiry, Question
from services.console.pages.elements import Badge, Keyed, Node, Plain

# A mouse that rests here asks; one that passes by does not. What a finger or a key does is a click.
_ENTER: Final = (
    "(e) => { if (e.pointerType !== 'mouse') return; const at = e.currentTarget;"
    " at.resting = setTimeout(() => emit(), 300); }"
)
_LEAVE_TITLE: Final = "(e) => clearTimeout(e.currentTarget.resting)"
_LEAVE: Final = "(e) => { if (!e.pointerType || e.pointerType === 'mouse') emit(); }"
_FOCUS: Final = "(e) => { if (e.target.matches(':focus-visible')) emit(); }"
_BLUR: Final = "(e) => { if (!e.currentTarget.contains(e.relatedTarget)) emit(); }"
_TRUTHS: Final = {True: ("holds", "good"), False: ("does not", "bad"), None: ("not judged", "quiet")}
_ESCAPE: Final = "(e) => { if (e.key === 'Escape') emit(); }"


class WhyButton:
    """The title of a row, which explains itself. `row` is the row's outermost element; the card goes into it."""

    def __init__(self, inquiry: Inquiry, row: Node, words: str = "") -> None:
        self._inquiry, self._row = inquiry, row
        self._question: Question | None = None
        self._kept = self._peeking = False
        self._card: WhyCard | None = None
        self.button = Node("button", words, "why-button", type="button", aria_expanded="false")
        self.button.on("click", self._toggle)
        self.button.on("pointerenter", self._peek, js_handler=_ENTER)
        self.button.on("pointerleave", js_handler=_LEAVE_TITLE)
        self.button.on("focus", self._peek, js_handler=_FOCUS)
        row.on("pointerleave", self._unpeek, js_handler=_LEAVE)
        row.on("focusout", self._unpeek, js_handler=_BLUR)
        row.on("keydown", self._close, js_handler=_ESCAPE)

    def show(self, words: str, question: Question | None, now: datetime) -> None:
        """`question` None: a title that explains nothing."""
        self.button.say(words)
        self.button.put("disabled", question is None)
        if question != self._question:
            self._question = question
            self._kept = self._peeking = False
        self._draw(now)

    def _draw(self, now: datetime | None = None) -> None:
        open_ = self._question is not None and (self._kept or self._peeking)
        self.button.put("aria-expanded", "true" if open_ else "false")
        if self._card is None and open_:
            with self._row:
                self._card = WhyCard()
            self.button.put("aria-controls", self._card.root.html_id)
        if self._card is not None:
            self._card.root.show(open_)
            self._card.root.dress("why-card" if self._kept else "why-card peek")
            if open_ and self._question is not None:
                self._card.show(self._inquiry.answer(self._question), now or self._inquiry.now())

    async def _toggle(self) -> None:
        self._kept, self._peeking = not self._kept, False
        await self._changed()

    async def _peek(self) -> None:
        self._peeking = True
        await self._changed()

    async def _unpeek(self) -> None:
        if self._peeking:
            self._peeking = False
            await self._changed()

    async def _close(self) -> None:
        self._kept = self._peeking = False
        await self._changed()

    async def _changed(self) -> None:
        if self._question is None:
            return
        wanted = self._kept or self._peeking
        self._inquiry.want(self._question, wanted=wanted)
        self._draw()
        if wanted:
            await self._inquiry.ask(self._question)
            self._draw()


class WhyCard:
    """An explanation: the sentence, the cause and the smallest change, the clauses with values and events."""

    def __init__(self) -> None:
        with Node("div", classes="why-card", role="status") as self.root:
            self._waiting = Node("p", classes="empty")
            self._trouble = Node("p", classes="trouble")
            with Node("p", classes="wish-head") as self._head:
                self._badge = Badge()
                self._rule = Node("span", classes="how")
            self._text = Node("p", classes="why")
            with Node("dl", classes="stopped") as self._stopped:
                self._cause = _Pair("Stopped by")
                self._change = _Pair("Smallest change")
            self._clauses = Keyed[Clause](Node("ul", classes="clauses"), _ClauseRow, lambda each: each.text)
            with Node("details") as self._more:
                Node("summary", "Other rules")
                self._others = Keyed[str](Node("ul", classes="simple"), Plain, str)

    def show(self, asked: Asked, now: datetime) -> None:
        self._trouble.say(asked.trouble)
        self._waiting.say("" if asked.document is not None or asked.trouble else "Asking why…")
        told = None if asked.document is None else explanation(asked.document, now)
        for each in (self._head, self._stopped, self._more):
            each.show(told is not None)
        if told is None:
            self._text.say("")
        else:
            self._tell(told)

    def _tell(self, told: Explanation) -> None:
        self._badge.tell(told.verdict, "good" if told.fires else "quiet")
        self._rule.say(f"rule {told.rule}" if told.rule else "")
        self._text.say(told.text)
        self._cause.show(told.cause)
        self._change.show(told.change)
        self._stopped.show(bool(told.cause or told.change))
        self._clauses.show(told.clauses)
        self._more.show(bool(told.others))
        self._others.show(list(dict.fromkeys(told.others)))


class _Pair:
    def __init__(self, name: str) -> None:
        with Node("div", classes="fact") as self._root:
            Node("dt", name)
            self._words = Node("dd")

    def show(self, words: str) -> None:
        self._words.say(words)
        self._root.show(bool(words))


class _ClauseRow:
    def __init__(self) -> None:
        with Node("li", classes="clause") as self.root:
            self._holds = Badge()
            with Node("div"):
                self._text = Node("code")
                self._values = Node("p", classes="timing")
                self._events = Keyed[str](Node("ul", classes="events"), Plain, str)

    def show(self, item: Clause) -> None:
        self._holds.tell(*_TRUTHS[item.holds])
        self._text.say(item.text)
        self._values.say(item.values)
        self._events.show(item.events)


class AbsentRow:
    """A kind of touchpoint that is not planned; pointing at it tells what stopped it."""

    def __init__(self, inquiry: Inquiry) -> None:
        with Node("li", classes="absent-row") as self.root:
            self._why = WhyButton(inquiry, self.root)

    def show(self, item: tuple[str, Question, datetime]) -> None:
        self._why.show(*item)
