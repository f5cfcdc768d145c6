"""FDDB: its folds, and its evaluation against hand-computed figures."""

from itertools import permutations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pymtcnn.errors import FileError
from train_mtcnn.data.fddb import FddbPicture, read_folds
from train_mtcnn.evaluation.fddb_roc import evaluate, overlaps

# ---- folds ---------------------------------------------------------------------------------------

FACE = "123.5 85.25 1.265839 269.7 161.75  1"
FOLDS = {
    "01": {"2002/08/11/big/img_1": [FACE, "10 8 -1.5 -2 3 1"], "2002/08/11/big/img_2": []},
    "02": {"2003/01/02/big/img_1": [FACE]},
    "10": {"2003/01/02/big/img_9": [FACE]},
}


def write_folds(folder, folds=FOLDS, newline="\n"):
    (folder / "FDDB-folds").mkdir(parents=True)
    for number, pictures in folds.items():
        rows = [(name, str(len(faces)), *faces) for name, faces in pictures.items()]
        for name, lines in (
            (f"FDDB-fold-{number}.txt", pictures),
            (f"FDDB-fold-{number}-ellipseList.txt", [line for row in rows for line in row]),
        ):
            text = newline.join(lines) + newline
            (folder / "FDDB-folds" / name).write_bytes(text.encode())
    return folder / "FDDB-folds"


@pytest.mark.parametrize("newline", ["\n", " \r\n"])
def test_folds(tmp_path, newline):
    folds = write_folds(tmp_path, newline=newline)
    (folds / "FDDB-folds.txt").write_text("is none")
    pictures = read_folds(tmp_path)
    assert [(p.fold, p.path) for p in pictures] == [
        (1, "2002/08/11/big/img_1.jpg"),
        (1, "2002/08/11/big/img_2.jpg"),
        (2, "2003/01/02/big/img_1.jpg"),
        (10, "2003/01/02/big/img_9.jpg"),
    ]
    assert pictures[0].ellipses.tolist() == [
        [123.5, 85.25, 1.265839, 269.7, 161.75],
        [10, 8, -1.5, -2, 3],
    ]
    assert pictures[1].ellipses.shape == (0, 5)


def test_folds_missing(tmp_path):
    with pytest.raises(FileError, match=r"FDDB-folds: no FDDB-fold-NN-ellipseList\.txt is there"):
        read_folds(tmp_path)
    folds = write_folds(tmp_path)
    (folds / "FDDB-fold-02-ellipseList.txt").unlink()
    with pytest.raises(FileError, match=r"FDDB-fold-02-ellipseList\.txt: cannot be read"):
        read_folds(tmp_path)
    write_folds(tmp_path / "other")
    (tmp_path / "other/FDDB-folds/FDDB-fold-10.txt").unlink()
    with pytest.raises(FileError, match=r"FDDB-fold-10\.txt: cannot be read"):
        read_folds(tmp_path / "other")


def test_a_picture_in_two_folds(tmp_path):
    write_folds(tmp_path, {"01": FOLDS["01"], "03": FOLDS["01"]})
    with pytest.raises(FileError, match=r"folds 1 and 3 both have 2002/08/11/big/img_1\.jpg"):
        read_folds(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("img_1\n", "img_7\n", "List.txt:1: '2002/08/11/big/img_7', expected '2002/08/11/big/img"),
        ("img_1\n2", "img_1\ntwo", "List.txt:2: 'two', expected the number of faces"),
        ("img_1\n2", "img_1\n3", "List.txt:5: '2002/08/11/big/img_2', expected two radii"),
        ("img_1\n2", "img_1\n1", "List.txt:4: '10 8 -1.5 -2 3 1', expected '2002/08/11/big/img_2'"),
        ("img_2\n0\n", "img_2\n0\nmore\n", "List.txt:7: 'more', expected the end of the file, as"),
        ("10 8", "0 8", "List.txt:4: '0 8 -1.5"),
        ("10 8", "10 -8", "List.txt:4: '10 -8 -1.5"),
        ("10 8", "10 nan", "List.txt:4: '10 nan -1.5"),
        ("10 8 -1.5", "10 8", "List.txt:4: '10 8 -2 3 1', expected two radii, an angle, x y of"),
    ],
)
def test_fold_errors(tmp_path, old, new, message):
    path = write_folds(tmp_path) / "FDDB-fold-01-ellipseList.txt"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    with pytest.raises(FileError) as error:
        read_folds(tmp_path)
    assert message in str(error.value) and "unpack the download again" in str(error.value)


def test_fold_cut_anywhere(tmp_path):
    path = write_folds(tmp_path) / "FDDB-fold-01-ellipseList.txt"
    text = path.read_text().rstrip()
    for end in range(len(text)):
        path.write_text(text[:end])
        with pytest.raises(FileError, match=r"ellipseList\.txt:\d: "):
            read_folds(tmp_path)


# ---- overlaps ------------------------------------------------------------------------------------

SIZE = (200, 150)


def picture(*ellipses):
    return FddbPicture("a.jpg", 1, np.array(ellipses, float).reshape(-1, 5))


