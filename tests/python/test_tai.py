"""Times: TAI to the second, UTC with its leap seconds."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from surrogate.io.tai import compact_time, format_time, parse_time, utc_text

EIGHT = datetime(2011, 2, 16, 8)


@pytest.mark.parametrize(
    "text",
    [
        "2011.02.16_08:00:00_TAI",
        "2011.02.16_08:00_TAI",
        "2011-02-16T08:00:00_TAI",
        "20110216_080000_TAI",
        "2011-02-16T07:59:26Z",  # TAI - UTC was 34 s
        "2011.02.16_07:59:26_UTC",
    ],
)
def test_every_spelling_is_the_same_instant(text: str) -> None:
    assert parse_time(text) == EIGHT


def test_texts_are_read_back_exactly() -> None:
    later = EIGHT + timedelta(seconds=0.5)
    assert parse_time(format_time(later)) == later
    assert format_time(EIGHT) == "2011.02.16_08:00:00_TAI"
    assert parse_time(compact_time(EIGHT)) == EIGHT
    assert utc_text(EIGHT) == "2011-02-16T07:59:26.000Z"


def test_a_leap_second_is_a_second_of_tai() -> None:
    before, after = parse_time("2016-12-31T23:59:59Z"), parse_time("2017-01-01T00:00:00Z")
    assert (after - before).total_seconds() == 2


@pytest.mark.parametrize("text", ["", "today", "2011.13.45_00:00:00_TAI", "2011.02.30"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        parse_time(text)
