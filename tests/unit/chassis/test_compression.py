"""Compressed bytes, cut anywhere, of one member or several, whole or not."""

import gzip
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.compression import (
    LARGEST_WINDOW,
    BrokenCompression,
    Inflater,
    gzip_inflater,
    zstd_inflater,
)

Form = tuple[Callable[[bytes], bytes], Callable[[], Inflater]]
FORMS: list[Form] = [(gzip.compress, gzip_inflater), (zstandard.compress, zstd_inflater)]
forms = pytest.mark.parametrize("form", FORMS, ids=["gzip", "zstd"])


def inflate(inflater: Inflater, packed: bytes, size: int = 256) -> bytes:
    return b"".join(inflater.inflate(packed[at : at + size]) for at in range(0, len(packed), size))


@given(
    form=st.sampled_from(FORMS),
    members=st.lists(st.binary(max_size=500), max_size=5),
    size=st.integers(1, 300),
)
def test_members_one_after_the_other_are_read_however_they_are_cut(
    form: Form, members: list[bytes], size: int
) -> None:
    pack, begin = form
    inflater = begin()
    assert inflate(inflater, b"".join(map(pack, members)), size) == b"".join(members)
    assert inflater.ended()


@forms
def test_an_end_within_a_member_is_known(form: Form) -> None:
    pack, begin = form
    whole = pack(b"one") + pack(b"two" * 1000)
    for missing in range(1, len(pack(b"two" * 1000))):
        inflater = begin()
        inflate(inflater, whole[:-missing])
        assert not inflater.ended(), missing


@forms
def test_other_bytes_are_refused_also_after_a_member(form: Form) -> None:
    pack, begin = form
    for packed in (b"plain text that is long enough", pack(b"one") + b"plain text that is long enough"):
        with pytest.raises(BrokenCompression):
            inflate(begin(), packed)


def test_a_zstd_window_that_would_need_too_much_memory_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=parameters)
    compressing = packer.compressobj()
    packed = compressing.compress(b"x" * 1000) + compressing.flush()
    assert zstandard.get_frame_parameters(packed).window_size > LARGEST_WINDOW
    with pytest.raises(BrokenCompression):
        inflate(zstd_inflater(), packed)
