"""Where compiled kernels are kept, under which names, and whose the folder must be."""

import os
import sys
import time
from contextlib import closing
from pathlib import Path

import numba
import numpy as np
import pytest

from rnncast.core import compiling, kernel_cache, kernel_folder, kernel_sources
from rnncast.core.jit import jit_entry
from rnncast.core.kernel_folder import NoFolderError, open_folder

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="owners and modes mean nothing there")
TARGET = ("x86_64-unknown-linux-gnu", "znver3", "+avx2")
NAME = "kernels-0123"


def add(x):
    return x + 1.5


def closure(number):
    def added(x):
        return x + number

    return added


@pytest.fixture(autouse=True)
def base(tmp_path, monkeypatch):
    """A folder of its own for the kernels of each test, and a process that has not warned yet."""
    monkeypatch.setenv("RNNCAST_CACHE_DIR", str(tmp_path / "base"))
    monkeypatch.setattr(compiling, "_warned", False)
    monkeypatch.setattr(compiling, "_listener", None)
    return tmp_path / "base"


def run(function=add, x=1.0):
    """Result of a function in a dispatcher of its own, and whether its code was loaded."""
    kernel = jit_entry(function)
    return kernel(x), kernel.stats.cache_hits.total() == 1


def files(base):
    return sorted(base.rglob("*.kernel"))


def test_second_process_loads_what_the_first_compiled(base):
    assert run() == (2.5, False)
    assert run() == (2.5, True)
    assert len(files(base)) == 1


def test_each_signature_has_its_file(base):
    kernel = jit_entry(add)
    assert (kernel(1.0), kernel(1), kernel(np.float32(2))) == (2.5, 2.5, 3.5)
    assert len(files(base)) == 3
    assert run(x=1) == (2.5, True)


@pytest.mark.parametrize("variable", ["RNNCAST_CACHE_DIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"])
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="other places there")
def test_the_first_variable_that_is_set_names_the_place(variable, tmp_path, monkeypatch):
    names = ["RNNCAST_CACHE_DIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"]
    for name in names:
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name) if names.index(name) >= names.index(variable) else "")
    with closing(open_folder(NAME)) as folder:
        steps = (".cache",) if variable == "HOME" else ()
        assert Path(folder.path) == tmp_path.joinpath(variable, *steps, "rnncast", NAME)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="other places there")
def test_a_home_that_there_is_not_is_not_made(tmp_path, monkeypatch):
    for name in ("RNNCAST_CACHE_DIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nonexistent"))
    with pytest.raises(NoFolderError, match="nonexistent"):
        open_folder(NAME)
    assert not (tmp_path / "nonexistent").exists()


@POSIX
def test_what_is_made_is_private(base):
    run()
    for path in (base, base / "rnncast", *(base / "rnncast").iterdir()):
        assert path.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in files(base)} == {0o600}


@POSIX
@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777], ids=oct)
@pytest.mark.parametrize("which", ["rnncast", f"rnncast/{NAME}"])
def test_a_folder_that_others_may_write_to_is_refused(base, which, mode):
    open_folder(NAME).close()
    (base / which).chmod(mode)
    with pytest.raises(NoFolderError, match="can be written to by others"):
        open_folder(NAME)


@POSIX
def test_a_folder_of_another_user_is_refused(base, monkeypatch):
    open_folder(NAME).close()
    monkeypatch.setattr(os, "geteuid", lambda: (base / "rnncast").stat().st_uid + 1)
    with pytest.raises(NoFolderError, match=r"rnncast belongs to another user$"):
        open_folder(NAME)


@POSIX
@pytest.mark.parametrize("which", ["rnncast", f"rnncast/{NAME}"])
def test_a_link_in_the_place_of_a_folder_is_refused(base, tmp_path, which):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (base / which).parent.mkdir(parents=True, mode=0o700)
    (base / which).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NoFolderError, match="links are not followed"):
        open_folder(NAME)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@POSIX
