"""
The usage log: what was recorded is there after any end of the process, counts once, and is exported once and exactly.
"""

import os
import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from keywright_verify.machine import public_jwk
from keywright_verify.usage import (
    MeterUsage,
    Period,
    UsageExport,
    UsageLog,
    UsageLogError,
    head_of,
    read_export,
    require_continues,
)
from tests.unit.verifier.judges import LAYER

KEY = Ed25519PrivateKey.from_private_bytes(b"m" * 32)
PUBLIC = public_jwk(KEY.public_key())
START = 1_798_761_600
HOUR, DAY = 3_600, 86_400
JANUARY = Period(START, START + 31 * DAY)
FEBRUARY = Period(START + 31 * DAY, START + 59 * DAY)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[UsageLog]:
    with UsageLog(tmp_path / "usage.db", license_sid="lic_1") as opened:
        yield opened


def export(log: UsageLog, period: Period, *, with_records: bool = False) -> str:
    return log.export(period, key=KEY, created_at=period.end, with_records=with_records)


def test_a_record_counts_once_however_often_it_is_recorded(log):
    answers = [log.record("calls", value, START, "r1") for value in ("1.50", Decimal("1.5"), "1.500")]

    assert answers == [True, False, False]
    assert read_export(export(log, JANUARY), PUBLIC).meters["calls"].sum == Decimal("1.5")


@pytest.mark.parametrize("other", [("calls", 2, START), ("calls", 1, START + 1), ("bytes", 1, START)])
def test_an_id_with_other_content_is_a_conflict_and_changes_nothing(log, other):
    log.record("calls", 1, START, "r1")

    with pytest.raises(UsageLogError, match="ID_CONFLICT"):
        log.record(*other, "r1")

    assert read_export(export(log, JANUARY), PUBLIC).meters["calls"].total == 1


@pytest.mark.parametrize(
    "record",
    [
        ("", 1, START, "r"),
        ("a b", 1, START, "r"),
        ("m" * 101, 1, START, "r"),
        ("m", 1, START, ""),
        ("m", 1, START, "a b"),
        ("m", 1, START, "é"),
        ("m", 1, -1, "r"),
        ("m", -1, START, "r"),
        ("m", 0.5, START, "r"),
        ("m", True, START, "r"),
        ("m", "NaN", START, "r"),
        ("m", "1e400", START, "r"),
        ("m", "one", START, "r"),
        ("m", None, START, "r"),
        ("m", 10**15, START, "r"),
        ("m", "0.0000000000001", START, "r"),
    ],
)
def test_a_record_that_could_not_be_billed_is_refused_when_it_is_made(log, record):
    with pytest.raises(UsageLogError, match="RECORD_INVALID"):
        log.record(*record)


def test_a_record_may_be_timed_by_a_datetime_with_a_zone(log):
    log.record("calls", 1, datetime.fromtimestamp(START, tz=UTC), "r1")

    assert not log.record("calls", 1, START, "r1")
    with pytest.raises(ValueError, match="zone"):
        log.record("calls", 1, datetime(2027, 1, 1), "r2")  # noqa: DTZ001  it is the point


WRITER = """
import os, signal, sys
from keywright_verify.usage import UsageLog
{forgetful}
log = {kind}(sys.argv[1], license_sid="lic_1")
for n in range(5):
    log.record("calls", 1, {start}, f"r{{n}}")
    print(n, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
FORGETFUL = """
from contextlib import contextmanager
class Forgetful(UsageLog):
    @contextmanager
    def _transaction(self):
        if not self._db.in_transaction:
            self._db.execute("BEGIN")
        yield
