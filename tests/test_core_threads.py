"""How many threads compute."""

import signal
import threading
import time

import pytest

from rnncast.core import threads
from rnncast.core.control_words import ABANDON, ASKED, BROKEN, END, new_control


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
    monkeypatch.setenv(threads.VARIABLE, "1000000")
    assert threads.threads() == threads.MOST_THREADS


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


def make_work(*calls):
    return threads.Work(calls, new_control())


@pytest.mark.parametrize("run", [threads.run_short, lambda work: threads.run_long([work])], ids=["short", "long"])
def test_calls_are_side_by_side_and_errors_come_back(run):
    meeting = threading.Barrier(3, timeout=10)
    names = []

    def call():
        meeting.wait()  # passes only if all three are at work at once
        names.append(threading.current_thread().name)

    run(make_work(call, call, call))
    assert len(set(names)) == 3

    def fail():
        raise OSError("two")

    with pytest.raises(OSError, match="two"):
        run(make_work(lambda: None, lambda: None, fail))


def test_a_short_run_of_one_call_stays_in_this_thread():
    names = []
    threads.run_short(make_work(lambda: names.append(threading.current_thread().name)))
    assert names == [threading.current_thread().name]


def until_told(work, word, ended):
    """A call that goes on until a word is not 0 any more."""

    def call():
        limit = time.monotonic() + 10
        while work[0].control[word] == 0 and time.monotonic() < limit:
            time.sleep(0.001)
        ended.append(int(work[0].control[word]))

    return call


def test_after_some_time_works_are_asked_to_end():
    work, ended = [], []
    work.append(make_work(until_told(work, ASKED, ended), until_told(work, ASKED, ended)))
    threads.run_long(work, 0.05)
    assert ended == [END, END]


def test_an_interruption_abandons_all_works_and_goes_on():
    work, ended = [], []
    work.append(make_work(until_told(work, ASKED, ended), until_told(work, ASKED, ended)))
    threading.Timer(0.05, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        threads.run_long(work)
    assert ended == [ABANDON, ABANDON]


@pytest.mark.parametrize("seconds", [None, 0.01])
def test_if_a_call_fails_nobody_waits_for_it(seconds):
    work, ended = [], []

    def fail():
        time.sleep(0.05)
        raise MemoryError("no room")

    work.append(make_work(until_told(work, BROKEN, ended), fail, until_told(work, BROKEN, ended)))
    with pytest.raises(MemoryError, match="no room"):
        threads.run_long(work, seconds)
    assert ended == [1, 1]
    assert work[0].control[ASKED] == ABANDON


def test_if_not_all_threads_start_nobody_waits_for_the_missing(monkeypatch):
    work, ended, pool = [], [], threads._pool()
    work.append(make_work(until_told(work, BROKEN, ended), until_told(work, BROKEN, ended)))
    started = []

    class Pool:
        def submit(self, call):
            if started:
                raise RuntimeError("can't start new thread")
            started.append(call)
            return pool.submit(call)

    monkeypatch.setattr(threads, "_pool", Pool)
    with pytest.raises(RuntimeError, match="new thread"):
        threads.run_long(work)
    assert ended == [1]


def test_jobs_of_a_team_share_the_threads():
    threads.set_threads(5)
    with threads.Team(2) as team:
        shares = [team.submit(threads.threads) for _ in range(4)]
        assert [share.result() for share in shares] == [2] * 4
        assert threads.threads() == 5  # in this thread nothing changes
    threads.set_threads(1)
    with threads.Team(2) as team:
        assert team.submit(threads.threads).result() == 1


@pytest.mark.parametrize("run", [threads.run_short, lambda work: threads.run_long([work])], ids=["short", "long"])
def test_a_team_that_is_left_abandons_what_runs_and_begins_nothing_more(run):
    ended, begun, results = [], threading.Event(), []

    def job():
        work = []
        work.append(make_work(until_told(work, BROKEN, ended)))
        begun.set()
        run(work[0])
        results.append("the job goes on")

    with pytest.raises(KeyboardInterrupt), threads.Team(1) as team:
        running, never = team.submit(job), team.submit(lambda: results.append("another job begins"))
        begun.wait(10)
        raise KeyboardInterrupt
    assert (ended, results) == ([1], [])
    assert isinstance(running.exception(), threads.CalledOff)
    assert never.cancelled()


def test_a_job_of_a_team_that_was_called_off_runs_no_kernel():
    ran, limit = [], time.monotonic() + 10

    def job():
        while not team._called_off and time.monotonic() < limit:
            time.sleep(0.001)
        threads.run_short(make_work(lambda: ran.append(1)))

    with threads.Team(1) as team:
        running = team.submit(job)
    assert ran == []
    assert isinstance(running.exception(), threads.CalledOff)