def test_a_folder_that_is_exchanged_while_it_is_open_is_not_followed(base, tmp_path):
    with closing(open_folder(NAME)) as folder:
        folder.write("a.kernel", [b"ours"])
        (base / "rnncast").rename(base / "away")
        (base / "rnncast" / NAME).mkdir(parents=True)
        (base / "rnncast" / NAME / "a.kernel").write_bytes(b"theirs")
        assert folder.read("a.kernel") == b"ours"


@POSIX
@pytest.mark.parametrize("fault", ["link", "pipe", "mode"])
def test_a_file_that_somebody_else_could_have_made_is_not_read(base, fault):
    run()
    (path,) = files(base)
    if fault == "mode":
        path.chmod(0o666)
    elif fault == "link":
        path.rename(base / "elsewhere")
        path.symlink_to(base / "elsewhere")
    else:
        path.unlink()
        os.mkfifo(path)
    with pytest.warns(RuntimeWarning, match="compiled again"):
        assert run() == (2.5, False)
    assert run() == (2.5, True)


def test_every_truncation_and_every_flipped_bit_is_found():
    label = bytes(range(32))
    payload = b"what was pickled"
    whole = kernel_cache._digest(payload, label) + payload
    assert bytes(kernel_cache._checked(whole, label)) == payload
    damaged = [whole[:length] for length in range(len(whole))]
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        damaged.append(bytes(flipped))
    assert len(damaged) == 9 * len(whole)
    for data in damaged:
        with pytest.raises(kernel_cache._DamagedError):
            kernel_cache._checked(data, label)


def test_nothing_is_unpickled_before_it_is_checked(base, monkeypatch):
    run()
    (path,) = files(base)
    path.write_bytes(path.read_bytes()[:-1])
    monkeypatch.setattr(kernel_cache.pickle, "loads", lambda data: pytest.fail("unpickled"))
    with pytest.warns(RuntimeWarning, match="its file was damaged"):
        assert run() == (2.5, False)


def test_what_numba_cannot_make_of_a_whole_file_is_compiled_again(base, monkeypatch):
    run()
    with monkeypatch.context() as patch:
        patch.setattr(kernel_cache.pickle, "loads", lambda data: (1, 2))
        with pytest.warns(RuntimeWarning, match="compiled again"):
            assert run() == (2.5, False)
    assert run() == (2.5, True)


def test_a_closure_is_not_kept(base):
    with pytest.warns(RuntimeWarning, match="is a closure"):
        assert run(closure(2.0)) == (3.0, False)
    assert run(closure(3.0)) == (4.0, False)
    assert files(base) == []


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        pytest.param(kernel_sources, "_DIGEST", b"another core", id="sources"),
        pytest.param(kernel_sources, "__version__", "9.9", id="rnncast"),
        pytest.param(numba, "__version__", "9.9", id="numba"),
        pytest.param(kernel_sources.llvmlite, "__version__", "9.9", id="llvmlite"),
        pytest.param(np, "__version__", "9.9", id="numpy"),
        pytest.param(sys, "version", "9.9", id="python"),
        pytest.param(numba.config, "OPT", 7, id="optimisation"),
    ],
)
def test_whatever_kernels_are_made_of_has_a_part_in_their_folder(module, name, value, monkeypatch):
    before = kernel_sources.fingerprint(TARGET)
    monkeypatch.setattr(module, name, value)
    kernel_sources._fingerprint.cache_clear()
    assert kernel_sources.fingerprint(TARGET) != before
    kernel_sources._fingerprint.cache_clear()


def test_every_processor_has_its_folder():
    targets = [TARGET, (TARGET[0], "znver4", TARGET[2]), (*TARGET[:2], "+avx2,+avx512f"), ("aarch64", *TARGET[1:])]
    assert len({kernel_sources.fingerprint(target) for target in targets}) == 4


def test_every_source_of_the_core_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_sources, "_CORE", tmp_path)
    assert kernel_sources._sources() == (None, [])
    found = set()
    for name, text in [("a.py", "x = 1"), ("b.py", "x = 1"), ("a.py", "x = 2"), ("b.py", "")]:
        (tmp_path / name).write_text(text)
        found.add(kernel_sources._sources()[0])
    assert len(found) == 4


