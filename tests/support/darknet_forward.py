"""A network's output from Darknet itself, for parity tests, in a separate process.

    python tests/support/darknet_forward.py libdarknet.so NET.cfg NET.weights INPUTS.npz OUTPUTS.npz

INPUTS holds arrays [B, 3, H, W] float32, as the network takes them; OUTPUTS the flat outputs of
each picture, [B, outputs], under the same names. The library is pjreddie's (AlexeyAB's has other
signatures); docs/darknet.md says how to make it.

The process is separate since Darknet is compiled with -Ofast: a library of gcc's -Ofast makes all
later arithmetic of its process flush denormal numbers to 0.
"""

import ctypes
import sys

import numpy as np


def darknet_forward(library: str, cfg: str, weights: str, inputs: dict) -> dict:
    """Run a network on arrays [B, 3, H, W]; returns [B, outputs] by the same names."""
    darknet = ctypes.CDLL(library)
    darknet.load_network.restype = ctypes.c_void_p
    darknet.network_predict.restype = ctypes.POINTER(ctypes.c_float)
    net = ctypes.c_void_p(darknet.load_network(cfg.encode(), weights.encode(), 0))
    darknet.set_batch_network(net, 1)
    outputs = {}
    for name, x in inputs.items():
        height, width = x.shape[2:]
        if (width, height) != (darknet.network_width(net), darknet.network_height(net)):
            darknet.resize_network(net, width, height)
        count = darknet.network_outputs(net)
        found = []
        for picture in x:
            flat = np.ascontiguousarray(picture, np.float32)
            pointer = darknet.network_predict(net, flat.ctypes.data_as(ctypes.c_void_p))
            found.append(np.ctypeslib.as_array(pointer, (count,)).copy())
        outputs[name] = np.stack(found)
    return outputs


if __name__ == "__main__":
    _, library, cfg, weights, given, made = sys.argv
    with np.load(given) as arrays:
        np.savez(made, **darknet_forward(library, cfg, weights, dict(arrays)))
