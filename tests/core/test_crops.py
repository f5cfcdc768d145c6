"""Crops by the C core, against the resizing that defines the cascade."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ASTRONAUT

from pymtcnn import crop, read_picture
from pymtcnn.errors import ArgumentError
from train_mtcnn.cascade.resize import Span, resize

PICTURE = read_picture(ASTRONAUT)
HEIGHT, WIDTH = PICTURE.shape[:2]


def reference(pixels, box, side, pad=0):
    """The crop in double rounding: [side, side, 3] float32, RGB."""
    planes = torch.from_numpy(pixels).permute(2, 0, 1).float()
    x1, y1, x2, y2 = (float(value) for value in np.float32(box))
    made = resize(planes, Span(x1, x2 - x1, side), Span(y1, y2 - y1, side), pad)
    return made.permute(1, 2, 0).numpy()


def same(crops, expected):
    return np.abs(crops.astype(int) - np.round(expected)).max() <= 1


@pytest.mark.parametrize("side", [1, 12, 24, 48, 101])
@pytest.mark.parametrize("pad", [0, 200])
def test_follows_the_definition(side, pad):
    boxes = [
        (0, 0, WIDTH, HEIGHT),
        (100.25, 50.5, 163.75, 114),
        (177, 63, 180.5, 66.5),  # enlarged
        (-40, -20.5, 90, 109.5),
        (WIDTH - 50, HEIGHT - 30, WIDTH + 14, HEIGHT + 34),
        (-1000, -1000, 2000, 2000),
        (WIDTH, 0, WIDTH + 24, 24),  # wholly outside
        (100, 100, 260, 130),  # no square
    ]
    crops = crop(PICTURE, boxes, side, pad=pad)
    assert crops.shape == (len(boxes), side, side, 3) and crops.dtype == np.uint8
    for box, made in zip(boxes, crops):
        assert same(made, reference(PICTURE, box, side, pad)), box
    assert (crops[6] == pad).all()


@settings(max_examples=40)
@given(
    st.floats(-300, 600), st.floats(-300, 600), st.floats(0.5, 900), st.sampled_from([1, 7, 12, 24])
)
def test_any_square(x, y, length, side):
    box = np.float32([x, y, x + length, y + length])
    if (box[2:] > box[:2]).all():
        assert same(crop(PICTURE, box[None], side)[0], reference(PICTURE, box, side))


def test_colour_orders():
    box = np.array([[150.5, 40, 290.5, 180]])
    alpha = np.full((HEIGHT, WIDTH, 1), 77, np.uint8)
    expected = crop(PICTURE, box, 24)
    for color, pixels in (
        ("BGR", PICTURE[..., ::-1]),
        ("RGBA", np.concatenate([PICTURE, alpha], 2)),
        ("BGRA", np.concatenate([PICTURE[..., ::-1], alpha], 2)),
    ):
        assert np.array_equal(crop(pixels, box, 24, color=color), expected), color
    grey = crop(PICTURE[..., 1], box, 24, color="GRAY")
    assert np.array_equal(grey, expected[..., [1, 1, 1]])
    assert not np.array_equal(expected[..., 0], expected[..., 1])


def test_files_and_views():
    box = [[150, 40, 290, 180]]
    expected = crop(PICTURE, box, 12)
    assert np.array_equal(crop(ASTRONAUT, box, 12), expected)
    upside = crop(PICTURE[::-1], [[150, HEIGHT - 180, 290, HEIGHT - 40]], 12)
    assert np.abs(upside[0, ::-1].astype(int) - expected[0]).max() <= 1


def test_no_boxes():
    assert crop(PICTURE, np.empty((0, 4)), 12).shape == (0, 12, 12, 3)


@pytest.mark.parametrize(
    "box",
    [
        (5, 5, 5, 20),
        (5, 5, 20, 5),
        (20, 5, 5, 20),
        (np.nan, 0, 10, 10),
        (0, 0, 10, np.nan),
        (0, 0, np.inf, 10),
        (-np.inf, 0, 10, 10),
    ],
)
def test_boxes_without_an_area(box):
    with pytest.raises(ArgumentError, match=r"box 1 .*no area or is not finite"):
        crop(PICTURE, [(0, 0, 10, 10), box], 12)


@pytest.mark.parametrize("boxes", [[], [0, 0, 10, 10], np.zeros((2, 5)), np.zeros((1, 2, 4)), None])
def test_boxes_of_another_shape(boxes):
    with pytest.raises(ArgumentError, match=r"must be \(N, 4\)"):
        crop(PICTURE, boxes, 12)


@pytest.mark.parametrize("boxes", ["abcd", [[0, 0, 10, "x"]], [[0, 0, 10, 10], [0, 0]], [[{}] * 4]])
def test_boxes_that_are_no_numbers(boxes):
    with pytest.raises(ArgumentError, match=r"boxes: .*must be numbers, \(N, 4\)"):
        crop(PICTURE, boxes, 12)


@pytest.mark.parametrize("side, pad", [(0, 0), (-1, 0), (4097, 0), (12, -1), (12, 256)])
def test_sides_out_of_range(side, pad):
    with pytest.raises(ArgumentError, match=f"side {side}, pad {pad}: must be 1 to 4096 and 0 to"):
        crop(PICTURE, [(0, 0, 10, 10)], side, pad=pad)


@pytest.mark.parametrize("side, pad", [(12.0, 0), ("12", 0), (None, 0), (12, 0.5)])
def test_sides_that_are_no_whole_numbers(side, pad):
    with pytest.raises(ArgumentError, match="must be whole numbers"):
        crop(PICTURE, [(0, 0, 10, 10)], side, pad=pad)


def test_pictures_that_are_none():
    with pytest.raises(ArgumentError):
        crop(PICTURE.astype(float), [(0, 0, 10, 10)], 12)
    with pytest.raises(ArgumentError):
        crop(PICTURE, [(0, 0, 10, 10)], 12, color="GRAY")
