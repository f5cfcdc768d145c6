"""The losses by hand, and the batches they are taken over."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pymtcnn.errors import ArgumentError
from train_mtcnn.data.samples import LABEL, Kind
from train_mtcnn.training.batches import RATIOS, Batches, shares
from train_mtcnn.training.losses import TASKS, Targets, measures, task_losses, taught

N, P, T, L = Kind

# ---- losses --------------------------------------------------------------------------------------


def targets(kinds, offsets=0.0, landmarks=0.0):
    count = len(kinds)
    return Targets(
        torch.tensor(kinds, dtype=torch.uint8),
        torch.zeros(count, 4) + offsets,
        torch.zeros(count, 10) + landmarks,
    )


def entropy(logit, face):
    return math.log(1 + math.exp(-logit if face else logit))


def test_by_hand():
    output = torch.zeros(4, 15)
    output[:, 0] = torch.tensor([2.0, -1.0, 50.0, -50.0])
    output[0, 1:5] = torch.tensor([0.01, 0.0, 0.2, -0.3])
    output[2, 1] = 0.05
    output[3, 5:7] = torch.tensor([0.02, 1.0])
    losses = task_losses(output, targets([P, N, T, L]))
    assert float(losses["face"]) == pytest.approx((entropy(2, True) + entropy(-1, False)) / 2)
    # Below 0.05 a square over 0.1, above it a line less 0.025.
    box = (0.01**2 / 0.1 + 0.175 + 0.275 + 0.025) / 2
    assert float(losses["box"]) == pytest.approx(box, rel=1e-5)
    assert float(losses["landmarks"]) == pytest.approx(0.02**2 / 0.1 + 0.975, rel=1e-5)


def test_targets_are_taken_off():
    output = torch.full((2, 15), 0.5)
    losses = task_losses(output, targets([P, L], offsets=0.5, landmarks=0.5))
    assert losses["box"] == losses["landmarks"] == 0


def test_what_a_kind_teaches():
    rows = taught(torch.tensor([N, P, T, L, 255], dtype=torch.uint8))
    assert list(rows) == list(TASKS)
    assert rows["face"].tolist() == [True, True, False, False, False]
    assert rows["box"].tolist() == [False, True, True, False, False]
    assert rows["landmarks"].tolist() == [False, False, False, True, False]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("keep", [1.0, 0.7])
def test_tasks_without_samples(kind, keep):
    output = torch.randn(3, 15, generator=torch.Generator().manual_seed(0)).requires_grad_()
    losses = task_losses(output, targets([kind] * 3, offsets=0.3, landmarks=0.3), keep)
    rows = taught(torch.tensor([kind]))
    assert {t for t in TASKS if losses[t] == 0} == {t for t in TASKS if not rows[t].any()}
    sum(losses.values()).backward()
    assert output.grad.isfinite().all() and output.grad.any()


def test_five_outputs_have_no_landmarks():
    assert set(task_losses(torch.zeros(2, 5), targets([P, L]))) == {"face", "box"}


@pytest.mark.parametrize("keep, kept", [(0.7, 7), (0.5, 5), (0.01, 1), (1.0, 10)])
def test_hard_examples(keep, kept):
    logits = torch.arange(10.0) - 4  # all negative samples: the largest are the hardest
    output = torch.cat([logits[:, None], torch.zeros(10, 4)], 1).requires_grad_()
    loss = task_losses(output, targets([N] * 10), keep)["face"]
    expected = [entropy(value, False) for value in logits.tolist()[10 - kept :]]
    assert float(loss.detach()) == pytest.approx(np.mean(expected), rel=1e-5)
    loss.backward()
    assert (output.grad[:, 0] != 0).tolist() == [False] * (10 - kept) + [True] * kept


def test_measures():
    output = torch.zeros(6, 15)
    output[:, 0] = torch.tensor([1.0, -1.0, 1.0, -1.0, 0.0, 9.0])
    output[0, 1] = 0.4
    wanted = targets([P, P, N, N, N, L])
    wanted.landmarks[5] = torch.tensor([0.2, 0.0, 0.7, 0, 0, 0, 0, 0, 0, 0])
    made = {name: value.tolist() for name, value in measures(output, wanted).items()}
    assert made["recall"] == [1, 2] and made["false_positives"] == [1, 3]
    assert made["box_error"] == [pytest.approx(0.1), 2]
    # Mean distance 0.9 / 5, by the eyes' distance 0.5.
    assert made["landmark_error"] == [pytest.approx(0.36), 1]


# ---- batches -------------------------------------------------------------------------------------

ratio = st.one_of(st.just(0.0), st.floats(0.01, 50))


@given(st.integers(4, 3000), ratio, ratio, st.floats(0.01, 50), st.floats(0.01, 50))
def test_shares(batch, part, landmark, positive, negative):
    ratios = {P: positive, N: negative, T: part, L: landmark}
    counts = shares(batch, ratios, set(Kind))
    assert sum(counts.values()) == batch
    assert set(counts) == {kind for kind, value in ratios.items() if value}
    total = sum(ratios.values())
    for kind, count in counts.items():
        assert count >= 1
        exact = batch * ratios[kind] / total
        assert count <= exact + 1 and (count >= exact - len(counts))


def test_shares_of_kinds_that_are_not_there():
    assert shares(8, RATIOS, {P, N}) == {P: 2, N: 6}
    assert shares(1024, RATIOS, set(Kind)) == {P: 171, N: 512, T: 171, L: 170}


@pytest.mark.parametrize(
    "batch, ratios, present, message",
    [
        (8, RATIOS, {N, T, L}, "there must be positive and negative samples"),
        (8, RATIOS, {P}, "there must be positive and negative samples"),
        (8, RATIOS | {P: 0}, set(Kind), "there must be positive and negative samples"),
        (3, RATIOS, set(Kind), "a batch of 3 is too small for 4 kinds"),
    ],
)
def test_shares_refused(batch, ratios, present, message):
    with pytest.raises(ArgumentError, match=message):
        shares(batch, ratios, present)


def labels(**counts):
    made = np.zeros(sum(counts.values()), LABEL)
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    made["kind"] = [Kind[kind.upper()] for kind in kinds]
    return made


SAMPLES = labels(positive=37, negative=200, part=50, landmark=5)


def batches(batch=24, seed=0, ratios=RATIOS):
    return Batches(SAMPLES, np.arange(len(SAMPLES)), batch, ratios, seed)


def test_every_batch_holds_its_shares():
    for epoch in (0, 3):
        for indices in batches().epoch(epoch, 9):
            kinds = SAMPLES["kind"][indices]
            assert np.bincount(kinds).tolist() == [12, 4, 4, 4]
            assert (np.diff([list(RATIOS).index(k) for k in kinds]) >= 0).all()  # sorted


@given(st.integers(1, 12), st.integers(1, 5))
def test_all_samples_of_a_kind_are_shown_equally_often(steps, epochs):
    made = batches()
    shown = [i for epoch in range(epochs) for b in made.epoch(epoch, steps) for i in b]
    times = np.bincount(shown, minlength=len(SAMPLES))
    for kind in Kind:
        own = times[SAMPLES["kind"] == kind]
        assert own.max() - own.min() <= 1  # also where a kind is gone through many times


def test_an_epoch_depends_on_seed_and_number_alone():
    fresh = [b.tolist() for b in batches().epoch(2, 9)]
    used = batches()
    for epoch in range(2):
        list(used.epoch(epoch, 9))
    assert [b.tolist() for b in used.epoch(2, 9)] == fresh
    assert [b.tolist() for b in batches(seed=1).epoch(2, 9)] != fresh
    assert [b.tolist() for b in used.epoch(1, 9)] != fresh


def test_an_epoch_shows_all_positives_about_once():
    assert batches().steps_per_epoch == 9  # 37 positives, 4 a batch
    assert batches(batch=600).steps_per_epoch == 1


def test_only_the_given_indices_are_used():
    some = np.flatnonzero(np.arange(len(SAMPLES)) % 2)
    made = Batches(SAMPLES, some, 24, RATIOS, 0)
    assert all(np.isin(b, some).all() for b in made.epoch(0, 30))


def test_missing_kinds_are_named():
    few = labels(positive=3)
    with pytest.raises(ArgumentError, match=r"the samples are 0 negative, 3 positive, 0 part"):
        Batches(few, np.arange(3), 8, RATIOS, 0)
