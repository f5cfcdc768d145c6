"""Face detection with MTCNN on a CPU.

    >>> from pymtcnn import Detector
    >>> with Detector() as detector:
    ...     faces = detector.detect("tests/data/grace_hopper.jpg")
    >>> faces.boxes.shape, faces.scores.shape, faces.landmarks.shape
    ((1, 4), (1,), (1, 5, 2))

Coordinates are continuous pixels: the origin is the top left corner of the top left pixel, x grows
to the right, y down; a box is x1, y1, x2, y2 with x2 and y2 exclusive.
"""

from __future__ import annotations

import sys
from importlib import util

if sys.argv[:1] == ["-m"] and "pymtcnn" in sys.orig_argv and util.find_spec("numpy") is None:
    raise SystemExit(
        "python -m pymtcnn: not installed: numpy; run 'bash make_install.sh' in the project's "
        "folder and use the Python in its .venv"
    )

from .crops import crop, extract_faces
from .detector import Detector, Options
from .drawing import draw
from .errors import (
    ArgumentError,
    CfgError,
    CfgWarning,
    FileError,
    LibraryError,
    ModelError,
    MtcnnError,
    MtcnnWarning,
    OutOfMemoryError,
    PictureError,
    PictureWarning,
    VideoError,
    VideoWarning,
    WeightsError,
)
from .faces import Face
from .network import Network
from .pictures import read_picture, write_picture
from .results import Detections, Stage
from .tracking import TrackedFace, TrackedFrame, Tracker, TrackerOptions, Tracks, track
from .video_frames import VideoFrame, frames

__version__: str

__all__ = [
    "ArgumentError",
    "CfgError",
    "CfgWarning",
    "Detections",
    "Detector",
    "Face",
    "FileError",
    "LibraryError",
    "ModelError",
    "MtcnnError",
    "MtcnnWarning",
    "Network",
    "Options",
    "OutOfMemoryError",
    "PictureError",
    "PictureWarning",
    "Stage",
    "TrackedFace",
    "TrackedFrame",
    "Tracker",
    "TrackerOptions",
    "Tracks",
    "VideoError",
    "VideoFrame",
    "VideoWarning",
    "WeightsError",
    "crop",
    "draw",
    "extract_faces",
    "frames",
    "read_picture",
    "track",
    "write_picture",
]


def __getattr__(name: str) -> str:
    """`__version__`, looked up when asked for: importing importlib.metadata takes 20 ms."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import metadata

    try:
        return metadata.version("pymtcnn-darknet")
    except metadata.PackageNotFoundError:  # run from a source tree without installation
        return "0+uninstalled"
