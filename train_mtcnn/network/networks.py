"""PyTorch modules made from Darknet cfgs: there is no other definition of the networks."""

from __future__ import annotations

import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pymtcnn.errors import ModelError, WeightsError
from train_mtcnn.network.activations import ACTIVATION, RISING
from train_mtcnn.network.darknet import Cfg, read_cfg, read_weights
from train_mtcnn.network.layers import (
    Layer,
    Shape,
    count_weights,
    input_shape,
    read_layers,
    resized_layers,
    weight_parts,
)

# ---- layers: module(layer), its weights named as in layer.tensors --------------------------------


class _BatchNorm(nn.Module):
    """Weights, biases and, where the section asks for it, Darknet's batch normalisation.

    In evaluation the normalisation is folded into weights and biases, in double precision, by
    Darknet's formula (x - mean) / (sqrt(variance) + 1e-6) * scale + bias.
    """

    means: Tensor
    variances: Tensor

    def __init__(self, layer: Layer):
        super().__init__()
        shapes = layer.tensors
        self.normalize = "scales" in shapes
        self.activation = layer.options["activation"]
        self.biases = nn.Parameter(torch.zeros(shapes["biases"]))
        self.weights = nn.Parameter(torch.empty(shapes["weights"]))
        nn.init.kaiming_normal_(self.weights, a=0.1, nonlinearity="leaky_relu")
        if self.normalize:
            self.scales = nn.Parameter(torch.ones(shapes["scales"]))
            self.register_buffer("means", torch.zeros(shapes["means"]))
            self.register_buffer("variances", torch.ones(shapes["variances"]))

    def folded(self, dtype: torch.dtype | None = None) -> tuple[Tensor, Tensor]:
        """Weights and biases that do the normalisation too, rounded once to `dtype`."""
        dtype = dtype or self.weights.dtype
        if not self.normalize:
            return self.weights.to(dtype), self.biases.to(dtype)
        factor = self.scales.double() / (self.variances.double().sqrt() + 1e-6)
        weights = self.weights.double() * factor.view(-1, *[1] * (self.weights.dim() - 1))
        biases = self.biases.double() - self.means.double() * factor
        return weights.to(dtype), biases.to(dtype)

    def product(self, x: Tensor, weights: Tensor, biases: Tensor | None) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor, activate: bool = True) -> Tensor:
        if self.normalize and self.training:
            x = F.batch_norm(
                self.product(x, self.weights, None),
                self.means,
                self.variances,
                self.scales,
                self.biases,
                training=True,
                momentum=0.01,  # Darknet's
                eps=1e-12,  # sqrt(variance + 1e-12) is sqrt(variance) + 1e-6 at both ends
            )
        else:
            x = self.product(x, *self.folded())
        return ACTIVATION[self.activation](x) if activate else x


class _Convolutional(_BatchNorm):
    def __init__(self, layer: Layer):
        super().__init__(layer)
        self.stride = layer.options["stride"]
        self.padding = layer.options["padding"]
        self.groups = layer.options["groups"]

    def product(self, x: Tensor, weights: Tensor, biases: Tensor | None) -> Tensor:
        return F.conv2d(x, weights, biases, self.stride, self.padding, groups=self.groups)


class _Connected(_BatchNorm):
    def product(self, x: Tensor, weights: Tensor, biases: Tensor | None) -> Tensor:
        return F.linear(x.flatten(1), weights, biases)[:, :, None, None]


class _MaxPool(nn.Module):
    def __init__(self, layer: Layer):
        super().__init__()
        self.size = layer.options["size"]
        self.stride = layer.options["stride"]
        self.padding = layer.options["padding"]

    def forward(self, x: Tensor) -> Tensor:
        # `padding` counts both sides; the window starts half of it (rounded down) before the input.
        before = self.padding // 2
        # PyTorch rounds up alike, without a copy, where no window lies in the padding as a whole.
        if self.padding == 0 or (self.padding == 1 and self.stride == 2 and self.size > 1):
            return F.max_pool2d(x, self.size, self.stride, ceil_mode=self.padding == 1)
        pads = []
        for length in (x.shape[3], x.shape[2]):
            outputs = (length + self.padding - self.size) // self.stride + 1
            after = (outputs - 1) * self.stride + self.size - before - length
            pads += [before, max(after, 0)]
        if any(pads):
            x = F.pad(x, pads, value=torch.finfo(x.dtype).min)
        return F.max_pool2d(x, self.size, self.stride)


