"""Classes with the interface of other MTCNN packages: programs switch by changing an import.

    from pymtcnn.compat.facenet_pytorch import MTCNN
    from pymtcnn.compat.ipazc import MTCNN

Where an argument is not given, the model's own setting holds. What these classes cannot do they
refuse with an `ArgumentError`; no argument is ignored without a word here.
"""

from __future__ import annotations

from ..errors import ArgumentError


def check_device(device: object) -> None:
    """Raise ArgumentError unless a device is None or a name of the CPU."""
    name = str("cpu" if device is None else device)
    if name.lower().split(":")[0] != "cpu":
        raise ArgumentError(f"device {name}: must be cpu, where this package runs; leave it out")
