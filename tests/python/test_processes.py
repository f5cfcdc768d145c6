"""Detectors after a fork and in other processes: they are used, freed and copied there."""

import copy
import gc
import multiprocessing
import os
import pickle
import signal
import threading
import time
import warnings

import numpy as np
import pytest

from pymtcnn import ArgumentError, Detector, Network, Tracker, read_picture
from pymtcnn.compat import facenet_pytorch, ipazc
from tests.support import HOPPER, ROOT

MODEL = ROOT / "darknet_cfg/default.data"


@pytest.fixture(scope="module")
def picture():
    return read_picture(HOPPER)


def child_does(work):
    """Whether a forked child did its work; one that hangs is killed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: threads and fork
        child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(30)
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("threads", [1, 3])
def test_forked_children_use_and_free_detectors(picture, threads):
    detector = Detector(threads=threads)
    boxes = detector.detect(picture).boxes
    tracker = Tracker(detector)
    tracker.update(picture, 0)

    def detect():
        return np.array_equal(detector.detect(picture).boxes, boxes) and detector.memory > 0

    def close():
        detector.close()
        return True

    assert child_does(detect)
    assert child_does(close)
    assert child_does(lambda: tracker.update(picture, 1).ids.tolist() == [1])
    assert child_does(lambda: child_does(detect) and detect())
    assert detect()  # nothing is lost here


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_a_fork_while_another_thread_detects(picture, threads):
    detector = Detector(threads=threads)
    boxes = detector.detect(picture).boxes
    noise = np.random.default_rng(0).integers(0, 256, (500, 500, 3), np.uint8)
    end = threading.Event()

    def work():
        while not end.is_set():
            detector.detect(noise)

    def free():
        nonlocal detector
        del detector
        gc.collect()
        return True

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(2):
            time.sleep(0.005)
            assert child_does(lambda: np.array_equal(detector.detect(picture).boxes, boxes))
            assert child_does(free)
    finally:
        end.set()
        thread.join()


COPIES = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.fixture(params=COPIES)
def copied(request):
    return COPIES[request.param]


class OwnDetector(Detector):
    def __init__(self, note):
        super().__init__(min_face=33)
        self.note = note


def test_a_detector_is_copied_as_model_and_options(picture, copied, monkeypatch):
    monkeypatch.chdir(MODEL.parent)
    detector = Detector(
        MODEL.name, threads=2, thresholds=(0.1, 0.2, 0.3), max_side=300, final_nms="soft"
    )
    expected = detector.detect(picture)
    monkeypatch.chdir("/")  # its path is kept whole
    twin = copied(detector)
    detector.close()
    assert (twin.options, twin.model) == (detector.options, str(MODEL))
    assert np.array_equal(twin.detect(picture).boxes, expected.boxes)
    assert copied(Detector()).model is None
    own = copied(OwnDetector(["a note"]))
    assert (type(own), own.note, own.options.min_face) == (OwnDetector, ["a note"], 33)


def test_what_cannot_be_copied_says_so(copied, tmp_path):
    detector = Detector()
    with pytest.raises(TypeError, match="make a new Tracker"):
        copied(Tracker(detector))
    detector.close()
    with pytest.raises(ArgumentError, match="closed"):
        copied(detector)


def test_a_network_is_copied_as_its_files(copied, monkeypatch):
    monkeypatch.chdir(MODEL.parent)
    network, empty = Network("rnet.cfg", "rnet.weights"), Network("rnet.cfg")
    monkeypatch.chdir("/")
    x = np.random.default_rng(0).random((2, 3, 24, 24), np.float32)
    for each in (network, empty):
        twin = copied(each)
        assert repr(twin) == repr(each)
        assert np.array_equal(twin.run(x), each.run(x))


def test_the_compatible_classes_are_copied(picture, copied, monkeypatch):
    monkeypatch.chdir(MODEL.parent)
    facenet = facenet_pytorch.MTCNN(margin=7, model=MODEL.name, min_face_size=50, threads=2)
    other = ipazc.MTCNN(model=MODEL.name, threads=2)
    monkeypatch.chdir("/")
    twin = copied(facenet)
    assert (twin.margin, twin.min_face_size, twin.thresholds) == (7, 50, facenet.thresholds)
    assert np.array_equal(twin.detect(picture)[0], facenet.detect(picture)[0])
    twin.min_face_size = 60
    assert facenet.min_face_size == 50
    twin = copied(other)
    faces = [mtcnn.detect_faces(picture, min_face_size=90) for mtcnn in (twin, other)]
    assert len(faces[0]) == 1
    assert faces[0] == faces[1]


def _count(detector, path):
    raise SystemExit(len(detector.detect(path)))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_multiprocessing_hands_a_detector_over(method):
    context = multiprocessing.get_context(method)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        process = context.Process(target=_count, args=(Detector(threads=2), HOPPER))
        process.start()
    process.join(60)
    assert process.exitcode == 1  # face
    process.close()


class _Counts:
    """Of a data set, the faces in each of its pictures."""

    def __init__(self, detector, picture):
        self.detector, self.picture = detector, picture

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return len(self.detector.detect(self.picture))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_data_loader_detects(picture, method):
    from torch.utils.data import DataLoader

    dataset = _Counts(Detector(threads=2), picture)
    loader = DataLoader(
        dataset, batch_size=2, num_workers=2, multiprocessing_context=method, timeout=60
    )
    assert [batch.tolist() for batch in loader] == [[1, 1], [1, 1]]
