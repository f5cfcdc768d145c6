"""The face detector: C's model and detector, in one Python object."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._library import Core, absolute, core, faces_view, image_view
from .errors import ArgumentError
from .locks import Lock
from .pictures import PictureSource, is_picture_source, pixels_of
from .results import STAGE_NAMES, Detections, Stage
from .settings import check_options, write_options

ImageSource = NDArray[np.uint8] | PictureSource


@dataclass(frozen=True)
class Options:
    """The settings that a detector works with.

    Attributes
    ----------
    min_face : float
        Side of the smallest face looked for, in pixels of the picture.
    thresholds : three floats
        Least probability after PNet, RNet, ONet.
    scale_factor : float
        Ratio of neighbouring levels of the image pyramid.
    nms : four floats
        Largest overlap that non-maximum suppression keeps: within a level, between levels, after
        RNet (intersection over union), after ONet (intersection over the smaller box).
    max_boxes : three ints
        Maximum number of boxes that PNet, RNet, ONet pass on, best first.
    clip : bool
        Whether boxes are clipped to the picture.
    threads : int
    max_side : int
        Longer side, in pixels, to which larger pictures count as scaled down; 0: no limit.
    final_nms : str
        How the final stage suppresses overlapping faces: ``"hard"`` or ``"soft"``.
    border : float
        How far PNet's windows reach out of the picture, as a share of their side.
    """

    min_face: float
    thresholds: tuple[float, float, float]
    scale_factor: float
    nms: tuple[float, float, float, float]
    max_boxes: tuple[int, int, int]
    clip: bool
    threads: int
    max_side: int
    final_nms: str
    border: float


OPTIONS = tuple(each.name for each in fields(Options))
"""What a detector takes besides its model; the rows of the table of settings."""


class Detector:
    """Finds faces and their five landmarks.

    Any number of detectors may work in parallel. Threads that share one wait for each other. A
    process that is forked goes on with its parent's detectors. `pickle` and `copy` make a new
    detector with the same options, of the same model file.

    Parameters
    ----------
    model : path, optional
        A `.data` file; by default the model that is compiled into the library.
    min_face : float, optional
        Side of the smallest face looked for, in pixels of the picture; at least 1. Twice the size
        takes about a quarter of the time.
    thresholds : three floats, optional
        Least probability after PNet, RNet, ONet; each 0..1.
    scale_factor : float, optional
        Ratio of neighbouring levels of the image pyramid; above 0 and below 1.
    nms : four floats, optional
        Largest overlap that non-maximum suppression keeps: within a level, between levels, after
        RNet, after ONet; each 0..1.
    max_boxes : three ints, optional
        Maximum number of boxes that PNet, RNet, ONet pass on, best first; each 1..1000000. They
        bound memory and time: before non-maximum suppression, PNet keeps no more cells of a level.
    clip : bool
        Whether boxes are clipped to the picture.
    threads : int
        Threads to use, 1..256; results do not depend on it.
    max_side : int
        A picture whose longer side has more pixels is searched as if it were scaled down to that:
        min_face then applies to the scaled one, so that time stays bounded. Faces are in the
        picture's own pixels. 0: no limit.
    final_nms : str
        How the last stage suppresses faces that overlap by more than nms[3]: ``"hard"`` drops the
        lower-scored one; ``"soft"`` (soft-NMS) lowers its score, so that low thresholds keep more
        faces that hide each other, and more false ones.
    border : float, optional
        How far PNet's windows reach out of the picture on each side, as a share of their own side;
        at least 0 and below 0.5. Finds faces that fill the picture or that its edge cuts.

    None means the model's own setting.

    Warns
    -----
    CfgWarning
        A key in one of the model's `.cfg` files is probably mistyped.

    Raises
    ------
    ArgumentError
        An option outside its range.
    FileError, CfgError, WeightsError, ModelError
        The model's files are missing or do not fit together, or no model is built in.
    LibraryError
        The compiled core is not installed.

    Examples
    --------
    >>> from pymtcnn import Detector, read_picture
    >>> bgr = read_picture("tests/data/grace_hopper.jpg")[..., ::-1]
    >>> with Detector(min_face=40) as detector:
    ...     faces = detector.detect(bgr, color="BGR")
    >>> len(faces)
    1
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        min_face: float | None = None,
        thresholds: Sequence[float] | None = None,
        scale_factor: float | None = None,
        nms: Sequence[float] | None = None,
        max_boxes: Sequence[int] | None = None,
        clip: bool = True,
        threads: int = 1,
        max_side: int = 0,
        final_nms: str = "hard",
        border: float | None = None,
    ) -> None:
        arguments = locals()
        given = check_options("detector", {name: arguments[name] for name in OPTIONS})
        self._load(model, given)

    def _load(self, model: str | os.PathLike[str] | None, given: Mapping[str, Any]) -> None:
        """Make C's model and detector. given: checked options; others are the model's own."""
        self._core = core()
        self._lock = Lock()
        ffi, lib = self._core.ffi, self._core.lib
        self._model = ffi.new("mtcnn_model **")
        self._detector = ffi.new("mtcnn_detector **")
        error = ffi.new("mtcnn_error *")
        self._core.check(lib.mtcnn_model_load(self._model, self._core.path(model), error), error)
        self._path = absolute(model)
        self._free = weakref.finalize(self, _free, self._core, self._model, self._detector)
        self._free.atexit = False  # the process ends anyway, perhaps with a thread in detect
        self._core.warn(lib.mtcnn_model_warnings(self._model[0]))
        options = ffi.new("mtcnn_options *")
        lib.mtcnn_model_options(self._model[0], options)
        self._options = Options(**write_options("detector", options, given))
        self._core.check(
            lib.mtcnn_detector_create(self._detector, self._model[0], options, error), error
        )

    def detect(self, image: ImageSource, color: str = "RGB") -> Detections:
        """Find the faces of one picture.

        Parameters
        ----------
        image : ndarray, path, bytes of a picture file, or binary file object
            An array is uint8 and [H, W] for GRAY, [H, W, 3] for RGB and BGR, [H, W, 4] for RGBA
            and BGRA. It is not copied where the bytes of each row are contiguous.
        color : str
            Order of an array's bytes: ``"RGB"``, ``"BGR"``, ``"GRAY"``, ``"RGBA"``, ``"BGRA"``.
            OpenCV's own arrays are BGR. Files know their order themselves.

        Returns
        -------
        Detections
            Best first; empty where no face was found.

        Raises
        ------
        ArgumentError
            Wrong type, dtype, shape or colour order, or the detector is closed.
        FileError, PictureError
            The file cannot be read or is not a complete picture.
        OutOfMemoryError
        """
        return self._detect(image, color, _stage)

    def detect_stages(self, image: ImageSource, color: str = "RGB") -> Detections:
        """Find the faces of one picture, and keep the boxes and scores of each stage.

        Parameters
        ----------
        image, color
            As for `detect`.

        Returns
        -------
        Detections
            What `detect` returns; its `stages` also have their boxes and scores.

        Raises
        ------
        ArgumentError, FileError, PictureError, OutOfMemoryError
            As for `detect`.
        """
        return self._detect(image, color, _stage_with_boxes)

    def _detect(
        self, image: ImageSource, color: str, stage_of: Callable[[Core, str, Any], Stage]
    ) -> Detections:
        pixels, color = pixels_of(image, color)
        ffi, lib = self._core.ffi, self._core.lib
        error = ffi.new("mtcnn_error *")
        result = ffi.new("mtcnn_result *")
        view = image_view(self._core, pixels, color)
        with self._lock:
            status = lib.mtcnn_detect(self._open(), view, result, error)
            self._core.check(status, error)
            faces = faces_view(self._core, result)
            return Detections(
                boxes=faces["box"].copy(),
                scores=faces["score"].copy(),
                landmarks=faces["landmarks"].copy(),
                stages=tuple(map(stage_of, repeat(self._core), STAGE_NAMES, result.stages)),
                levels=result.levels,
                pyramid_ms=result.pyramid_ms,
                total_ms=result.total_ms,
            )

    def detect_many(self, images: Iterable[ImageSource], color: str = "RGB") -> list[Detections]:
        """Find the faces of several pictures of any sizes.

        Parameters
        ----------
        images : iterable
            Pictures as `detect` takes them.
        color : str
            As for `detect`; the same for all arrays.

        Returns
        -------
        list of Detections
            Picture for picture what `detect` returns.
        """
        if is_picture_source(images) or (isinstance(images, np.ndarray) and images.ndim < 4):
            raise ArgumentError("images: must be a list of pictures; use detect for a single one")
        try:
            pictures = iter(images)
        except TypeError:
            kind = type(images).__name__
            raise ArgumentError(f"images of type {kind}: must be a list of pictures") from None
        return [self.detect(picture, color) for picture in pictures]

    def __getstate__(self) -> dict[str, Any]:
        """What travels: attributes, with model and options in place of C's objects."""
        self._open()
        return {name: value for name, value in vars(self).items() if name not in _NOT_COPIED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._load(self._path, asdict(self._options))

    @property
    def options(self) -> Options:
        """The settings in force."""
        return self._options

    @property
    def model(self) -> str | None:
        """Absolute path of the model's `.data` file; None: the one compiled into the library."""
        return self._path

    @property
    def memory(self) -> int:
        """Bytes of scratch memory held now: the maximum that any picture so far needed."""
        with self._lock:
            return int(self._core.lib.mtcnn_detector_memory(self._open()))

    def close(self) -> None:
        """Free the model and all scratch memory, after a running detection. Idempotent."""
        with self._lock:
            self._free()

    def _open(self) -> Any:
        """C's detector, or ArgumentError after close."""
        if not self._free.alive:
            raise ArgumentError("this detector is closed; make a new one")
        return self._detector[0]

    def __enter__(self) -> Detector:
        self._open()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "" if self._free.alive else ", closed"
        return f"Detector({self._options}{state})"


_NOT_COPIED = ("_core", "_lock", "_model", "_detector", "_free")
"""A detector's attributes that only its own process can use."""


@contextmanager
def locked(detector: Detector) -> Iterator[Any]:
    """C's detector, locked for this thread while the block runs.

    Raises
    ------
    ArgumentError
        It is closed or not a `Detector`.
    """
    if not isinstance(detector, Detector):
        raise ArgumentError(f"detector of type {type(detector).__name__}: must be a Detector")
    with detector._lock:
        yield detector._open()


def _free(core: Core, model: Any, detector: Any) -> None:
    """Free C's two objects; the model must outlive the detector."""
    core.lib.mtcnn_detector_free(detector)
    core.lib.mtcnn_model_free(model)


def _stage(core: Core, name: str, stage: Any) -> Stage:
    return Stage(name, stage.inputs, stage.count, stage.milliseconds)


def _stage_with_boxes(core: Core, name: str, stage: Any) -> Stage:
    faces = faces_view(core, stage)
    boxes, scores = faces["box"].copy(), faces["score"].copy()
    return Stage(name, stage.inputs, stage.count, stage.milliseconds, boxes, scores)
