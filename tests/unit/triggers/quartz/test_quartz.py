"""Quartz's cron lines: as Quartz itself reads them, as a slow count of seconds does, and what is refused."""

from __future__ import annotations

import contextlib
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from masthead.triggers.quartz import BadCronLine, read_line, spread

#: Line, zone, instant in ms, and the firings after it that Quartz 2.3.2 gave ("ERR" where it refused the line).
ANSWERS = (Path(__file__).parent / "quartz-2.3.2.txt").read_text().splitlines()
BERLIN = ZoneInfo("Europe/Berlin")
#: Times of a wall clock.
INSTANTS = st.integers(0, 2000 * 86_400).map(
    lambda s: datetime(2023, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(seconds=s)
)
NAMES = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def at(ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


def firings(line: str, zone: ZoneInfo, after: datetime, count: int) -> list[datetime]:
    read, found = read_line(line), []
    while len(found) < count and (firing := read.next_after(after, zone)) is not None:
        found.append(firing)
        after = firing
    return found


def test_four_hundred_lines_fire_as_in_quartz():
    """The table of Quartz's tutorial first; then lines drawn at random, around the days when clocks change."""
    wrong = []
    for answer in ANSWERS:
        line, zone, after, expected = answer.split("|")
        try:
            found = firings(line, ZoneInfo(zone), at(int(after)), len(expected.split()))
            given = " ".join(f"{round(one.timestamp() * 1000)}" for one in found)
        except BadCronLine:
            given = "ERR"
        if given != expected.removesuffix("null").strip():
            wrong.append((answer, given))
    assert wrong == []
    assert len(ANSWERS) > 390


# -- against a count of every second ----------------------------------------------------------------


class Slow:
    """Understands a line by asking of one second after the other whether it fires."""

    def __init__(self, line: str) -> None:
        self.fields = [*line.split(), "*"][:7]

    def fires(self, wall: datetime) -> bool:
        second, minute, hour, of_month, month, of_week, year = self.fields
        length = monthrange(wall.year, wall.month)[1]
        weekday = wall.isoweekday() % 7 + 1
        return (
            is_in(second, wall.second, 0, 59)
            and is_in(minute, wall.minute, 0, 59)
            and is_in(hour, wall.hour, 0, 23)
            and is_in(month, wall.month, 1, 12)
            and is_in(year, wall.year, 1970, 2199)
            and self.is_day(of_month, of_week, wall, length, weekday)
        )

    def is_day(self, of_month: str, of_week: str, wall: datetime, length: int, weekday: int) -> bool:
        if of_month == "?":
            if of_week.endswith("L") and of_week != "L":
                return weekday == int(of_week[0]) and wall.day + 7 > length
            if "#" in of_week:
                kind, _, nth = of_week.partition("#")
                return weekday == int(kind) and (wall.day - 1) // 7 + 1 == int(nth)
            return is_in("7" if of_week == "L" else of_week, weekday, 1, 7)
        if of_month.startswith("L"):
            offset = int(of_month.removeprefix("L").removeprefix("-").removesuffix("W") or 0)
            wanted = length - offset
            return self.nearest(wanted, wall, length) if of_month.endswith("W") else wall.day == wanted
        if of_month.endswith("W"):
            return self.nearest(int(of_month[:-1]), wall, length)
        return is_in(of_month, wall.day, 1, 31)

    def nearest(self, wanted: int, wall: datetime, length: int) -> bool:
        """The working day that is closest to the wanted one, the earlier of two, among those of the month."""
        if not 1 <= wanted <= length:
            return False
        working = [day for day in range(1, length + 1) if wall.replace(day=day).isoweekday() <= 5]
        return wall.day == min(working, key=lambda day: abs(day - wanted))


def is_in(text: str, value: int, least: int, most: int) -> bool:
    return any(is_item(item, value, least, most) for item in text.split(","))


def is_item(item: str, value: int, least: int, most: int) -> bool:
    part, has_step, step = item.partition("/")
    low, has_end, high = part.partition("-")
    start = least if low in ("*", "") else int(low)
    end = int(high) if has_end else most if low in ("*", "") or has_step else start
    if end < start:
        end += most - least + 1
        value = value if value >= start else value + most - least + 1
    return start <= value <= end and (value - start) % (int(step) if has_step else 1) == 0


def numbers(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most).map(str)
    steps = st.integers(1, most).map(str)
    item = st.one_of(
        st.just("*"),
        number,
        st.builds("{}-{}".format, number, number),
        st.builds("{}/{}".format, st.one_of(st.just("*"), number), steps),
        st.builds("{}-{}/{}".format, number, number, steps),
    )
    return st.lists(item, min_size=1, max_size=3).map(",".join)


def day_fields() -> st.SearchStrategy[str]:
    of_month = st.one_of(
        numbers(1, 31),
        st.sampled_from(["L", "LW"]),
        st.integers(1, 30).map("L-{}".format),
        st.integers(1, 30).map("L-{}W".format),
        st.integers(1, 31).map("{}W".format),
    )
    of_week = st.one_of(
        numbers(1, 7),
        st.just("L"),
        st.integers(1, 7).map("{}L".format),
        st.builds("{}#{}".format, st.integers(1, 7), st.integers(1, 5)),
    )
    return st.one_of(of_month.map("{} {{}} ?".format), of_week.map("? {{}} {}".format))


LINES = st.builds(
    lambda seconds, minutes, hours, days, months: f"{seconds} {minutes} {hours} {days.format(months)}",
    numbers(0, 59), numbers(0, 59), numbers(0, 23), day_fields(), numbers(1, 12),
)  # fmt: skip


@given(line=LINES, day=INSTANTS)
@settings(max_examples=60)
def test_the_next_firing_is_the_first_second_that_fires(line, day):
    """Days are counted one by one, and the seconds of the day that fires."""
    slow, start = Slow(line), day
    try:
        found = read_line(line).next_after(start.replace(tzinfo=UTC), UTC)
    except BadCronLine:
        assume(False)  # 31 February, the sixth Friday: nothing to count
    at_noon = [start.date() + timedelta(days=n) for n in range(800)]
    for date in at_noon:
        seconds = [wall for wall in of_day(slow, datetime.combine(date, datetime.min.time())) if wall > start]
        if seconds:
            assert found == seconds[0].replace(tzinfo=UTC)
            return
    assert found is None or found.date() > at_noon[-1]


def of_day(slow: Slow, midnight: datetime) -> list[datetime]:
    """Give the seconds of a day that fire; a day that cannot is not counted through."""
    second, minute, hour, of_month, month, of_week, _ = slow.fields
    length = monthrange(midnight.year, midnight.month)[1]
    if not is_in(month, midnight.month, 1, 12):
        return []
    if not slow.is_day(of_month, of_week, midnight, length, midnight.isoweekday() % 7 + 1):
        return []
    hours = [n for n in range(24) if is_in(hour, n, 0, 23)]
    minutes = [n for n in range(60) if is_in(minute, n, 0, 59)]
    seconds = [n for n in range(60) if is_in(second, n, 0, 59)]
    return [midnight.replace(hour=h, minute=m, second=s) for h in hours for m in minutes for s in seconds]


@given(
    line=st.sampled_from(
        ["0 */10 * * * ?", "0 30 2 * * ?", "0 15 1-3 * * ?", "30 0/7 0-4 ? * *", "0 0 0 * * ?"]
    ),
    zone=st.sampled_from(
        ["Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia", "UTC"]
    ),
    start=st.integers(0, 365 * 24 * 60),
)
@settings(max_examples=60)
def test_where_clocks_change_each_time_of_the_wall_clock_fires_once(line, zone, start):
    """Counted minute by minute in UTC: a time twice there counts the second time, one that is not there never."""
    where = ZoneInfo(zone)
    after = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    found = read_line(line).next_after(after, where)
    slow, instant = Slow(line), after.replace(second=0)
    while True:
        for second in (0, 30):
            moment = instant.replace(second=second)
            local = moment.astimezone(where)
            is_first_of_two = local.fold == 0 and local.utcoffset() > local.replace(fold=1).utcoffset()
            if moment > after and not is_first_of_two and slow.fires(local.replace(tzinfo=None)):
                assert found == moment
                return
        instant += timedelta(minutes=1)


@given(line=LINES, start=INSTANTS, hours=st.integers(1, 100))
@settings(max_examples=30)
def test_the_last_firing_before_an_instant_is_found_from_behind(line, start, hours):
    """The same as going through all of them."""
    now = start.replace(tzinfo=UTC)
    since = now - timedelta(hours=hours)
    try:
        read = read_line(line)
    except BadCronLine:
        assume(False)
    found = read.last_before(now, BERLIN, since=since)
    last, firing, count = None, read.next_after(since - timedelta(seconds=1), BERLIN), 0
    while firing is not None and firing <= now:
        count += 1
        assume(count < 5000)
        last, firing = firing, read.next_after(firing, BERLIN)
    assert found == last


# -- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("0 0 12 * *", "it has 5 fields and needs 6 or 7"),
        ("0 0 12 * * *", "one of them must be '?'"),
        ("0 0 12 ? * ?", "cannot both be '?'"),
        ("0 0 24 * * ?", "the hours cannot be '24': its values are 0 to 23"),
        ("0 0 12 ? * 0", "the day of week cannot be '0': its values are 1 to 7"),
        ("0 0 12 ? * MON-FRI/2", "a step needs numbers"),
        ("0 0 12 ? * MONDAY", "or a name from SUN, MON, TUE"),
        ("0 0 12 1W,15W * ?", "stand alone"),
        ("0 0 12 ? * 6#3,2", "stand alone"),
        ("0 0 12 L-31 * ?", "at most 30"),
        ("0 0/60 12 * * ?", "a step is at most 59"),
        ("0 0 12 * * ? 2030-2026", "must begin before it ends"),
        ("0 0 12 31 2 ?", "would never fire"),
        ("H 0 12 * * ?", "the seconds cannot be 'H'"),
        ("0 0 12 * * ? ${x}", "the year cannot be '${X}'"),
        ("0 ," + " 0" * 4, "the minutes cannot be ','"),
        ("٣ 0 12 * * ?", "the seconds cannot be"),
        ("1" * 600, "longer than 500"),
    ],
)  # fmt: skip
def test_a_line_that_is_wrong_is_refused_with_a_sentence(line, sentence):
    """It names the field and what it takes."""
    with pytest.raises(BadCronLine) as refused:
        read_line(line)
    assert sentence in str(refused.value)


