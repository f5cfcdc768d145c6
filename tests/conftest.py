"""What all tests share: the program, the models, the pictures, and how differences are reported."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import cv2
import hypothesis
import numpy as np
import pytest
from support import ASTRONAUT, DATA, ROOT
from support import picture_files as files
from support.program_runs import execute
from support.skips import (  # noqa: F401 pytest looks here for hooks
    absent,
    missing,
    pytest_make_collect_report,
    pytest_runtest_makereport,
)

hypothesis.settings.register_profile("mtcnn", deadline=None)  # machines may be busy
hypothesis.settings.load_profile("mtcnn")

# What runs in the background of a script inherits that Ctrl-C is ignored; programs under test must
# not inherit it from here.
signal.signal(signal.SIGINT, signal.default_int_handler)


def _folder_beside(variable: str, name: str) -> Path:
    """The folder that an environment variable names, else shared/NAME beside the repository."""
    folder = Path(os.environ.get(variable) or ROOT.parent / "shared" / name)
    if not folder.is_dir():
        absent(f"{folder}; ${variable} may name another folder")
    return folder


# ---- what was built ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def program() -> Path:
    """The mtcnn program: $MTCNN_PROGRAM, else ./mtcnn, else build/mtcnn."""
    named = os.environ.get("MTCNN_PROGRAM")
    for path in [Path(named)] if named else [ROOT / "mtcnn", ROOT / "build" / "mtcnn"]:
        if path.is_file():
            return path.resolve()
    missing("the mtcnn program: run make_install.sh, or set $MTCNN_PROGRAM")


@pytest.fixture(scope="session")
def default_model() -> Path:
    """darknet_cfg/default.data."""
    return ROOT / "darknet_cfg" / "default.data"


@pytest.fixture
def model_environment(program, tmp_path_factory, request) -> dict[str, str]:
    """What the environment must say so that the program has a model."""
    probe = tmp_path_factory.mktemp("probe") / "probe.png"
    probe.write_bytes(files.png_rgb(np.zeros((1, 1, 3), np.uint8)))
    if execute(program, probe).returncode == 0:
        return {}
    return {"MTCNN_MODEL": str(request.getfixturevalue("default_model"))}


@pytest.fixture
def run(program, model_environment):
    """A function that runs the program on its arguments, with a model."""

    def run(*arguments, **options):
        environment = {**model_environment, **options.pop("environment", {})}
        return execute(program, *arguments, environment=environment, **options)

    return run


@pytest.fixture
def detect(run):
    """A function that returns the JSON objects, one for each picture, of a run without errors."""

    def detect(*arguments):
        done = run("--json", *arguments)
        assert (done.returncode, done.stderr) == (0, b"")
        return [json.loads(line) for line in done.stdout.splitlines()]

    return detect


@pytest.fixture
def decode(run, tmp_path):
    """A function that returns the pixels [H, W, 3], RGB, that the program reads from a file."""

    def decode(data: bytes, name: str = "picture") -> np.ndarray:
        source, copy = tmp_path / name, tmp_path / "decoded.png"
        source.write_bytes(data)
        done = run("--min-face", "1000000", "--out", copy, source)  # finds, so draws, nothing
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        return cv2.imread(str(copy), cv2.IMREAD_COLOR)[..., ::-1]

    return decode


# ---- pictures ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def noise() -> np.ndarray:
    """Random uint8 pixels [37, 29, 3]: both sides odd, no symmetry."""
    return np.random.default_rng(1).integers(0, 256, (37, 29, 3), np.uint8)


@pytest.fixture(scope="session")
def pictures() -> list[Path]:
    """The bundled pictures, each with at least one face."""
    return sorted(DATA.glob("*.jpg"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real pictures with annotations: $MTCNN_DATA, else shared/data beside the repository."""
    return _folder_beside("MTCNN_DATA", "data")


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Published models: $MTCNN_MODELS, else shared/models beside the repository."""
    return _folder_beside("MTCNN_MODELS", "models")


@pytest.fixture(scope="session")
def ipazc_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the three files of ipazc's mtcnn 1.0.0.

    From the wheel $MTCNN_IPAZC_WHEEL, else one in $MTCNN_MODELS, else the installed package, else
    PyPI.
    """
    from convert.importers import ipazc_wheel as ipazc
    from pymtcnn.errors import FileError

    models = Path(os.environ.get("MTCNN_MODELS") or ROOT.parent / "shared" / "models")
    wheels = sorted(models.glob("mtcnn-1.0.0-*.whl"))
    named = os.environ.get("MTCNN_IPAZC_WHEEL") or (wheels[0] if wheels else None)
    try:
        files = ipazc.find(Path(named) if named else None)
    except FileError as error:
        absent(f"the weights of mtcnn 1.0.0: {error} (or in $MTCNN_IPAZC_WHEEL)")
    folder = tmp_path_factory.mktemp("ipazc")
    for name, (_, content) in files.items():
        (folder / f"{name}.lz4").write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def wider_val(data_dir: Path) -> Path:
    """The folder WIDER_val, with images/<event>/*.jpg."""
    folder = data_dir / "wider" / "WIDER_val"
    if not folder.is_dir():
        absent(str(folder))
    return folder


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video in which a face moves to the left: 30 frames, 25 a second."""
    picture = cv2.imread(str(ASTRONAUT))
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, (320, 240))
    for i in range(30):
        writer.write(np.ascontiguousarray(picture[20:260, 40 + i : 360 + i]))
    writer.release()
    return path


# ---- parity --------------------------------------------------------------------------------------

_differences = pytest.StashKey[list[str]]()


@pytest.fixture
def report_difference(request: pytest.FixtureRequest) -> Callable[[str, float, float], None]:
    """A function that notes a largest difference and its tolerance, for the end of the run."""

    def report(what: str, largest: float, tolerance: float) -> None:
        lines = request.config.stash.setdefault(_differences, [])
        lines.append(f"{largest:9.2e} of {tolerance:7.0e}  {what}")

    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    lines = config.stash.get(_differences, [])
    if lines:
        terminalreporter.section("largest differences and their tolerances")
        for line in lines:
            terminalreporter.write_line(line)
