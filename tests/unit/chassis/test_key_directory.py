"""Records of keys count only with the signature of the rules engine."""

from services.chassis.dead_letters import Record
from services.chassis.key_directory import signed_records
from services.chassis.record_signatures import sign_record

SECRET = b"s" * 32
VALUE = b'{"key_id": "0a1b2c3d"}'


def record(*headers: tuple[str, bytes], value: bytes | None = VALUE) -> Record:
    return Record("directory.keys", 0, 7, b"0a1b2c3d", value, headers, 0)


def test_forged_records_and_tombstones_are_left_out() -> None:
    signed = record(sign_record(SECRET, "directory.keys", "0a1b2c3d", VALUE))
    tombstone = record(sign_record(SECRET, "directory.keys", "0a1b2c3d", b""), value=None)
    assert signed_records([SECRET], [record(), signed, tombstone]) == [signed]
