"""Publishing from the page: files are added, checked, compared with the policy in force, and published with a note."""

from collections.abc import Callable
from typing import Final, cast

from services.console import labels
from services.console.difference_view import difference_view
from services.console.json_fields import Json, number, text
from services.console.pages.elements import Badge, KeyedList, Message, Node, pair_list, text_list
from services.console.pages.policy_status import FindingList
from services.console.pages.versions import NOTE_MISSING
from services.console.policy_editor import CheckResult, PolicyEditor
from services.console.source_map import SourceMap

# Files are sent in pieces that fit into a message of the page.
_SEND: Final = """
const send = (name, text) => {
  const size = 100000, parts = Math.max(1, Math.ceil(text.length / size));
  for (let part = 0; part < parts; part++)
    emit({name, first: part === 0, last: part === parts - 1, text: text.slice(part * size, (part + 1) * size)});
};
"""
_UPLOADED: Final = (
    "async (e) => {" + _SEND + "const files = [...e.target.files]; e.target.value = '';"
    " for (const file of files) send(file.name, file.size > 4000000 ? ' '.repeat(1000001) : await file.text()); }"
)
_PASTED: Final = (
    "() => {" + _SEND + "const name = document.getElementById('paste-name'),"
    " text = document.getElementById('paste-text');"
    " if (name.value.trim()) { send(name.value, text.value); text.value = ''; } else name.focus(); }"
)
_NOTE: Final = '() => emit(document.getElementById("publish-note").value)'


