"""Deep Feature Factorization: what a layer makes out in a picture, and which class each part speaks for."""

import numpy as np
import pytest
import torch
from torch import nn

import seewhy as sw
from seewhy.images import panels
from seewhy.methods.decomposition import factors
from tests import papers


def colours(head):
    """Three colours pass through as three channels; then pooling and a linear layer."""
    model = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, len(head)))
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(3)[:, :, None, None]), model[0].bias.zero_()
        model[4].weight.copy_(torch.tensor(head)), model[4].bias.fill_(0.5)
    return model


# left half: red 2 with blue 2; right half: green 3, in its lower row 6
PICTURE = torch.zeros(3, 4, 4)
PICTURE[0, :, :2] = PICTURE[2, :, :2] = 2
PICTURE[1, :, 2:] = 3
PICTURE[1, 3, 2:] = 6


def test_two_parts_by_hand():
    model = sw.wrap(colours([[1.0, 0, 1], [0, 1, 0]]), labels=["purple", "green"])
    purple, green = sorted(sw.concepts(model, PICTURE, 2), key=lambda one: one.label, reverse=True)
    # purple is the vector (1, 0, 1) / sqrt 2, so its map is 2 sqrt 2 on the left; green's is the green channel
    np.testing.assert_allclose(purple.map, 2 * np.sqrt(2) * np.array([[1, 1, 0, 0]] * 4), atol=1e-3)
    np.testing.assert_allclose(green.map, PICTURE[1], atol=1e-3)
    # means: purple raises its class by (2 + 2) / 2 = 2, green by (6 · 3 + 2 · 6) / 16 = 30 / 16
    assert (purple.label, green.label) == ("purple", "green")
    assert purple.score == pytest.approx(2, abs=1e-3)
    assert green.score == pytest.approx(30 / 16, abs=1e-3)
    assert purple.score == pytest.approx(purple.scores[0] - 0.5, abs=1e-3)  # all of its score but the bias
    assert "100%" in purple.notes[0]


def test_the_picture_shows_the_photograph_once_and_every_concept_in_one_row(monkeypatch):
    sheets, draw = [], panels.panel
    monkeypatch.setattr(panels, "panel", lambda *given, **more: sheets.append(given) or draw(*given, **more))
    found = sw.concepts(sw.wrap(colours([[1.0, 1, 1]] * 2), labels=["grey_fox", "dog"]), PICTURE, 2)
    assert {one.label for one in found} == {"grey_fox"}, "two concepts of one class"
    found.grid()
    ((tiles, columns, words, title, _),) = sheets
    assert len(tiles) == columns == 3
    scores = [f"{one.score:+.2f}" for one in found]
    assert words[1:] == [f"concept {k}: grey_fox  {score}" for k, score in zip((1, 2), scores, strict=True)]
    assert title == "dff at 1, 4 x 4"
    assert [one.target for one in found] == ["concept 1: grey_fox", "concept 2: grey_fox"]


def test_one_logit_speaks_for_either_class():
    model = colours([[1.0, -1, 1]])
    assert {one.index for one in sw.concepts(model, PICTURE, 2)} == {0, 1}
    assert all(one.score > 0 for one in sw.concepts(model, PICTURE, 2))


def test_it_fits_as_well_as_the_slow_twin():
    random = np.random.default_rng(2)
    V = random.random((20, 4)) @ random.random((4, 9)) + 0.05 * random.random((20, 9))
    W, H = papers.factorised(V, 3, 400, random)
    places, parts = factors(V, 3)
    assert min(places.min(), parts.min()) >= 0
    np.testing.assert_allclose(np.linalg.norm(parts, axis=1), 1)
    best = ((V - W @ H) ** 2).sum()
    assert best > 0
    assert ((V - places @ parts) ** 2).sum() <= 1.02 * best
    for one, other in zip(factors(V, 3), (places, parts), strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_a_linear_head_and_with_negative_activations():
    model = colours([[1.0, 0, 1], [0, 1, 0]])
    signed = torch.cat([PICTURE[:2], -PICTURE[2:]])
    found = sw.concepts(model, signed, 2, layer="0")
    assert [one.caption.split("  ")[0] for one in found] == ["concept 1", "concept 2"]
    assert len(found.by_target()) == 2
    assert found[0].score >= found[1].score > 0
    assert "negative" in found[0].notes[1]


def test_what_cannot_be_is_told():
    model = colours([[1.0, 0, 1], [0, 1, 0]])
    with pytest.raises(sw.InputError, match=r"4 concepts of a map of 4 × 4 places and 3 channels"):
        sw.concepts(model, PICTURE, 4)
    with pytest.raises(sw.InputError, match="concepts of 2 layers"):
        sw.concepts(model, PICTURE, 2, layer="all")
    with pytest.raises(sw.EvidenceError, match="nowhere positive"):
        sw.concepts(model, -PICTURE, 2)
