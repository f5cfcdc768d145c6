"""Augmentation: labels stay with their pixels, parts of a batch are treated as the whole."""

from dataclasses import asdict

import numpy as np
import pytest
import torch

from train_mtcnn.data.samples import Kind
from train_mtcnn.training.augment import _MIRRORED, Augmentation, augment
from train_mtcnn.training.losses import Targets

NOTHING = dict.fromkeys(asdict(Augmentation()), 0.0)


def batch(count, side, seed=0):
    """Smooth random crops with random labels."""
    rng = torch.Generator().manual_seed(seed)
    small = torch.rand(count, 3, 4, 4, generator=rng) * 255
    pixels = torch.nn.functional.interpolate(small, size=side, mode="bicubic").clamp(0, 255)
    kind = torch.arange(count, dtype=torch.uint8) % len(Kind)
    offsets = torch.rand(count, 4, generator=rng) - 0.5
    return pixels, Targets(kind, offsets, torch.rand(count, 10, generator=rng))


def run(pixels, targets, seed=0, **how):
    return augment(
        pixels, targets, Augmentation(**(NOTHING | how)), torch.Generator().manual_seed(seed)
    )


def test_nothing_is_changed_where_nothing_is_asked():
    pixels, targets = batch(8, 12)
    made, same = run(pixels, targets)
    assert torch.equal(made, pixels)
    assert torch.equal(same.offsets, targets.offsets)
    assert torch.equal(same.landmarks, targets.landmarks)


def test_flipped_twice_is_as_before():
    pixels, targets = batch(8, 24)
    once, between = run(pixels, targets, flip=1.0)
    assert torch.equal(once, pixels.flip(3))
    points, mirrored = (t.landmarks.view(-1, 5, 2) for t in (targets, between))
    for left, right in ((0, 1), (2, 2), (3, 4)):  # eyes, nose, mouth as seen in the picture
        assert torch.allclose(mirrored[:, left, 0], 1 - points[:, right, 0])
        assert torch.equal(mirrored[:, left, 1], points[:, right, 1])
    assert torch.allclose(between.offsets[:, 0], -targets.offsets[:, 2])
    assert torch.equal(between.offsets[:, [1, 3]], targets.offsets[:, [1, 3]])
    twice, after = run(once, between, flip=1.0)
    assert torch.equal(twice, pixels)
    assert torch.allclose(after.offsets, targets.offsets)
    assert torch.allclose(after.landmarks, targets.landmarks)
    assert torch.equal(after.kind, targets.kind)


def centroid(pixels):
    """Middle of a dot's brightness, x and y in sides of the crop: [B, 2]."""
    grey = pixels.sum(1)
    places = (torch.arange(grey.shape[1]) + 0.5) / grey.shape[1]
    total = grey.sum((1, 2))
    across, down = (grey.sum(1) * places).sum(1), (grey.sum(2) * places).sum(1)
    return torch.stack([across / total, down / total], 1)


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_labels_stay_with_their_pixels(flip):
    """A dot at each landmark and at each corner of the box is found where its label went."""
    side, count = 48, 16
    rng = np.random.default_rng(0)
    where = rng.integers(12, 36, (count, 7, 2)).astype(np.float32)  # middles of dots, pixels
    truth = torch.from_numpy(where) / side
    offsets = torch.cat([truth[:, 5], truth[:, 6] - 1], 1)
    targets = Targets(torch.full((count,), 1, dtype=torch.uint8), offsets, truth[:, :5].flatten(1))
    for dot in range(7):
        pixels = torch.zeros(count, 3, side, side)
        for row, (x, y) in enumerate(where[:, dot].astype(int)):
            pixels[row, :, y - 2 : y + 2, x - 2 : x + 2] = 255
        made, moved = run(pixels, targets, flip=flip, scale=0.15)
        points = moved.landmarks.view(-1, 5, 2)
        corners = (moved.offsets + torch.tensor([0, 0, 1, 1])).view(-1, 2, 2)
        expected = points[:, _MIRRORED.index(dot) if flip else dot] if dot < 5 else None
        if dot >= 5:
            x = corners[:, 6 - dot if flip else dot - 5, 0]  # left and right change places
            expected = torch.stack([x, corners[:, dot - 5, 1]], 1)
        off = (centroid(made) - expected).abs() * side
        assert off.max() < 0.15, dot  # pixels
        shifted = (centroid(made) - centroid(pixels)).abs() * side
        assert shifted.max() > 2  # or nothing was tried


