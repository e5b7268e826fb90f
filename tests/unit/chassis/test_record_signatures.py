"""Signatures of records: of one topic, one key and one value, under one secret."""

from services.chassis.dead_letters import Record
from services.chassis.record_signatures import find_forgery, sign_record

SECRET, OTHER = b"s" * 32, b"o" * 32
VALUE = b'{"key_id": "0a1b2c3d"}'


def record(*headers: tuple[str, bytes], key: bytes = b"0a1b2c3d", value: bytes | None = VALUE) -> Record:
    return Record("directory.keys", 0, 7, key, value, headers, 0)


def test_a_signature_is_of_one_key_and_one_value_under_one_secret() -> None:
    signature = sign_record(SECRET, "directory.keys", "0a1b2c3d", VALUE)
    assert find_forgery([SECRET], record(signature)) is None
    assert find_forgery([SECRET], record(("ce_id", b"1"), signature)) is None
    assert find_forgery([SECRET], record()) == "it is not signed"
    for forged in (
        record(signature, key=b"ffffffff"),
        record(sign_record(SECRET, "audit.entries", "0a1b2c3d", VALUE)),
        record(signature, value=VALUE.replace(b"0a", b"0b")),
        record((signature[0], signature[1][:-1])),
        record((signature[0], b"\xff")),
        record(("signature", b"")),
        record(sign_record(SECRET, "directory.keys", "0a1b2c3d", b"")),
    ):
        assert find_forgery([SECRET], forged) == "its signature is not right"
    assert "DRUMBEAT_SECRETS_KEY_FILE" in str(find_forgery([OTHER], record(signature)))


def test_while_the_key_is_rotated_records_of_both_are_believed() -> None:
    """The file gets a second line: what was signed under the former first one still counts."""
    signed = record(sign_record(SECRET, "directory.keys", "0a1b2c3d", VALUE))
    assert find_forgery([OTHER, SECRET], signed) is None