@given(st.text(alphabet="0123456789*/,-?LWH#SUNMON ", max_size=40) | st.text(max_size=40))
def test_whatever_is_written_is_read_or_refused(text):
    """Nothing else is raised."""
    with contextlib.suppress(BadCronLine):
        read_line(spread(text, "id"))


# -- H ----------------------------------------------------------------------------------------------


def test_h_is_a_number_of_the_trigger_s_own():
    """As Echo makes it: the absolute value of Java's hash of the id, modulo 60 or 24."""
    # "73d6" hashes to 1719060 in Java: 31³·55 + 31²·51 + 31·100 + 54
    number = 31**3 * 55 + 31**2 * 51 + 31 * 100 + 54
    spreaded = spread("H H H ? * THU", "73d6")
    assert spreaded == f"{number % 60} {number % 60} {number % 24} ? * THU"
    assert spread("0 H/15 * * * ?", "73d6") == f"0 {number % 60}/15 * * * ?"


def test_java_s_hash_overflows_as_in_java():
    """A hash below zero counts as its absolute value; characters beyond 16 bits count as two."""
    # "polygenelubricants".hashCode() is the smallest int, whose absolute value Java itself cannot hold
    assert spread("H 0 0 * * ?", "polygenelubricants").split()[0] == str(2**31 % 60)
    assert spread("H 0 0 * * ?", "😀").split()[0] == str((31 * 0xD83D + 0xDE00) % 60)
