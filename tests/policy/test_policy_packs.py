"""Packs: what the shipped one says, and what is refused with file and line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadcaster.errors import BadInput, NotFound
from broadcaster.policy.packs import Kind, State, load_pack, parse_pack, shipped

NOVEMBER = datetime(2026, 11, 20, tzinfo=UTC)
LAST_SECOND = datetime(2026, 4, 26, 23, 59, 59, tzinfo=UTC)
FIRST_SECOND = datetime(2026, 4, 27, tzinfo=UTC)

GOOD = """\
name = "own"
version = "1"
as_of = 2026-11-01

[[permission]]
key = "standard"
title = "Standard message"
messaging_type = "UPDATE"
platforms = ["messenger"]
source = "mine"
read = 2026-11-01

[[permission.rule]]
rule = "state"
state = "open"
valid_until = 2026-12-01
text = "open"
source = "mine"
read = 2026-11-01

[[permission.rule]]
rule = "state"
state = "retired"
valid_from = 2026-12-01
text = "over"
source = "mine"
read = 2026-11-01
"""


def refused(text: str) -> str:
    with pytest.raises(BadInput) as caught:
        parse_pack(text, "own.toml", shipped())
    return caught.value.text


@pytest.mark.parametrize("key", ["confirmed_event_update", "post_purchase_update", "account_update"])
def test_the_update_tags_end_with_26_april_2026(key: str) -> None:
    assert shipped().state_on(key, "messenger", LAST_SECOND) == State.OPEN
    assert shipped().state_on(key, "messenger", FIRST_SECOND) == State.RETIRED
    found = shipped().permission(key)
    assert (found.valid_until, found.replaced_by, found.error) == (FIRST_SECOND, "utility", "100/1893061")


def test_what_is_alive_in_november_2026() -> None:
    pack = shipped()
    built = [key for key, found in pack.permissions.items() if found.kind == Kind.BUILT]
    states = {key: pack.state_on(key, "messenger", NOVEMBER) for key in built}
    assert states == {
        "standard": State.OPEN,
        "human_agent": State.CONDITIONAL,
        "customer_feedback": State.CONDITIONAL,
        "utility": State.CONDITIONAL,
        "news": State.CONDITIONAL,
        "confirmed_event_update": State.RETIRED,
        "post_purchase_update": State.RETIRED,
        "account_update": State.RETIRED,
    }
    assert {key for key in built if "instagram" in pack.permission(key).platforms} == {
        "standard",
        "human_agent",
    }


def test_what_the_sender_needs_stands_in_the_pack() -> None:
    standard, human = shipped().permission("standard"), shipped().permission("human_agent")
    assert (standard.messaging_type, standard.tag, standard.window) == ("UPDATE", None, 24)
    assert standard.promotion_allowed
    assert (human.messaging_type, human.tag, human.window) == ("MESSAGE_TAG", "HUMAN_AGENT", 168)
    assert (human.needs_feature, bool(human.bulk_warning)) == ("human_agent", True)
    assert shipped().permission("utility").only_kind == "template"
    assert shipped().permission("customer_feedback").only_kind == "feedback"


def test_the_tags_of_2020_are_known_and_dead() -> None:
    old = [found for found in shipped().permissions.values() if found.title.endswith("(old tag)")]
    assert len(old) == 15
    assert {shipped().state_on(found.key, "messenger", NOVEMBER) for found in old} == {State.RETIRED}
    before = datetime(2020, 3, 3, 23, 59, 59, tzinfo=UTC)
    assert shipped().state_on("shipping_update", "messenger", before) == State.OPEN


def test_every_entry_says_where_it_is_written() -> None:
    for found in shipped().permissions.values():
        assert found.source
        assert all(rule.text and rule.source for rule in found.rules)


def test_an_unknown_way_to_send_is_named_with_the_known_ones() -> None:
    with pytest.raises(NotFound, match="standard"):
        shipped().permission("carrier_pigeon")


def test_a_good_overlay_replaces_its_entries_and_keeps_the_rest() -> None:
    pack = parse_pack(GOOD, "own.toml", shipped())
    assert pack.state_on("standard", "messenger", datetime(2026, 12, 1, tzinfo=UTC)) == State.RETIRED
    assert pack.permission("utility") == shipped().permission("utility")
    assert (pack.name, pack.version) == ("meta + own", "2026.11.20+1")
    assert pack.checksum != shipped().checksum


@pytest.mark.parametrize(
    ("broken", "line", "said"),
    [
        (GOOD.replace("valid_from = 2026-12-01", "valid_from = 2026-11-30"), 21, "overlap"),
        (GOOD.replace("valid_from = 2026-12-01", "valid_from = 2026-12-02"), 21, "gap"),
        (GOOD[: GOOD.rindex("[[permission.rule]]")], 13, "gap"),
        (GOOD.replace('rule = "state"\nstate = "retired"', 'rule = "moon_phase"'), 22, "moon_phase"),
        (GOOD.replace('state = "retired"', 'state = "resting"'), 23, "resting"),
        (GOOD.replace("title =", "titel ="), 7, "titel"),
        (GOOD.replace('title = "Standard message"\n', ""), 5, "title"),
        (GOOD.replace("as_of = 2026-11-01\n", "as_of = 2026-11-01\nmood = 1\n"), 4, "mood"),
        (GOOD.replace("valid_from = 2026-12-01", "valid_from = 2026-12-01T00:00:00"), 24, "offset"),
        (GOOD.replace('["messenger"]', '["pager"]'), 9, "pager"),
        (GOOD.replace('messaging_type = "UPDATE"', 'messaging_type = "MESSAGE_TAG"'), 5, "tag"),
        (GOOD.replace('state = "retired"', 'state = "retired"\nhours = 3'), 21, "hours"),
        (GOOD.replace('state = "open"', 'state = "open"\nvalid_from = 2026-12-24'), 13, "after"),
        (GOOD.replace("as_of = 2026-11-01", "as_of = 2026-11-01 ="), 3, "TOML"),
        (GOOD + GOOD[GOOD.index("[[permission]]") :], 28, "two entries"),
        (
            GOOD.replace("valid_until = 2026-12-01", "valid_from = 2026-11-20\nvalid_until = 2026-12-01"),
            5,
            "begins only after",
        ),
    ],
)  # fmt: skip
def test_a_bad_pack_is_refused_with_file_and_line(broken: str, line: int, said: str) -> None:
    text = refused(broken)
    assert text.startswith(f"own.toml, line {line}:")
    assert said in text


def test_a_window_that_ends_before_its_permission_leaves_a_gap() -> None:
    window = GOOD + (
        '\n[[permission.rule]]\nrule = "window"\nhours = 24\ncounts_from = "interaction"\n'
        'valid_until = 2026-11-15\ntext = "t"\nsource = "s"\nread = 2026-11-01\n'
    )
    assert "gap" in refused(window)


def test_a_base_pack_must_word_every_general_rule() -> None:
    with pytest.raises(BadInput, match="opted_out"):
        parse_pack(GOOD, "own.toml")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.toml"):
        load_pack(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(BadInput, match="UTF-8"):
        load_pack(tmp_path / "latin.toml")
