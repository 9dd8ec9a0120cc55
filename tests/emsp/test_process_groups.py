"""Process groups end with their owner, and fallen services start again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emsp.management.demo import machine
from emsp.management.demo.machine import DemoStopped
from emsp.management.demo.supervisor import FALLS_BEFORE_READY_MAX, Service, Supervisor
from emsp.management.groups import ProcessGroups
from tests.conftest import ROOT
from tests.services import find_free_port

WAIT_S = 20.0

# Starts what its arguments say in groups of its own, tells the leaders' ids, and waits.
OWNER = """
import signal, sys, time
from pathlib import Path
from emsp.management.groups import ProcessGroups
with ProcessGroups() as groups:
    for command in sys.argv[2:]:
        child = groups.start(["sh", "-c", command], output=Path(sys.argv[1]))
        print(child.pid, flush=True)
    print("guard", groups._guard.pid, flush=True)
    signal.signal(signal.SIGUSR1, lambda *_: groups.keep_guarded())
    try:
        while True:
            time.sleep(0.05)
    except KeyboardInterrupt:
        pass
"""
# The same with the demo's own web and worker; its arguments only say how many there are.
SERVICES_OWNER = OWNER.replace(
    """    for command in sys.argv[2:]:
        child = groups.start(["sh", "-c", command], output=Path(sys.argv[1]))
""",
    """    import django
    django.setup()
    from emsp.management.demo.flow import describe_web, describe_worker
    for service in (describe_web(), describe_worker()):
        child = groups.start(service.command, output=Path(sys.argv[1]))
""",
)
# A process with a child of its own, and one that does not want to stop.
FAMILY = "sleep 600 & sleep 600"
STUBBORN = "trap '' TERM; while true; do sleep 600 & wait; done"


def wait_until(holds: Callable[[], bool], *, within_s: float = WAIT_S) -> None:
    deadline_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.05)


def find_members(group: int) -> list[int]:
    """Find the processes of a group that still run (a zombie has ended)."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, found = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(found) == group and state != "Z":
            members.append(int(stat.parent.name))
    return members


class Owner:
    """A process that owns process groups, as the demo does."""

    def __init__(
        self, folder: Path, *commands: str, script: str = OWNER, env: dict[str, str] | None = None
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, str(folder / "children.log"), *commands],
            cwd=ROOT,
            env=os.environ | (env or {}),
            stdout=subprocess.PIPE,
            text=True,
        )
        self.groups: list[int] = []
        self.guard = 0

    def read_ids(self) -> None:
        """Read who was started, until the guard's line."""
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("guard"):
                self.guard = int(line.split()[1])
                return
            self.groups.append(int(line))
        pytest.fail("the owner did not start")

    def count_running(self) -> int:
        return sum(len(find_members(group)) for group in self.groups)

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                continue


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Owner]:
    owner = Owner(tmp_path, FAMILY, STUBBORN)
    try:
        owner.read_ids()
        wait_until(lambda: owner.count_running() >= 4)
        yield owner
    finally:
        owner.end()


class TestProcessGroups:
    def test_leave_nothing_behind_when_their_owner_is_killed(self, family: Owner) -> None:
        family.process.kill()
        wait_until(lambda: family.count_running() == 0)
        wait_until(lambda: find_members(family.guard) == [])

    def test_leave_nothing_behind_after_ctrl_c(self, family: Owner) -> None:
        family.process.send_signal(signal.SIGINT)
        assert family.process.wait(WAIT_S) == 0
        assert family.count_running() == 0
        assert find_members(family.guard) == []

    def test_survive_the_loss_of_their_guard(self, family: Owner) -> None:
        os.kill(family.guard, signal.SIGKILL)
        wait_until(lambda: find_members(family.guard) == [])
        family.process.send_signal(signal.SIGUSR1)
        time.sleep(0.5)
        family.process.kill()
        wait_until(lambda: family.count_running() == 0)

    def test_are_deaf_to_the_ctrl_c_of_a_terminal(self, family: Owner) -> None:
        # A terminal signals the foreground group; children and guard must be in others.
        own = os.getpgid(family.process.pid)
        assert own not in {*family.groups, os.getpgid(family.guard)}

    def test_end_what_a_fallen_child_leaves_behind(self, tmp_path: Path) -> None:
        with ProcessGroups() as groups:
            child = groups.start(["sh", "-c", "sleep 600 & exit 3"], output=tmp_path / "log")
            assert child.wait(WAIT_S) == 3
            assert len(find_members(child.pid)) == 1
            groups.clear_away(child)
            assert find_members(child.pid) == []


