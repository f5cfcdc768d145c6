"""Faces followed through the frames of a video."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._library import TRACKED_FACE, Core, core, faces_view, image_view
from .arguments import check_image, check_seconds
from .detector import Detector, locked
from .faces import Face, Faces
from .pictures import MAX_PIXELS
from .settings import check_options, write_options
from .video_frames import VideoSource, frames

if TYPE_CHECKING:
    import pandas
    import supervision


@dataclass(frozen=True)
class TrackerOptions:
    """The settings that a tracker works with.

    Attributes
    ----------
    every : int
        Frames from one full scan to the next.
    lost : int
        A face is dropped after it was missed in more than this number of consecutive frames.
    min_score : float
        Minimum score of a face that gets an id.
    smoothing : float
        Time constant of the smoothing of a face at rest, in seconds.
    beta : float
        How much less a moving face is smoothed: Hz for each of its sides a second.
    """

    every: int
    lost: int
    min_score: float
    smoothing: float
    beta: float


OPTIONS = tuple(each.name for each in fields(TrackerOptions))
"""What a tracker takes besides its detector; the rows of the table of settings."""


class TrackedFace(NamedTuple):
    """One face of a frame.

    Attributes
    ----------
    box, score, landmarks
        As of a `Face`.
    id : int
        1, 2, ...
    """

    box: NDArray[np.float32]
    score: float
    landmarks: NDArray[np.float32]
    id: int

    def to_dict(self) -> dict[str, Any]:
        """The face as plain numbers and lists: ``id``, ``box``, ``score``, ``landmarks``."""
        return {"id": self.id, **Face(*self[:3]).to_dict()}

    def __repr__(self) -> str:
        return f"TrackedFace({self.id}: {repr(Face(*self[:3]))[5:-1]})"


@dataclass(frozen=True, repr=False, eq=False)
class Tracks(Faces[TrackedFace]):
    """The faces seen in one frame, by rising id: a sequence of `TrackedFace`, see `Faces`.

    Attributes
    ----------
    boxes : ndarray, [N, 4] float32
        x1, y1, x2, y2 in pixels of the frame, smoothed; x2 and y2 are exclusive.
    scores : ndarray, [N] float32
        ONet's probabilities in this frame, 0..1.
    landmarks : ndarray, [N, 5, 2] float32
        x, y in pixels of the left eye, right eye, nose, left and right mouth corner, as seen in
        the frame, smoothed.
    total_ms : float
        Wall time of finding and tracking, in milliseconds.
    ids : ndarray, [N] uint32
        1, 2, ... in the order in which faces appear; a face keeps its id, which is never reused.
    ages : ndarray, [N] uint32
        Frames since the face was first found; 0 in that one.
    scanned : bool
        Whether this frame had a full scan.
    """

    ids: NDArray[np.uint32] = field(kw_only=True)
    ages: NDArray[np.uint32] = field(kw_only=True)
    scanned: bool = True

    _rows = (*Faces._rows, "ids", "ages")

    def __iter__(self) -> Iterator[TrackedFace]:
        return map(TrackedFace, self.boxes, self.scores.tolist(), self.landmarks, self.ids.tolist())

    def to_pandas(self) -> pandas.DataFrame:
        """As `Faces.to_pandas`, with the ids in a first column, ``id``."""
        table = super().to_pandas()
        table.insert(0, "id", self.ids)
        return table

    def to_supervision(self) -> supervision.Detections:
        """As `Faces.to_supervision`, with the ids as ``tracker_id``."""
        detections = super().to_supervision()
        detections.tracker_id = self.ids.astype(int)
        return detections


class Tracker:
    """Follows the faces of one video.

    A full scan (`Detector.detect`) finds faces at intervals; in the frames between, RNet and ONet
    search only where the faces were. Each face keeps an id.

    Parameters
    ----------
    detector : Detector
        It may detect other pictures between frames, and serve several trackers.
    every : int, optional
        Frames from one full scan to the next, 1..1000000. While no face is tracked, and where all
        are missed at the same time, each frame is scanned. With 1, only the scans count.
    lost : int, optional
        A face is dropped, with its id, after it was missed in more than this number of consecutive
        frames; 0..1000000.
    min_score : float, optional
        Minimum score of a face that gets an id, 0..1. It keeps the id down to the detector's own
        thresholds.
    smoothing : float, optional
        Time constant of the smoothing of a face at rest, in seconds, 0..60; 0: no smoothing.
    beta : float, optional
        How much less a moving face is smoothed, at least 0: Hz added to the cut-off frequency for
        each of its sides a second.

    None means the default: 10, 10, 0.6, 0.15 and 20.

    Raises
    ------
    ArgumentError
        An option outside its range, or the detector is closed or not a `Detector`.

    Examples
    --------
    >>> pictures = [frame.picture for frame in frames("video.mp4")]  # or others, uint8 RGB
    >>> with Detector() as detector:
    ...     tracker = Tracker(detector, every=5)
    ...     for number, rgb in enumerate(pictures):
    ...         tracks = tracker.update(rgb, number / 25)
    >>> tracks.ids
    array([1], dtype=uint32)
    """

    def __init__(
        self,
        detector: Detector,
        *,
        every: int | None = None,
        lost: int | None = None,
        min_score: float | None = None,
        smoothing: float | None = None,
        beta: float | None = None,
    ) -> None:
        arguments = locals()
        given = check_options("tracker", {name: arguments[name] for name in OPTIONS})
        self._detector = detector
        self._core = core()
        ffi, lib = self._core.ffi, self._core.lib
        options = ffi.new("mtcnn_tracker_options *")
        lib.mtcnn_tracker_defaults(options)
        self._options = TrackerOptions(**write_options("tracker", options, given))
        self._tracker = ffi.new("mtcnn_tracker **")
        error = ffi.new("mtcnn_error *")
        with locked(detector) as opened:
            status = lib.mtcnn_tracker_create(self._tracker, opened, options, error)
        self._core.check(status, error)
        self._free = weakref.finalize(self, lib.mtcnn_tracker_free, self._tracker)
        self._free.atexit = False

    def update(self, frame: NDArray[np.uint8], seconds: float, color: str = "RGB") -> Tracks:
        """Follow the faces into the next frame.

        Parameters
        ----------
        frame : ndarray, uint8, [H, W, 3], for GRAY [H, W], for RGBA and BGRA [H, W, 4]
            Where the size changes, all faces get new ids.
        seconds : float
            When the frame is shown: any finite number above the previous frame's. Frames may be
            skipped.
        color : str
            Order of the array's bytes: ``"RGB"``, ``"BGR"``, ``"GRAY"``, ``"RGBA"``, ``"BGRA"``.

        Returns
        -------
        Tracks

        Raises
        ------
        ArgumentError
            Wrong type, dtype, shape or colour order, a time that does not increase, or the detector
            is closed. The tracker can continue with the next frame.
        OutOfMemoryError
        """
        pixels, color = check_image(frame, color)
        seconds = check_seconds(seconds)
        ffi, lib = self._core.ffi, self._core.lib
        error = ffi.new("mtcnn_error *")
        result = ffi.new("mtcnn_tracks *")
        view = image_view(self._core, pixels, color)
        with locked(self._detector):
            status = lib.mtcnn_track(self._tracker[0], view, seconds, result, error)
            self._core.check(status, error)
            return _tracks(self._core, result)

    @property
    def options(self) -> TrackerOptions:
        """The settings in force."""
        return self._options

    def __reduce__(self) -> str:
        raise TypeError(
            "a Tracker, which is in the middle of its video, cannot be copied or pickled; copy its "
            "detector and make a new Tracker with its options"
        )

    def __repr__(self) -> str:
        return f"Tracker({self._options})"


def _tracks(core: Core, result: Any) -> Tracks:
    """A copy of a result: C's arrays are valid only until the next frame."""
    tracked = faces_view(core, result, TRACKED_FACE)
    faces = tracked["face"]
    return Tracks(
        boxes=faces["box"].copy(),
        scores=faces["score"].copy(),
        landmarks=faces["landmarks"].copy(),
        ids=tracked["id"].copy(),
        ages=tracked["age"].copy(),
        scanned=bool(result.scanned),
        total_ms=result.total_ms,
    )


