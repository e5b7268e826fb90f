"""Why and why not: hovering over or focusing a title shows the explanation, a click keeps it open."""

from datetime import datetime
from typing import Final

from services.console.explanation_view import ClauseView, ExplanationView, explanation_view
from services.console.explanations import Explained, Explanations, Question
from services.console.pages.elements import Badge, KeyedList, Node, pair_list, text_list

# A mouse that rests on the title opens the card; touch and keys click.
_ENTER: Final = (
    "(e) => { if (e.pointerType !== 'mouse') return; const at = e.currentTarget;"
    " at.resting = setTimeout(() => emit(), 300); }"
)
_LEAVE_TITLE: Final = "(e) => clearTimeout(e.currentTarget.resting)"
_LEAVE: Final = "(e) => { if (!e.pointerType || e.pointerType === 'mouse') emit(); }"
_FOCUS: Final = "(e) => { if (e.target.matches(':focus-visible')) emit(); }"
_BLUR: Final = "(e) => { if (!e.currentTarget.contains(e.relatedTarget)) emit(); }"
_ESCAPE: Final = "(e) => { if (e.key === 'Escape') emit(); }"
_VERDICTS: Final = {True: ("holds", "good"), False: ("fails", "bad"), None: ("not evaluated", "quiet")}


class WhyButton:
    """The title of a row, which opens its explanation. The card is added to `row`, the row's outermost element."""

    def __init__(self, explanations: Explanations, row: Node) -> None:
        self._explanations, self._row = explanations, row
        self._question: Question | None = None
        self._is_kept = self._is_peeking = False
        self._card: WhyCard | None = None
        self.button = Node("button", "", "why-button", type="button", aria_expanded="false")
        self.button.on("click", self._toggle)
        self.button.on("pointerenter", self._peek, js_handler=_ENTER)
        self.button.on("pointerleave", js_handler=_LEAVE_TITLE)
        self.button.on("focus", self._peek, js_handler=_FOCUS)
        row.on("pointerleave", self._stop_peeking, js_handler=_LEAVE)
        row.on("focusout", self._stop_peeking, js_handler=_BLUR)
        row.on("keydown", self._close, js_handler=_ESCAPE)

    def show(self, title: str, question: Question | None, now: datetime) -> None:
        """`question` None: a title without an explanation."""
        self.button.show_text(title)
        self.button.set_attribute("disabled", question is None)
        if question != self._question:
            self._question = question
            self._is_kept = self._is_peeking = False
        self._draw(now)

    def _draw(self, now: datetime) -> None:
        is_open = self._question is not None and (self._is_kept or self._is_peeking)
        self.button.set_attribute("aria-expanded", "true" if is_open else "false")
        if self._card is None and is_open:
            with self._row:
                self._card = WhyCard()
            self.button.set_attribute("aria-controls", self._card.root.html_id)
        if self._card is not None:
            self._card.root.show(is_open)
            self._card.root.set_classes("why-card" if self._is_kept else "why-card peek")
            if is_open and self._question is not None:
                self._card.show(self._explanations.answer(self._question), now)

    async def _toggle(self) -> None:
        self._is_kept, self._is_peeking = not self._is_kept, False
        await self._update()

    async def _peek(self) -> None:
        self._is_peeking = True
        await self._update()

    async def _stop_peeking(self) -> None:
        if self._is_peeking:
            self._is_peeking = False
            await self._update()

    async def _close(self) -> None:
        self._is_kept = self._is_peeking = False
        await self._update()

    async def _update(self) -> None:
        if self._question is None:
            return
        is_open = self._is_kept or self._is_peeking
        self._explanations.set_open(self._question, is_open=is_open)
        self._draw(self._explanations.now())
        if is_open:
            await self._explanations.load(self._question)
            self._draw(self._explanations.now())


class WhyCard:
    """An explanation: its text, the cause and the smallest change, the clauses with values and events."""

    def __init__(self) -> None:
        with Node("div", classes="why-card", role="status") as self.root:
            self._loading = Node("p", classes="empty")
            self._error = Node("p", classes="error")
            with Node("p", classes="item-head") as self._head:
                self._badge = Badge()
                self._rule = Node("span", classes="contact")
            self._text = Node("p", classes="why")
            with Node("div", classes="stopped") as self._stopped:
                self._causes = pair_list("")
            self._clauses = KeyedList[ClauseView](
                Node("ul", classes="clauses"), _ClauseRow, lambda clause: clause.text
            )
            with Node("details") as self._more:
                Node("summary", "Other rules")
                self._others = text_list("simple")

    def show(self, explained: Explained, now: datetime) -> None:
        document = explained.document
        self._error.show_text(explained.error)
        self._loading.show_text("" if document is not None or explained.error else "Loading…")
        for part in (self._head, self._stopped, self._more):
            part.show(document is not None)
        if document is None:
            self._text.show_text("")
        else:
            self._show_view(explanation_view(document, now))

    def _show_view(self, view: ExplanationView) -> None:
        self._badge.show_word(view.verdict, "good" if view.fires else "quiet")
        self._rule.show_text(f"rule {view.rule}" if view.rule else "")
        self._text.show_text(view.text)
        causes = (("Stopped by", view.cause), ("Smallest change", view.change))
        self._causes.show([(name, sentence) for name, sentence in causes if sentence])
        self._stopped.show(bool(view.cause or view.change))
        self._clauses.show(view.clauses)
        self._more.show(bool(view.others))
        self._others.show(view.others)


class _ClauseRow:
    def __init__(self) -> None:
        with Node("li", classes="clause") as self.root:
            self._verdict = Badge()
            with Node("div"):
                self._text = Node("code")
                self._values = Node("p", classes="timing")
                self._events = text_list("events")

    def show(self, item: ClauseView) -> None:
        self._verdict.show_word(*_VERDICTS[item.holds])
        self._text.show_text(item.text)
        self._values.show_text(item.values)
        self._events.show(item.events)


class NotPlannedRow:
    """A touchpoint type that is not planned, with the explanation why not."""

    def __init__(self, explanations: Explanations) -> None:
        with Node("li", classes="not-planned-row") as self.root:
            self._why = WhyButton(explanations, self.root)

    def show(self, item: tuple[str, Question, datetime]) -> None:
        self._why.show(*item)
