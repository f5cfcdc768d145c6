"""What was found, as C's struct: for the forms of output and for drawing."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._library import FACE, TRACKED_FACE, Core
from .faces import Faces
from .results import STAGE_NAMES, Detections


class Findings:
    """C's `mtcnn_findings`, and the memory that it points to.

    Parameters
    ----------
    core : Core
    faces : Detections or Tracks
    source : str or path
        The picture, or the video.
    size : two ints
        Width and height of the picture or frame, pixels.
    frame : int and float, optional
        A frame's number and when it is shown, seconds; None for a picture.
    stage : str, optional
        Whose boxes to use instead of the faces: ``"pnet"``, ``"rnet"``, ``"onet"``.
    timed : bool
        Whether JSON has the times.

    Attributes
    ----------
    view : mtcnn_findings *

    Raises
    ------
    ArgumentError
        The source holds a NUL character, or the stage has no boxes.
    """

    def __init__(
        self,
        core: Core,
        faces: Faces[Any],
        source: str | os.PathLike[str] = "",
        size: tuple[int, int] = (0, 0),
        *,
        frame: tuple[int, float] | None = None,
        stage: str | None = None,
        timed: bool = False,
    ) -> None:
        self._core = core
        self._memory = [core.path(source)]
        self.view = core.ffi.new("mtcnn_findings *")
        self.view.source = self._memory[0]
        self.view.width, self.view.height = size
        self.view.timed = timed
        if frame is not None:
            self.view.is_frame = 1
            self.view.frame, self.view.seconds = frame
        if isinstance(faces, Detections):
            self.view.result = self._result(faces, stage)
            self.view.stage = STAGE_NAMES.index(stage) + 1 if stage else 0
        else:
            self.view.tracks = self._tracks(faces)

    def _result(self, faces: Detections, stage: str | None) -> Any:
        result = self._new("mtcnn_result *")
        self._fill(result, faces.boxes, faces.scores, faces.landmarks)
        result.levels = faces.levels
        result.pyramid_ms = faces.pyramid_ms
        result.total_ms = faces.total_ms
        for each in faces.stages:
            target = result.stages[STAGE_NAMES.index(each.name)]
            if each.name == stage:
                found = faces.proposals(stage)
                self._fill(target, found.boxes, found.scores, found.landmarks)
            target.inputs, target.count = each.inputs, each.count
            target.milliseconds = each.milliseconds
        return result

    def _tracks(self, faces: Any) -> Any:
        tracks = self._new("mtcnn_tracks *")
        self._fill(tracks, faces.boxes, faces.scores, faces.landmarks, faces.ids)
        tracks.total_ms = faces.total_ms
        return tracks

    def _fill(
        self,
        found: Any,
        boxes: NDArray[np.float32],
        scores: NDArray[np.float32],
        landmarks: NDArray[np.float32] | float = 0.0,
        ids: NDArray[np.uint32] | None = None,
    ) -> None:
        """Give a C result, stage or tracks its faces."""
        rows = np.zeros(len(scores), FACE if ids is None else TRACKED_FACE)
        faces = rows if ids is None else rows["face"]
        faces["box"], faces["score"], faces["landmarks"] = boxes, scores, landmarks
        if ids is not None:
            rows["id"] = ids
        kind = "mtcnn_face[]" if ids is None else "mtcnn_tracked_face[]"
        found.faces = self._keep(self._core.ffi.from_buffer(kind, rows))
        found.count = len(rows)

    def _new(self, kind: str) -> Any:
        return self._keep(self._core.ffi.new(kind))

    def _keep(self, memory: Any) -> Any:
        """Keep memory alive, which C's pointers do not."""
        self._memory.append(memory)
        return memory
