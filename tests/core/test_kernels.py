"""The C core finds the same faces with every set of kernels that this processor can run."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

DETECT = """\
import sys
import numpy
from pymtcnn import Detector, MtcnnError
_, target, model, *pictures = sys.argv
try:
    found = Detector(model).detect_many(pictures)
except MtcnnError as error:
    sys.exit(str(error))
names = ("boxes", "scores", "landmarks")
arrays = {f"{i} {name}": getattr(one, name) for i, one in enumerate(found) for name in names}
numpy.savez(target, **arrays)
"""
TOLERANCES = {"boxes": 1e-2, "scores": 1e-5, "landmarks": 1e-2}


@pytest.fixture
def detect(tmp_path, default_model, pictures):
    """A function that detects with the named kernels: the process and its file of arrays."""

    def detect(cpu):
        target = tmp_path / f"{cpu}.npz"
        done = subprocess.run(
            [sys.executable, "-c", DETECT, target, default_model, *pictures],
            env={**os.environ, "MTCNN_CPU": cpu, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=300,
        )
        return done, target

    return detect


@pytest.mark.slow
def test_same_faces(detect, report_difference):
    refused, _ = detect("abacus")  # an unknown name's message lists them all
    assert refused.returncode == 1 and len(refused.stderr.splitlines()) == 1
    found = re.search(r"MTCNN_CPU=abacus: .* the kernels ([a-z0-9 ]+);", refused.stderr)
    assert found, refused.stderr
    names = found[1].split()
    assert names[0] == "c" and len(names) > 1

    results = {}
    for name in names:
        done, target = detect(name)
        assert done.returncode == 0, done.stderr
        results[name] = np.load(target)
    for name in names[1:]:
        for kind, tolerance in TOLERANCES.items():
            keys = [key for key in results["c"] if key.endswith(kind)]
            pairs = [(results[name][key], results["c"][key]) for key in keys]
            assert pairs and all(len(ours) == len(theirs) > 0 for ours, theirs in pairs)
            difference = max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)
            report_difference(f"{name} against c kernels, {kind}", difference, tolerance)
            assert difference <= tolerance
