"""Classes with the interface of other MTCNN packages: programs switch by changing an import.

    from pymtcnn.compat.facenet_pytorch import MTCNN
    from pymtcnn.compat.ipazc import MTCNN

Arguments that are not given default to the model's own settings. What these classes cannot do they
refuse with an `ArgumentError`; no argument is silently ignored.
"""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError


def check_device(device: object) -> None:
    """Raise ArgumentError unless a device is None or a name of the CPU."""
    name = str("cpu" if device is None else device)
    if name.lower().split(":")[0] != "cpu":
        raise ArgumentError(f"device {name}: must be cpu, where this package runs; leave it out")


def array_of(picture: Any) -> Any:
    """A tensor of PyTorch or TensorFlow as an array; anything else as it is.

    Raises
    ------
    ArgumentError
        It holds no numbers that an array can hold.
    """
    try:
        if hasattr(picture, "detach"):
            tensor = picture.detach().cpu()
            return (tensor.float() if tensor.is_floating_point() else tensor).numpy()
        return picture.numpy() if hasattr(picture, "numpy") else picture
    except (TypeError, RuntimeError) as error:  # sparse, meta and other kinds
        raise ArgumentError(f"img: a tensor that cannot be an array: {error}") from error