"""


def record_and_die(path: Path, *, kind: str = "UsageLog") -> int:
    script = WRITER.format(forgetful=FORGETFUL, kind=kind, start=START)
    environment = {"PYTHONPATH": str(LAYER / "python"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")
    return len(done.stdout.split())


def recorded(path: Path) -> MeterUsage | None:
    with UsageLog(path, license_sid="lic_1") as log:
        return read_export(export(log, JANUARY), PUBLIC).meters.get("calls")


def count(usage: MeterUsage | None) -> int:
    return usage.count if usage else 0


def test_what_was_recorded_survives_a_killed_process(tmp_path):
    said = record_and_die(tmp_path / "usage.db")

    assert said == 5
    assert count(recorded(tmp_path / "usage.db")) == 5


def test_a_log_that_commits_later_is_caught(tmp_path):
    record_and_die(tmp_path / "usage.db", kind="Forgetful")

    assert recorded(tmp_path / "usage.db") is None


def test_the_file_waits_for_the_disk_at_each_commit(log):
    (level,) = log._db.execute("PRAGMA synchronous").fetchone()

    assert level == 3  # EXTRA: the journal, the data and the folder


def test_processes_share_one_log_and_lose_nothing(tmp_path):
    path = tmp_path / "usage.db"
    script = (
        "import sys; from keywright_verify.usage import UsageLog; log = UsageLog(sys.argv[1], license_sid='lic_1')\n"
    )
    script += f"for n in range(20): log.record('calls', 1, {START} + n, f'own-{{sys.argv[2]}}-{{n}}'); "
    script += f"log.record('calls', 1, {START} + n, f'shared-{{n}}')"
    environment = {"PYTHONPATH": str(LAYER / "python"), "PYTHONDONTWRITEBYTECODE": "1"}

    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(path), str(n)], env=environment, stderr=subprocess.PIPE)
        for n in range(3)
    ]
    ends = [(writer.communicate(timeout=120)[1], writer.returncode) for writer in writers]

    assert ends == [(b"", 0)] * 3
    assert count(recorded(path)) == 3 * 20 + 20


def test_threads_share_one_log(log):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: log.record("calls", 1, START, f"r{n % 40}"), range(80)))

    assert sum(answers) == 40
    assert read_export(export(log, JANUARY), PUBLIC).meters["calls"].count == 40


def test_the_same_period_gives_the_same_bytes_whatever_happened_since(log):
    log.record("calls", 1, START, "r1")
    first = export(log, JANUARY)
    log.record("calls", 5, START + 1, "late")

    again = log.export(JANUARY, key=KEY, created_at=JANUARY.end + 99 * DAY, with_records=True)

    assert again == first
    assert log.exports() == [first]


def test_late_usage_comes_with_the_next_export_under_its_own_hour(log):
    log.record("calls", 1, START, "r1")
    export(log, JANUARY)
    log.record("calls", 5, START + HOUR + 1, "late")
    log.record("calls", 2, FEBRUARY.start, "in-time")

    second = read_export(export(log, FEBRUARY), PUBLIC)

    assert [(hour.start, hour.sum) for hour in second.late] == [(START + HOUR, Decimal(5))]
    assert (second.meters["calls"].sum, second.meters["calls"].total) == (Decimal(7), Decimal(8))


def test_usage_after_the_period_waits_for_its_own(log):
    log.record("calls", 1, JANUARY.end - 1, "r1")
    log.record("calls", 5, JANUARY.end, "r2")

    first, second = read_export(export(log, JANUARY), PUBLIC), read_export(export(log, FEBRUARY), PUBLIC)

    assert (first.meters["calls"].sum, second.meters["calls"].sum) == (Decimal(1), Decimal(5))


def test_an_hour_that_the_period_cuts_is_two_hours(log):
    start = START + 1800
    log.record("calls", 1, start - 1, "before")
    log.record("calls", 2, start, "after")

    found = read_export(export(log, Period(start, start + DAY)), PUBLIC)

    assert [(hour.start, hour.sum) for hour in found.hours] == [(START, Decimal(1)), (start, Decimal(2))]


def test_an_hour_keeps_its_largest_and_its_last_value(log):
    for n, value in enumerate(("3", "7.25", "2")):
        log.record("disk", value, START + n, f"r{n}")

    (hour,) = read_export(export(log, JANUARY), PUBLIC).hours

    assert (hour.count, hour.sum, hour.max, hour.last) == (3, Decimal("12.25"), Decimal("7.25"), Decimal(2))


@pytest.mark.parametrize(
    ("period", "created_at", "code"),
    [
        (Period(START + DAY, START), START + DAY, "PERIOD_INVALID"),
        (Period(START, START), START + DAY, "PERIOD_INVALID"),
        (FEBRUARY, FEBRUARY.end - 1, "PERIOD_NOT_OVER"),
        (Period(START, START + DAY), FEBRUARY.end, "PERIOD_OVERLAP"),
        (Period(START + DAY, FEBRUARY.end), FEBRUARY.end, "PERIOD_OVERLAP"),
    ],
)
def test_a_period_that_cannot_be_exported_is_refused(log, period, created_at, code):
    export(log, JANUARY)

    with pytest.raises(UsageLogError, match=code):
        log.export(period, key=KEY, created_at=created_at)

    assert len(log.exports()) == 1


def test_a_new_machine_key_starts_a_new_chain_without_counting_twice(log):
    log.record("calls", 1, START, "r1")
    export(log, JANUARY)
    log.record("calls", 2, FEBRUARY.start, "r2")
    other = Ed25519PrivateKey.from_private_bytes(b"n" * 32)

    second = read_export(log.export(FEBRUARY, key=other, created_at=FEBRUARY.end), public_jwk(other.public_key()))

    assert (second.seq, second.prev, second.meters["calls"].total) == (1, None, Decimal(2))


def test_a_log_belongs_to_one_license(tmp_path, log):
    with pytest.raises(UsageLogError, match="LICENSE_MISMATCH"):
        UsageLog(tmp_path / "usage.db", license_sid="lic_2")


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be read as one" * 9])
def test_a_file_that_is_no_log_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "other.txt"
    path.write_bytes(content)

    with pytest.raises(UsageLogError, match="LOG_UNUSABLE"):
        UsageLog(path, license_sid="lic_1")

    assert path.read_bytes() == content


def test_a_full_or_read_only_disk_is_said(tmp_path):
    path = tmp_path / "usage.db"
    with UsageLog(path, license_sid="lic_1") as log:
        log._db.execute("PRAGMA max_page_count = 8")

        said = fill(log)

        with closing(sqlite3.connect(path)) as other:
            assert other.execute("SELECT count(*) FROM records").fetchone() == (said,)


def fill(log: UsageLog) -> int:
    """Record until the file is full; say how many records the log took."""
    for n in range(500):
        try:
            log.record("calls", 1, START, f"{n:0128}")
        except UsageLogError as error:
            assert error.code == "LOG_UNUSABLE"  # noqa: PT017  the records before it count as well
            return n
    raise AssertionError("the file never was full")


amounts = st.decimals(min_value=0, max_value=10**14, places=9)
records = st.lists(st.tuples(st.sampled_from(("a", "b")), amounts, st.integers(0, 20 * HOUR)), max_size=12)
steps = st.lists(st.tuples(records, st.integers(1, 9 * HOUR), st.booleans()), min_size=1, max_size=4)


@settings(deadline=None, database=None, max_examples=int(os.environ.get("USAGE_HISTORIES", "25")))
@given(steps)
def test_every_use_is_exported_exactly_once_in_an_unbroken_chain(tmp_path_factory, history):
    path = tmp_path_factory.mktemp("log") / "usage.db"
    due: dict[str, Fraction] = defaultdict(Fraction)
    end, told = START, 0
    exports: list[UsageExport] = []
    with UsageLog(path, license_sid="lic_1") as log:
        log._db.execute("PRAGMA synchronous = OFF")  # the histories are many, and no power is cut here
        for n, (uses, length, with_records) in enumerate(history):
            for k, (meter, value, offset) in enumerate(uses):
                log.record(meter, value, START + offset, f"{n}-{k}")
            period = Period(end, end + length)
            end = period.end
            exports.append(read_export(export(log, period, with_records=with_records), PUBLIC))
        for meter, value, time in log._db.execute("SELECT meter, value, time FROM records"):
            if time < end:
                due[meter] += Fraction(value)
                told += 1

    require_continues(exports[0], None)
    for before, after in pairwise(exports):
        require_continues(after, head_of(before))
    assert sum(usage.count for each in exports for usage in each.meters.values()) == told
    assert {meter: Fraction(usage.total) for meter, usage in exports[-1].meters.items()} == due
