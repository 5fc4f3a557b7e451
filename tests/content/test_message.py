"""Messages: what the platform would refuse is refused early, and everybody gets their own text."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.content.message import Message, UnfitMessage, readable_text, text_hash
from broadcaster.content.placeholders import MissingValue, merge, placeholders
from broadcaster.errors import BadInput


def test_text_with_values_and_fallbacks() -> None:
    message = Message.parse({"text": "Hi {{first_name|there}}, {{city}}"}, "messenger")
    assert message.render({"first_name": None, "attribute.city": "Köln"}) == {"text": "Hi there, Köln"}
    assert message.required_fields() == ("attribute.city",)


def test_an_empty_value_counts_as_missing() -> None:
    message = Message.parse({"text": "{{first_name}}"}, "messenger")
    with pytest.raises(MissingValue) as missing:
        message.render({"first_name": ""})
    assert missing.value.field == "first_name"


def test_merged_text_over_the_limit_is_unfit() -> None:
    message = Message.parse({"text": "{{first_name}}"}, "messenger")
    with pytest.raises(UnfitMessage, match="2000 characters"):
        message.render({"first_name": "x" * 2000})


def test_instagram_counts_bytes() -> None:
    with pytest.raises(BadInput, match="1200 bytes"):
        Message.parse({"text": "ü" * 600}, "instagram")


def test_buttons_become_a_button_template() -> None:
    message = Message.parse(
        {
            "text": "Your order",
            "buttons": [{"type": "web_url", "title": "Track", "url": "https://x.example/{{psid}}"}],
        },
        "messenger",
    )
    payload = message.render({"psid": "7"})["attachment"]["payload"]
    assert payload["template_type"] == "button"
    assert payload["buttons"] == [{"type": "web_url", "title": "Track", "url": "https://x.example/7"}]


def test_quick_replies_from_plain_titles() -> None:
    body = Message.parse(
        {"text": "Ok?", "quick_replies": ["Yes", {"title": "No", "payload": "N"}]}, "messenger"
    ).render({})
    assert [reply["payload"] for reply in body["quick_replies"]] == ["Yes", "N"]


def test_cards_become_a_generic_template() -> None:
    cards = [{"title": "{{first_name|You}}", "subtitle": "s", "url": "https://x.example"}]
    body = Message.parse({"cards": cards}, "messenger").render({})
    element = body["attachment"]["payload"]["elements"][0]
    assert element["title"] == "You"
    assert element["default_action"] == {"type": "web_url", "url": "https://x.example"}
    assert readable_text(body) == "You"


def test_flat_template_of_the_campaign_file() -> None:
    given_form = {"template": "order_update", "language": "en", "parameters": {"1": "{{first_name|you}}"}}
    body = Message.parse(given_form, "messenger").render({})
    assert body["template"]["language"] == {"code": "en"}
    assert body["template"]["components"][0]["parameters"][0] == {
        "type": "text",
        "parameter_name": "1",
        "text": "you",
    }
    assert given_form["template"] == "order_update"


@pytest.mark.parametrize(
    ("message", "what"),
    [
        ({}, "exactly one body"),
        ({"text": "  "}, "exactly one body"),
        ({"text": "x" * 2000}, "2000 characters"),
        ({"txt": "x"}, "unknown key 'txt'"),
        ({"text": "{{first_name"}, "not closed"),
        ({"text": "{{}}"}, "names no field"),
        ({"text": "x", "buttons": [{"type": "web_url", "title": "t", "url": "x"}] * 4}, "takes 3"),
        (
            {"text": "x", "buttons": [{"type": "web_url", "title": "t" * 21, "url": "https://x"}]},
            "21 characters",
        ),
        ({"text": "x", "buttons": [{"type": "web_url", "title": "t", "url": "x"}]}, "not an address"),
        ({"text": "x", "quick_replies": ["a"] * 14}, "takes 13"),
        ({"text": "x", "attachment": {"type": "image", "url": "https://x"}}, "no text beside attachment"),
        ({"attachment": {"type": "image"}}, "exactly one of url"),
        ({"cards": [{"title": "only"}]}, "only a title"),
        ({"cards": []}, "empty"),
        ("text", "must be an object"),
    ],
)
def test_what_the_platform_would_refuse_is_said(message: Any, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        Message.parse(message, "messenger")


def test_templates_do_not_exist_on_instagram() -> None:
    with pytest.raises(BadInput, match="do not exist on instagram"):
        Message.parse({"template": "x", "language": "en"}, "instagram")


@given(st.text(max_size=60), st.text(max_size=20))
def test_merging_replaces_only_placeholders(around: str, value: str) -> None:
    clean = around.replace("{", "").replace("}", "")
    assert merge(clean + "{{first_name|x}}", {"first_name": value}) == clean + (value or "x")


@given(st.text())
def test_reading_placeholders_never_breaks(text: str) -> None:
    try:
        found = list(placeholders(text))
    except BadInput:
        return
    assert all(text[p.start : p.end].startswith("{{") for p in found)


def test_same_message_same_hash() -> None:
    assert text_hash({"a": 1, "b": "ü"}) == text_hash({"b": "ü", "a": 1})


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_bare_text_is_hashed_as_any_other_object(text: str) -> None:
    """Hashes of earlier versions stay comparable, whichever way the object was written out."""
    written = json.dumps({"text": text}, sort_keys=True, ensure_ascii=False)
    assert text_hash({"text": text}) == hashlib.sha256(written.encode()).hexdigest()


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("{{first_name|you}}{{ first_name }}", "AnnAnn"),
        ("a {{city|}} b", "a  b"),
        ("{{attribute.city|Rome}}!", "Rome!"),
        ("no field", "no field"),
        ("", ""),
    ],
)
def test_placeholders_are_filled_in_their_places(text: str, merged: str) -> None:
    assert merge(text, {"first_name": "Ann", "attribute.city": None}) == merged