def drawn(ellipse, size=SIZE):
    """The mask of an ellipse in whole pixels and degrees, as OpenCV draws it."""
    major, minor, angle, x, y = ellipse
    mask = np.zeros(size[::-1], np.uint8)
    return cv2.ellipse(mask, (x, y), (major, minor), angle, 0, 360, 1, -1).astype(bool)


def test_overlap_is_near_that_of_the_areas():
    """An upright ellipse in its bounding box fills a quarter of pi of it; see its longer axis."""
    ellipse = [60, 40, np.pi / 2, 100, 75]  # the longer axis is vertical
    boxes = np.array([[60, 15, 80, 120], [40, 35, 120, 80], [100, 75, 40, 60]], float)
    found = overlaps(np.array([ellipse]), boxes, *SIZE)
    across = 80 * 80 * 0.9  # about what the ellipse and a box across have in common
    assert found[0, 0] == pytest.approx(np.pi / 4, abs=0.01)
    assert found[0, 1] == pytest.approx(across / (np.pi * 2400 + 9600 - across), abs=0.03)
    assert found[0, 2] == pytest.approx((np.pi * 600) / (np.pi * 1800 + 2400), abs=0.01)


def test_angle_is_clockwise_on_the_screen():
    ellipse = np.array([[60, 10, np.pi / 4, 100, 75]])  # from the upper left to the lower right
    corners = np.array([[50, 25, 30, 30], [120, 95, 30, 30], [120, 25, 30, 30], [50, 95, 30, 30]])
    assert (overlaps(ellipse, corners.astype(float), *SIZE)[0] > 0).tolist() == [1, 1, 0, 0]


def test_pixels_as_the_authors_count_them():
    """Whole axes, rounded centres, corners and degrees, the last pixel included, in the picture."""
    mask = drawn((30, 20, 10, 50, 40))
    rectangle = np.zeros_like(mask)
    rectangle[20:61, 40:81] = True
    expected = (mask & rectangle).sum() / (mask | rectangle).sum()
    ellipse = [30.9, 20.9, np.radians(10.4), 49.6, 40.4]
    box = [39.6, 20.4, 40, 40]
    assert overlaps(np.array([ellipse]), np.array([box]), *SIZE)[0, 0] == expected


def test_only_the_picture_counts():
    boxes = np.array([[-50, -50, 110, 90], [-90, -90, 20, 20], [10, 10, -20, 5]], float)
    found = overlaps(np.array([[40.0, 40, 0, 0, 0], [9, 9, 0, -99, -99]]), boxes, *SIZE)
    quarter = np.pi * 41 * 41 / 4  # its border is drawn, too
    assert found[0, 0] == pytest.approx(quarter / (61 * 41), abs=0.01)
    assert not found[0, 1:].any() and not found[1].any()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_overlaps_by_masks(seed):
    random = np.random.default_rng(seed)
    ellipses = [
        (*random.integers(1, 60, 2), random.integers(-180, 180), *random.integers(-20, 220, 2))
        for _ in range(3)
    ]
    ellipses = [tuple(int(v) for v in ellipse) for ellipse in ellipses]
    boxes = np.hstack([random.integers(-50, 200, (4, 2)), random.integers(0, 90, (4, 2))])
    values = np.array(ellipses, float)
    values[:, 2] = np.radians(values[:, 2])
    found = overlaps(values, boxes.astype(float), *SIZE)
    for i, ellipse in enumerate(ellipses):
        for j, (x, y, w, h) in enumerate(boxes):
            mask, rectangle = drawn(ellipse), np.zeros(SIZE[::-1], bool)
            rectangle[max(y, 0) : max(y + h + 1, 0), max(x, 0) : max(x + w + 1, 0)] = True
            union = (mask | rectangle).sum()
            assert found[i, j] == ((mask & rectangle).sum() / union if union else 0)


# ---- curves --------------------------------------------------------------------------------------


def given_overlaps(monkeypatch, *tables):
    """Let the pictures' overlaps be these tables; only numbers matter then."""
    rest = iter(tables)
    monkeypatch.setattr(
        "train_mtcnn.evaluation.fddb_roc.overlaps", lambda *_: np.array(next(rest), float)
    )
    return [picture(*[[1, 1, 0, 0, 0]] * len(table)) for table in tables]


def scored(*scores):
    return np.column_stack([np.zeros((len(scores), 4)), scores])


def run(truth, predictions):
    return evaluate(truth, predictions, [SIZE] * len(truth))