class _AvgPool(nn.Module):
    def __init__(self, layer: Layer):
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True)


class _Route(nn.Module):
    def __init__(self, layer: Layer):
        super().__init__()

    def forward(self, *inputs: Tensor) -> Tensor:
        return inputs[0] if len(inputs) == 1 else torch.cat(inputs, 1)


class _Shortcut(nn.Module):
    def __init__(self, layer: Layer):
        super().__init__()
        self.activation = layer.options["activation"]

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        return ACTIVATION[self.activation](x + other)


class _Dropout(nn.Module):
    def __init__(self, layer: Layer):
        super().__init__()
        self.probability = layer.options["probability"]

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, float(self.probability)) if self.training else x


class _Softmax(nn.Module):
    def __init__(self, layer: Layer):
        super().__init__()
        self.groups = layer.options["groups"]
        self.spatial = layer.options["spatial"]
        self.temperature = layer.options["temperature"]

    def forward(self, x: Tensor) -> Tensor:
        places = x.shape[2] * x.shape[3] if self.spatial else 1
        groups = x.reshape(len(x), self.groups, -1, places) / self.temperature
        return groups.softmax(2).view_as(x)


class _PReLU(nn.Module):
    def __init__(self, layer: Layer):
        super().__init__()
        self.slopes = nn.Parameter(torch.full(layer.tensors["slopes"], 0.25))

    def forward(self, x: Tensor) -> Tensor:
        return F.prelu(x, self.slopes)


_MODULES: dict[str, type[nn.Module]] = {
    "convolutional": _Convolutional,
    "connected": _Connected,
    "maxpool": _MaxPool,
    "avgpool": _AvgPool,
    "route": _Route,
    "shortcut": _Shortcut,
    "dropout": _Dropout,
    "softmax": _Softmax,
    "prelu": _PReLU,
}

# ---- the network ---------------------------------------------------------------------------------


