"""python tests/environments.py: the package in the environments that pyproject.toml admits.

Makes a wheel, and for each line of the table below a new virtual environment with it, where
pictures and videos are searched and written. Downloads some hundred MB; takes some minutes. Exits
with 1 if one of them fails. `--only WORD` takes the lines with this word in them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

LOWEST = "numpy==1.22.0 pillow==9.1.0 av==14.2.0 cffi==1.15.0 tqdm==4.60.0"
ENVIRONMENTS = [  # the Python, and what is there before the package
    ("3.10", LOWEST),
    ("3.10", ""),
    ("3.11", ""),
    ("3.12", ""),
    ("3.13", ""),
    ("3.10", "numpy==1.26.4 opencv-python==4.5.5.64"),
    ("3.10", "numpy==1.26.4 opencv-python==4.8.1.78"),
    ("3.11", "numpy==1.26.4 opencv-python==4.10.0.84"),
    ("3.12", "numpy==2.0.2 opencv-python==4.10.0.84"),
    ("3.12", "numpy==2.2.6 opencv-python==4.12.0.88"),
    ("3.13", "opencv-python==4.14.0.94"),
    ("3.13", "opencv-python==5.0.0.93"),
    ("3.10", "numpy==1.26.4 opencv-python-headless==4.8.1.78"),
    ("3.12", "opencv-python-headless==4.12.0.88"),
    ("3.13", "opencv-python-headless==5.0.0.93"),
    ("3.11", "opencv-python==4.14.0.94 opencv-python-headless==4.14.0.94"),
    ("3.13", "pillow==11.3.0 pillow-heif"),
]

SMOKE = """
import sys
from pathlib import Path
import av, numpy as np, PIL
from pymtcnn import Detector, draw, frames, read_picture, write_picture
data, out = map(Path, sys.argv[1:])
detector = Detector()
for name in ("grace_hopper.jpg", "astronaut.jpg"):
    faces = detector.detect(data / name)
    rgb = read_picture(data / name)
    for ending in (".png", ".jpg", ".webp", ".tif", ".bmp", ".ppm"):
        write_picture(out / ("copy" + ending), draw(rgb, faces))
        assert read_picture(out / ("copy" + ending)).shape == rgb.shape
    try:
        import cv2
    except ImportError:
        cv2 = None
    else:
        array = cv2.imread(str(data / name))
        assert abs(detector.detect(array, color="BGR").boxes - faces.boxes).max() < 0.5
        assert abs(array[..., ::-1].astype(int) - rgb).max() <= 3
    assert len(faces) == 1 and faces.scores[0] > 0.99, faces
with av.open(str(out / "video.mp4"), "w") as video:
    stream = video.add_stream("mpeg4", rate=10)
    stream.width, stream.height, stream.pix_fmt = 512, 512, "yuv420p"
    for shift in range(5):
        frame = av.VideoFrame.from_ndarray(np.roll(rgb[:512], shift, 1), format="rgb24")
        video.mux(stream.encode(frame))
    video.mux(stream.encode())
assert [len(detector.detect(frame.picture)) for frame in frames(out / "video.mp4")] == [1] * 5
print(*(f"{each.__name__} {each.__version__}" for each in (np, PIL, av, cv2) if each))
"""


def main() -> int:
    """Run all; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", metavar="WORD", help="lines with this word in them")
    parser.add_argument("--pythons", default="python{}", metavar="PATH", help=(
        "where the Pythons are, with {} in the place of 3.10, ...; default: python{}"))  # fmt: skip
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        wheel = _wheel(Path(folder))
        for version, packages in ENVIRONMENTS:
            if args.only in f"{version} {packages}":
                python = args.pythons.format(version)
                said = _tried(python, packages, wheel, Path(folder, "environment"))
                failed += said.startswith("FAILED")
                print(f"Python {version}, {packages or 'nothing else'}: {said}", flush=True)
    return int(failed > 0)


def _wheel(folder: Path) -> Path:
    _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT)
    return next(folder.glob("*.whl"))


def _tried(python: str, packages: str, wheel: Path, folder: Path) -> str:
    """What the environment has, or why it failed."""
    try:
        _run(python, "-m", "venv", "--clear", folder)
        pip = [folder / "bin/pip", "install", "-q", "--only-binary", ":all:"]
        if packages:
            _run(*pip, *packages.split())
        _run(*pip, wheel)
        _run(folder / "bin/pip", "check")
        data = ROOT / "tests" / "data"
        smoke = "import sys; del sys.path[0]\n" + SMOKE  # the package is the installed one
        said = _run(folder / "bin/python", "-W", "error", "-c", smoke, data, folder)
        _run(folder / "bin/pymtcnn", "detect", data, "--out", folder / "annotated")
        copy = folder / "annotated.mp4"
        _run(folder / "bin/pymtcnn", "video", folder / "video.mp4", "--out", copy)
        return said.strip()
    except subprocess.CalledProcessError as error:
        return f"FAILED: {error.cmd[-1]}: {error.stderr.strip()[-500:]}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: object) -> str:
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