def test_sources_that_were_altered_meanwhile_are_not_those_that_run(base, tmp_path, monkeypatch):
    (tmp_path / "cells.py").write_text("x = 1")
    monkeypatch.setattr(kernel_sources, "_CORE", tmp_path)
    with pytest.warns(RuntimeWarning, match="altered while it ran"):
        assert run() == (2.5, False)
    assert not base.exists()


def test_compiling_is_told_once_and_loading_never(base):
    told = []
    compiling.tell_of_compiling(told.append)
    kernel = jit_entry(add)
    kernel(1.0)
    kernel(1)
    assert told == [True]
    compiling.tell_of_compiling(told.append)
    run()
    assert told == [True]


def test_who_is_told_can_refuse(base):
    class Refused(Exception):
        pass

    def refuse(kept):
        raise Refused

    compiling.tell_of_compiling(refuse)
    with pytest.raises(Refused):
        run()
    assert run() == (2.5, False)


def test_without_a_place_it_is_told_that_nothing_is_kept(base):
    told = []
    compiling.tell_of_compiling(told.append)
    base.write_text("no folder")
    with pytest.warns(RuntimeWarning, match="compiled anew in each run"):
        assert run() == (2.5, False)
    assert told == [False]
    assert run() == (2.5, False)  # a second warning would be an error


def age(path, days):
    then = time.time() - days * 86400
    os.utime(path, (then, then))


def make_others(own, days):
    for number, old in enumerate(days):
        folder = own / f"kernels-other{number}"
        (folder / "inner").mkdir(parents=True, mode=0o700)
        (folder / "run.kernel").write_bytes(b"x")
        age(folder, old)


def test_folders_that_were_not_used_for_long_go(base):
    own = base / "rnncast"
    open_folder(NAME).close()
    make_others(own, [1, 59, 61, 400])
    (own / "notes").mkdir()
    age(own / "notes", 400)
    kernel_folder.sweep(NAME)
    assert {path.name for path in own.iterdir()} == {NAME, "notes", "kernels-other0", "kernels-other1"}


def test_only_the_last_few_folders_stay(base):
    own = base / "rnncast"
    open_folder(NAME).close()
    age(own / NAME, 50)  # the one in use stays, whatever its age
    make_others(own, range(1, 13))
    kernel_folder.sweep(NAME)
    expected = {f"kernels-other{number}" for number in range(kernel_folder.MOST_OTHERS)} | {NAME}
    assert {path.name for path in own.iterdir()} == expected


@POSIX
def test_a_link_among_the_folders_is_not_followed_when_they_are_swept(base, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    open_folder(NAME).close()
    link = base / "rnncast" / "kernels-link"
    link.symlink_to(tmp_path / "precious")
    os.utime(link, (0, 0), follow_symlinks=False)
    kernel_folder.sweep(NAME)
    assert (tmp_path / "precious" / "file").exists()


def test_temporaries_of_dead_runs_go(base):
    with closing(open_folder(NAME)) as folder:
        for name, days in (("a.tmp", 2), ("b.tmp", 0), ("c.kernel", 2)):
            folder.write(name, [b""])
            age(base / "rnncast" / NAME / name, days)
        kernel_folder.sweep(NAME)
        assert {name for _, name, _ in folder.ages()} == {"b.tmp", "c.kernel"}


def test_use_makes_a_folder_young_again(base):
    run()
    (folder,) = (base / "rnncast").iterdir()
    age(folder, 50)
    assert run() == (2.5, True)
    assert time.time() - folder.stat().st_mtime < 86400


def test_a_folder_that_is_swept_in_between_is_made_again(base):
    def sweep(kept):
        (folder,) = (base / "rnncast").iterdir()
        folder.rmdir()

    compiling.tell_of_compiling(sweep)
    assert run() == (2.5, False)
    assert run() == (2.5, True)