class Network(nn.Module):
    """A network of a Darknet cfg, with random weights until some are loaded.

    Parameters
    ----------
    cfg
        A cfg file, or one that was read already (darknet.parse_cfg reads text).

    Attributes
    ----------
    cfg : Cfg
        The definition.
    definition : list of Layer
        Shapes, options and weights of every layer.

    Raises
    ------
    FileError, CfgError
        If the cfg cannot be read or makes no sense.
    """

    def __init__(self, cfg: Cfg | str | os.PathLike):
        super().__init__()
        self.cfg = cfg if isinstance(cfg, Cfg) else read_cfg(cfg)
        self.definition = read_layers(self.cfg)
        self.layers = nn.ModuleList(_MODULES[layer.type](layer) for layer in self.definition)
        last = self.definition[-1]
        self._heads = set(last.inputs if last.type == "route" else [len(self.layers) - 1])
        self._readers = {  # layer -> the last layer that reads it
            source: index for index, layer in enumerate(self.definition) for source in layer.inputs
        }
        self._activated_late = self._pooled_first()

    def _pooled_first(self) -> dict[int, int]:
        """Poolings that can do the activation of the convolution before them: pooling -> that one.

        A rising function of the maximum is the maximum of the function, and the pooled values are
        fewer: training spends much of its time here.
        """
        sources = [source for layer in self.definition for source in layer.inputs]
        return {
            index: index - 1
            for index, layer in enumerate(self.definition)
            if layer.type == "maxpool"
            and layer.inputs == (index - 1,)
            and sources.count(index - 1) == 1
            and index > 0
            and self.definition[index - 1].type == "convolutional"
            and self.definition[index - 1].options["activation"] in RISING
            and (layer.options["padding"] + 1) // 2 < layer.options["size"]  # no window is empty
        }

    @classmethod
    def from_darknet(cls, cfg: Cfg | str | os.PathLike, weights: str | os.PathLike) -> Network:
        """Read cfg and weights; the network is ready for use (in evaluation mode).

        Raises
        ------
        FileError, CfgError, WeightsError
            If a file cannot be read, the cfg makes no sense or the weights do not fit it.
        """
        network = cls(cfg)
        network.load_weights(*read_weights(weights, weight_parts(network.definition)))
        return network.eval()

    # -- shapes

    @property
    def input_shape(self) -> Shape:
        """Channels, height and width that `[net]` gives."""
        return input_shape(self.cfg)

    @property
    def output_shape(self) -> Shape:
        """Shape of the output for the input of `[net]`."""
        return self.definition[-1].shape

    @property
    def cell(self) -> int:
        """Side of the part of the picture that one output of a fully convolutional network sees."""
        return self.input_shape.width

    @property
    def stride(self) -> int:
        """Pixels of the picture from one output to the next."""
        stride, index = 1, len(self.definition) - 1
        while index >= 0:
            stride *= self.definition[index].options.get("stride", 1)
            index = self.definition[index].inputs[0]
        return stride

    def shape(self, height: int, width: int) -> Shape:
        """Shape of the output for an input of height x width pixels.

        Raises
        ------
        CfgError, ModelError
            If the network does not take that size.
        """
        return resized_layers(self.cfg, height, width)[-1].shape

    # -- running

    def forward(self, x: Tensor, logits: bool = False) -> Tensor:
        """Run the network.

        Parameters
        ----------
        x : [B, C, H, W] float32
            Normalised pictures.
        logits
            True: leave out the logistic activation of the heads (the layers that the last route
            joins), for losses that take logits.

        Returns
        -------
        [B, c, h, w]: the last layer's output.

        Raises
        ------
        CfgError, ModelError
            If the network does not take inputs of that shape.
        """
        shape = self.input_shape
        if x.dim() != 4 or x.shape[1] != shape.channels:
            raise ModelError(
                f"{self.cfg.path}: the input is {list(x.shape)},"
                f" expected [batch, {shape.channels}, height, width]"
            )
        if tuple(x.shape[2:]) != shape[1:]:
            self.shape(*x.shape[2:])
        outputs = {-1: x}
        late = set(self._activated_late.values())
        for index, (layer, module) in enumerate(zip(self.definition, self.layers, strict=True)):
            inputs = [outputs[source] for source in layer.inputs]
            raw = logits and index in self._heads and layer.options.get("activation") == "logistic"
            if raw or index in late:
                outputs[index] = module(*inputs, activate=False)
            elif index in self._activated_late:
                activation = str(self.layers[self._activated_late[index]].activation)
                outputs[index] = ACTIVATION[activation](module(*inputs))
            else:
                outputs[index] = module(*inputs)
            for source in set(layer.inputs):
                if self._readers[source] == index:
                    del outputs[source]
        return outputs[len(self.layers) - 1]

    # -- weights

    @property
    def weights_count(self) -> int:
        """Number of float32 values of the `.weights` file after its header."""
        return count_weights(self.definition)

    @torch.no_grad()
    def load_weights(self, values: np.ndarray, transposed: bool = False) -> None:
        """Take all weights from the values of a `.weights` file.

        Parameters
        ----------
        values : [weights_count] float32
            In file order.
        transposed
            True: connected layers are stored as [inputs][outputs].

        Raises
        ------
        WeightsError
            If there are more or fewer values than the network has.
        """
        values = np.asarray(values, np.float32)
        if values.shape != (self.weights_count,):
            raise WeightsError(
                f"{self.cfg.path}: the network has {self.weights_count} weights,"
                f" not {list(values.shape)}"
            )
        start = 0
        for layer, module in zip(self.definition, self.layers, strict=True):
            for name, shape in layer.tensors.items():
                count = math.prod(shape)
                part = torch.from_numpy(values[start : start + count].copy())
                if transposed and layer.type == "connected" and name == "weights":
                    part = part.view(shape[::-1]).t()
                getattr(module, name).copy_(part.reshape(shape))
                start += count

    @torch.no_grad()
    def tensors(self, fold: bool = False) -> list[dict[str, np.ndarray]]:
        """Each layer's weights by name, in file order.

        Parameters
        ----------
        fold
            True: fold batch normalisation, in double precision; the result then belongs to
            rewrite.without_batch_norm(cfg).

        Returns
        -------
        float64 arrays, of the shapes in `definition`.
        """
        found = []
        for layer, module in zip(self.definition, self.layers, strict=True):
            parts = {name: getattr(module, name) for name in layer.tensors}
            if fold and "weights" in parts:
                weights, biases = module.folded(torch.float64)  # type: ignore[operator]
                parts = {"biases": biases, "weights": weights}
            found.append({n: part.detach().cpu().double().numpy() for n, part in parts.items()})
        return found

    def weights(self, fold: bool = False) -> np.ndarray:
        """All weights in file order: those of `tensors`.

        Returns
        -------
        [weights_count] float32, or fewer where batch normalisation was folded.
        """
        parts = [part.ravel() for tensors in self.tensors(fold) for part in tensors.values()]
        return np.concatenate([np.empty(0), *parts]).astype(np.float32)
