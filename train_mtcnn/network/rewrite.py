"""Rewritings of a cfg: `[prelu]` for leaky, no batch normalisation, poolings without padding."""

from __future__ import annotations

from collections.abc import Sequence

from train_mtcnn.network.darknet import Cfg, Section
from train_mtcnn.network.layers import Layer, input_shape, read_layers

_REFERENCES = {"route": "layers", "shortcut": "from"}  # section -> its option that names layers


def copied(section: Section) -> Section:
    """A copy that may be changed; it belongs to no file."""
    return Section(section.name, dict(section.options), list(section.comments))


def renumbered(layer: Layer, section: Section, moved: Sequence[int], here: int) -> Section:
    """A copy of a section that names the layers of a rewritten network.

    Parameters
    ----------
    layer, section
        What is copied; relative numbers stay relative, absolute ones absolute.
    moved
        Old layer -> new layer with the same output.
    here
        The copy's own number in the new network.
    """
    new = copied(section)
    if option := _REFERENCES.get(layer.type):
        named = layer.inputs if layer.type == "route" else layer.inputs[1:]
        new.options[option] = ",".join(
            str(moved[target] - here if text.startswith("-") else moved[target])
            for target, text in zip(named, section.options[option].split(","), strict=True)
        )
    return new


def with_prelu(cfg: Cfg, shared: bool = False) -> Cfg:
    """Turn each `activation=leaky` into a `[prelu]` section.

    Layers that `[route]` and `[shortcut]` name stay the same ones: what named a leaky layer names
    its `[prelu]`. So the published models are the networks of darknet_cfg/ with other activations.

    Parameters
    ----------
    cfg
        The network; it stays as it is.
    shared
        Of all channels together one slope; else one of each.

    Returns
    -------
    The rewritten network.
    """
    sections = [copied(cfg.sections[0])]
    moved: list[int] = []  # old layer -> new layer with the same output
    for layer, section in zip(read_layers(cfg), cfg.sections[1:], strict=True):
        new = renumbered(layer, section, moved, len(sections) - 1)
        sections.append(new)
        if layer.options.get("activation") == "leaky":
            new.options["activation"] = "linear"
            groups = 1 if shared else layer.shape.channels
            sections.append(Section("prelu", {"groups": str(groups)}))
        moved.append(len(sections) - 2)
    return Cfg(sections, cfg.path)


def without_batch_norm(cfg: Cfg) -> Cfg:
    """The network once its batch normalisation is folded (Network.weights(fold=True))."""
    sections = [copied(section) for section in cfg.sections]
    for section in sections[1:]:
        section.options.pop("batch_normalize", None)
    return Cfg(sections, cfg.path)


def with_batch_norm(cfg: Cfg) -> Cfg:
    """Normalise each convolution that is not a head (linear or logistic), for training."""
    layers = read_layers(cfg)
    sections = [copied(section) for section in cfg.sections]
    for layer, section, following in zip(layers, sections[1:], [*layers[1:], None], strict=True):
        if layer.type != "convolutional":
            continue
        prelu = following is not None and following.type == "prelu"
        if prelu or layer.options["activation"] not in ("linear", "logistic"):
            section.options["batch_normalize"] = "1"
    return Cfg(sections, cfg.path)


def with_floor_pooling(cfg: Cfg) -> Cfg:
    """Let no window of a `[maxpool]` hang over: torch's ceil_mode=False.

    Convolutions that cover their whole input, as dense layers do, still cover it: their kernels
    shrink with it.

    Parameters
    ----------
    cfg
        The network; it stays as it is.

    Returns
    -------
    The rewritten network.

    Raises
    ------
    CfgError
        If the cfg makes no sense, or a window no longer fits into its input.
    """
    sections = [copied(cfg.sections[0])]
    layers = read_layers(cfg)
    for layer, section in zip(layers, cfg.sections[1:], strict=True):
        old = new = input_shape(cfg)
        if layer.inputs[0] >= 0:
            old = layers[layer.inputs[0]].shape
            new = read_layers(Cfg(sections, cfg.path))[layer.inputs[0]].shape
        changes = {}
        if layer.type == "maxpool":
            changes = {"padding": "0"}
        elif layer.type == "convolutional" and layer.options["size"] == old.height != new.height:
            changes = {"size": str(new.height)}
        section = copied(section)
        if changes:
            section.options |= changes
            section.comments = []  # they spoke of what was there
        sections.append(section)
    return Cfg(sections, cfg.path)
