"""The signature: over the raw bytes, in the documented form only."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.webhooks.signature import valid

BODY = rb'{"object":"page","text":"\u00e4\u00f6"}'
GOOD = "sha256=" + hmac.new(b"secret", BODY, hashlib.sha256).hexdigest()


def test_the_platforms_signature_is_valid() -> None:
    assert valid("secret", BODY, GOOD)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        GOOD.removeprefix("sha256="),
        GOOD.replace("sha256=", "sha1="),
        GOOD[:-1],
        GOOD + "0",
        "sha256=ä",
        "sha1=" + hmac.new(b"secret", BODY, hashlib.sha1).hexdigest(),
    ],
)
def test_any_other_header_is_not(header: str | None) -> None:
    assert not valid("secret", BODY, header)


@given(position=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_one_changed_bit_of_the_body_breaks_it(position: int, bit: int) -> None:
    changed = bytearray(BODY)
    changed[position] ^= 1 << bit
    assert not valid("secret", bytes(changed), GOOD)


def test_the_same_json_in_other_bytes_is_not_signed() -> None:
    assert not valid("secret", '{"object":"page","text":"äö"}'.encode(), GOOD)
