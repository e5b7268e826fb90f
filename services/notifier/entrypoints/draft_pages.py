"""The pages on which a person of ours decides on a draft, by a signed link: GET shows it, POST sends it or does not."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import HTMLResponse

from schemas.links import draft_page
from services.chassis.audit import LINK, acts_as
from services.chassis.clock import real_now
from services.notifier.application.act_from_mail import Colleagues, named_people
from services.notifier.application.decide_drafts import (
    DraftConflict,
    DraftDecision,
    DraftDetail,
    DraftMissing,
    Drafts,
    decide_draft,
    read_draft,
)
from services.notifier.application.phrases import PhraseBook, Phrases, preferred_language
from services.notifier.application.write_customer_mail import CustomerWriter
from services.notifier.domain.approval import DraftState
from services.notifier.domain.draft_link import DraftToken, read_draft_token
from services.notifier.domain.link_token import LinkKeys, TokenExpired, TokenRejected
from services.notifier.domain.message import Render
from services.notifier.domain.working_day import zone_of
from services.notifier.entrypoints.customer_pages import PAGE_HEADERS

ACTS = ("approve", "reject")
LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True)
class DraftPages:
    """What the pages need. `keys`: of their links; `console_url`: where drafts are edited."""

    drafts: Drafts
    writer: CustomerWriter
    keys: LinkKeys
    people: Colleagues
    book: PhraseBook
    render: Render
    console_url: str

    async def show(self, link: str, do: str, languages: str | None) -> HTMLResponse | None:
        """The page of a link to a draft; None: it is another link."""
        try:
            token = read_draft_token(self.keys, link, now=real_now())
        except TokenExpired:
            return self._notice("expired", 410, self._words(languages))
        except TokenRejected:
            return None
        phrases = await self._phrases(token)
        try:
            return await self._show(token, phrases, do)
        except DraftMissing:
            return self._notice("gone_draft", 404, phrases)

    async def act(self, link: str, form: Mapping[str, str], languages: str | None) -> HTMLResponse | None:
        """Decide as the form says; None: it is another link."""
        try:
            token = read_draft_token(self.keys, link, now=real_now())
        except TokenExpired:
            return self._notice("expired", 410, self._words(languages))
        except TokenRejected:
            return None
        phrases = await self._phrases(token)
        act = form.get("act", "")
        try:
            if act not in ACTS:
                return await self._show(token, phrases, status=422)
            return await self._decide(token, phrases, act, form)
        except DraftMissing:
            return self._notice("gone_draft", 404, phrases)

    async def _decide(
        self, token: DraftToken, phrases: Phrases, act: str, form: Mapping[str, str]
    ) -> HTMLResponse:
        state = DraftState.APPROVED if act == "approve" else DraftState.REJECTED
        reason = form.get("reason", "").strip()[:LONGEST_REASON]
        version = form.get("version", "")
        decision = DraftDecision(
            state,
            token.person_id,
            reason if state is DraftState.REJECTED else "",
            int(version) if version.isascii() and version.isdigit() and len(version) < 9 else None,
        )
        acts_as(LINK)
        try:
            await decide_draft(token.draft_id, decision, self.drafts)
        except DraftConflict:
            return await self._show(token, phrases, problem=phrases.text("draft", "stale"), status=409)
        return await self._show(token, phrases, done=phrases.text("draft", f"was_{state}"))

    async def _show(
        self,
        token: DraftToken,
        phrases: Phrases,
        do: str = "",
        *,
        done: str = "",
        problem: str = "",
        status: int = 200,
    ) -> HTMLResponse:
        detail = await read_draft(token.draft_id, self.drafts, self.writer)
        draft = detail.draft
        is_open = draft.state is DraftState.PENDING
        account = await self.people.account_name(draft.account_id) or draft.account_id
        act = do if do in ACTS else ACTS[0]
        context: dict[str, object] = {
            "language": phrases.language,
            "direction": phrases.direction,
            "title": phrases.text(
                "draft", "title", type=phrases.touchpoint_type(draft.touchpoint_type), account=account
            ),
            "done": done,
            "problem": problem,
            "state": "" if done else _state(detail, phrases),
            "to": phrases.text("draft", "to", names=phrases.formatter.enumeration(names_of(detail))),
            "subject": draft.subject,
            "text": detail.recipients[0].text if detail.recipients else detail.body,
            "is_open": is_open,
            "act": act,
            "other": next(one for one in ACTS if one != act),
            "version": str(draft.version),
            "words": {
                key: phrases.text("draft", key)
                for key in ("approve", "reject", "reason", "edit", "message", "or")
            },
            "confirm": phrases.text("action", "confirm"),
            "edit_url": self.console_url + draft_page(draft.id),
        }
        return HTMLResponse(self.render("act_draft.html", context, html=True), status, PAGE_HEADERS)

    async def _phrases(self, token: DraftToken) -> Phrases:
        person = (await named_people(self.people)).get(token.person_id or "")
        return self.book.phrases(person.language if person else None, zone_of(person))

    def _words(self, languages: str | None) -> Phrases:
        return self.book.phrases(preferred_language(languages, self.book.languages))

    def _notice(self, key: str, status: int, words: Phrases) -> HTMLResponse:
        context: dict[str, object] = {
            "language": words.language,
            "direction": words.direction,
            "title": words.text("action", "lost_title"),
            "state": words.text("action", key),
        }
        return HTMLResponse(self.render("act_notice.html", context, html=True), status, PAGE_HEADERS)


def names_of(detail: DraftDetail) -> list[str]:
    return [one.name or one.address or one.contact_id for one in detail.recipients]


def _state(detail: DraftDetail, phrases: Phrases) -> str:
    draft = detail.draft
    reason = draft.reason or draft.approver
    return phrases.text(
        "draft", f"is_{draft.state}", moment=phrases.moment(draft.approve_until), reason=reason
    )
