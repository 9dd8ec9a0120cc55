"""Many writers of one SQLite file: each gets its turn, and nothing is lost."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import ROOT

# What all writers begin with.
START = """
import sys, threading, time
import django
from django.conf import settings
settings.configure(
    DATABASES={"default": {"ENGINE": "emsp.kernel.sqlite", "NAME": sys.argv[1]}}
)
django.setup()
from django.db import connection, transaction
"""
# Counts up in three threads: by reading and writing in a transaction, and by single statements.
COUNT = """
def count_in_transactions():
    for _ in range(50):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT n FROM counter")
            cursor.execute("UPDATE counter SET n = %s", [cursor.fetchone()[0] + 1])
    connection.close()

def count_by_statements():
    for _ in range(50):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE counter SET n = n + 1")
    connection.close()

def give_up_half_way():
    for _ in range(10):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("UPDATE counter SET n = n + 1000000")
                raise KeyError
        except KeyError:
            pass
    connection.close()

threads = [
    threading.Thread(target=each)
    for each in (count_in_transactions, count_by_statements, give_up_half_way)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
# Holds the file's turn inside a transaction until it is killed.
HOLD = """
with transaction.atomic(), connection.cursor() as cursor:
    cursor.execute("UPDATE counter SET n = n + 1000000")
    print("holding", flush=True)
    time.sleep(600)
"""
# Closes its connection inside a transaction; meanwhile another thread writes.
CLOSE = """
def count():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE counter SET n = n + 1")
    connection.close()

with transaction.atomic():
    with connection.cursor() as cursor:
        cursor.execute("UPDATE counter SET n = n + 1000000")
    connection.close()
    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    thread.join(10)
    print("waits" if thread.is_alive() else "written", flush=True)
"""
# Reads, which needs no turn, and then writes by a single statement, which does.
WRITE_ONCE = """
with connection.cursor() as cursor:
    cursor.execute("SELECT n FROM counter")
    print("read", flush=True)
    cursor.execute("UPDATE counter SET n = n + 1")
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "db.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE counter (n INTEGER)")
        connection.execute("INSERT INTO counter VALUES (0)")
        connection.commit()
    return path


def read_count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        count: int = connection.execute("SELECT n FROM counter").fetchone()[0]
        return count


def is_turn_free(database: Path) -> bool:
    with database.with_name("db.sqlite3.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def start(script: str, database: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", START + script, str(database)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class TestWriters:
    def test_of_several_processes_and_threads_lose_nothing(self, database: Path) -> None:
        writers = [start(COUNT, database) for _ in range(4)]
        said = [writer.communicate(timeout=120) for writer in writers]
        assert said == [("", "")] * 4
        assert read_count(database) == 4 * 2 * 50

    def test_wait_for_one_that_holds_the_turn_until_it_is_killed(self, database: Path) -> None:
        holder = start(HOLD, database)
        assert holder.stdout
        assert holder.stdout.readline() == "holding\n"
        assert not is_turn_free(database)
        writer = start(COUNT, database)
        holder.kill()
        holder.communicate()
        assert writer.communicate(timeout=60) == ("", "")
        assert read_count(database) == 2 * 50
        assert is_turn_free(database)

    def test_of_single_statements_stand_in_line_too(self, database: Path) -> None:
        with database.with_name("db.sqlite3.lock").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            writer = start(WRITE_ONCE, database)
            assert writer.stdout
            assert writer.stdout.readline() == "read\n"
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(timeout=1)
            assert read_count(database) == 0
        assert writer.communicate(timeout=60) == ("", "")
        assert read_count(database) == 1

    def test_do_not_wait_for_one_that_closed_its_connection(self, database: Path) -> None:
        assert start(CLOSE, database).communicate(timeout=60) == ("written\n", "")
        assert read_count(database) == 1
