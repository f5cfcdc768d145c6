"""Memory of a process and its children; memory that is freed and kept."""

import os
import platform
import subprocess
import sys

import pytest
from support import ROOT
from support.skips import absent_if

from train_mtcnn.training.process_memory import own_memory

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


@absent_if(not sys.platform.startswith("linux"), "Linux's /proc")
@pytest.mark.parametrize("children, low, high", [(0, 64, 100), (1, 128, 200)])
def test_children_count(children, low, high):
    command = [sys.executable, "-c", TAKES, str(children), TAKES]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        taken = own_memory(process.pid)
        process.stdin.close()
    assert low <= taken < high
    assert own_memory(process.pid) == 0  # it has ended


@absent_if(not sys.platform.startswith("linux"), "Linux's /proc")
def test_mapped_files_do_not_count(tmp_path):
    import numpy as np

    path = tmp_path / "large"
    np.zeros(64 << 20, np.uint8).tofile(path)
    before = own_memory(os.getpid())
    mapped = np.memmap(path, np.uint8, "r")
    assert mapped.sum() == 0
    assert own_memory(os.getpid()) - before < 32


FAULTS = """
import ctypes, resource, sys

from train_mtcnn.training.process_memory import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p

def use(size):
    memory = ctypes.c_void_p(libc.malloc(ctypes.c_size_t(size)))
    libc.memset(memory, 1, ctypes.c_size_t(size))
    libc.free(memory)

use(64 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    use(64 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.slow
@absent_if(platform.libc_ver()[0] != "glibc", "glibc's mallopt")
def test_freed_memory_is_kept():
    def faults(word):
        command = [sys.executable, "-c", FAULTS, word]
        return int(subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout)

    assert faults("as it is") > 500  # 16,384 at 4 KiB a page, 640 at 2 MiB
    assert faults("keep") < 50
