"""The ledger: only legal moves, receipts only upwards, and a sum that is red as soon as it is untrue."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from broadcaster.queue import control, counting, evidence, ledger, receipts
from broadcaster.queue.facts import DeliveredFact, EchoFact, ReadFact
from broadcaster.queue.install import install_id
from broadcaster.queue.ledger import CONTACTS, ROWS
from broadcaster.reports.campaign_report import campaign_json, write_report
from broadcaster.reports.tables import ALARM_RED
from broadcaster.sandbox import Fault
from broadcaster.states import ACCEPTED_STATES, DELIVERY_MOVES, DeliveryState
from tests.queue.conftest import PEOPLE
from tests.queue.floor import Floor

PAIRS = list(itertools.product(DeliveryState, DeliveryState))
RANK = {DeliveryState.SENT: 0, DeliveryState.DELIVERED: 1, DeliveryState.READ: 2}


@pytest.mark.parametrize(("source", "to"), PAIRS)
def test_only_legal_moves_can_be_written_down(source: DeliveryState, to: DeliveryState) -> None:
    if to in DELIVERY_MOVES[source]:
        assert "UPDATE delivery SET state" in str(ledger.moving(to, source))
    else:
        with pytest.raises(ValueError, match="illegal move"):
            ledger.moving(to, source)


def test_a_move_touches_only_rows_it_may_come_from(any_floor: Floor) -> None:
    made = any_floor.campaign()
    states = list(DeliveryState)
    rows = [row.id for row in any_floor.rows(made)][: len(states)]
    for to in states:
        with any_floor.store.write() as conn:
            for row, state in zip(rows, states, strict=True):
                conn.execute(update(ROWS).where(ROWS.c.id == row).values(state=state))
            conn.execute(ledger.moving(to))
            found = dict(conn.execute(select(ROWS.c.id, ROWS.c.state).where(ROWS.c.id.in_(rows))).all())
        for row, state in zip(rows, states, strict=True):
            assert found[row] == (to if to in DELIVERY_MOVES[state] else state)


def test_receipts_only_move_up(any_floor: Floor) -> None:
    made = any_floor.campaign()
    row = any_floor.row(made)
    for before, told in itertools.product(RANK, (DeliveryState.DELIVERED, DeliveryState.READ)):
        with any_floor.store.write() as conn:
            conn.execute(update(ROWS).where(ROWS.c.id == row.id).values(state=before, message_id="m"))
            evidence.lift(conn, told, [("m", any_floor.clock.now())])
        assert any_floor.row(made).state == max(before, told, key=RANK.__getitem__)


def test_one_row_per_person_and_campaign(any_floor: Floor) -> None:
    made = any_floor.campaign()
    row = any_floor.row(made)
    with pytest.raises(IntegrityError), any_floor.store.write() as conn:
        conn.execute(ROWS.insert().values(campaign_id=made, contact_id=row.contact_id, state="waiting"))


def test_the_row_keeps_every_step(floor: Floor) -> None:
    made = floor.campaign()
    floor.finish(made)
    row = floor.row(made)
    entry = next(entry for entry in floor.sandbox.ledger() if entry.psid == row.psid)
    assert (row.state, row.attempt, row.message_id, row.wire_key) == ("sent", 1, entry.mid, entry.metadata)
    assert row.first_attempt_at == row.intent_at <= row.sent_at
    assert row.text_hash and row.owner is None
    assert row.wire_key.split(".")[1:] == [str(row.id), "1"]


@pytest.mark.parametrize("before", ["failed", "unconfirmed"])
def test_late_proof_lifts_and_both_facts_are_kept(any_floor: Floor, before: str) -> None:
    made = any_floor.campaign()
    row, at = any_floor.row(made), any_floor.clock.now()
    facts = {"error_code": 2, "error_text": "Try later", "ended_at": at} if before == "failed" else {}
    with any_floor.store.write() as conn:
        conn.execute(
            update(ROWS)
            .where(ROWS.c.id == row.id)
            .values(state=before, attempt=1, intent_at=at, reason="no answer within 5 s", **facts)
        )
        key = f"{install_id(conn)}.{row.id}.1"
        receipts.apply(conn, 1, [EchoFact(key, "m_late", at + timedelta(minutes=9), row.psid)])
        receipts.apply(conn, 1, [DeliveredFact(row.psid, ("m_late",), at + timedelta(minutes=10))])
    found = any_floor.row(made)
    assert (found.state, found.message_id, found.reason) == ("delivered", "m_late", "no answer within 5 s")
    assert {name: found._mapping[name] for name in facts} == facts
    assert any_floor.counts(made).delivered == 1


def test_everything_proven_counts_for_the_frequency_cap(any_floor: Floor) -> None:
    """By an echo, and by a person's word: not only by our own answer."""
    made = any_floor.campaign()
    by_echo, by_hand, at = *any_floor.rows(made)[:2], any_floor.clock.now()
    with any_floor.store.write() as conn:
        ids = [by_echo.id, by_hand.id]
        doubt = {"state": "unconfirmed", "attempt": 1, "intent_at": at}
        conn.execute(update(ROWS).where(ROWS.c.id.in_(ids)).values(**doubt))
        key = f"{install_id(conn)}.{by_echo.id}.1"
        receipts.apply(conn, 1, [EchoFact(key, "m_1", at, by_echo.psid)])
        control.resolve_unconfirmed(conn, [by_hand.id], "sent", "anna", at)
        people = select(CONTACTS.c.last_sent_at).where(
            CONTACTS.c.id.in_([by_echo.contact_id, by_hand.contact_id])
        )
        assert conn.execute(people).scalars().all() == [at, at]