class TestServices:
    def test_leave_no_port_and_no_process_behind(self, tmp_path: Path) -> None:
        port = find_free_port()
        variables = {
            "SECRET_KEY": "tests-only",
            "ENV_FILE": str(tmp_path / "none"),
            "DATA_DIR": str(tmp_path),
            "DEMO": "1",
            "PORT": str(port),
            "DJANGO_SETTINGS_MODULE": "emsp.settings",
        }
        owner = Owner(tmp_path, "web", "worker", script=SERVICES_OWNER, env=variables)
        try:
            owner.read_ids()
            # The web's master with two workers, the Celery worker with its beat.
            wait_until(lambda: owner.count_running() >= 5, within_s=60)
            wait_until(lambda: not machine.is_port_free(port), within_s=60)
            owner.process.kill()
            wait_until(lambda: owner.count_running() == 0)
            assert machine.is_port_free(port)
        finally:
            owner.end()


class Hands:
    """A supervisor with a clock that stands until it is moved."""

    def __init__(self, groups: ProcessGroups, folder: Path) -> None:
        self.now_s = 0.0
        self.supervisor = Supervisor(
            groups, env=os.environ, cwd=ROOT, logs=folder, clock_s=lambda: self.now_s
        )

    def count_starts(self, service: Service) -> int:
        return self.supervisor.find_log(service).read_text().count("begun")


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    with ProcessGroups() as groups:
        yield Hands(groups, tmp_path)


FALLING = Service("worker", ("sh", "-c", "echo begun; exit 7"))


class TestSupervisor:
    def test_starts_a_fallen_service_again_after_growing_waits(
        self, hands: Hands, capsys: pytest.CaptureFixture[str]
    ) -> None:
        hands.supervisor.start(FALLING)
        for starts, wait_s in ((1, 1), (2, 2), (3, 4)):
            wait_until(lambda starts=starts: hands.count_starts(FALLING) == starts)  # type: ignore[misc]
            told = ""
            while not told:
                hands.supervisor.look()
                told = capsys.readouterr().out
            assert told.startswith(
                f"The worker has stopped (exit code 7); it is started again in {wait_s} s."
            )
            hands.now_s += wait_s - 0.1
            hands.supervisor.look()
            assert hands.count_starts(FALLING) == starts
            hands.now_s += 0.1
            hands.supervisor.look()

    def test_gives_up_on_a_service_that_never_stays_up(
        self, hands: Hands, capsys: pytest.CaptureFixture[str]
    ) -> None:
        hands.supervisor.start(FALLING)

        def is_ready() -> bool:
            hands.now_s += 1
            return False

        with pytest.raises(DemoStopped, match=r"The worker does not stay up\..*\nbegun"):
            hands.supervisor.wait_until(is_ready, deadline_s=1000, name="The start")
        assert capsys.readouterr().out.count("has stopped") == FALLS_BEFORE_READY_MAX

    def test_says_where_the_logs_are_when_a_start_takes_too_long(self, hands: Hands) -> None:
        def is_ready() -> bool:
            hands.now_s += 6
            return False

        with pytest.raises(
            DemoStopped, match=re.escape("The start took longer than 5 s. The logs are in")
        ):
            hands.supervisor.wait_until(is_ready, deadline_s=5, name="The start")