def test_by_hand(monkeypatch):
    truth = given_overlaps(
        monkeypatch,
        [[0.8, 0.1, 0.6, 0.0], [0.0, 0.4, 0.0, 0.0]],
        [[0.5, 0.75]],
        np.zeros((1, 0)),
        np.zeros((0, 1)),
    )
    roc = run(truth, [scored(0.9, 0.7, 0.5, 0.5), scored(0.8, 0.7), scored(), scored(0.6)])
    assert roc.faces == 4
    assert roc.thresholds.tolist() == [0.9, 0.8, 0.7, 0.6, 0.5]
    # 0.9: one face. 0.8: one half is not enough. 0.7: the better detection takes that face, and
    # 0.4 is too little. 0.6: a picture without a face. 0.5: one again, one of nothing.
    assert roc.discrete.tolist() == pytest.approx([1 / 4, 1 / 4, 2 / 4, 2 / 4, 2 / 4])
    assert roc.continuous.tolist() == pytest.approx(
        [0.8 / 4, (0.8 + 0.5) / 4, *[(0.8 + 0.4 + 0.75) / 4] * 3]
    )
    assert roc.false_positives.tolist() == [0, 1, 2, 3, 5]
    assert roc.at(0) == pytest.approx((1 / 4, 0.8 / 4))
    assert roc.at(1) == pytest.approx((1 / 4, 1.3 / 4))
    assert roc.at(1000) == pytest.approx((2 / 4, 1.95 / 4))
    assert roc.at(-1) == (0, 0)


def test_matches_are_the_best_together(monkeypatch):
    """Greedy matching would give the first face the second detection: 0.9 + 0 < 0.8 + 0.7."""
    truth = given_overlaps(monkeypatch, [[0.8, 0.9], [0.0, 0.7]])
    roc = run(truth, [scored(1, 1)])
    assert roc.discrete.tolist() == [1] and roc.continuous.tolist() == pytest.approx([0.75])
    assert roc.false_positives.tolist() == [0]


def test_matches_change_with_the_threshold(monkeypatch):
    """The sum of overlaps counts, though a face is lost for it: 0.55 < 0.45 + 0.49."""
    truth = given_overlaps(monkeypatch, [[0.55, 0.49], [0.45, 0.0]])
    roc = run(truth, [scored(0.9, 0.3)])
    assert roc.discrete.tolist() == [0.5, 0]
    assert roc.continuous.tolist() == pytest.approx([0.275, 0.47])
    assert roc.false_positives.tolist() == [0, 2]
    assert roc.at(5) == pytest.approx((0.5, 0.47))


def test_true_boxes():
    truth = [picture([30, 20, 0, 100, 75]), picture(), picture([20, 20, 0, 40, 40])]
    boxes = [[[70, 55, 60, 40, 2.0]], np.zeros((0, 5)), [[20, 20, 40, 40, -3.0], [0, 0, 9, 9, 5]]]
    roc = run(truth, [np.array(b) for b in boxes])
    assert roc.thresholds.tolist() == [5, 2, -3]
    assert roc.discrete.tolist() == [0, 0.5, 1] and roc.false_positives.tolist() == [1, 1, 1]
    assert roc.continuous[-1] == pytest.approx(np.pi / 4, abs=0.02)


def test_nothing_found_and_nothing_to_find():
    roc = run([picture([30, 20, 0, 100, 75])], [scored()])
    assert roc.faces == 1 and roc.thresholds.shape == roc.discrete.shape == (0,)
    assert roc.at(1000) == (0, 0)
    assert run([], []).faces == 0
    roc = run([picture()], [scored(0.5)])
    assert roc.discrete.tolist() == [0] and roc.false_positives.tolist() == [1]
    with pytest.raises(ValueError):
        run([picture()], [])


def authors(tables, scores):
    """The authors' way: each picture's results at each of its scores, merged over the pictures."""

    def best(table, valid):
        columns = np.flatnonzero(valid)
        rows = len(table)
        padded = np.zeros((rows, len(columns) + rows))
        padded[:, : len(columns)] = table[:, columns]
        choices = permutations(range(padded.shape[1]), rows)
        return max(([padded[i, j] for i, j in enumerate(c)] for c in choices), key=sum)

    faces = sum(map(len, tables))
    curve = []
    for threshold in sorted({s for row in scores for s in row}, reverse=True):
        continuous = discrete = wrong = 0
        for table, row in zip(tables, scores):
            valid = np.array(row) >= threshold
            matches = best(table, valid)
            found = sum(m > 0.5 for m in matches)
            continuous, discrete = continuous + sum(matches), discrete + found
            wrong += valid.sum() - found
        curve.append((threshold, discrete / max(faces, 1), continuous / max(faces, 1), wrong))
    return np.array(curve).reshape(-1, 4)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_against_the_authors_way(seed):
    random = np.random.default_rng(seed)
    shapes = random.integers(0, 4, (random.integers(1, 4), 2))
    # Random floats, so that no two sets of matches have the same sum.
    tables = [random.random(s) * (random.random(s) < 0.7) for s in shapes]
    scores = [random.integers(0, 5, n).tolist() for _, n in shapes]
    with pytest.MonkeyPatch.context() as monkeypatch:
        roc = run(given_overlaps(monkeypatch, *tables), [scored(*row) for row in scores])
    expected = authors(tables, scores)
    found = np.column_stack([roc.thresholds, roc.discrete, roc.continuous, roc.false_positives])
    assert found.shape == expected.shape
    assert np.abs(found - expected).max(initial=0) < 1e-12
