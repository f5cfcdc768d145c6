"""The C core finds the same faces with every set of kernels that this processor can run."""

import json
import os
import re
import subprocess

import numpy as np
import pytest


def detect(program, pictures, cpu):
    return subprocess.run(
        [program, "--json", *pictures],
        env={**os.environ, "MTCNN_CPU": cpu},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def names(program, default_model, pictures):
    """The kernels that there are: an unknown name's message lists them."""
    refused = detect(program, pictures, "abacus")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1
    found = re.search(r"MTCNN_CPU=abacus: .* the kernels ([a-z0-9 ]+);", refused.stderr)
    assert found, refused.stderr
    return found[1].split()


def test_same_faces(names, program, pictures, report_difference):
    assert names[0] == "c" and len(names) > 1
    results = {name: detect(program, pictures, name) for name in names}
    assert all(result.returncode == 0 for result in results.values())
    plain = [json.loads(line) for line in results["c"].stdout.splitlines()]
    for name in names[1:]:
        for ours, theirs in zip(
            map(json.loads, results[name].stdout.splitlines()), plain, strict=True
        ):
            assert len(ours["faces"]) == len(theirs["faces"]) > 0
            for key, tolerance in ("box", 0.01), ("landmarks", 0.01), ("score", 1e-5):
                values = [np.array([face[key] for face in one["faces"]]) for one in (ours, theirs)]
                difference = float(np.abs(values[0] - values[1]).max())
                report_difference(f"{name} against c kernels, {key}", difference, tolerance)
                assert difference <= tolerance
