"""Descriptions of model files, as plain dicts: one function a kind of file, entered in `KINDS`."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from convert.caffe_net import CaffeLayer, input_shape, read_caffe
from convert.network_measures import misfit, multiply_adds, receptive_fields, stock_obstacles
from pymtcnn.detector import Options
from pymtcnn.errors import ArgumentError, FileError, ModelError
from train_mtcnn.cascade.cascade_networks import default_options, load_networks
from train_mtcnn.cascade.pyramid import Grid, pyramid
from train_mtcnn.common.file_content import read_bytes
from train_mtcnn.network.checkpoint import load_tensors, read_checkpoint, state_dict_of
from train_mtcnn.network.darknet import (
    NETWORKS,
    Cfg,
    float32,
    read_cfg,
    read_data,
    read_header,
    read_weights,
)
from train_mtcnn.network.layers import Layer, Shape, count_weights, read_layers, resized_layers
from train_mtcnn.network.layers import input_shape as net_shape
from train_mtcnn.network.model_files import model_digest

Size = tuple[int, int] | None  # height and width of the picture; None: the network's own


def _window(layer: Layer) -> str | None:
    """Side, step and padding of what slides over the input."""
    if "size" not in layer.options:
        return None
    size, stride, padding = (layer.options[name] for name in ("size", "stride", "padding"))
    return f"{size}x{size}/{stride}" + (f" padding {padding}" if padding else "")


def _layers(cfg: Cfg, size: Size) -> tuple[Shape, list[Layer]]:
    """Input and layers at a size."""
    own = net_shape(cfg)
    if size is None:
        return own, read_layers(cfg)
    return Shape(own.channels, *size), resized_layers(cfg, *size)


def _network(cfg: Cfg, size: Size, obstacles: list[str]) -> dict:
    """A network, measured."""
    shape, layers = _layers(cfg, size)
    fields = receptive_fields(layers)
    return {
        "dialect": "native" if any(layer.type == "prelu" for layer in layers) else "stock",
        "stock_darknet": not obstacles,
        "obstacles": obstacles,
        "input": shape,
        "output": layers[-1].shape,
        "receptive_field": fields[-1][0],
        "stride": fields[-1][1],
        "parameters": count_weights(layers),
        "multiply_adds": sum(map(multiply_adds, layers)),
        "layers": [
            {
                "layer": index,
                "type": layer.type,
                "inputs": list(layer.inputs),
                "window": _window(layer),
                "activation": layer.options.get("activation"),
                "output": layer.shape,
                "receptive_field": field,
                "stride": stride,
                "parameters": count_weights([layer]),
                "multiply_adds": multiply_adds(layer),
                "tensors": layer.tensors,
            }
            for index, (layer, (field, stride)) in enumerate(zip(layers, fields, strict=True))
        ],
    }


def _cfg_file(path: Path, size: Size, obstacles: Sequence[str] = ()) -> dict:
    """The network of a cfg file; `obstacles` are those that are known already."""
    cfg = read_cfg(path)
    return _network(cfg, size, [*obstacles, *stock_obstacles(cfg, read_bytes(path))])


def _cfg(path: Path, cfg: Path | None, size: Size) -> dict:
    return {"kind": "Darknet cfg"} | _cfg_file(path, size)


def _weights(path: Path, cfg: Path | None, size: Size) -> dict:
    values, _ = read_weights(path)
    header = read_header(read_bytes(path), path)
    beside = path.with_suffix(".cfg")
    if cfg is None and beside.exists():
        cfg = beside
    found = {
        "kind": "Darknet weights",
        "major": header.major,
        "minor": header.minor,
        "revision": header.revision,
        "seen": header.seen,
        "header_bytes": header.size,
        "transposed": header.transposed,
        "values": len(values),
        "cfg": str(cfg) if cfg else None,
    }
    if cfg is None:
        return found
    obstacles = []
    if text := misfit(len(values), read_cfg(cfg)):
        found["misfit"] = text
        obstacles = ["values and .cfg do not fit, which it does not notice"]
    return found | _cfg_file(cfg, size, obstacles)


def _tensor(name: object, value: object) -> dict:
    if not isinstance(value, torch.Tensor):
        return {"name": str(name), "shape": None, "type": type(value).__name__, "values": None}
    kind = str(value.dtype).removeprefix("torch.")
    return {"name": str(name), "shape": tuple(value.shape), "type": kind, "values": value.numel()}


def _checkpoint(path: Path, cfg: Path | None, size: Size) -> dict:
    state, others = state_dict_of(load_tensors(read_bytes(path), path))
    found = {
        "kind": "PyTorch checkpoint" if others else "PyTorch state dict",
        "also_holds": [
            f"{key} {value}" if isinstance(value, int | float) else str(key)
            for key, value in others.items()
        ],
    }
    if cfg is None and not isinstance(others.get("cfg"), str):
        rows = [_tensor(name, value) for name, value in state.items()]
        values = [row["values"] for row in rows if row["values"]]
        return found | {"cfg": None, "parameters": sum(values), "tensors": rows}
    network, fed = read_checkpoint(path, None if cfg is None else read_cfg(cfg))
    obstacles = ["it is PyTorch's: convert/torch2darknet.py makes Darknet's files of it"]
    return (
        found
        | {"cfg": str(cfg) if cfg else "its own", "fed": fed._asdict()}
        | _network(network.cfg, size, obstacles + stock_obstacles(network.cfg))
    )


def _caffe_cost(layer: CaffeLayer) -> int | None:
    """Multiply-adds; None where the shape of the output is not known."""
    if layer.type not in ("Convolution", "InnerProduct") or not layer.blobs:
        return 0
    return layer.blobs[0].size * math.prod(layer.output[1:]) if layer.output else None


def _caffemodel(path: Path, cfg: Path | None, size: Size) -> dict:
    prototxt = path.with_suffix(".prototxt")
    read_bytes(path)  # where it is missing, so is perhaps the prototxt: name this one
    shape = input_shape(prototxt)
    if size:
        if shape is None:
            raise ModelError(f"{prototxt}: names no input of four dimensions, which --size needs")
        shape = (shape[0], *size)
    layers = read_caffe(prototxt, path, shape)
    costs = list(map(_caffe_cost, layers))
    return {
        "kind": "Caffe model",
        "prototxt": str(prototxt),
        "stock_darknet": False,
        "obstacles": ["it is Caffe's: convert/import_pretrained.py imports the paper's networks"],
        "input": shape,
        "parameters": sum(blob.size for layer in layers for blob in layer.blobs),
        "multiply_adds": None if None in costs else sum(costs),
        "layers": [
            {
                "layer": layer.name,
                "type": layer.type,
                "output": layer.output,
                "parameters": sum(blob.size for blob in layer.blobs),
                "multiply_adds": cost,
                "arrays": [blob.shape for blob in layer.blobs],
            }
            for layer, cost in zip(layers, costs, strict=True)
        ],
    }


_COLUMNS = (
    *("network", "input", "output", "receptive_field", "stride", "parameters", "levels"),
    *("multiply_adds", "cfg", "weights"),
)


def _data(path: Path, cfg: Path | None, size: Size) -> dict:
    data = read_data(path)
    networks = load_networks(data)
    obstacles, rows = [], []
    for name in NETWORKS:
        definition = networks[name].cfg
        content = read_bytes(data.cfg[name])
        obstacles += [f"{name}: {text}" for text in stock_obstacles(definition, content)]
        row = _network(definition, None, [])
        row |= {"network": name, "cfg": str(data.cfg[name]), "weights": str(data.weights[name])}
        row["levels"] = None
        if size and name == "pnet":
            grid = Grid(networks[name].cell, networks[name].stride)
            levels = pyramid(*size, grid, Options(**default_options(data)))
            runs = [_layers(definition, level.input_size)[1] for level in levels]
            row["levels"] = len(levels)
            row["multiply_adds"] = sum(multiply_adds(layer) for run in runs for layer in run)
        rows.append({key: row[key] for key in _COLUMNS})
    settings = {k: v for k, v in asdict(data).items() if k not in ("cfg", "weights")}
    found = {
        "kind": "cascade",
        "model_sha256": model_digest(path),
        **{k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()},
        "stock_darknet": not obstacles,
        "obstacles": obstacles,
    }
    if (data.mean, float32(data.norm)) != (0, float32(1 / 255)):
        found["stock_input"] = "v / 255: stock Darknet feeds that, not (v - mean) * norm"
    return found | {"parameters": sum(row["parameters"] for row in rows), "networks": rows}


KINDS: dict[str, Callable[[Path, Path | None, Size], dict]] = {
    ".cfg": _cfg,
    ".weights": _weights,
    ".pt": _checkpoint,
    ".pth": _checkpoint,
    ".caffemodel": _caffemodel,
    ".data": _data,
}
_WITHOUT_CFG = (".weights", ".pt", ".pth")  # what --cfg is for


def describe(path: Path, cfg: Path | None = None, size: Size = None) -> dict:
    """Describe a file.

    Parameters
    ----------
    path
        The file; its ending says what it is.
    cfg
        The network of a `.weights` file or a checkpoint; None: the one beside it, or its own.
        Other files name their networks themselves.
    size
        Height and width of the picture, pixels; None: the network's own. Of a cascade: of the
        picture whose pyramid PNet looks at.

    Returns
    -------
    Key -> value, for JSON; shapes are tuples. "misfit" is there and no None if the values of a
    `.weights` file do not fit its cfg.

    Raises
    ------
    MtcnnError
        If the file cannot be read, is damaged or refused, or the network does not take that size.
    """
    if path.is_dir():
        raise FileError(f"{path}: is a folder; name files in it ({', '.join(KINDS)})")
    content = read_bytes(path)
    if path.suffix not in KINDS:
        raise ArgumentError(f"{path}: its ending is none of {', '.join(KINDS)}")
    if cfg and path.suffix not in _WITHOUT_CFG:
        raise ArgumentError(f"{path}: --cfg {cfg} is for {', '.join(_WITHOUT_CFG)}; leave it out")
    return {
        "file": str(path),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    } | KINDS[path.suffix](path, cfg, size)
