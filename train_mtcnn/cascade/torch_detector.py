"""The reference cascade in PyTorch: docs/architecture.md, "The cascade, step by step".

The C core is measured against this class, which aims at being readable.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pymtcnn.arguments import check_boxes
from pymtcnn.detector import ImageSource, Options
from pymtcnn.errors import ArgumentError
from pymtcnn.pictures import is_picture_source, pixels_of
from pymtcnn.results import Detections, Stage
from pymtcnn.settings import check_options
from train_mtcnn.cascade.boxes import Boxes, clip, iom, nms, regress, soft_nms, square, visible
from train_mtcnn.cascade.cascade_networks import default_options, load_networks
from train_mtcnn.cascade.pyramid import Grid, Level, pyramid
from train_mtcnn.cascade.resize import Span, resize
from train_mtcnn.network.darknet import DEFAULT_MODEL, NETWORKS, read_data
from train_mtcnn.network.networks import Network

_CHUNK = 256  # crops that go through a network at once: bounds the memory


class HeatMap(NamedTuple):
    """What PNet makes of one level of the pyramid.

    Attributes
    ----------
    probabilities : [rows, columns] float32
    level : Level
    grid : Grid
        Where its rows and columns look.
    """

    probabilities: NDArray[np.float32]
    level: Level
    grid: Grid


class TorchDetector:
    """Finds faces and their five landmarks, as `pymtcnn.Detector` does, in PyTorch.

    Parameters
    ----------
    model : path, optional
        A `.data` file; by default darknet_cfg/default.data.
    **options
        As for `pymtcnn.Detector`. Its threads are PyTorch's, for the whole process.

    Raises
    ------
    ArgumentError
        An option outside its range.
    FileError, CfgError, WeightsError, ModelError
        The model's files are missing or do not fit together.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> None:
        given = check_options("detector", options)
        self._data = read_data(DEFAULT_MODEL if model is None else model)
        values = default_options(self._data) | given
        for name in ("thresholds", "nms"):
            values[name] = tuple(float(np.float32(number)) for number in values[name])
        self._options = Options(**values)
        networks = load_networks(self._data)
        self._pnet, self._rnet, self._onet = (networks[name] for name in NETWORKS)
        self._grid = Grid(self._pnet.cell, self._pnet.stride)
        torch.set_num_threads(self._options.threads)

    @property
    def options(self) -> Options:
        """The settings in force."""
        return self._options

    def detect_many(self, images: Iterable[ImageSource], color: str = "RGB") -> list[Detections]:
        """Find the faces of several pictures of any sizes: for each what `detect` returns."""
        if is_picture_source(images) or (isinstance(images, np.ndarray) and images.ndim < 4):
            raise ArgumentError("images: must be a list of pictures; use detect for a single one")
        return [self.detect(image, color) for image in images]

    @torch.inference_mode()
    def detect(self, image: ImageSource, color: str = "RGB") -> Detections:
        """Find the faces of one picture.

        Parameters
        ----------
        image : ndarray, path, bytes of a picture file, or binary file object
            As for `pymtcnn.Detector.detect`.
        color : str
            Order of an array's bytes; files know their order themselves.

        Returns
        -------
        Detections
            Best first; empty where no face was found.

        Raises
        ------
        ArgumentError
            Wrong type, dtype, shape or colour order.
        FileError, PictureError
            The file cannot be read or is no whole picture.
        """
        start = perf_counter()
        planes = self._planes(image, color)
        height, width = planes.shape[1:]
        options = self._options

        boxes, pnet, levels, pyramid_ms = self._propose(planes)
        inputs, begin = len(boxes), perf_counter()
        squares, scores, outputs = self._run_on_crops(
            planes, boxes, self._rnet, options.thresholds[1]
        )
        kept = nms(squares, scores, options.nms[2])[: options.max_boxes[1]]
        boxes = regress(squares[kept], outputs[kept, 1:5])
        inside = visible(boxes, width, height)
        boxes, scores = boxes[inside], scores[kept][inside]
        rnet = Stage("rnet", inputs, len(boxes), _ms(begin), boxes, scores)

        inputs, begin = len(boxes), perf_counter()
        squares, scores, outputs = self._run_on_crops(
            planes, boxes, self._onet, options.thresholds[2]
        )
        landmarks = _landmarks(squares, outputs[:, 5:15])
        boxes = regress(squares, outputs[:, 1:5])
        inside = visible(boxes, width, height)
        boxes, scores, landmarks = boxes[inside], scores[inside], landmarks[inside]
        if options.final_nms == "hard":
            kept = nms(boxes, scores, options.nms[3], iom)
            kept_scores = scores[kept]
        else:
            kept, kept_scores = soft_nms(boxes, scores, options.nms[3], options.thresholds[2], iom)
        kept, scores = kept[: options.max_boxes[2]], kept_scores[: options.max_boxes[2]]
        boxes, landmarks = boxes[kept], landmarks[kept]
        onet = Stage("onet", inputs, len(boxes), _ms(begin), boxes, scores)

        return Detections(
            boxes=clip(boxes, width, height) if options.clip else boxes.copy(),
            scores=scores.copy(),
            landmarks=landmarks,
            stages=(pnet, rnet, onet),
            levels=levels,
            pyramid_ms=pyramid_ms,
            total_ms=_ms(start),
        )

    detect_stages = detect  # whose stages have their boxes here in any case

    @torch.inference_mode()
    def landmarks(
        self, image: ImageSource, boxes: NDArray, color: str = "RGB"
    ) -> NDArray[np.float32]:
        """Landmarks of faces that are known, by ONet alone.

        Parameters
        ----------
        image
            As for `detect`.
        boxes : [N, 4]
            x1, y1, x2, y2 in pixels; ONet sees the squares around them, as in the cascade.
        color : str
            As for `detect`.

        Returns
        -------
        [N, 5, 2] float32: x, y in pixels, in the order of `Detections.landmarks`.

        Raises
        ------
        ArgumentError
            As for `detect`, or boxes that are not finite.
        FileError, PictureError
            As for `detect`.
        """
        boxes = check_boxes(boxes, np.float32)
        planes = self._planes(image, color)
        squares, _, outputs = self._run_on_crops(planes, boxes, self._onet, -math.inf)
        return _landmarks(squares, outputs[:, 5:15])

    @torch.inference_mode()
    def heat_maps(self, image: ImageSource, color: str = "RGB") -> list[HeatMap]:
        """PNet's probabilities all over the pyramid of one picture.

        Parameters
        ----------
        image, color
            As for `detect`.

        Returns
        -------
        list of HeatMap
            One for each level, the largest first; empty where the picture is too small for a face.

        Raises
        ------
        ArgumentError, FileError, PictureError
            As for `detect`.
        """
        planes = self._planes(image, color)
        levels = self._levels(*planes.shape[1:])
        return [
            HeatMap(self._pnet(self._level(planes, level)[None])[0, 0].numpy(), level, self._grid)
            for level in levels
        ]

    # -- steps 1 to 5

    def _planes(self, image: ImageSource, color: str) -> Tensor:
        """A picture from anywhere as [3, H, W] float32, channels as the networks want them."""
        pixels, color = pixels_of(image, color)
        if color == "GRAY":
            pixels = pixels[..., None].repeat(3, 2)
        elif color[:3] != self._data.color:
            pixels = pixels[..., 2::-1]
        planes = np.ascontiguousarray(pixels[..., :3].transpose(2, 0, 1), np.float32)
        return torch.from_numpy(planes)

    def _levels(self, height: int, width: int) -> list[Level]:
        return pyramid(height, width, self._grid, self._options)

    def _level(self, planes: Tensor, level: Level) -> Tensor:
        """One level of the pyramid as PNet takes it, [3, *level.input_size]."""
        y, x = (
            Span(-level.margin * size / pixels, outputs * size / pixels, outputs)
            for size, pixels, outputs in zip(planes.shape[1:], level[:2], level.input_size)
        )
        return self._input(planes, x, y)

    def _input(self, planes: Tensor, x: Span, y: Span) -> Tensor:
        """A part of the picture as a network takes it, [3, y.outputs, x.outputs]."""
        values = resize(planes, x, y, self._data.pad)
        return (values - self._data.mean) * self._data.norm

    def _propose(self, planes: Tensor) -> tuple[Boxes, Stage, int, float]:
        """PNet over all levels: its boxes, its stage, the levels, the time to make them in ms."""
        height, width = planes.shape[1:]
        options = self._options
        cells, levels, pyramid_ms, begin = 0, 0, 0.0, perf_counter()
        found = [(np.empty((0, 4), np.float32), np.empty((0, 5), np.float32))]
        for level in self._levels(height, width):
            tick = perf_counter()
            pixels = self._level(planes, level)
            pyramid_ms += _ms(tick)
            output = self._pnet(pixels[None])[0]
            cells += output[0].numel()
            levels += 1
            rows, columns = torch.nonzero(
                output[0] >= options.thresholds[0], as_tuple=True
            )  # in row-major order
            outputs = output[:, rows, columns].T.numpy()
            boxes = self._grid.boxes(rows.numpy(), columns.numpy(), level, (height, width))
            found.append(_best(boxes, outputs, options.max_boxes[0], options.nms[0]))
        boxes, outputs = (np.concatenate(parts) for parts in zip(*found, strict=True))
        boxes, outputs = _best(boxes, outputs, options.max_boxes[0], options.nms[1])
        boxes = regress(boxes, outputs[:, 1:5])
        inside = visible(boxes, width, height)
        boxes, scores = boxes[inside], outputs[inside, 0]
        stage = Stage("pnet", cells, len(boxes), _ms(begin) - pyramid_ms, boxes, scores)
        return boxes, stage, levels, pyramid_ms

    # -- steps 6 to 8

    def _run_on_crops(
        self, planes: Tensor, boxes: Boxes, network: Network, threshold: float
    ) -> tuple[Boxes, NDArray[np.float32], NDArray[np.float32]]:
        """Run a network on the squares around boxes; keep those of enough probability.

        Returns the squares [K, 4], their scores [K] and the network's outputs [K, 5 or 15].
        """
        _, height, width = network.input_shape
        squares = square(boxes)
        outputs = np.empty((len(boxes), network.output_shape.channels), np.float32)
        for first in range(0, len(boxes), _CHUNK):
            crops = [
                self._input(planes, Span(x1, x2 - x1, width), Span(y1, y2 - y1, height))
                for x1, y1, x2, y2 in squares[first : first + _CHUNK].tolist()
            ]
            outputs[first : first + len(crops)] = network(torch.stack(crops)).flatten(1).numpy()
        kept = outputs[:, 0] >= threshold
        return squares[kept], outputs[kept, 0], outputs[kept]


def _best(
    boxes: Boxes, outputs: NDArray[np.float32], most: int, limit: float
) -> tuple[Boxes, NDArray[np.float32]]:
    """Non-maximum suppression of the best `most` boxes alone: what it keeps, best first."""
    best = np.argsort(-outputs[:, 0], kind="stable")[:most]
    kept = best[nms(boxes[best], outputs[best, 0], limit)]
    return boxes[kept], outputs[kept]


def _landmarks(squares: Boxes, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Landmarks [N, 5, 2] from ONet's outputs [N, 10], relative to `squares` [N, 4]."""
    squares = squares.astype(np.float64)
    sides = (squares[:, 2:] - squares[:, :2])[:, None]
    return (squares[:, None, :2] + outputs.reshape(-1, 5, 2) * sides).astype(np.float32)


def _ms(start: float) -> float:
    return (perf_counter() - start) * 1e3
