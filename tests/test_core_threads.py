"""How many threads compute."""

import threading
import time

import pytest

from rnncast.core import threads


@pytest.fixture(autouse=True)
def _nothing_asked(monkeypatch):
    monkeypatch.setattr(threads, "_asked", None)
    monkeypatch.delenv(threads.VARIABLE, raising=False)


def test_option_then_environment_then_machine(monkeypatch):
    assert threads.threads() == threads.available_cores() >= 1
    monkeypatch.setenv(threads.VARIABLE, "3")
    assert threads.threads() == 3
    threads.set_threads(5)
    assert threads.threads() == 5
    threads.set_threads(None)
    assert threads.threads() == 3


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_a_variable_that_is_no_number_of_threads(monkeypatch, value):
    monkeypatch.setenv(threads.VARIABLE, value)
    with pytest.raises(ValueError, match=threads.VARIABLE):
        threads.threads()


@pytest.mark.parametrize(
    ("written", "cores"),
    [("max 100000", 4), ("150000 100000", 2), ("20000 100000", 1), ("900000 100000", 4), ("nonsense", 4), (None, 4)],
)
def test_a_quota_of_the_control_group_counts(monkeypatch, tmp_path, written, cores):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(threads, "_CGROUP", str(tmp_path / "cpu.max"))
    if written is not None:
        (tmp_path / "cpu.max").write_text(written + "\n")
    assert threads.available_cores() == cores


def test_work_is_side_by_side_and_errors_come_back():
    meeting = threading.Barrier(3, timeout=10)
    names = [""] * 3

    def work(number):
        meeting.wait()  # passes only if all three are at work at once
        names[number] = threading.current_thread().name
        yield

    threads.side_by_side(work, 3)
    assert names[0] == threading.current_thread().name
    assert len(set(names)) == 3

    def fail(number):
        yield
        if number == 2:
            raise OSError("two")

    with pytest.raises(OSError, match="two"):
        threads.side_by_side(fail, 3)


def test_an_interruption_is_heard_between_two_steps_and_ends_all():
    begun, steps = threading.Event(), []

    def work(number):
        if number == 0:
            assert begun.wait(10)
            raise KeyboardInterrupt
        for step in range(10_000):
            steps.append(step)
            begun.set()
            yield
            time.sleep(0.001)

    with pytest.raises(KeyboardInterrupt):
        threads.side_by_side(work, 2)
    assert len(steps) < 10_000
