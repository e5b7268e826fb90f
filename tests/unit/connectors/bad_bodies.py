"""Bodies that no source can have meant."""

BAD_BODIES = {
    "empty": b"",
    "blank": b" \n",
    "no UTF-8": b'{"a": "\xff"}',
    "NUL": b'{"a": "\\u0000"}',
    "raw NUL": b'{"a": "\x00"}',
    "NaN": b'[{"a": NaN}]',
    "infinity": b'[{"a": 1e999}]',
    "a huge integer that no double holds": b'[{"a": 1' + b"0" * 400 + b"}]",
    "lone surrogate": b'{"a": "\\ud800"}',
    "too deep": b'{"a":' * 2000 + b"1" + b"}" * 2000,
    "brackets": b"[" * 100_000,
    "cut": b'{"a": ',
    "two documents": b"{}{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "UTF-7 in a byte order mark": b"+/v8-{}",
    "a text": b'"evt_1"',
    "a number": b"5",
    "null": b"null",
    "a list of numbers": b"[1, 2]",
    "too many items": b"[" + b"{}," * 1000 + b"{}]",
}
