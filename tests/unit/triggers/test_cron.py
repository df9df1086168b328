"""Pipelines that start when it is time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from masthead.kernel.clock import from_ms, to_ms
from masthead.kernel.errors import InvalidRequest, StorageUnavailable
from masthead.storage.schema import burst, cron_trigger
from masthead.triggers import Schedule
from masthead.triggers.cron import BURST
from masthead.triggers.triggers import Triggers

HOUR = 3600.0
#: The clock of these tests stands at 2026-11-23 03:00 UTC, a Monday; Sunday 19:00 in Los Angeles.
HOURLY = "0 0 * * * ?"


def cron(line: str, **fields) -> dict:
    return {"type": "cron", "enabled": True, "id": "t", "cronExpression": line, "timeZone": "UTC", **fields}


async def started(bench, name: str = "p") -> list[str]:
    """Give the hour and minute of each firing that was run, by the ids of their executions."""
    runs = await bench.runs(name)
    from ulid import ULID

    return sorted(f"{ULID.from_str(one['id']).datetime:%d %H:%M:%S}" for one in runs)


async def pass_time(bench, seconds: float, *, step: float = 60.0) -> None:
    """Let time pass and what is due run."""
    for _ in range(int(seconds / step)):
        await bench.clock.advance(step)
        await bench.idle()


async def test_a_pipeline_starts_at_each_firing_of_its_line(bench):
    """Once each, as anonymous, with the trigger's own fields, its parameters and an event's id."""
    await bench.save("p", cron(HOURLY, parameters={"env": "prod"}, description="hourly"))
    await pass_time(bench, 2.5 * HOUR)
    assert await started(bench) == ["23 04:00:00", "23 05:00:00"]
    (first, second) = await bench.runs("p")
    trigger = first["trigger"]
    assert (trigger["type"], trigger["user"], trigger["parameters"]) == ("cron", "anonymous", {"env": "prod"})
    assert (trigger["description"], trigger["id"]) == ("hourly", "t")
    assert trigger["eventId"] != second["trigger"]["eventId"]
    assert first["authentication"]["user"] == "anonymous"
    assert first["status"] == "SUCCEEDED"


async def test_it_runs_in_the_name_that_the_trigger_says(bench):
    """RunAsUser."""
    await bench.save("p", cron(HOURLY, runAsUser="night@example.com"))
    await pass_time(bench, HOUR)
    (run,) = await bench.runs("p")
    assert (run["authentication"]["user"], run["trigger"]["user"]) == (
        "night@example.com",
        "night@example.com",
    )


async def test_without_a_time_zone_the_setting_s_counts(bench):
    """Los Angeles if nobody says otherwise, as Echo."""
    await bench.save("p", cron("0 0 20 * * ?", timeZone=None))
    await pass_time(bench, 2 * HOUR)
    assert await started(bench) == ["23 04:00:00"]


async def test_a_trigger_that_is_disabled_deleted_or_changed_stops_at_once(bench):
    """Also one of a disabled pipeline; what is left behind is nothing."""
    for name, change in (("off", {"enabled": False}), ("moved", {"cronExpression": "0 30 * * * ?"})):
        await bench.save(name, cron(HOURLY))
        await bench.save(name, cron(HOURLY, **change))
    await bench.save("stopped", cron(HOURLY))
    await bench.save("stopped", cron(HOURLY), disabled=True)
    await bench.save("gone", cron(HOURLY))
    await bench.pipelines.delete("demo", "gone", bench.ann)
    await pass_time(bench, HOUR)
    assert [await started(bench, name) for name in ("off", "stopped", "gone")] == [[], [], []]
    assert await started(bench, "moved") == ["23 03:30:00"]
    counts = [select(func.count()).select_from(table) for table in (cron_trigger, burst)]
    assert await bench.database.read(lambda c: [c.execute(one).scalar() for one in counts]) == [1, 1]


async def test_a_pipeline_that_is_saved_again_keeps_its_firings(bench):
    """A version that leaves the line alone moves nothing, and the new version is what runs."""
    await bench.save("p", cron(HOURLY))
    await pass_time(bench, HOUR / 2)
    await bench.save("p", cron(HOURLY), parameterConfig=[{"name": "v", "default": "2"}])
    await pass_time(bench, HOUR / 2)
    (run,) = await bench.runs("p")
    assert run["trigger"]["parameters"] == {"v": "2"}


async def test_what_a_machine_missed_while_it_was_down_is_made_up_once(bench):
    """Four firings were missed; the last of them is run, once, within the setting's half hour."""
    await bench.save("p", cron("0 0/10 * * * ?"))
    await bench.clock.advance(0.7 * HOUR)  # 03:42, and nobody swept
    await bench.idle()
    await bench.idle()
    assert await started(bench) == ["23 03:40:00"]
    await pass_time(bench, 600)
    assert await started(bench) == ["23 03:40:00", "23 03:50:00"]


async def test_what_was_missed_too_long_ago_is_not_made_up(bench):
    """The setting's window has passed; the next firing is run again."""
    await bench.save("p", cron(HOURLY))
    await bench.clock.advance(1.6 * HOUR)
    await bench.idle()
    assert await started(bench) == []
    await pass_time(bench, 0.5 * HOUR)
    assert await started(bench) == ["23 05:00:00"]


async def test_firings_that_come_up_to_a_minute_late_are_all_run(bench):
    """A machine that was busy, or was taken over from, loses none."""
    await bench.save("p", cron("0/20 * * * * ?"))
    await bench.clock.advance(59)
    await bench.idle()
    assert await started(bench) == ["23 03:00:20", "23 03:00:40"]