@dataclass(frozen=True, repr=False, eq=False)
class TrackedFrame:
    """A frame of a video with its faces.

    Attributes
    ----------
    index : int
        0, 1, ... in the order in which frames were read.
    seconds : float
        When it is shown.
    picture : ndarray, [H, W, 3] uint8, RGB
    tracks : Tracks
    """

    index: int
    seconds: float
    picture: NDArray[np.uint8]
    tracks: Tracks


def track(
    source: VideoSource,
    detector: Detector | None = None,
    *,
    fps: float | None = None,
    timeout: float | None = None,
    reconnect: float | None = None,
    max_pixels: int = MAX_PIXELS,
    **options: Any,
) -> Iterator[TrackedFrame]:
    """Follow faces through a video.

    Parameters
    ----------
    source : path, URL, int, or iterable of ndarray [H, W, 3] uint8 RGB
        As `pymtcnn.frames` takes it.
    detector : Detector, optional
        By default one with the default model, which is closed at the end.
    fps, timeout, reconnect : float, optional
        As for `pymtcnn.frames`.
    max_pixels : int
        As for `pymtcnn.frames`.
    **options
        every, lost, min_score, smoothing, beta, as for `Tracker`.

    Yields
    ------
    TrackedFrame
        Frame by frame, as they are read. Close or delete the iterator to end earlier; this closes
        the camera or file.

    Raises
    ------
    ArgumentError
        A wrong option, raised immediately.
    FileError, VideoError
        As `pymtcnn.frames`; earlier frames have been yielded.

    Examples
    --------
    >>> for frame in track("video.mp4"):
    ...     print(f"{frame.seconds:.2f} s:", frame.tracks.ids)  # and frame.tracks.boxes, ...
    0.00 s: [1]
    0.04 s: [1]
    ...
    """
    own = detector is None
    detector = Detector() if detector is None else detector
    tracker = Tracker(detector, **options)
    video = frames(source, fps=fps, timeout=timeout, reconnect=reconnect, max_pixels=max_pixels)
    return _track(video, tracker, detector if own else None)


def _track(video: Any, tracker: Tracker, own: Detector | None) -> Iterator[TrackedFrame]:
    try:
        for frame in video:
            tracks = tracker.update(frame.picture, frame.seconds)
            yield TrackedFrame(frame.index, frame.seconds, frame.picture, tracks)
    finally:
        video.close()
        if own:
            own.close()
