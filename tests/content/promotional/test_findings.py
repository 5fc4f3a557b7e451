"""Promotional findings: the words are pointed at, guards hold, disguises fall, and no text breaks it."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.evaluate_promotional import figures, judge, read
from broadcaster.content.promotional import Severity, default_checker, permission_key

ANY_TEXT = st.text(st.characters(), max_size=300)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Save 20% on all shoes this week", "Save 20%"),
        ("Your order 552 was shipped. P.S. Use code SPRING at checkout", "code"),
        ("Ihr Paket ist unterwegs. Nur heute 20 % Rabatt auf alles", "Rabatt"),
        ("Tu pedido va en camino. Aprovecha el 20% de descuento", "descuento"),
    ],
)
def test_the_words_that_sell_are_pointed_at(text: str, words: str) -> None:
    found = default_checker().check_text(text, "utility")
    assert found.promotional
    assert not found.fits_permission
    assert any(words in finding.text for finding in found.findings)
    assert all(text[f.start : f.end] == f.text for f in found.findings)


@pytest.mark.parametrize(
    "text",
    [
        "Your discount was applied to order 552. Total paid: $34.00",
        "We refunded $20 to your card for order 552",
        "Reminder: your appointment is tomorrow at 10:00, paid: 40 €",
        "Your parcel is on its way: https://ship.example/track/552",
    ],
)
def test_what_is_past_and_settled_is_no_promotion(text: str) -> None:
    assert not default_checker().check_text(text, "utility").promotional


@pytest.mark.parametrize(
    "text",
    [
        "S.A.V.E 20% today only",
        "ｄｉｓｃｏｕｎｔ 20% off",
        "20% disc\u200bount, shop now",
        "cоupon for you: use code X",
    ],
)
def test_disguises_do_not_help(text: str) -> None:
    assert default_checker().check_text(text, "utility").promotional


def test_inside_the_window_findings_are_information() -> None:
    found = default_checker().check_text("Save 20% today only", "standard")
    assert found.promotional
    assert found.fits_permission
    assert {finding.severity for finding in found.findings} == {Severity.INFO}


def test_an_allowed_term_is_the_pages_own() -> None:
    text = "Your booking at Sale e Pepe is confirmed"
    found = default_checker().check_text(text, "utility", allowed_terms=["Sale e Pepe"])
    assert not found.promotional


def test_every_part_of_a_message_is_read() -> None:
    parts = [("text", "Your order was shipped"), ("button 1", "Shop now")]
    found = default_checker().check_parts(parts, "utility")
    assert {finding.part for finding in found.findings if finding.severity == Severity.VIOLATION} == {
        "button 1"
    }


@given(ANY_TEXT)
def test_no_text_breaks_it_and_every_place_is_valid(text: str) -> None:
    found = default_checker().check_text(text, "utility")
    assert 0 <= found.score <= 1
    assert all(0 <= f.start <= f.end <= len(text) and text[f.start : f.end] == f.text for f in found.findings)


@pytest.mark.parametrize(
    "text", ["", "\ud800\udfff\x00\u202e", "ა ბ გ დ", "%" * 100_000, "a." * 50_000, "1 " * 50_000]
)
def test_bad_input_gets_an_answer(text: str) -> None:
    found = default_checker().check_text(text, "utility")
    assert all(finding.end <= len(text) for finding in found.findings)


def test_an_unknown_language_says_so() -> None:
    assert default_checker().check_text("ეს არის შეტყობინება", "utility").lang is None


def test_tag_names_are_ways_to_send() -> None:
    assert permission_key("CONFIRMED_EVENT_UPDATE") == "confirmed_event_update"
    assert permission_key(None) == "standard"
    with pytest.raises(KeyError):
        permission_key("CARRIER_PIGEON")


def test_every_reason_is_told_with_advice_and_source() -> None:
    text = (resources.files("resources") / "promotional" / "reasons.toml").read_text("utf-8")
    for group in tomllib.loads(text)["group"].values():
        assert group["reason"] and group["advice"] and group["source"]


PIECES = st.sampled_from(
    [
        "save ",
        "50% off ",
        "a.",
        "-",
        "1 ",
        "% ",
        "$9 ",
        "for only ",
        "! ",
        "use code ",
        "x",
        " ",
        "\n",
        "free ",
        "с",
        "é",
    ]
)


@pytest.mark.timeout(120)
@settings(max_examples=30, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6), st.integers(1, 20_000))
def test_no_repetition_makes_it_hang(pieces: list[str], times: int) -> None:
    text = ("".join(pieces) * times)[:20_000]
    found = default_checker().check_text(text, "utility")
    assert all(text[f.start : f.end] == f.text for f in found.findings)


def test_a_text_without_selling_words_is_pointed_at_with_the_words_it_leans_on() -> None:
    text = "Your parcel is on the van. Ever tried pairing it with our leather straps? People can't get enough of them."
    found = default_checker().check_text(text, "utility")
    assert found.promotional
    (most,) = [f for f in found.findings if f.severity is Severity.VIOLATION][:1]
    assert "straps" in most.text
    told = [f for f in found.findings if f.rule == "wording"]
    assert all("leans on" in f.reason for f in told)


def test_selling_words_in_an_honest_sense_are_only_pointed_at() -> None:
    text = "The 10% discount for your damaged shelf was taken off invoice 8841; you paid $89.10 in total."
    found = default_checker().check_text(text, "post_purchase_update")
    assert not found.promotional
    assert found.fits_permission
    assert {f.severity for f in found.findings} <= {Severity.INFO}


@pytest.mark.parametrize(
    ("permission", "text"),
    [
        ("account_update", "Your electricity bill for May is ready. It is due on 20 June."),
        ("confirmed_event_update", "Your parcel was handed to the courier and arrives on Thursday."),
        ("human_agent", "Dear customers, this is an automated message. Please do not reply."),
        ("post_purchase_update", "Your dentist appointment tomorrow at 10:30 has been moved to 11:15."),
    ],
)
def test_a_text_about_something_else_does_not_fit(permission: str, text: str) -> None:
    found = default_checker().check_text(text, permission)
    assert not found.promotional
    assert not found.fits_permission
    assert any("reads like" in f.reason for f in found.findings)


def test_the_measured_set_keeps_its_floor() -> None:
    """Below what is reached today (docs/promotional.md), so that it cannot fall without a word."""
    reached = figures(judge(read("measured"), default_checker()))
    assert reached.messages > 1400
    assert reached.precision >= 0.91
    assert reached.recall >= 0.91
    assert reached.fit >= 0.90