async def test_a_run_that_is_cut_after_the_start_starts_no_second_execution(bench):
    """The execution's id is made of the trigger and the firing."""
    await bench.save("p", cron(HOURLY))
    await bench.clock.advance(HOUR)
    (subject,) = await bench.database.read(
        lambda c: c.execute(select(cron_trigger.c.subject)).scalars().all()
    )
    await bench.idle()
    await bench.database.write(
        lambda c: (
            c.execute(cron_trigger.update().values(next_at=to_ms(bench.clock.now()))),
            bench.bursts.request(c, BURST, subject),
        )
    )
    await bench.idle()
    assert await started(bench) == ["23 04:00:00"]


async def test_a_database_that_fails_while_a_firing_starts_loses_it_not(bench, monkeypatch):
    """The burst comes again and starts it."""
    await bench.save("p", cron(HOURLY))
    start, failures = bench.executions.start_pipeline, []

    async def fails_once(*args, **kwargs):
        if not failures:
            failures.append(1)
            raise StorageUnavailable("away")
        return await start(*args, **kwargs)

    monkeypatch.setattr(bench.executions, "start_pipeline", fails_once)
    await pass_time(bench, HOUR + 60)
    assert await started(bench) == ["23 04:00:00"]


async def test_while_a_trigger_waits_nothing_runs(bench):
    """A trigger that fires in a year is looked at by nobody until then: its run is not even claimed."""
    await bench.save("p", cron("0 0 0 1 6 ? 2027"))
    claims = []
    claim = bench.bursts._claim
    bench.bursts._claim = lambda *args: (claims.append(1), claim(*args))[1]
    await pass_time(bench, 24 * HOUR, step=600)
    assert claims == []
    assert await started(bench) == []


async def test_a_line_whose_last_year_has_passed_rests_for_ever(bench):
    """It may be saved, as somebody saves a pipeline that had its day."""
    await bench.save("p", cron("0 0 12 * * ? 2020"))
    await pass_time(bench, 2 * HOUR, step=600)
    counts = select(func.count()).select_from(burst)
    assert await bench.database.read(lambda c: c.execute(counts).scalar()) == 0


async def test_another_time_zone_in_the_settings_moves_the_triggers_at_the_next_start(bench):
    """Those that name a zone of their own stay."""
    await bench.save("p", cron("0 0 20 * * ?", timeZone=None))
    await bench.save("q", cron("0 0 20 * * ?"))
    before = await firings(bench)
    schedule = Schedule("Europe/Berlin")
    parts = {"pipelines": bench.pipelines, "executions": bench.executions, "clock": bench.clock}
    await Triggers(bench.database, bench.bursts, **parts, schedule=schedule).start()
    after = await firings(bench)
    assert before == {datetime(2026, 11, 23, 4, tzinfo=UTC), datetime(2026, 11, 23, 20, tzinfo=UTC)}
    assert after == {datetime(2026, 11, 23, 19, tzinfo=UTC), datetime(2026, 11, 23, 20, tzinfo=UTC)}


async def firings(bench) -> set[datetime]:
    rows = await bench.database.read(lambda c: c.execute(select(cron_trigger.c.next_at)).scalars().all())
    return {from_ms(one) for one in rows}


async def test_triggers_that_were_stored_without_rows_are_found_at_the_start(bench):
    """By a release of Masthead from before; what has a row keeps it, also a firing that is due."""
    await bench.save("p", cron(HOURLY))
    await bench.save("q", cron(HOURLY))
    await bench.clock.advance(HOUR)
    rows = await bench.database.read(lambda c: c.execute(select(cron_trigger.c.subject)).scalars().all())
    await bench.database.write(
        lambda c: c.execute(cron_trigger.delete().where(cron_trigger.c.subject == rows[0]))
    )
    await bench.triggers.start()
    await bench.idle()
    assert len(await started(bench, "p") + await started(bench, "q")) == 1
    assert len(await firings(bench)) == 1
    await bench.triggers.start()
    assert await firings(bench) == {bench.clock.now() + timedelta(hours=1)}


@pytest.mark.parametrize(
    ("trigger", "pointer", "sentence"),
    [
        ({"cronExpression": "0 0 12 * * *"}, "/triggers/0/cronExpression", "one of them must be '?'"),
        ({"cronExpression": None}, "/triggers/0/cronExpression", "needs a cronExpression"),
        ({"cronExpression": 5}, "/triggers/0/cronExpression", "needs a cronExpression"),
        ({"timeZone": "Mars/Base"}, "/triggers/0/timeZone", "must be a time zone"),
        ({"timeZone": 7}, "/triggers/0/timeZone", "must be a time zone"),
    ],
)
async def test_a_bad_line_or_time_zone_is_refused_on_saving(bench, trigger, pointer, sentence):
    """With the pointer and a sentence; nothing is stored."""
    with pytest.raises(InvalidRequest) as refused:
        await bench.save("p", cron(HOURLY, **trigger))
    assert refused.value.pointer == pointer
    assert sentence in refused.value.message
    assert await bench.pipelines.list_all() == []


async def test_two_cron_triggers_of_one_id_are_refused(bench):
    """They would be one."""
    with pytest.raises(InvalidRequest) as refused:
        await bench.save("p", cron(HOURLY), cron("0 30 * * * ?"))
    assert refused.value.pointer == "/triggers/1/id"


async def test_a_pipeline_s_copies_fire_each_for_itself(bench):
    """A copied trigger may keep its id."""
    await bench.save("p", cron(HOURLY))
    await bench.save("q", cron(HOURLY))
    await pass_time(bench, HOUR)
    assert (len(await started(bench, "p")), len(await started(bench, "q"))) == (1, 1)