class PublishPanel:
    """Shown to readers who may publish. `changed` is called after a publication."""

    def __init__(self, editor: PolicyEditor, changed: Callable[[], None]) -> None:
        self._editor, self._changed = editor, changed
        self._pieces: list[str] = []
        self._error_text, self._is_publishing, self._published_version = "", False, -1
        with Node("section", classes="chapter", aria_labelledby="publish-title") as self._root:
            Node("h3", "Publish a change", id="publish-title")
            intro = (
                "Add policy files. Each replaces the file with its name; the other files stay as they are."
            )
            Node("p", intro, "intro")
            self._inputs()
            self._error = Message("error", role="alert")
            self._success = Message("success", role="status")
            with Node("div") as self._body:
                self._draft()

    def _inputs(self) -> None:
        with Node("div", classes="uploads"):
            with Node("div"):
                Node("label", "Upload files", for_="upload")
                upload = Node("input", id="upload", type="file", accept=".yaml", multiple=True)
                upload.on("change", self._add_piece, js_handler=_UPLOADED)
            with Node("details"):
                Node("summary", "Paste a file")
                Node("label", "File name", for_="paste-name")
                Node("input", id="paste-name", type="text", placeholder="20-rhythms.yaml", autocomplete="off")
                Node("label", "Content", for_="paste-text")
                Node("textarea", id="paste-text", rows="8", spellcheck="false")
                Node("button", "Add the file", "secondary-button", type="button").on(
                    "click", self._add_piece, js_handler=_PASTED
                )

    def _draft(self) -> None:
        Node("h4", "Files to publish")
        self._files = KeyedList[tuple[str, str]](
            Node("ul"), lambda: _FileRow(self._toggle_file), lambda row: row[0]
        )
        with Node("div", classes="buttons"):
            Node("button", "Check", "primary-button", type="button").on("click", self._check)
            Node("button", "Discard", "secondary-button", type="button").on("click", self._discard)
        self._checking = Message("empty", role="status")
        self._result = _CheckResultPanel()
        with Node("div", classes="publish") as self._publish_form:
            Node("label", "Note", for_="publish-note")
            placeholder = "Why this change?"
            Node("input", id="publish-note", type="text", maxlength="2000", placeholder=placeholder)
            publish = Node("button", "Publish", "primary-button", type="button")
            publish.on("click", lambda event: self._publish(str(event.args)), js_handler=_NOTE)

    def show(self) -> None:
        editor, draft = self._editor, self._editor.draft
        self._root.show(editor.may_change)
        self._body.show(bool(draft.files))
        self._error.show_text(self._error_text)
        is_published = self._published_version == editor.in_force.version
        self._success.show_text(f"Version {editor.in_force.version} is in force." if is_published else "")
        current = editor.in_force.files if draft.files else {}
        names = sorted({*draft.files, *current})
        self._files.show([(name, _file_state(current.get(name), draft.files.get(name))) for name in names])
        result = draft.result
        self._result.show(result)
        self._publish_form.show(result is not None and result.is_valid and result.hash != draft.based_on)

    def _add_piece(self, event: object) -> None:
        """A piece of a file arrived; a surrogate pair may be split between two pieces."""
        piece = cast("Json", getattr(event, "args", {}))
        if piece.get("first") is True:
            self._pieces = []
        self._pieces.append(str(piece.get("text", "")))
        if piece.get("last") is True:
            source = "".join(self._pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            self._pieces = []
            self._published_version = -1
            self._error_text = self._editor.add_file(str(piece.get("name", "")), source)
            self.show()

    def _toggle_file(self, name: str) -> None:
        """Remove a file from the draft, or restore a removed one."""
        editor = self._editor
        if name in editor.draft.files:
            editor.remove_file(name)
        else:
            self._error_text = editor.add_file(name, editor.in_force.files.get(name, ""))
        self.show()

    def _discard(self) -> None:
        self._editor.discard()
        self._error_text = ""
        self.show()

    async def _check(self) -> None:
        self._error_text = ""
        self._checking.show_text("Checking…")
        await self._editor.check()
        self._checking.show_text("")
        self.show()

    async def _publish(self, note: str) -> None:
        if not note.strip():
            self._error_text = NOTE_MISSING
        elif not self._is_publishing:
            self._is_publishing = True
            self._error_text = await self._editor.publish(note.strip())
            self._is_publishing = False
            self._published_version = -1 if self._error_text else self._editor.in_force.version
        self._changed()


class _CheckResultPanel:
    def __init__(self) -> None:
        with Node("div", classes="result", role="status") as self._root:
            self._error = Message("error")
            self._verdict = Message("why")
            self._errors = KeyedList[tuple[Json, str]](
                Node("ul", classes="findings"), _ErrorRow, lambda row: str(row[0])
            )
            self._findings = FindingList()
            with Node("div") as self._effect:
                Node("h4", "Effect of the change")
                self._summary = Node("p", classes="why")
                self._totals = pair_list("facts")
                self._examples = text_list("simple")

    def show(self, result: CheckResult | None) -> None:
        self._root.show(result is not None)
        if result is None:
            return
        self._error.show_text(result.error)
        self._verdict.show_text(_verdict(result))
        self._errors.show([(error, _excerpt(result, error)) for error in result.errors])
        self._findings.show(result.findings, SourceMap({}))
        difference = difference_view(result.difference)
        self._effect.show(bool(difference.summary or difference.totals))
        self._summary.show_text(difference.summary)
        self._totals.show(difference.totals)
        self._examples.show(difference.examples)


class _ErrorRow:
    """An error of the policy with its line."""

    def __init__(self) -> None:
        with Node("li", classes="finding policy-error") as self.root:
            with Node("p", classes="item-head"):
                self._position = Node("strong")
                self._field = Node("span", classes="contact")
            self._message = Node("p", classes="why")
            self._line = Node("pre", classes="excerpt")

    def show(self, item: tuple[Json, str]) -> None:
        error, line = item
        position = (text(error, "file"), str(number(error, "line")), str(number(error, "column")))
        self._position.show_text(":".join(position) if position[0] else "All files")
        self._field.show_text(text(error, "where"))
        self._message.show_text(text(error, "message"))
        self._line.show_text(line)


class _FileRow:
    def __init__(self, toggle: Callable[[str], None]) -> None:
        self._file = ""
        with Node("li", classes="rule-row draft-file") as self.root:
            self._name = Node("strong")
            self._badge = Badge()
            self._button = Node("button", classes="secondary-button", type="button")
            self._button.on("click", lambda: toggle(self._file))

    def show(self, item: tuple[str, str]) -> None:
        self._file, state = item
        self._name.show_text(self._file)
        self._badge.show_word(state, "quiet" if state == "unchanged" else "due")
        action = "Restore" if state == "removed" else "Remove"
        self._button.show_text(action)
        self._button.set_attribute("aria-label", f"{action} {self._file}")


def _file_state(current: str | None, drafted: str | None) -> str:
    if drafted is None:
        return "removed"
    if current is None:
        return "new"
    return "unchanged" if current == drafted else "changed"


def _verdict(result: CheckResult) -> str:
    if result.errors:
        return f"{labels.count(len(result.errors), 'error')}. The policy cannot be published with errors."
    if not result.is_valid:
        return ""
    count = len(result.findings)
    warnings = f", with {labels.count(count, 'warning')} about likely mistakes" if count else ""
    return f"The policy is valid{warnings}."


def _excerpt(result: CheckResult, error: Json) -> str:
    """The line of an error, with a caret under its column."""
    lines = result.files.get(text(error, "file"), "").splitlines()
    line, column = number(error, "line"), number(error, "column")
    if not 0 < line <= len(lines):
        return ""
    return f"{lines[line - 1]}\n{' ' * max(0, column - 1)}^"
