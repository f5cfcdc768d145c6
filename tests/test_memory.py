"""Memory of a process and its children."""

import os
import subprocess
import sys

import pytest

from train_mtcnn.memory import own_memory

TAKES = """
import subprocess, sys
taken = bytearray(64 << 20)
if sys.argv[1] != "0":
    child = subprocess.Popen(
        [sys.executable, "-c", sys.argv[2], "0", ""], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    child.stdout.readline()
print(flush=True)
sys.stdin.readline()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's /proc")
@pytest.mark.parametrize("children, low, high", [(0, 64, 100), (1, 128, 200)])
def test_children_count(children, low, high):
    command = [sys.executable, "-c", TAKES, str(children), TAKES]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        taken = own_memory(process.pid)
        process.stdin.close()
    assert low <= taken < high
    assert own_memory(process.pid) == 0  # it has ended


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's /proc")
def test_mapped_files_do_not_count(tmp_path):
    import numpy as np

    path = tmp_path / "large"
    np.zeros(64 << 20, np.uint8).tofile(path)
    before = own_memory(os.getpid())
    mapped = np.memmap(path, np.uint8, "r")
    assert mapped.sum() == 0
    assert own_memory(os.getpid()) - before < 32
