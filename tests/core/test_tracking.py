"""Tracking on a video made from the bundled pictures, whose truth is known."""

from __future__ import annotations

import gc
import weakref
from itertools import pairwise

import numpy as np
import pytest

import pymtcnn
from bench.made_video import Camera, Judge, Shot, Truth, made_video, moved_boxes
from pymtcnn import ArgumentError, Detector, Tracker, Tracks
from pymtcnn._library import core

SIZE = (480, 360)
FPS = 25
MIN_FACE = 40
CUT = 60  # the first frame of the second shot


@pytest.fixture(scope="module")
def detector(default_model):
    with Detector(default_model, min_face=MIN_FACE) as detector:
        yield detector


@pytest.fixture(scope="module")
def wall(pictures) -> np.ndarray:
    """Both pictures next to each other: RGB [512, 1024, 3]."""
    return np.hstack([pymtcnn.read_picture(path)[:512] for path in pictures])


@pytest.fixture(scope="module")
def faces(detector, wall) -> np.ndarray:
    """The two faces of the wall: [2, 4]."""
    found = detector.detect(wall)
    boxes = found.boxes[found.scores > 0.99]
    assert len(boxes) == 2
    return boxes[boxes[:, 0].argsort()].astype(np.float64)


@pytest.fixture(scope="module")
def video(wall, faces) -> list[Truth]:
    """One face leaves as the other one enters; a cut; a zoom, and the other one enters again."""
    mirrored = faces[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [1024, 0, 1024, 0]
    shots = [
        Shot(
            wall, faces, [Camera(250, 180, 400), Camera(500, 220, 700), Camera(770, 220, 460)], CUT
        ),
        Shot(
            np.ascontiguousarray(wall[:, ::-1]),
            mirrored,
            [Camera(410, 230, 520), Camera(330, 230, 560), Camera(530, 240, 780)],
            50,
        ),
    ]
    return list(made_video(shots, SIZE, noise=5, quality=80))


def run(detector: Detector, video: list[Truth], **options) -> list[Tracks]:
    tracker = Tracker(detector, **options)
    return [tracker.update(frame.picture, i / FPS) for i, frame in enumerate(video)]


def judge(video: list[Truth], results) -> Judge:
    """Compares boxes and ids with the truth; detections have no ids."""
    judge = Judge()
    for truth, result in zip(video, results, strict=True):
        judge.add(truth, result.boxes, getattr(result, "ids", np.zeros(len(result), int)))
    return judge


# ---- on the made video ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("every", [5, 10])
def test_ids_are_kept_and_few_faces_are_lost(detector, video, every):
    results = run(detector, video, every=every)
    tracked = judge(video, results).measures()
    detected = judge(video, [detector.detect(frame.picture) for frame in video]).measures()
    assert detected.faces > 100 and detected.found == detected.faces
    assert tracked.switches == 0
    # A face that enters waits for the next scan: twice here.
    assert tracked.faces - tracked.found <= 2 * (every - 1)
    assert tracked.overlap > detected.overlap - 0.02
    assert tracked.false == 0
    # Two faces in each shot: four ids.
    assert set(np.concatenate([result.ids for result in results])) == {1, 2, 3, 4}
    scans = sum(result.scanned for result in results)
    assert scans <= len(video) / every + 3


def test_a_cut_is_scanned_immediately(detector, video):
    results = run(detector, video, every=1000)
    assert results[CUT].scanned and sum(result.scanned for result in results) < 10
    assert len(results[CUT]) == 1 and results[CUT].ages[0] == 0


@pytest.mark.slow
def test_every_frame_scanned_and_nothing_smoothed_is_detection(detector, video):
    for frame, tracks in zip(
        video, run(detector, video, every=1, smoothing=0, min_score=0, lost=0), strict=True
    ):
        faces = detector.detect(frame.picture)
        order = np.lexsort(faces.boxes.T)
        ours = np.lexsort(tracks.boxes.T)
        assert tracks.scanned
        for name in ("boxes", "scores", "landmarks"):
            theirs = getattr(faces, name)[order]
            assert getattr(tracks, name)[ours].tobytes() == theirs.tobytes()


def test_smoothing_reduces_jitter(detector, wall, faces):
    rest = Shot(wall, faces, [Camera(500, 230, 900)] * 2, 40)
    video = list(made_video([rest], SIZE, noise=8))
    rough = judge(video, run(detector, video, smoothing=0)).measures()
    smooth = judge(video, run(detector, video)).measures()
    assert smooth.found == smooth.faces == 80
    assert smooth.trembling < 0.6 * rough.trembling
    assert smooth.overlap > rough.overlap - 0.005


def test_a_face_that_is_hidden_for_a_while_keeps_its_id(detector, wall, faces):
    shot = Shot(wall, faces[:1], [Camera(250, 180, 420)] * 2, 24)
    frames = [frame.picture for frame in made_video([shot], SIZE)]
    hidden = frames[0].copy()
    (x1, y1, x2, y2), *_ = moved_boxes(faces[:1], shot.path[0], SIZE).astype(int)
    hidden[y1 - 10 : y2 + 10, x1 - 10 : x2 + 10] = hidden[y1 - 10, x1 - 10]
    for gap, same in ((5, True), (11, False)):
        tracker = Tracker(detector, lost=8)
        seen = []
        for i, rgb in enumerate(frames):
            seen.append(tracker.update(hidden if 8 <= i < 8 + gap else rgb, i / FPS))
        assert [len(tracks) for tracks in seen] == [1] * 8 + [0] * gap + [1] * (16 - gap)
        assert seen[-1].ids[0] == (1 if same else 2)
        assert seen[-1].ages[0] == (23 if same else 15 - gap)


def test_a_cut_between_faces_in_the_same_place(detector, wall, faces):
    """The second shot's face is where the first one's was: only the colours differ."""
    cameras = [Camera((x1 + x2) / 2, (y1 + y2) / 2, 4 * (x2 - x1)) for x1, y1, x2, y2 in faces]
    shots = [Shot(wall, faces[i : i + 1], [camera] * 2, 4) for i, camera in enumerate(cameras)]
    results = run(detector, list(made_video(shots, SIZE)), every=100)
    assert [tracks.ids.tolist() for tracks in results] == [[1]] * 4 + [[2]] * 4
    assert [i for i, tracks in enumerate(results) if tracks.scanned] == [0, 4]


def test_weak_faces_get_no_id(detector, video):
    assert len(Tracker(detector, min_score=1).update(video[0].picture, 0)) == 0
    assert len(Tracker(detector, min_score=0).update(video[0].picture, 0)) >= 1


def test_results_depend_neither_on_threads_nor_on_the_order_of_colours(default_model, video):
    results = []
    for threads, color in ((1, "RGB"), (3, "BGR")):
        with Detector(default_model, min_face=MIN_FACE, threads=threads) as detector:
            tracker = Tracker(detector, every=4)
            for i, frame in enumerate(video[::6]):
                pixels = frame.picture if color == "RGB" else frame.picture[..., ::-1].copy()
                results.append(tracker.update(pixels, i / 4, color))
    half = len(results) // 2
    for a, b in zip(results[:half], results[half:], strict=True):
        for name in ("boxes", "scores", "landmarks", "ids", "ages"):
            assert getattr(a, name).tobytes() == getattr(b, name).tobytes()
        assert a.scanned == b.scanned


# ---- what it takes and gives ---------------------------------------------------------------------


def test_contract(detector, video):
    (tracks,) = run(detector, video[:1])
    assert (tracks.boxes.shape, tracks.boxes.dtype) == ((1, 4), np.float32)
    assert (tracks.scores.shape, tracks.scores.dtype) == ((1,), np.float32)
    assert (tracks.landmarks.shape, tracks.landmarks.dtype) == ((1, 5, 2), np.float32)
    assert (tracks.ids.tolist(), tracks.ids.dtype) == ([1], np.uint32)
    assert (tracks.ages.tolist(), tracks.ages.dtype) == ([0], np.uint32)
    assert len(tracks) == 1 and tracks.total_ms > 0
    assert "1 face," in repr(tracks) and "\n  1: " in repr(tracks)
    empty = Tracker(detector).update(np.zeros((5, 5, 3), np.uint8), 0)
    assert len(empty) == 0 and empty.boxes.shape == (0, 4) and empty.landmarks.shape == (0, 5, 2)
    assert "0 faces" in repr(empty)


def test_options(detector):
    defaults = Tracker(detector).options
    assert defaults == pymtcnn.TrackerOptions(10, 10, 0.6, 0.15, 20.0)
    assert Tracker(detector, every=3, beta=np.float64(1)).options.every == 3
    lib = core().lib
    for wrong in (
        {"every": 0},
        {"every": 2.0},
        {"every": True},
        {"every": lib.MTCNN_MAX_FRAMES + 1},
        {"lost": -1},
        {"lost": "3"},
        {"min_score": 1.01},
        {"min_score": "0.5"},
        {"smoothing": -0.1},
        {"smoothing": float("nan")},
        {"smoothing": lib.MTCNN_MAX_SMOOTHING + 1},
        {"beta": -1},
        {"beta": float("inf")},
    ):
        (name,) = wrong
        with pytest.raises(ArgumentError, match=name):
            Tracker(detector, **wrong)


def test_frames_are_checked(detector, video):
    tracker = Tracker(detector)
    rgb = video[0].picture
    tracker.update(rgb, 1)
    for seconds in (1, 0.5, float("nan"), "2", None):
        with pytest.raises(ArgumentError, match="second"):
            tracker.update(rgb, seconds)
    with pytest.raises(ArgumentError, match="dtype float32"):
        tracker.update(rgb.astype(np.float32), 2)
    with pytest.raises(ArgumentError, match="color"):
        tracker.update(rgb, 2, "rgb")
    assert tracker.update(rgb, 2).ids.tolist() == [1]


def test_detector_and_tracker_may_go_in_any_order(default_model, video):
    detector = Detector(default_model, min_face=MIN_FACE)
    tracker = Tracker(detector)
    tracker.update(video[0].picture, 0)
    detector.close()
    with pytest.raises(ArgumentError, match="this detector is closed"):
        tracker.update(video[0].picture, 1)
    with pytest.raises(ArgumentError, match="this detector is closed"):
        Tracker(detector)
    with pytest.raises(ArgumentError, match="detector of type int: must be a Detector"):
        pymtcnn.track([video[0].picture], 5)
    gone = weakref.ref(tracker)
    del tracker
    gc.collect()
    assert gone() is None


def test_track(default_model, detector, video):
    pictures = [frame.picture for frame in video[:12]]
    direct = run(detector, video[:12])
    followed = list(pymtcnn.track(iter(pictures), detector))
    assert [frame.index for frame in followed] == list(range(12))
    assert all(a.seconds < b.seconds for a, b in pairwise(followed))
    for ours, frame, picture in zip(direct, followed, pictures, strict=True):
        assert frame.picture is picture and frame.seconds == frame.index / FPS
        assert frame.tracks.boxes.tobytes() == ours.boxes.tobytes()
    with pytest.raises(ArgumentError, match="every"):
        pymtcnn.track(pictures, detector, every=0)
    assert len(next(iter(pymtcnn.track(pictures))).tracks) == 1  # its own detector
    assert not list(pymtcnn.track([], detector))
    assert len(detector.detect(pictures[0])) == 1  # a given detector stays open


# ---- the made video itself -----------------------------------------------------------------------


def test_truth_is_where_the_picture_goes(wall):
    """A bright square is found where moved_boxes says."""
    picture = np.zeros_like(wall)
    picture[200:240, 600:660] = 255
    box = np.array([[600.0, 200, 660, 240]])
    camera = Camera(590, 230, 240)
    (frame,) = made_video([Shot(picture, box, [camera, camera], 1)], SIZE)
    rows, columns = np.nonzero(frame.picture[..., 0] > 127)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert np.abs(frame.boxes[0] - seen).max() < 1
    assert (frame.boxes == moved_boxes(box, camera, SIZE)).all()
    assert frame.visible.tolist() == [1.0]


def test_the_judge_detects_errors(video):
    truth = video[0]
    assert (truth.visible > 0.99).tolist() == [True, False]
    box = truth.boxes[:1]
    judge = Judge()
    for boxes, ids in [(box, [1]), (box, [2]), (box[:0], []), (box + 400, [3])]:
        judge.add(truth, boxes, np.array(ids, int))
    measures = judge.measures()
    assert (measures.faces, measures.found, measures.switches, measures.false) == (4, 2, 1, 1)
    assert measures.overlap == 1 and measures.trembling == 0


def test_tracks_are_a_sequence_of_faces_with_ids(detector, video):
    tracks = next(tracks for tracks in run(detector, video) if len(tracks) > 1)
    for i, (box, score, landmarks, number) in enumerate(tracks):
        assert (box == tracks.boxes[i]).all() and (landmarks == tracks.landmarks[i]).all()
        assert (score, number) == (tracks.scores[i], tracks.ids[i])
    last = tracks[tracks.ids == tracks.ids[-1]]
    assert len(last) == 1 and last.ages == tracks.ages[-1] and last.scanned == tracks.scanned
    assert tracks[-1].to_dict() == last.to_dicts()[0] and last.to_dicts()[0]["id"] == last.ids[0]
    assert repr(tracks).splitlines()[-1].strip() == repr(tracks[-1])[len("TrackedFace(") : -1]


def test_tracks_as_a_table(detector, video):
    tracks = next(tracks for tracks in run(detector, video) if len(tracks) > 1)
    table = tracks.to_pandas()
    assert list(table.columns[:3]) == ["id", "x1", "y1"]
    assert (table["id"].to_numpy() == tracks.ids).all()
    assert np.allclose(table["score"], tracks.scores)
