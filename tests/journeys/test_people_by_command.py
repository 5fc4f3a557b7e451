"""People through the command line: an import taken back, opting out and in again, ways in."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.sandbox import Behaviour, Sandbox
from tests.journeys.line import CommandLine, connect

OWN = ("--page", "Bikes")


@pytest.fixture
def line(tmp_path: Path) -> CommandLine:
    with Sandbox(contacts=5, seed=1, behaviour=Behaviour.quiet()) as sandbox:
        made = connect(sandbox, tmp_path)
        file = tmp_path / "people.csv"
        file.write_text("psid,first_name\n1001,Ada\n1002,Bo\n", "utf-8")
        made.run("contacts", "import", str(file), *OWN)
        return made


def test_an_import_is_listed_and_taken_back_once(line: CommandLine) -> None:
    (past,) = line.json("contacts", "imports", *OWN)
    assert (past["file_name"], past["created"], past["state"]) == ("people.csv", 2, "finished")
    assert line.json("contacts", "undo", str(past["id"]))["people"] == 2
    assert line.json("contacts", "count", *OWN)["count"] == 0
    assert line.json("contacts", "imports", *OWN)[0]["state"] == "undone"
    assert "no such import" in line.run("contacts", "undo", str(past["id"]), expect=2)


def test_opting_out_by_hand_keeps_its_reason_and_can_be_taken_back(line: CommandLine) -> None:
    line.run("contacts", "opt-out", *OWN, "--psid", "1001", "--reason", "asked on the phone")
    held = line.json("contacts", "person", *OWN, "--psid", "1001")
    assert "asked on the phone" in str(held)
    out = '{"field": "opted_out", "op": "eq", "value": true}'
    line.run("audience", "create", "Out", *OWN, "--filter", out)
    assert line.json("audience", "count", "Out")["count"] == 1
    line.run("contacts", "opt-out", *OWN, "--psid", "1001", "--reason", "wrote again", "--undo")
    assert line.json("audience", "count", "Out")["count"] == 0
    assert "nobody with the id" in line.run(
        "contacts", "opt-out", *OWN, "--psid", "9", "--reason", "x", expect=2
    )


@pytest.mark.parametrize(("name", "begins"), [("way.svg", b"<?xml"), ("way.png", b"\x89PNG")])
def test_a_way_in_is_a_link_with_its_code(
    line: CommandLine, tmp_path: Path, name: str, begins: bytes
) -> None:
    told = line.json("contacts", "link", *OWN, "--ref", "spring-fair", "--qr", str(tmp_path / name))
    assert told["link"].startswith("https://m.me/")
    assert told["link"].endswith("?ref=spring-fair")
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert "cannot carry" in line.run("contacts", "link", *OWN, "--ref", "a b", expect=2)
