"""Any single network of a Darknet `.cfg` and `.weights`, run by the C core."""

from __future__ import annotations

import operator
import os
import weakref
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._library import absolute, core
from .errors import ArgumentError


class Shape(NamedTuple):
    """Shape of one picture or one layer's output."""

    channels: int
    height: int
    width: int


class Network:
    """A Darknet network. Threads may share it; `pickle` and `copy` read its files again.

    Parameters
    ----------
    cfg : path
    weights : path, optional
        Without it all weights are zero.

    Warns
    -----
    CfgWarning
        A key in the cfg is probably mistyped.

    Raises
    ------
    FileError, CfgError, WeightsError
        A file is missing, is not valid, or does not fit the other.
    LibraryError
        The compiled core is not installed.

    Attributes
    ----------
    layers : int
        Number of layers: the sections of the cfg after ``[net]``.
    weights_count : int
        float32 values that its `.weights` file holds after the header.
    input : Shape
        What the cfg's ``[net]`` section gives.
    """

    def __init__(
        self, cfg: str | os.PathLike[str], weights: str | os.PathLike[str] | None = None
    ) -> None:
        if cfg is None:
            raise ArgumentError("cfg None: must be a path")
        self._load(cfg, weights)

    def _load(self, cfg: str | os.PathLike[str], weights: str | os.PathLike[str] | None) -> None:
        self._core = core()
        ffi, lib = self._core.ffi, self._core.lib
        self._network = ffi.new("mtcnn_network **")
        error = ffi.new("mtcnn_error *")
        paths = self._core.path(cfg), self._core.path(weights)
        self._core.check(lib.mtcnn_network_load(self._network, *paths, error), error)
        self._core.warn(lib.mtcnn_network_warnings(self._network[0]))
        weakref.finalize(self, lib.mtcnn_network_free, self._network).atexit = False
        self.layers: int = lib.mtcnn_network_layers(self._network[0])
        self.weights_count: int = lib.mtcnn_network_weights(self._network[0])
        self.input = _shape(lib.mtcnn_network_input(self._network[0]))
        self._cfg, self._paths = os.fspath(cfg), (absolute(cfg), absolute(weights))

    def __getstate__(self) -> dict[str, Any]:
        """What travels: attributes, with the files' paths in place of C's object."""
        return {n: value for n, value in vars(self).items() if n not in ("_core", "_network")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._load(*state["_paths"])
        vars(self).update(state)

    def shape(self, height: int, width: int, layer: int = -1) -> Shape:
        """The shape of a layer's output for an input of height x width pixels.

        Parameters
        ----------
        height, width : int
        layer : int
            0-based; -1 is the network's output.

        Raises
        ------
        ArgumentError
            No such layer, or a side outside 1..1048576.
        CfgError
            The network cannot take inputs of this size.
        """
        return self._layer(height, width, layer)[0]

    @property
    def layer_types(self) -> tuple[str, ...]:
        """The layers' section names, ``"convolutional"`` and so on."""
        _, height, width = self.input
        return tuple(self._layer(height, width, layer)[1] for layer in range(self.layers))

    def _layer(self, height: int, width: int, layer: int) -> tuple[Shape, str]:
        ffi, lib = self._core.ffi, self._core.lib
        try:
            numbers = [operator.index(value) for value in (layer, height, width)]
            shape, kind = ffi.new("mtcnn_shape *"), ffi.new("char **")
            error = ffi.new("mtcnn_error *")
            status = lib.mtcnn_network_shape(self._network[0], *numbers, shape, kind, error)
        except (TypeError, OverflowError):
            raise ArgumentError(
                f"height {height!r}, width {width!r}, layer {layer!r}: must be whole numbers"
            ) from None
        self._core.check(status, error)
        return _shape(shape), ffi.string(kind[0]).decode()

    def run(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network.

        Parameters
        ----------
        x : ndarray, [B, C, H, W] float32
            C is the cfg's; H and W may differ from it where the network is fully convolutional.

        Returns
        -------
        ndarray, [B, c, h, w] float32
            The last layer's output.

        Raises
        ------
        ArgumentError
            Wrong type or shape.
        CfgError
            The network cannot take inputs of this size.
        OutOfMemoryError
        """
        if not isinstance(x, np.ndarray) or x.dtype != np.float32:
            kind = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
            raise ArgumentError(f"x of type {kind}: must be a numpy array of dtype float32")
        channels = self.input.channels
        if x.ndim != 4 or x.shape[1] != channels:
            raise ArgumentError(f"x of shape {x.shape}: must be (batch, {channels}, height, width)")
        batch, _, height, width = x.shape
        output = np.empty((batch, *self.shape(height, width)), np.float32)
        if batch == 0:
            return output
        inputs = np.ascontiguousarray(x)
        ffi, lib = self._core.ffi, self._core.lib
        error = ffi.new("mtcnn_error *")
        status = lib.mtcnn_network_run(
            self._network[0],
            ffi.from_buffer("float[]", inputs),
            batch,
            height,
            width,
            ffi.from_buffer("float[]", output, require_writable=True),
            output.size,
            error,
        )
        self._core.check(status, error)
        return output

    def __repr__(self) -> str:
        count, size = self.layers, "x".join(str(side) for side in self.input)
        return f"Network({self._cfg}: {count} layers, {self.weights_count} weights, input {size})"


def _shape(shape: Any) -> Shape:
    return Shape(shape.channels, shape.height, shape.width)
