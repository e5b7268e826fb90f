"""`drumbeat import` and `drumbeat export` against a server on a real socket, which reads tables as the engine does."""

import asyncio
import json
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO, TextIOWrapper
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from schemas.times import parse_instant
from services.connectors.tables.kinds import TableKind
from services.connectors.tables.refusal import TableRefused
from services.connectors.tables.stored import StoredRow
from services.connectors.tables.table import TableOptions
from services.console.table_parts import PART_ROWS
from services.rules_engine.application.import_table import Event, ImportPorts, SentRow, import_table
from services.rules_engine.entrypoints.table_requests import read_mapping, write_result
from tests.unit.console.drumbeat import drumbeat

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
Capture = pytest.CaptureFixture[str]
FORECAST = {
    "days": 30,
    "touchpoints": {"check_in": {"before": 1, "after": 3}},
    "messages": {"renewal_reminder": {"before": 0, "after": 2}},
    "sample": False,
}


class Engine:
    """Answers `/v1/imports` and `/v1/exports`; the import of request `fails_at` gets 503."""

    def __init__(self) -> None:
        self.queries: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.sent: list[Event] = []
        self.refused: set[str] = set()
        self.fails_at = 1_000

    def answer(self, query: dict[str, str], body: bytes) -> tuple[int, Any]:
        if len(self.queries) == self.fails_at:
            return 503, {"detail": "later"}
        self.queries.append(query)
        self.bodies.append(body)
        as_of = parse_instant(query["as_of"]) if "as_of" in query else NOW
        checks_only = query.get("validate_only") == "true"
        options = TableOptions(
            kind=query.get("kind"), file_name=query.get("file_name", ""), rules=read_mapping(query.get("mapping")),  # pyright: ignore[reportArgumentType]
            dates=query.get("dates"), encoding=query.get("encoding"), separator=query.get("separator"),  # pyright: ignore[reportArgumentType]
        )  # fmt: skip

        async def send(events: Sequence[Event]) -> list[SentRow]:
            if not checks_only:
                self.sent += events
            return [
                SentRow("refused", "not this one") if event["subject"] in self.refused and not checks_only
                else SentRow("accepted")
                for event in events
            ]  # fmt: skip

        ports = ImportPorts(self, lambda kind: None, send)
        try:
            result = asyncio.run(import_table(BytesIO(body), options, as_of, ports, keep_events=False))
        except TableRefused as refused:
            return 400, {"detail": str(refused), "line": refused.line}
        answer = write_result(result, as_of)
        if checks_only:
            answer["dry_run"] = FORECAST if query["simulate"] == "true" else None
        return 207 if result.refused_rows else 202, answer

    async def find(self, kind: TableKind, subjects: Iterable[str]) -> Mapping[tuple[str, str], StoredRow]:
        return {}


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Engine]:
    engine = Engine()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, document = engine.answer(dict(parse_qsl(urlsplit(self.path).query)), body)
            self.reply(status, json.dumps(document).encode())

        def do_GET(self) -> None:
            known = self.path == "/v1/exports/accounts"
            self.reply(
                200 if known else 403, b"account_id\r\nacme\r\n" if known else b'{"detail": "no scope"}'
            )

        def reply(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the terminal clean."""

    monkeypatch.chdir(tmp_path)
    Path("key").write_text("db_0123abcd_secret")
    monkeypatch.setenv("DRUMBEAT_API_KEY_FILE", "key")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DRUMBEAT_RULES_ENGINE__PORT", str(server.server_address[1]))
        yield engine
        server.shutdown()


def write_contracts(count: int) -> Path:
    path = Path("contracts.csv")
    rows = [f'a-{number};c-{number};1.500,25 €;01.0{1 + number % 9}.2026;"x\ny"' for number in range(count)]
    path.write_text(
        "\n".join(["Kundennummer;Vertragsnummer;Betrag;Vertragsbeginn;Notiz", *rows]), encoding="cp1252"
    )
    return path


def test_a_dry_run_shows_the_columns_and_what_would_come_of_it(engine: Engine, capsys: Capture) -> None:
    result = drumbeat(capsys, "import", write_contracts(2), "--dry-run")
    assert result.code == 0
    for shown in (
        "contracts.csv: contracts, windows-1252, 2 rows",
        "Vertragsbeginn",
        "starts_on",
        "no field of contracts",
    ):
        assert shown in result.out
    lines = [" ".join(line.split()) for line in result.out.splitlines()]
    assert "check_in 1 3 +2" in lines
    assert "renewal_reminder 0 2 +2" in lines
    assert engine.sent == []


def test_without_yes_it_asks_first(engine: Engine, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    for answer, sent in (("n", 0), ("y", 3)):
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(f"{answer}\n".encode())))
        result = drumbeat(capsys, "import", write_contracts(3))
        assert "Import it?" in result.out
        assert len(engine.sent) == sent


def test_parts_are_read_as_the_whole_file_was(engine: Engine, capsys: Capture) -> None:
    count = 2 * PART_ROWS + 7
    result = drumbeat(capsys, "import", write_contracts(count), "--yes")
    assert (result.code, f"{count:,} rows accepted" in result.out) == (0, True)
    assert [query.get("simulate") for query in engine.queries] == ["false", None, None, None]
    assert {query["as_of"] for query in engine.queries[1:]} == {"2026-03-02T10:00:00Z"}
    said = {(str(event["subject"]), str(event["data"])) for event in engine.sent}
    assert {(subject, "'arr': 1500.25" in text) for subject, text in said} == {
        (f"a-{number}", True) for number in range(count)
    }
    assert b"Notiz" not in engine.bodies[1], "columns that are not read stay here"


def test_an_interrupted_import_goes_on(engine: Engine, capsys: Capture) -> None:
    path = write_contracts(3 * PART_ROWS)
    engine.fails_at = 2
    stopped = drumbeat(capsys, "import", path, "--yes")
    assert stopped.code == 1
    assert f"{PART_ROWS} rows were sent, {PART_ROWS} of them accepted; `--resume` goes on" in stopped.err
    engine.fails_at = 1_000
    resumed = drumbeat(capsys, "import", path, "--yes", "--resume")
    assert (resumed.code, f"Going on after {PART_ROWS} rows." in resumed.err) == (0, True)
    assert [event["subject"] for event in engine.sent] == [f"a-{number}" for number in range(3 * PART_ROWS)]
    assert not Path("contracts.csv.progress").exists()


def test_refused_rows_are_named_by_their_line_in_the_file(engine: Engine, capsys: Capture) -> None:
    path = write_contracts(4)
    path.write_bytes(path.read_bytes() + b"\na-9;c-9;soon;01.01.2026;")
    engine.refused = {"a-2"}
    result = drumbeat(capsys, "import", path, "--yes", "--json")
    document = json.loads(result.out)
    assert (result.code, document["accepted"], document["refused_rows"]) == (1, 3, 2)
    assert [(each["line"], each["column"]) for each in document["refused"]] == [(10, "Betrag"), (6, None)]
    assert all(event["subject"] != "a-9" for event in engine.sent)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--map", "Betrag"], "is no mapping; write --map"),
        (["--json"], "--json needs --dry-run or --yes"),
        (["--dates", "ymd"], "Invalid value for '--dates'"),
    ],
)
def test_wrong_use_says_what_to_do(
    engine: Engine, capsys: Capture, arguments: list[str], problem: str
) -> None:
    result = drumbeat(capsys, "import", write_contracts(1), *arguments)
    assert (result.code, problem in result.error_text) == (2, True), result.error_text


def test_a_mapping_and_a_table_that_cannot_be_read(engine: Engine, capsys: Capture) -> None:
    path = write_contracts(1)
    drumbeat(capsys, "import", path, "--dry-run", "--map", "Notiz=status", "--map", "Betrag=")
    assert json.loads(engine.queries[0]["mapping"]) == {"Notiz": "status", "Betrag": None}
    path.write_text('account_id,contract_id\n1,"2')
    result = drumbeat(capsys, "import", path, "--dry-run")
    assert (result.code, "line 2: a quotation mark opens a cell" in result.err) == (1, True)


def test_an_export_is_written_whole_or_not_at_all(engine: Engine, capsys: Capture) -> None:
    assert drumbeat(capsys, "export", "accounts", "book.csv").code == 0
    assert Path("book.csv").read_bytes() == b"account_id\r\nacme\r\n"
    failed = drumbeat(capsys, "export", "csms", "people.csv")
    assert (failed.code, "no scope" in failed.err, Path("people.csv").exists()) == (1, True, False)
    assert not list(Path().glob("*.new"))
