"""Files are there whole or not at all, and nothing is left beside them."""

import contextlib
import errno
import os
import stat
import threading

import pytest

from rnncast.data.atomic import atomic_write
from rnncast.errors import OutputError, StorageError


def refuse(code):
    def write(_file):
        raise OSError(code, os.strerror(code))

    return write


def test_content_is_written_and_nothing_else(tmp_path):
    atomic_write(tmp_path / "a.bin", lambda file: file.write(b"new"))
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_file_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    atomic_write("a.bin", lambda file: file.write(b"new"))
    assert (tmp_path / "a.bin").read_bytes() == b"new"


def test_a_file_is_replaced_whole_and_keeps_its_permissions(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"a much longer old content")
    path.chmod(0o640)
    atomic_write(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_has_the_usual_permissions(tmp_path):
    mask = os.umask(0o027)
    try:
        atomic_write(tmp_path / "a.bin", lambda file: file.write(b""))
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o640


def test_the_name_comes_after_the_content_is_on_the_disk(tmp_path, monkeypatch):
    calls = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append("fsync"), sync(handle)))
    monkeypatch.setattr(os, "replace", lambda *names: (calls.append("replace"), replace(*names)))
    atomic_write(tmp_path / "a.bin", lambda file: file.write(b"new"))
    assert calls == ["fsync", "replace", "fsync"]  # the file, its name, the folder


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.ENOSPC, StorageError),
        (errno.EIO, StorageError),
        (errno.EDQUOT, StorageError),
        (errno.EACCES, OutputError),
    ],
    ids=["full disk", "broken disk", "quota", "no permission"],
)
def test_a_failed_write_leaves_the_old_file(tmp_path, code, error):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(error) as caught:
        atomic_write(path, refuse(code))
    assert str(path) in caught.value.message
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_full_disk_at_the_last_moment_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", lambda _handle: refuse(errno.ENOSPC)(None))
    with pytest.raises(StorageError):
        atomic_write(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize(
    ("code", "is_told"), [(errno.EIO, True), (errno.EINVAL, False)], ids=["broken disk", "a system that cannot"]
)
def test_a_name_that_is_not_brought_to_the_disk(tmp_path, monkeypatch, code, is_told):
    sync = os.fsync

    def fails_for_folders(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(code, os.strerror(code))
        sync(handle)

    monkeypatch.setattr(os, "fsync", fails_for_folders)
    with pytest.raises(StorageError) if is_told else contextlib.nullcontext():
        atomic_write(tmp_path / "a.bin", lambda file: file.write(b"new"))
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_an_interrupt_leaves_nothing(tmp_path):
    def write(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic_write(tmp_path / "a.bin", write)
    assert os.listdir(tmp_path) == []


def test_no_clobber_refuses_and_writes_nothing(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="exists") as error:
        atomic_write(path, lambda file: pytest.fail("was called"), clobber=False)
    assert "--no-clobber" in error.value.hint
    assert path.read_bytes() == b"old"


def test_no_clobber_lets_the_first_of_two_win(tmp_path):
    path = tmp_path / "a.bin"
    with pytest.raises(OutputError, match="exists"):
        atomic_write(path, lambda file: path.write_bytes(b"other"), clobber=False)
    assert path.read_bytes() == b"other"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_no_clobber_writes_a_new_file(tmp_path):
    atomic_write(tmp_path / "a.bin", lambda file: file.write(b"new"), clobber=False)
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_no_clobber_without_hard_links(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *_names: refuse(errno.EPERM)(None))
    atomic_write(tmp_path / "a.bin", lambda file: file.write(b"new"), clobber=False)
    assert os.listdir(tmp_path) == ["a.bin"]
    with pytest.raises(OutputError, match="exists"):
        atomic_write(tmp_path / "b.bin", lambda file: (tmp_path / "b.bin").write_bytes(b"other"), clobber=False)
    assert (tmp_path / "b.bin").read_bytes() == b"other"


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.bin").write_bytes(b"old")
    (tmp_path / "link.bin").symlink_to("real.bin")
    atomic_write(tmp_path / "link.bin", lambda file: file.write(b"new"))
    assert (tmp_path / "link.bin").is_symlink()
    assert (tmp_path / "real.bin").read_bytes() == b"new"


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="no such device")
def test_a_device_stays_a_device():
    atomic_write("/dev/null", lambda file: file.write(b"gone"))
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")
def test_a_full_device():
    with pytest.raises(StorageError, match="could not be written"):
        atomic_write("/dev/full", lambda file: file.write(b"x" * 100_000))


@pytest.mark.parametrize(
    "name", ["none/a.bin", "file/a.bin", "", "x" * 300], ids=["no folder", "no folder but a file", "folder", "long"]
)
def test_what_cannot_be_created(tmp_path, name):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError) as error:
        atomic_write(tmp_path / name, lambda file: file.write(b"new"))
    assert error.value.exit_code == 73
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_whose_reader_goes_away_is_a_broken_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def read_a_little():
        with open(pipe, "rb", buffering=0) as stream:
            stream.read(10)

    reader = threading.Thread(target=read_a_little)
    reader.start()
    with pytest.raises(BrokenPipeError):
        atomic_write(pipe, lambda file: file.write(b"x" * 10_000_000))
    reader.join()
