"""Files that are written: completely or not at all, through links, into pipes and devices."""

from __future__ import annotations

import os
import socket
import subprocess

import pytest

from pymtcnn import FileError
from pymtcnn.files import atomic_path, atomic_write


def write(path, data=b"new"):
    with atomic_write(path) as file:
        file.write(data)


@pytest.mark.parametrize("target", ["there.txt", "new.txt"])
def test_links_are_written_through(tmp_path, target):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "there.txt").write_bytes(b"older")
    (tmp_path / "link.txt").symlink_to(f"folder/{target}")
    (tmp_path / "out.txt").symlink_to(tmp_path / "link.txt")
    write(tmp_path / "out.txt")
    assert os.readlink(tmp_path / "link.txt") == f"folder/{target}"
    assert (tmp_path / "folder" / target).read_bytes() == b"new"
    assert {path.name for path in (tmp_path / "folder").iterdir()} == {"there.txt", target}


def test_a_loop_of_links(tmp_path):
    path = tmp_path / "out.txt"
    path.symlink_to("out.txt")
    with pytest.raises(FileError, match="cannot be written: Too many levels of symbolic links"):
        write(path)
    assert path.is_symlink()


def test_pipes_and_devices(tmp_path):
    pipe, device, full = (tmp_path / name for name in ("pipe", "device", "full"))
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as cat:
        write(pipe)
        assert cat.communicate(timeout=20)[0] == b"new" and pipe.is_fifo()
    device.symlink_to("/dev/null")
    write(device)
    assert device.is_char_device()
    full.symlink_to("/dev/full")
    with pytest.raises(FileError, match="full: cannot be written: No space left on device; free"):
        write(full)
    for path in (pipe, device):  # what needs a name cannot go there
        with (
            pytest.raises(FileError, match="is a pipe or device, where a file is needed"),
            atomic_path(path),
        ):
            pass


def test_what_takes_no_file(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match="folder: cannot be written: Is a directory"):
        write(tmp_path / "folder")
    with pytest.raises(FileError, match="No such file or directory; make its folder first"):
        write(tmp_path / "missing" / "out.txt")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(tmp_path / "socket"))
        with pytest.raises(FileError, match="is a disk or a socket; name a file"):
            write(tmp_path / "socket")
    (tmp_path / "link.txt").symlink_to("missing/out.txt")
    with pytest.raises(FileError, match=r"link\.txt: cannot be written: No such file or directory"):
        write(tmp_path / "link.txt")


def test_nothing_is_left_of_a_failure(tmp_path):
    path = tmp_path / "out.txt"
    path.write_bytes(b"older")
    with pytest.raises(KeyError), atomic_write(path) as file:
        file.write(b"half")
        raise KeyError
    assert path.read_bytes() == b"older" and list(tmp_path.iterdir()) == [path]
