"""Installing packs, and what a new pack changes: in words, for campaigns to come and for past ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadcaster.errors import BadInput
from broadcaster.policy.active import active_pack, install, preview, remove
from broadcaster.policy.compare import broken, differences, replay
from broadcaster.policy.packs import SHIPPED, Pack, parse_pack, shipped
from broadcaster.policy.skew import warning
from broadcaster.store import Store
from tests.policy.people import AT, add_campaign, add_page
from tests.policy.test_policy_packs import GOOD

SHIPPED_TEXT = (Path(__file__).parents[2] / "resources" / "policy" / SHIPPED).read_text("utf-8")
NEWER = SHIPPED_TEXT.replace('version = "2026.11.20"', 'version = "2026.12.1"').replace(
    "as_of = 2026-11-20", "as_of = 2026-12-01"
)


def before_april() -> Pack:
    """A pack as it stood before anybody knew that the update tags would end."""
    lines, kept, skip = SHIPPED_TEXT.split("\n[[permission.rule]]"), [], "valid_from = 2026-04-27T00:00:00Z"
    for part in lines:
        head, mark, rest = part.partition("\n[[permission]]")
        kept.append(mark + rest if skip in head else "\n[[permission.rule]]" + part if kept else part)
    text = "".join(kept).replace("valid_until = 2026-04-27T00:00:00Z\n", "")
    return parse_pack(text, "march.toml")


def write(folder: Path, text: str, name: str = "own.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_the_shipped_pack_decides_where_nothing_is_installed(store: Store) -> None:
    with store.read() as conn:
        assert active_pack(conn) is shipped()


def test_an_overlay_lies_over_the_shipped_pack_until_it_is_removed(store: Store, tmp_path: Path) -> None:
    with store.write() as conn:
        pack = install(conn, write(tmp_path, GOOD), "overlay", "Ada", AT)
        assert active_pack(conn) == pack
        assert pack.name == "meta + own"
        assert remove(conn, "overlay", "Ada", AT) == shipped()


def test_a_newer_pack_replaces_the_shipped_one_under_the_overlay(store: Store, tmp_path: Path) -> None:
    with store.write() as conn:
        install(conn, write(tmp_path, GOOD), "overlay", "Ada", AT)
        pack = install(conn, write(tmp_path, NEWER, "newer.toml"), "base", "Ada", AT)
        assert pack.version == "2026.12.1+1"
        install(conn, write(tmp_path, NEWER, "newer.toml"), "base", "Ada", AT)
        assert active_pack(conn) == pack


def test_an_older_pack_and_a_broken_one_are_refused_and_change_nothing(store: Store, tmp_path: Path) -> None:
    older = NEWER.replace("as_of = 2026-12-01", "as_of = 2026-01-01")
    with store.write() as conn:
        with pytest.raises(BadInput, match="older"):
            install(conn, write(tmp_path, older), "base", "Ada", AT)
        with pytest.raises(BadInput, match=r"own\.toml, line"):
            install(conn, write(tmp_path, GOOD.replace("title", "titel")), "overlay", "Ada", AT)
        assert active_pack(conn) == shipped()


def test_a_preview_changes_nothing(store: Store, tmp_path: Path) -> None:
    with store.write() as conn:
        pack, _ = preview(conn, write(tmp_path, GOOD), "overlay")
        assert differences(active_pack(conn), pack)
        assert active_pack(conn) == shipped()


def test_differences_are_sentences() -> None:
    found = differences(before_april(), shipped())
    assert "Account update: now retired from 27 Apr 2026 on Messenger." in found
    assert "Account update: now open to 26 Apr 2026 on Messenger." in found
    assert differences(shipped(), shipped()) == []


def test_other_changes_are_told_too() -> None:
    changed = SHIPPED_TEXT.replace("hours = 24\n", "hours = 48\n").replace('key = "news"', 'key = "press"')
    found = differences(shipped(), parse_pack(changed, "x.toml"))
    assert "News message is new." in found
    assert "News message is gone." in found
    assert "Standard message: now window of 48 hours after the last action on Instagram." in found


def test_campaigns_to_come_that_a_new_pack_breaks_are_named(store: Store) -> None:
    march = datetime(2026, 3, 27, tzinfo=UTC)
    with store.write() as conn:
        page = add_page(conn)
        add_campaign(conn, page, "before", permission="account_update", state="scheduled", start_at=datetime(2026, 4, 26, tzinfo=UTC))  # fmt: skip
        add_campaign(conn, page, "after", permission="account_update", state="scheduled", start_at=datetime(2026, 4, 27, tzinfo=UTC))  # fmt: skip
        add_campaign(conn, page, "draft", permission="account_update", state="draft")
        add_campaign(conn, page, "fine", permission="standard", state="draft")
        add_campaign(conn, page, "over", permission="account_update", state="finished", start_at=AT)
        assert [found.name for found in broken(conn, before_april(), shipped(), march)] == ["after"]
        found = broken(conn, before_april(), shipped())
        assert [one.name for one in found] == ["before", "after", "draft"]
        assert "27 April 2026" in found[0].text


def test_past_campaigns_are_judged_anew_at_their_own_time(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        assert str(replay(conn, shipped())) == "No campaign was sent so far."
        for name, permission, month in (
            ("a", "account_update", 3),
            ("b", "account_update", 5),
            ("c", "standard", 5),
        ):
            add_campaign(
                conn, page, name, permission=permission, launched_at=datetime(2026, month, 1, tzinfo=UTC)
            )
        add_campaign(conn, page, "d", permission="carrier_pigeon", launched_at=AT)
        found = replay(conn, shipped())
        assert str(found) == "2 of 4 past campaigns would have been refused."
        assert [one.name for one in found.refused] == ["b", "d"]


@pytest.mark.parametrize(
    ("skew", "said"), [(None, None), (0, None), (-10_000, None), (30_000, "part of"), (90_000, "more than"), (-20_000, "ahead")]
)  # fmt: skip
def test_a_clock_that_goes_wrong_is_told(skew: int | None, said: str | None) -> None:
    text = warning(skew)
    assert text is None if said is None else said in str(text)
