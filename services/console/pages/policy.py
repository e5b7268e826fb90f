"""The policy page: the policy in force, its findings, the progress of evaluation, versions, and publishing."""

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from services.chassis.clock import real_now
from services.console.pages.forms import read_form, read_number
from services.console.pages.rendering import back_to, reader_of, render_page
from services.console.policy_editor import MAX_DRAFT_CHARACTERS, Draft, PolicyEditor
from services.console.policy_page_view import (
    file_states,
    finding_views,
    result_view,
    status_view,
    version_views,
)
from services.console.policy_view import policy_view
from services.console.reader import Backend, Reader

NOTE_MISSING: Final = "Give a reason: it is shown in the list of versions."
MAX_BODY: Final = 6 * MAX_DRAFT_CHARACTERS  # bytes
_FRESH_SECONDS: Final = 1.5  # real time; pages read again every two seconds
_KEPT_SECONDS: Final = 60.0
_FILE: Final = "file:"


class PolicyEditors:
    """What is in force, read once for all pages of a key; an entry is dropped a minute after its last use."""

    def __init__(self, backend: Backend) -> None:
        self._apis = backend.apis
        self._entries: dict[str, tuple[PolicyEditor, float]] = {}

    async def refreshed(self, key: str, *, now: bool = False) -> PolicyEditor:
        """With `now`, whatever was read a moment ago counts as old."""
        at = real_now().timestamp()
        for name in [name for name, (_, read) in self._entries.items() if at - read > _KEPT_SECONDS]:
            del self._entries[name]
        editor, read_at = self._entries.get(key, (PolicyEditor(self._apis, key), 0.0))
        if now or at - read_at > _FRESH_SECONDS:
            self._entries[key] = (editor, at)
            await editor.refresh()
        return editor


def policy_routes(backend: Backend) -> APIRouter:
    """`/policy`, its draft and rolling back."""
    router = APIRouter(include_in_schema=False)
    editors = PolicyEditors(backend)

    @router.get("/policy")
    async def show(request: Request) -> Response:
        reader = await reader_of(backend, request)
        editor = await editors.refreshed(reader.key)
        return await _render(request, reader, editor, Draft())

    @router.post("/policy/draft")
    async def change_draft(request: Request) -> Response:
        reader = await reader_of(backend, request)
        in_force = await editors.refreshed(reader.key)
        editor = PolicyEditor(backend.apis, reader.token)
        editor.in_force, editor.versions = in_force.in_force, in_force.versions
        editor.progress, editor.may_change = in_force.progress, in_force.may_change
        act, note, force, error = await _apply_form(request, editor)
        if act in ("check", "publish") and not error:
            await editor.check()
        if act == "publish" and not error:
            error = NOTE_MISSING if not note else await editor.publish(note, force=force)
            if not error:
                await editors.refreshed(reader.key, now=True)
                return back_to("/policy", did="published")
        return await _render(request, reader, editor, editor.draft, error, note)

    @router.post("/policy/roll-back")
    async def roll_back(request: Request) -> Response:
        reader = await reader_of(backend, request)
        form = await read_form(request)
        note, version = form.get("note", "").strip(), read_number(form.get("version", ""))
        editor = PolicyEditor(backend.apis, reader.token)
        error = NOTE_MISSING
        if note and version:
            error = await editor.roll_back(version, note)
            await editors.refreshed(reader.key, now=True)
        return back_to("/policy", did="" if error else "rolled_back", failed=error)

    return router


async def _apply_form(request: Request, editor: PolicyEditor) -> tuple[str, str, bool, str]:
    """Rebuild the draft that the form carries and change it. Returns the act, the note, `force`, and an error."""
    form = await request.form(max_fields=2_000, max_part_size=MAX_BODY)
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    based_on = next((value for name, value in fields if name == "based_on"), "")
    removed = {value for name, value in fields if name == "removed"}
    changed = {name.removeprefix(_FILE): _lines(value) for name, value in fields if name.startswith(_FILE)}
    if based_on:
        kept = {name: text for name, text in editor.in_force.files.items() if name not in removed}
        editor.draft = Draft({**kept, **changed}, based_on)
    one = dict(fields)
    act, _, name = one.get("act", "add").partition(":")
    error = await _change(editor, act, name or one.get("name", ""), _lines(one.get("text", "")))
    uploads = [value for _, value in form.multi_items() if isinstance(value, UploadFile) and value.filename]
    error = error or await _add_uploads(editor, uploads)
    return act, one.get("note", "").strip(), "force" in one, error


async def _change(editor: PolicyEditor, act: str, name: str, source: str) -> str:
    match act:
        case "discard":
            editor.discard()
        case "remove":
            editor.remove_file(name)
        case "restore":
            return editor.add_file(name, editor.in_force.files.get(name, ""))
        case "add" if name:
            return editor.add_file(name, source)
        case _:
            pass
    return ""


async def _add_uploads(editor: PolicyEditor, uploads: Sequence[UploadFile]) -> str:
    """Put uploaded files into the draft. Returns the first error, or ""."""
    for upload in uploads:
        source = (await upload.read()).decode("utf-8", "replace")
        error = editor.add_file(upload.filename or "", source)
        if error:
            return error
    return ""


def _lines(value: str) -> str:
    """With the line ends of files: forms send CR and LF."""
    return value.replace("\r\n", "\n")


async def _render(
    request: Request, reader: Reader, editor: PolicyEditor, draft: Draft, error: str = "", note: str = ""
) -> Response:
    in_force, clock = editor.in_force, reader.clock
    current = in_force.files
    context: dict[str, object] = {
        "editor": editor,
        "error": in_force.error,
        "status": status_view(editor, clock),
        "findings": finding_views(in_force.findings, current),
        "view": policy_view(in_force.document, current) if in_force.document else None,
        "versions": version_views(editor.versions, clock),
        **_draft_context(draft, current, error, note),
    }
    return await render_page(request, reader, "policy-page.html", context)


def _draft_context(draft: Draft, current: Mapping[str, str], error: str, note: str) -> dict[str, object]:
    files = {name: text for name, text in draft.files.items() if current.get(name) != text}
    return {
        "draft": draft,
        "draft_error": error,
        "note": note,
        "changed": files,
        "removed": [name for name in current if name not in draft.files] if draft.files else [],
        "states": file_states(current, draft.files) if draft.files else [],
        "result": result_view(draft.result, draft.based_on) if draft.result else None,
    }
