"""What differs from the content that was published is published: new and changed files, tombstones for what is gone."""

from hashlib import sha256

from schemas.directory import ContentRecord
from services.cadence.content.names import ContentName
from services.cadence.policy.contents import ContentText
from services.rules_engine.adapters.content_directory import content_changes, content_record

TIPS = ContentText(ContentName("en", "tips", "customer"), "a tip", "policy")
BRIEF = ContentText(ContentName("de", "check_in", "owner"), "eine Notiz", "shipped")


def sha(text: str) -> bytes:
    return sha256(text.encode()).digest()


def test_what_is_new_or_changed_is_published_and_what_is_gone_removed_once() -> None:
    contents = {item.name.key: item for item in (TIPS, BRIEF)}
    assert content_changes(contents, {}) == {"de/owner/check_in": sha("eine Notiz"), "en/tips": sha("a tip")}
    before = {
        "en/tips": sha("another tip"),
        "de/owner/check_in": sha("eine Notiz"),
        "fr/tips": sha("x"),
        "fr/gone": None,
    }
    assert content_changes(contents, before) == {"en/tips": sha("a tip"), "fr/tips": None}
    after = {**before, **content_changes(contents, before)}
    assert content_changes(contents, after) == {}


def test_a_record_says_for_whom_a_text_is_and_of_which_policy() -> None:
    record = ContentRecord.read(content_record(BRIEF, "h" * 64, 3).write())
    assert (record.language, record.touchpoint_type, record.reader) == ("de", "check_in", "owner")
    assert (record.text, record.policy, record.version) == ("eine Notiz", "h" * 64, 3)