@pytest.mark.parametrize("size", [1, 2, 3])
def test_parts_are_changed_as_the_whole(size):
    pixels, targets = batch(12, 24)
    how = Augmentation(0.5, 0.3, 0.3, 0.3, 0.3, 0.5, 0.1, 0.5)
    whole, labels = augment(pixels, targets, how, torch.Generator().manual_seed(7))
    assert not torch.equal(whole, pixels)
    for rank in range(size):
        part = slice(rank, None, size)
        mine = Targets(targets.kind[part], targets.offsets[part], targets.landmarks[part])
        made, own = augment(
            pixels[part], mine, how, torch.Generator().manual_seed(7), part, len(pixels)
        )
        assert (made - whole[part]).abs().max() < 1e-2
        assert torch.allclose(own.offsets, labels.offsets[part], atol=1e-6)
        assert torch.allclose(own.landmarks, labels.landmarks[part], atol=1e-6)


@pytest.mark.parametrize("side", [12, 24, 48, 13])
@pytest.mark.parametrize("value", [0, 3, 100.5, 128, 255])
def test_compression_of_a_flat_picture(side, value):
    pixels = torch.full((6, 3, side, side), float(value))
    made, _ = run(pixels, batch(6, side)[1], compression=1.0)
    assert (made - pixels).abs().max() <= 2


def test_compression_loses_little_and_something():
    pixels, targets = batch(16, 24)
    made, _ = run(pixels, targets, compression=1.0)
    assert 0.5 < (made - pixels).abs().mean() < 12
    assert (made.mean((1, 2, 3)) - pixels.mean((1, 2, 3))).abs().max() < 4


def test_grey_and_blur():
    pixels, targets = batch(4, 12)
    grey, _ = run(pixels, targets, grey=1.0)
    assert torch.equal(grey[:, 0], grey[:, 1]) and torch.equal(grey[:, 1], grey[:, 2])
    red = torch.zeros(1, 3, 12, 12)
    red[:, 0] = 100
    one = Targets(*(values[:1] for values in (targets.kind, targets.offsets, targets.landmarks)))
    assert torch.allclose(run(red, one, grey=1.0)[0], torch.tensor(29.9))
    stripes = (torch.arange(12) % 2 * 200.0).expand(1, 3, 12, 12)
    assert torch.allclose(run(stripes, one, blur=1.0)[0], torch.tensor(100.0))


def test_sharpening_keeps_flat_parts_and_widens_edges():
    pixels, targets = batch(6, 12)
    pixels[:] = 100.0
    assert torch.allclose(run(pixels, targets, sharpen=1.0)[0], pixels)
    pixels[..., 6:] = 150
    made, _ = run(pixels, targets, sharpen=1.0)
    assert torch.allclose(made[..., [0, 4, 7, 11]], pixels[..., [0, 4, 7, 11]])
    under, over = 100 - made[..., 5], made[..., 6] - 150
    assert torch.allclose(under, over, atol=1e-4) and under.min() >= 0
    assert 5 < under.max() <= 50 / 3 + 1e-3


def test_cut_blackens_sides_only():
    pixels, targets = batch(400, 24)
    pixels += 1
    made, same = run(pixels, targets, cut=1.0)
    black = (made == 0).all(1)
    assert torch.equal(
        made[~black[:, None].expand_as(made)],
        pixels.clamp(max=255)[~black[:, None].expand_as(made)],
    )
    assert not black[:, 6:18, 6:18].any()  # at most a quarter of each side
    for edge in (black[:, :, 0], black[:, 0], black[:, :, -1], black[:, -1]):
        assert 0.35 < edge.all(1).float().mean() < 0.6
    assert torch.equal(same.landmarks, targets.landmarks)


def test_colour_keeps_to_its_range():
    pixels, targets = batch(200, 12)
    flat = torch.full_like(pixels, 127.5)
    made, _ = run(flat, targets, colour=0.2)
    means = made.mean((2, 3))
    assert torch.allclose(made, means[:, :, None, None].expand_as(made))  # still flat
    assert (means - 127.5).abs().max() > 20
    assert ((means >= 127.5 * 0.6) & (means <= 127.5 * 1.4)).all()
    assert ((made >= 0) & (made <= 255)).all()


def test_shares_of_the_changes():
    pixels, targets = batch(4000, 4)
    made, _ = run(pixels, targets, flip=0.3)
    flipped = (made == pixels.flip(3)).flatten(1).all(1) & (made != pixels).flatten(1).any(1)
    assert 0.27 < flipped.float().mean() < 0.33
