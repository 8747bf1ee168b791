"""Two real servers of which the one holds for the other, by command."""

from __future__ import annotations

from pathlib import Path

from tests.boxroom.house import House, found


def test_a_buddy_is_asked_agrees_is_listed_and_dropped(house: House, tmp_path: Path) -> None:
    other = found(tmp_path / "bo", "bo")
    assert house.shows("buddy", "list") == []
    with house.open(), other.open():
        house.does("buddy", "ask", other.address)
        [asks] = other.waits_for("buddy", "list", until="asks you")
        assert (asks["uri"].startswith(house.url), asks["held"], asks["state"]) == (True, 0, "asked")
        assert "asked them already" in house.fails("buddy", "ask", other.address)

        other.does("buddy", "accept", house.address)
        [holds] = house.waits_for("buddy", "list", until="holds for you")
        assert (holds["address"], holds["held"], holds["handed_over"]) == (other.address, None, None)
        assert "all present, and as the actors' documents say" in house.runs("doctor").output
        assert "you hold for" in other.does("buddy", "list")
        assert "did not ask you" in other.fails("buddy", "decline", house.address)

        other.does("buddy", "drop", house.address)
        house.waits_for_the_end_of("buddy", "list", of=other.url)
    assert other.shows("buddy", "list") == []
