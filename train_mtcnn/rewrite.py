"""Rewritings of a cfg that keep the network: `[prelu]` for leaky, no batch normalisation."""

from __future__ import annotations

from train_mtcnn.darknet import Cfg, Section
from train_mtcnn.layers import read_layers

_REFERENCES = {"route": "layers", "shortcut": "from"}  # section -> its option that names layers


def _copy(section: Section) -> Section:
    return Section(section.name, dict(section.options), list(section.comments))


def with_prelu(cfg: Cfg) -> Cfg:
    """Turn each `activation=leaky` into a `[prelu]` section with one slope per channel.

    Layers that `[route]` and `[shortcut]` name stay the same ones: what named a leaky layer names
    its `[prelu]`. So the published models are the networks of darknet_cfg/ with other activations.

    Parameters
    ----------
    cfg
        The network; it stays as it is.

    Returns
    -------
    The rewritten network.
    """
    sections = [_copy(cfg.sections[0])]
    moved: list[int] = []  # old layer -> new layer with the same output
    for layer, section in zip(read_layers(cfg), cfg.sections[1:], strict=True):
        new = _copy(section)
        if option := _REFERENCES.get(layer.type):
            named = layer.inputs if layer.type == "route" else layer.inputs[1:]
            here = len(sections) - 1
            new.options[option] = ",".join(
                str(moved[target] - here if text.startswith("-") else moved[target])
                for target, text in zip(named, section.options[option].split(","), strict=True)
            )
        sections.append(new)
        if layer.options.get("activation") == "leaky":
            new.options["activation"] = "linear"
            sections.append(Section("prelu", {"groups": str(layer.shape.channels)}))
        moved.append(len(sections) - 2)
    return Cfg(sections, cfg.path)


def without_batch_norm(cfg: Cfg) -> Cfg:
    """The network once its batch normalisation is folded (Network.weights(fold=True))."""
    sections = [_copy(section) for section in cfg.sections]
    for section in sections[1:]:
        section.options.pop("batch_normalize", None)
    return Cfg(sections, cfg.path)


def with_batch_norm(cfg: Cfg) -> Cfg:
    """Normalise each convolution that is not a head (linear or logistic), for training."""
    sections = [_copy(section) for section in cfg.sections]
    for section, following in zip(sections[1:], [*sections[2:], None], strict=True):
        if section.name != "convolutional":
            continue
        prelu = following is not None and following.name == "prelu"
        if prelu or section.options.get("activation") not in ("linear", "logistic"):
            section.options["batch_normalize"] = "1"
    return Cfg(sections, cfg.path)