def test_the_causes_of_the_failed_add_up(floor: Floor) -> None:
    made = floor.campaign()
    with floor.store.write() as conn:
        ids = [row.id for row in floor.rows(made)]
        for part, code, text in ((ids[:3], 551, "gone"), (ids[3:5], None, "too long"), (ids[5:6], None, "?")):
            conn.execute(
                update(ROWS)
                .where(ROWS.c.id.in_(part))
                .values(state="failed", error_code=code, error_text=text, ended_at=floor.clock.now())
            )
    with floor.store.read() as conn:
        causes = counting.errors(conn, made)
    assert [(cause.code, cause.count) for cause in causes] == [(None, 3), (551, 3)] or [
        (cause.code, cause.count) for cause in causes
    ] == [(551, 3), (None, 3)]
    assert all(cause.title and cause.advice for cause in causes)
    assert sum(cause.count for cause in causes) == floor.counts(made).failed == 6


def test_a_sum_that_is_untrue_is_told_in_every_export(floor: Floor, tmp_path: Path) -> None:
    made = floor.campaign()
    floor.finish(made)
    with floor.store.read() as conn:
        assert campaign_json(conn, floor.get(made), floor.clock.now())["adds_up"] is True
    with floor.store.write() as conn:  # somebody lost a row
        conn.execute(delete(ROWS).where(ROWS.c.id == floor.row(made).id))
    with floor.store.read() as conn:
        assert not counting.counts(conn, made).adds_up
        for kind in ("json", "csv", "xlsx", "pdf"):
            out = tmp_path / f"r.{kind}"
            write_report(conn, "campaign", floor.get(made), kind, out, actor="a", at=floor.clock.now())
        blocked = tmp_path / "b.xlsx"
        write_report(conn, "blocked", floor.get(made), "xlsx", blocked, actor="a", at=floor.clock.now())
    assert json.loads((tmp_path / "r.json").read_text())["adds_up"] is False
    assert "NO: report this as a fault" in "".join(p.read_text("utf-8-sig") for p in tmp_path.rglob("*.csv"))
    for book in (tmp_path / "r.xlsx", blocked):
        cells = [cell for row in load_workbook(book).worksheets[0].iter_rows() for cell in row]
        alarms = [cell for cell in cells if str(cell.value).startswith("NO: ")]
        assert alarms and all(cell.font.color.rgb == f"00{ALARM_RED}" for cell in alarms)
    assert (tmp_path / "r.pdf").stat().st_size > 1000


def test_more_delivered_than_sent_is_no_true_sum() -> None:
    assert counting.Counts(sent=1, delivered=1, read=1, intended=1).adds_up
    assert not counting.Counts(sent=1, delivered=2, intended=1).adds_up
    assert not counting.Counts(sent=2, delivered=0, read=1, intended=2).adds_up


def test_the_end_is_the_platforms_ledger(any_floor: Floor) -> None:
    any_floor.sandbox.faults.order(Fault("error", code=551, psid=any_floor.psid(3)))
    any_floor.sandbox.faults.order(Fault("drop", accepted=True, psid=any_floor.psid(4), count=1))
    made = any_floor.campaign()
    any_floor.finish(made)
    counts = any_floor.counts(made)
    assert (counts.sent, counts.failed, counts.unconfirmed) == (PEOPLE - 1, 1, 0)
    accepted = {row.psid for row in any_floor.rows(made) if row.state in ACCEPTED_STATES}
    assert accepted == set(any_floor.reached()) and len(any_floor.reached()) == PEOPLE - 1
    with any_floor.store.write() as conn:
        at = any_floor.clock.now() + timedelta(hours=1)
        receipts.apply(conn, 1, [ReadFact(any_floor.psid(0), watermark=at, at=at)])
    assert (any_floor.counts(made).delivered, any_floor.counts(made).read) == (1, 1)
