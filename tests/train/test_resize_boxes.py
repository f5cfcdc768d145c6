"""Resizing (step 2 of the cascade) and boxes (steps 4 to 6)."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from train_mtcnn.cascade.boxes import areas, clip, iom, iou, nms, regress, soft_nms, square, visible
from train_mtcnn.cascade.resize import Span, resize, weights

# ---- resizing ------------------------------------------------------------------------------------


def picture(height, width, seed=0):
    values = torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))
    return 255 * values


@pytest.mark.parametrize("height", [5, 37, 100])
@pytest.mark.parametrize("width", [4, 37, 211])
@pytest.mark.parametrize("target", [(5, 4), (12, 12), (37, 37), (80, 130)])
def test_whole_picture_is_torchs_antialiased_bilinear(height, width, target):
    planes = picture(height, width)
    made = resize(planes, Span(0, width, target[1]), Span(0, height, target[0]))
    expected = F.interpolate(
        planes[None], target, mode="bilinear", antialias=True, align_corners=False
    )[0]
    assert made.shape == expected.shape
    assert (made - expected).abs().max() < 1e-3


def test_same_size_is_the_same_picture():
    planes = picture(9, 70)
    assert torch.equal(resize(planes, Span(0, 70, 70), Span(0, 9, 9)), planes)


def plain(planes, x, y, pad):
    """The text of docs/architecture.md, one output after another."""

    def axis(span, size):
        scale = span.length / span.outputs
        support = max(scale, 1)
        for i in range(span.outputs):
            centre = span.start + (i + 0.5) * scale
            row = [max(0, 1 - abs(j + 0.5 - centre) / support) for j in range(size)]
            yield np.array(row) / sum(row) if 0 <= centre < size else None

    height, width = planes.shape[1:]
    values = planes.double().numpy()
    made = np.full((3, y.outputs, x.outputs), float(pad))
    for i, row in enumerate(axis(y, height)):
        for j, column in enumerate(axis(x, width)):
            if row is not None and column is not None:
                made[:, i, j] = row @ values @ column
    return torch.from_numpy(made)


SPANS = st.builds(
    Span,
    st.floats(-80, 80, allow_nan=False),
    st.floats(0.5, 150, allow_nan=False),
    st.integers(1, 70),
)


@pytest.mark.slow
@settings(deadline=None)  # the plain loops are slow, on a busy machine above all
@given(SPANS, SPANS, st.integers(1, 40), st.integers(1, 40))
def test_crops_anywhere(x, y, height, width):
    planes = picture(height, width)
    made = resize(planes, x, y, pad=17)
    assert made.shape == (3, y.outputs, x.outputs)
    assert (made - plain(planes, x, y, 17)).abs().max() < 1e-3


def test_outside_is_pad():
    planes = torch.full((3, 10, 10), 100.0)
    made = resize(planes, Span(-12, 24, 24), Span(-6, 24, 24), pad=7)
    expected = torch.full((3, 24, 24), 7.0)
    expected[:, 6:16, 12:22] = 100
    assert (made - expected).abs().max() < 1e-4
    assert (resize(planes, Span(50, 24, 24), Span(-60, 24, 24), pad=7) == 7).all()


@given(SPANS, st.integers(1, 60))
def test_weights(span, size):
    matrix, low, inside = weights(span, size)
    assert matrix.shape[0] == span.outputs and 0 <= low <= low + matrix.shape[1] <= size
    assert np.abs(matrix.sum(1, dtype=np.float64) - inside).max() < 1e-6
    assert (matrix >= 0).all()
    # In parts it is the same matrix.
    half = span.outputs // 2
    for first, last in ((0, half), (half, span.outputs)):
        if first < last:
            part, start, _ = weights(span, size, first, last)
            whole = np.zeros((last - first, size), np.float32)
            whole[:, start : start + part.shape[1]] = part
            expected = np.zeros_like(whole)
            expected[:, low : low + matrix.shape[1]] = matrix[first:last]
            assert np.abs(whole - expected).max() < 1e-6


# ---- boxes ---------------------------------------------------------------------------------------

BOXES = hnp.arrays(
    np.float32, st.tuples(st.integers(1, 25), st.just(4)), elements=st.integers(0, 40)
)


def ordered(corners):
    """Boxes from any two corners."""
    corners = corners.reshape(-1, 2, 2)
    return np.hstack([corners.min(1), corners.max(1)])


def test_overlaps_by_hand():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [2, 2, 4, 4]], np.float32)
    assert iou(boxes[0], boxes) == pytest.approx([1, 50 / 150, 0, 4 / 100])
    assert iom(boxes[0], boxes) == pytest.approx([1, 0.5, 0, 1])
    empty = np.zeros((1, 4), np.float32)
    assert iou(empty[0], empty) == 0 and iom(empty[0], empty) == 0


@pytest.mark.slow
@given(BOXES.map(ordered))
def test_overlaps(boxes):
    for overlap in (iou, iom):
        for i, box in enumerate(boxes):
            row = overlap(box, boxes)
            assert ((row >= 0) & (row <= 1)).all()
            assert row[i] == (areas(box) > 0)
            for j, other in enumerate(boxes):
                assert overlap(other, boxes[i : i + 1])[0] == row[j]
    assert (iom(boxes[0], boxes) >= iou(boxes[0], boxes)).all()


@given(BOXES.map(ordered), st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]), st.sampled_from([iou, iom]))
def test_nms(boxes, limit, overlap):
    scores = (np.arange(len(boxes)) * 7 % 5).astype(np.float32)  # with ties
    kept = nms(boxes, scores, limit, overlap)
    order = np.lexsort([kept, -scores[kept]])
    assert (order == np.arange(len(kept))).all()  # best first, ties in the given order
    for i, index in enumerate(kept):
        assert (overlap(boxes[index], boxes[kept[:i]]) <= limit).all()
    rank = {index: (-scores[index], index) for index in range(len(boxes))}
    for index in set(range(len(boxes))) - set(kept.tolist()):
        better = [other for other in kept if rank[other] < rank[index]]
        assert (overlap(boxes[index], boxes[better]) > limit).any()


def test_nms_by_hand():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 5], [20, 0, 30, 10], [0, 0, 10, 10]], np.float32)
    scores = np.array([0.5, 0.9, 0.1, 0.5], np.float32)
    assert nms(boxes, scores, 0.5).tolist() == [1, 0, 2]  # an overlap of exactly 0.5 stays
    assert nms(boxes, scores, 0.49).tolist() == [1, 2]
    assert nms(boxes, scores, 0.5, iom).tolist() == [1, 2]
    assert nms(boxes[:0], scores[:0], 0.5).tolist() == []


def test_soft_nms_by_hand():
    boxes = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [20, 0, 30, 10], [0, 0, 10, 5]], np.float32)
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    kept, lowered = soft_nms(boxes, scores, 0.5, 0.1, iom)
    assert kept.tolist() == [0, 2, 1] and np.allclose(lowered, [0.9, 0.7, 0.32])
    assert soft_nms(boxes[:0], scores[:0], 0.5, 0)[0].tolist() == []


def test_regress_and_square():
    boxes = np.array([[10, 20, 30, 60]], np.float32)
    moved = regress(boxes, np.array([[0.1, -0.1, 0.2, 0.25]], np.float32))
    assert moved == pytest.approx(np.array([[12, 16, 34, 70]]))
    assert square(boxes).tolist() == [[0, 20, 40, 60]]
    assert square(np.array([[0, 0, 3, 1]], np.float32)).tolist() == [[0, -1, 3, 2]]
    for made in (moved, square(boxes), regress(boxes[:0], boxes[:0]), square(boxes[:0])):
        assert made.dtype == np.float32 and made.shape[1:] == (4,)


@pytest.mark.slow
@given(BOXES.map(ordered))
def test_squares_have_the_longer_side_and_the_same_centre(boxes):
    squares = square(boxes)
    sides = squares[:, 2:] - squares[:, :2]
    assert (sides[:, 0] == sides[:, 1]).all()
    assert (sides[:, 0] == (boxes[:, 2:] - boxes[:, :2]).max(1)).all()
    assert (squares[:, :2] + squares[:, 2:] == boxes[:, :2] + boxes[:, 2:]).all()


def test_visible_and_clip():
    boxes = np.array(
        [
            [1, 1, 5, 5],
            [5, 1, 1, 5],  # inverted
            [3, 1, 3, 5],  # no area
            [-5, -5, 0, 3],  # touches the border from outside
            [-5, -5, 0.5, 3],
            [9.5, 0, 12, 30],
            [10, 0, 12, 3],
            [np.nan, 0, 1, 1],
            [-np.inf, 0, 1, 1],
        ],
        np.float32,
    )
    seen = visible(boxes, 10, 8)
    assert seen.tolist() == [True, False, False, False, True, True, False, False, False]
    clipped = clip(boxes[seen], 10, 8)
    assert clipped.tolist() == [[1, 1, 5, 5], [0, 0, 0.5, 3], [9.5, 0, 10, 8]]
    assert clipped.dtype == np.float32
