"""The interface of ``facenet_pytorch.MTCNN``, version 2.6."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._library import core
from ..arguments import check_boxes, check_count
from ..detector import Detector
from ..errors import ArgumentError, PictureError
from ..files import make_folder
from ..opencv import opencv
from ..optional import library
from ..pictures import write_picture
from . import array_of, check_device
from .selection import largest_first, selection


def _option(name: str) -> Any:
    """An attribute that is an option of the detector; setting it makes a new detector."""

    def get(self: MTCNN) -> Any:
        return getattr(self._detector.options, name)

    def change(self: MTCNN, value: Any) -> None:
        options = asdict(self._detector.options)
        self._detector = Detector(self._detector.model, **{**options, name: value})

    return property(get, change)


class MTCNN:
    """Finds and cuts out faces as ``facenet_pytorch.MTCNN`` does.

    Pictures are PIL images, or RGB arrays or tensors [H, W, 3] of values 0..255, or batches: lists
    of them, here of any sizes, or arrays or tensors [B, H, W, 3]. Pictures on other scales (0..1,
    -1..1, 0..65535), and NaN, are an `ArgumentError`. PyTorch is needed where faces are cut out,
    but not for `detect`.

    Parameters
    ----------
    image_size : int
        Side of the faces that are cut out, pixels.
    margin : int
        How much more than the box is cut out, in pixels of the result.
    min_face_size : float, optional
    thresholds : three floats, optional
    factor : float, optional
        As `Detector`'s `min_face`, `thresholds` and `scale_factor`.
    post_process : bool
        Whether faces are (v - 127.5) / 128, or v.
    select_largest : bool
        Whether the first face is the largest one, or that of the highest probability.
    selection_method : str, optional
        Which face is the one cut out: ``"probability"``, ``"largest"``,
        ``"largest_over_threshold"`` (of those above 0.9) or ``"center_weighted_size"`` (area less
        twice the squared distance from the middle of the picture). None: as `select_largest` says.
    keep_all : bool
        Whether all faces are cut out, or one.
    device : optional
        The CPU only.
    model : path, optional
        A `.data` file, as for `Detector`.
    threads : int
        As for `Detector`.

    All except the last three are also attributes that may be set later.

    Raises
    ------
    ArgumentError
        Another device or method, or what `Detector` raises.

    Examples
    --------
    >>> from pymtcnn import read_picture
    >>> from pymtcnn.compat.facenet_pytorch import MTCNN
    >>> picture = read_picture("tests/data/grace_hopper.jpg")
    >>> boxes, probs, points = MTCNN(keep_all=True).detect(picture, landmarks=True)
    >>> boxes.shape, probs.shape, points.shape
    ((1, 4), (1,), (1, 5, 2))
    """

    min_face_size = _option("min_face")
    thresholds = _option("thresholds")
    factor = _option("scale_factor")

    def __init__(
        self,
        image_size: int = 160,
        margin: int = 0,
        min_face_size: float | None = None,
        thresholds: Sequence[float] | None = None,
        factor: float | None = None,
        post_process: bool = True,
        select_largest: bool = True,
        selection_method: str | None = None,
        keep_all: bool = False,
        device: Any = None,
        *,
        model: str | os.PathLike[str] | None = None,
        threads: int = 1,
    ) -> None:
        check_device(device)
        self.image_size = check_count(image_size, "image_size", core().lib.MTCNN_MAX_SIDE)
        self.margin = check_count(margin, "margin", self.image_size - 1, 0)
        self.post_process = post_process
        self.select_largest = select_largest
        self.keep_all = keep_all
        self.selection_method = selection_method or ("largest" if select_largest else "probability")
        selection(self.selection_method)
        self._detector = Detector(
            model,
            min_face=min_face_size,
            thresholds=thresholds,
            scale_factor=factor,
            clip=False,
            threads=threads,
        )

    def detect(self, img: Any, landmarks: bool = False) -> tuple[Any, ...]:
        """Find all faces.

        Parameters
        ----------
        img : picture, or batch of pictures
        landmarks : bool

        Returns
        -------
        boxes : ndarray, [N, 4] float32, or None where there is no face
        probs : ndarray, [N] float32, or [None]
        points : ndarray, [N, 5, 2] float32, or None; only with `landmarks`
            The largest face first, or, without `select_largest`, the most probable. For a batch
            each is an array of such values.
        """
        pictures, single = _batch(img)
        results = [self._faces(_pixels(picture)) for picture in pictures]
        if single:
            return results[0] if landmarks else results[0][:2]
        columns = tuple(map(_objects, zip(*results))) if results else (_objects([]),) * 3
        return columns if landmarks else columns[:2]

    def _faces(self, pixels: NDArray[np.uint8]) -> tuple[Any, Any, Any]:
        """Boxes, probabilities and points of one picture."""
        faces = self._detector.detect(pixels)
        if len(faces) == 0:
            return None, [None], None
        if self.select_largest:
            faces = faces[largest_first(faces.boxes)]
        return faces.boxes, faces.scores, faces.landmarks

    def forward(self, img: Any, save_path: Any = None, return_prob: bool = False) -> Any:
        """Find faces and cut them out; the same as calling the object.

        Parameters
        ----------
        img : picture, or batch of pictures
        save_path : str, or list of them for a batch, optional
            Where the faces are written, as they are in the picture. With `keep_all` the second is
            written to NAME_2.jpg and so on.
        return_prob : bool

        Returns
        -------
        faces : torch.Tensor, [3, image_size, image_size] float32, or None where there is no face
            With `keep_all` [N, 3, image_size, image_size]; for a batch a list of these.
        probs
            Only with `return_prob`: the probability, or with `keep_all` those of all faces.

        Raises
        ------
        LibraryError
            PyTorch is not installed.
        FileError, ArgumentError
            A face cannot be written.
        """
        boxes, probs, points = self.detect(img, landmarks=True)
        if not self.keep_all:
            method = self.selection_method
            boxes, probs, points = self.select_boxes(boxes, probs, points, img, method)
        faces = self.extract(img, boxes, save_path)
        return (faces, probs) if return_prob else faces

    __call__ = forward

    def select_boxes(
        self,
        all_boxes: Any,
        all_probs: Any,
        all_points: Any,
        imgs: Any,
        method: str = "probability",
        threshold: float = 0.9,
        center_weight: float = 2.0,
    ) -> tuple[Any, Any, Any]:
        """Pick one face of each picture out of what `detect` found.

        Parameters
        ----------
        all_boxes, all_probs, all_points
            What `detect` returned for `imgs`.
        imgs : picture, or batch of pictures
        method : str
            As `selection_method`.
        threshold : float
            Of ``"largest_over_threshold"``.
        center_weight : float
            Of ``"center_weighted_size"``.

        Returns
        -------
        boxes [1, 4], probability, points [1, 5, 2]; each None where there is no such face
            For a batch an array of them each, with probabilities as lists of one.
        """
        order = selection(method)
        pictures, single = _batch(imgs)
        if single:
            all_boxes, all_probs, all_points = [all_boxes], [all_probs], [all_points]
        results: list[tuple[Any, Any, Any]] = []
        for picture, boxes, probs, points in zip(pictures, all_boxes, all_probs, all_points):
            best = None
            if boxes is not None:
                height, width = _pixels(picture).shape[:2]
                middle = np.array([width / 2, height / 2])
                best = order(boxes, probs, middle, threshold, center_weight)
            if best is None:
                results.append((None, [None], None))
            else:
                results.append((boxes[[best]], probs[[best]], points[[best]]))
        if single:
            boxes, probs, points = results[0]
            return boxes, probs[0], points
        boxes, probs, points = map(_objects, zip(*results)) if results else (_objects([]),) * 3
        return boxes, probs, points

    def extract(self, img: Any, batch_boxes: Any, save_path: Any = None) -> Any:
        """Cut out the faces in boxes.

        Parameters
        ----------
        img : picture, or batch of pictures
        batch_boxes : [N, 4], or None for no face; for a batch a sequence of these
            x1, y1, x2, y2 in pixels, of which the first is taken, or, with `keep_all`, all.
        save_path
            As for `forward`.

        Returns
        -------
        torch.Tensor, None, or list of these: the `faces` of `forward`

        Raises
        ------
        ArgumentError
            Not as many paths as pictures, or a box outside its picture.
        LibraryError, FileError
            As for `forward`.
        """
        torch = library("torch")
        pictures, single = _batch(img)
        if single:
            batch_boxes = [batch_boxes]
        if save_path is None:
            save_path = [None] * len(pictures)
        elif isinstance(save_path, (str, os.PathLike)):
            save_path = [save_path]
        if len(save_path) != len(pictures):
            raise ArgumentError(f"{len(save_path)} save paths: must be one for each picture")
        results: list[Any] = []
        for picture, boxes, path in zip(pictures, batch_boxes, save_path):
            if boxes is None or len(boxes) == 0:
                results.append(None)
                continue
            faces = self._cut(picture, boxes if self.keep_all else boxes[:1])
            if path is not None:
                _save(Path(path), faces)
            tensor = torch.from_numpy(faces).permute(0, 3, 1, 2).float().contiguous()
            if self.post_process:
                tensor = (tensor - 127.5) / 128.0
            results.append(tensor if self.keep_all else tensor[0])
        return results[0] if single else results

    def _cut(self, picture: Any, boxes: Any) -> NDArray[np.uint8]:
        """The faces in boxes [N, 4]: [N, image_size, image_size, 3], RGB."""
        side, pixels = self.image_size, _pixels(picture)
        check_count(self.margin, "margin", side - 1, 0)  # both may have been set since
        size = np.array(pixels.shape[1::-1])
        faces = np.empty((len(boxes), side, side, 3), np.uint8)
        for face, box in zip(faces, check_boxes(boxes)):
            wider = (box[2:] - box[:2]) * self.margin / (side - self.margin) / 2
            left, top = np.clip(box[:2] - wider, 0, size).astype(int)
            right, bottom = np.clip(box[2:] + wider, 0, size).astype(int)
            if not (left < right and top < bottom):
                raise ArgumentError(f"box {box.tolist()}: is outside the picture")
            if _is_pil(picture):  # facenet-pytorch, too, resizes these in another way
                part = picture.convert("RGB").crop((left, top, right, bottom))
                bilinear = library("PIL.Image", "pillow").Resampling.BILINEAR
                face[:] = part.resize((side, side), bilinear)
            else:
                cv2 = opencv()
                part = np.ascontiguousarray(pixels[top:bottom, left:right])
                face[:] = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)
        return faces

    def eval(self) -> MTCNN:
        """Does nothing: in facenet-pytorch it is a `torch.nn.Module`."""
        return self

    def to(self, device: Any) -> MTCNN:
        """Raise ArgumentError for any device except the CPU."""
        check_device(device)
        return self


# ---- pictures ---------------------------------------------------------------------------------


def _is_pil(picture: Any) -> bool:
    return hasattr(picture, "convert") and hasattr(picture, "crop")


def _batch(img: Any) -> tuple[Sequence[Any], bool]:
    """The pictures, and whether it is a single one."""
    if isinstance(img, (list, tuple)):
        return img, False
    if getattr(img, "ndim", 0) == 4:
        return list(img), False
    return [img], True


def _pixels(picture: Any) -> NDArray[Any]:
    """A picture as an RGB array; `Detector` checks its shape."""
    if _is_pil(picture):
        try:
            if picture.mode[0] in "IF":  # a single number for each pixel, of any size
                return np.dstack([_bytes(np.asarray(picture))] * 3)
            return np.asarray(picture.convert("RGB"))
        except OSError as error:  # Pillow decodes files late
            raise PictureError(f"img: cannot be decoded: {error}") from error
    array = array_of(picture)
    if not isinstance(array, np.ndarray):
        kind = type(picture).__name__
        raise ArgumentError(f"img of type {kind}: must be a PIL image, array or tensor, or a list")
    return _bytes(array)


def _bytes(array: NDArray[Any]) -> NDArray[Any]:
    """Numbers of 0..255 as bytes; `Detector` refuses what are no numbers.

    Filters of resizing may leave the range somewhat. What leaves it by more, or has fractions near
    zero alone, is on another scale, and would become a white or a black picture.
    """
    if array.dtype.kind not in "fiu" or array.dtype == np.uint8 or array.size == 0:
        return array
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ArgumentError("img holds NaN or infinite values: must be 0..255")
    near_zero = max(-low, high) <= _NEAR_ZERO and bool((array != array.round()).any())
    if near_zero or low < -_OVERSHOOT or high > 255 + _OVERSHOOT:
        raise ArgumentError(
            f"img holds values from {low:g} to {high:g}: must be 0..255, as for facenet-pytorch; "
            "multiply 0..1 by 255; add 1 to -1..1, then multiply by 127.5; divide 0..65535 by 257"
        )
    pixels: NDArray[np.uint8] = np.clip(array, 0, 255).round().astype(np.uint8)
    return pixels


_OVERSHOOT = 64
"""How far filters of resizing leave 0..255 at sharp edges, at most."""

_NEAR_ZERO = 3
"""Pictures for networks are 0..1, -1..1, or some -2.2..2.7 with the statistics of ImageNet."""


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    """A 1-D array of objects, whatever shapes they have."""
    array = np.empty(len(values), object)
    for i, value in enumerate(values):
        array[i] = value
    return array


def _save(path: Path, faces: NDArray[np.uint8]) -> None:
    """Write faces [N, H, W, 3] to NAME.jpg, NAME_2.jpg, ...; make the folder."""
    make_folder(path.parent)
    for number, face in enumerate(faces, 1):
        name = path.name if number == 1 else f"{path.stem}_{number}{path.suffix}"
        write_picture(path.with_name(name), face)
