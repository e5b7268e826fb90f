"""Publishing from the page: files come in, are checked, show what they would change, and go in force with a note."""

from collections.abc import Callable
from typing import Final, cast

from services.console import labels
from services.console.difference_view import difference
from services.console.json_fields import Json, number, text
from services.console.pages.elements import Badge, Keyed, Node, Plain
from services.console.pages.policy_status import Findings
from services.console.pages.versions import WHY
from services.console.policy_editor import Checked, Desk

# Files come in pieces that fit into a message of the page.
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
    """Shown to those who may publish. `done` is called after a publication."""

    def __init__(self, desk: Desk, done: Callable[[], None]) -> None:
        self._desk, self._done = desk, done
        self._pieces: list[str] = []
        self._told, self._busy = "", False
        with Node("section", classes="chapter", aria_labelledby="publish-title") as self._root:
            Node("h3", "Publish a change", id="publish-title")
            Node(
                "p",
                "Give files of the policy. Each takes the place of the one with its name; the others stay as they are.",
                "lead",
            )
            self._ways_in()
            self._status = Node("p", classes="trouble", role="alert")
            self._done_words = Node("p", classes="done", role="status")
            self._draft()
        for each in (self._status, self._done_words):
            each.say("")

    def _ways_in(self) -> None:
        with Node("div", classes="ways-in"):
            with Node("div"):
                Node("label", "Upload files", for_="upload")
                upload = Node("input", id="upload", type="file", accept=".yaml", multiple=True)
                upload.on("change", self._piece, js_handler=_UPLOADED)
            with Node("details"):
                Node("summary", "Paste a file")
                Node("label", "File name", for_="paste-name")
                Node("input", id="paste-name", type="text", placeholder="20-rhythms.yaml", autocomplete="off")
                Node("label", "Text of the file", for_="paste-text")
                Node("textarea", id="paste-text", rows="8", spellcheck="false")
                Node("button", "Add the file", "quiet-button", type="button").on(
                    "click", self._piece, js_handler=_PASTED
                )

    def _draft(self) -> None:
        with Node("div") as self._body:
            Node("h4", "Files to be published")
            rows = Node("ul", classes="rule-rows")
            with Node("div", classes="choices"):
                self._check = Node("button", "Check", "strong-button", type="button")
                self._check.on("click", self._look)
                Node("button", "Discard", "quiet-button", type="button").on("click", self._discard)
            self._waiting = Node("p", classes="empty", role="status")
            self._result = _Result()
            with Node("div", classes="publish") as self._last:
                Node("label", "Note", for_="publish-note")
                Node(
                    "input", id="publish-note", type="text", maxlength="2000", placeholder="Why this change?"
                )
                go = Node("button", "Publish", "strong-button", type="button")
                go.on("click", lambda event: self._publish(str(event.args)), js_handler=_NOTE)
        self._files = Keyed[tuple[str, str]](rows, lambda: _File(self._leave_out), lambda each: each[0])
        self._waiting.say("")

    def show(self) -> None:
        desk, draft = self._desk, self._desk.draft
        self._root.show(desk.may_change)
        self._body.show(bool(draft.files))
        self._status.say(self._told)
        held = desk.in_force.files
        names = sorted({*draft.files, *(held if draft.files else ())})
        self._files.show([(name, _state(held.get(name), draft.files.get(name))) for name in names])
        self._result.show(draft.checked)
        checked = draft.checked
        self._last.show(checked is not None and checked.sound and checked.hash != draft.based_on)

    def _piece(self, event: object) -> None:
        """A piece of a file arrived; half a character may stand at either end."""
        piece = cast("Json", getattr(event, "args", {}))
        if piece.get("first") is True:
            self._pieces = []
        self._pieces.append(str(piece.get("text", "")))
        if piece.get("last") is True:
            whole = "".join(self._pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            self._pieces = []
            self._done_words.say("")
            self._told = self._desk.begin(str(piece.get("name", "")), whole)
            self.show()

    def _leave_out(self, name: str) -> None:
        desk = self._desk
        if name in desk.draft.files:
            desk.leave_out(name)
        else:
            self._told = desk.begin(name, desk.in_force.files.get(name, ""))
        self.show()

    def _discard(self) -> None:
        self._desk.discard()
        self._told = ""
        self.show()

    async def _look(self) -> None:
        self._told = ""
        self._waiting.say("Checking…")
        await self._desk.check()
        self._waiting.say("")
        self.show()

    async def _publish(self, note: str) -> None:
        if not note.strip():
            self._told = WHY
        elif not self._busy:
            self._busy = True
            self._told = await self._desk.publish(note.strip())
            self._busy = False
            version = number(self._desk.in_force.policy or {}, "version")
            self._done_words.say("" if self._told else f"Version {version} is in force.")
        self._done()


class _Result:
    """What came of checking."""

    def __init__(self) -> None:
        with Node("div", classes="result", role="status") as self._root:
            self._trouble = Node("p", classes="trouble")
            self._verdict = Node("p", classes="why")
            self._errors = Keyed[tuple[Json, str]](
                Node("ul", classes="findings"), _Mistake, lambda each: str(each[0])
            )
            self._findings = Findings()
            with Node("div") as self._change:
                Node("h4", "What it would change")
                self._summary = Node("p", classes="why")
                self._totals = Keyed[tuple[str, str]](
                    Node("dl", classes="facts"), _Total, lambda each: each[0]
                )
                self._examples = Keyed[str](Node("ul", classes="simple"), Plain, str)

    def show(self, checked: Checked | None) -> None:
        self._root.show(checked is not None)
        if checked is None:
            return
        self._trouble.say(checked.trouble)
        self._verdict.say(_verdict(checked))
        self._errors.show([(each, _excerpt(checked, each)) for each in checked.errors])
        self._findings.show(checked.findings, None)
        told = difference(checked.difference)
        self._change.show(bool(told.summary or told.totals))
        self._summary.say(told.summary)
        self._totals.show(told.totals)
        self._examples.show(told.examples)


class _Mistake:
    def __init__(self) -> None:
        with Node("li", classes="finding mistake") as self.root:
            with Node("p", classes="wish-head"):
                self._place = Node("strong")
                self._where = Node("span", classes="how")
            self._message = Node("p", classes="why")
            self._line = Node("pre", classes="excerpt")

    def show(self, item: tuple[Json, str]) -> None:
        mistake, line = item
        place = (text(mistake, "file"), str(number(mistake, "line")), str(number(mistake, "column")))
        self._place.say(":".join(place) if place[0] else "All files")
        self._where.say(text(mistake, "where"))
        self._message.say(text(mistake, "message"))
        self._line.say(line)


class _Total:
    def __init__(self) -> None:
        with Node("div", classes="fact") as self.root:
            self._name = Node("dt")
            self._value = Node("dd")

    def show(self, item: tuple[str, str]) -> None:
        self._name.say(item[0])
        self._value.say(item[1])


class _File:
    def __init__(self, leave_out: Callable[[str], None]) -> None:
        self._file = ""
        with Node("li", classes="rule-row draft-file") as self.root:
            self._name = Node("strong")
            self._badge = Badge()
            self._button = Node("button", classes="quiet-button", type="button")
            self._button.on("click", lambda: leave_out(self._file))

    def show(self, item: tuple[str, str]) -> None:
        self._file, state = item
        self._name.say(self._file)
        self._badge.tell(state, "quiet" if state == "unchanged" else "due")
        out = state == "left out"
        self._button.say("Take back in" if out else "Leave out")
        self._button.put("aria-label", f"{'Take back in' if out else 'Leave out'} {self._file}")


def _state(held: str | None, drafted: str | None) -> str:
    if drafted is None:
        return "left out"
    if held is None:
        return "new"
    return "unchanged" if held == drafted else "changed"


def _verdict(checked: Checked) -> str:
    if checked.errors:
        return (
            f"{labels.count(len(checked.errors), 'mistake')}. Nothing can be published until they are gone."
        )
    if not checked.sound:
        return ""
    found = f", with {labels.count(len(checked.findings), 'finding')}" if checked.findings else ""
    return f"The policy is sound{found}."


def _excerpt(checked: Checked, mistake: Json) -> str:
    """The line of a mistake, with a mark under its place."""
    lines = checked.files.get(text(mistake, "file"), "").splitlines()
    line, column = number(mistake, "line"), number(mistake, "column")
    if not 0 < line <= len(lines):
        return ""
    return f"{lines[line - 1]}\n{' ' * max(0, column - 1)}^"
