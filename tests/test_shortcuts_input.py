"""What a search for shortcuts cannot be done with, and what it is done without: told, with what is needed."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import seewhy as sw
from seewhy.errors import InputError


def network(seed=0):
    """Says 'red' by how red a picture is."""
    torch.manual_seed(seed)
    first = nn.Conv2d(3, 4, 3, 2, 1)
    with torch.no_grad():
        first.weight[0] = 0
        first.weight[0, 0], first.weight[0, 2] = 0.2, -0.2
    last = nn.Linear(4, 2)
    with torch.no_grad():
        last.weight.copy_(torch.tensor([[0.0, 0, 0, 0], [9, 0, 0, 0]]))
        last.bias.copy_(torch.tensor([1.0, 0]))
    middle = nn.Conv2d(4, 4, 1, 2, bias=False)
    with torch.no_grad():
        middle.weight.copy_(torch.eye(4)[:, :, None, None])
    parts = [first, nn.ReLU(), middle, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), last]
    return nn.Sequential(*parts).eval()


def model_of(module):
    return sw.wrap(module, labels=["blue", "red"], prepare="0..1@32", name="by red")


@pytest.fixture
def photos(tmp_path):
    """40 pictures of each class, rightly answered."""
    for i in range(40):
        for label, channel in (("blue", 2), ("red", 0)):
            pixels = np.random.default_rng(2 * i + channel).integers(0, 120, (32, 32, 3), dtype=np.uint8)
            pixels[:, :, channel] += 110
            (tmp_path / "photos" / label).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{i:02}.png")
    return tmp_path


def audited(folder, out="run", **options):
    model = model_of(network())
    return sw.audit(model, folder / "photos", folder / out, check=False, **options), model


def refused(came, expected, remedy, run, model, **options):
    with pytest.raises(InputError) as caught:
        sw.find_shortcuts(run, model, **options)
    assert came in caught.value.came
    assert expected in caught.value.expected
    assert remedy in caught.value.remedy


def test_too_few_pictures_say_how_many_are_needed(photos):
    for file in sorted((photos / "photos").rglob("*.png"))[::2]:
        file.unlink()
    run, model = audited(photos)
    assert run.measures().accuracy > 0.9
    refused("20 pictures predicted as", "30 of a class at least, better 100", "audit more pictures", run, model)


def test_one_class_with_too_few_is_named_and_the_other_searched(photos):
    for file in sorted((photos / "photos" / "blue").glob("*.png"))[12:]:
        file.unlink()
    run, model = audited(photos)
    notes = " ".join(sw.find_shortcuts(run, model).notes)
    assert "not looked at, with fewer than 30 pictures predicted as them: blue (12)" in notes


def test_right_answers_of_one_class_alone_leave_nothing_to_paste_into(photos):
    shutil.rmtree(photos / "photos" / "blue")
    run, model = audited(photos)
    refused(
        "right answers of fewer than two classes",
        "rightly answered pictures of other classes",
        "seewhy check",
        run,
        model,
    )


def test_a_run_without_pooled_features_is_searched_as_well(photos):
    bare, model = audited(photos, "bare", pooled=False)
    whole, _ = audited(photos)
    one, other = (sw.find_shortcuts(run, model).as_dict()["findings"] for run in (bare, whole))
    assert one == other


def test_a_network_without_layers_in_between_is_told_which_are_needed(photos):
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2)).eval()
    with torch.no_grad():
        module[0].weight.zero_()
        module[0].weight[1, 0], module[0].weight[0, 2] = 1, 1
        module[3].weight.copy_(torch.eye(2))
        module[3].bias.zero_()
    model = model_of(module)
    run = sw.audit(model, photos / "photos", photos / "run", check=False)
    refused("layers with maps before", "an early, a middle and a last one", "see layers(model)", run, model)


def test_another_model_is_refused_with_both_fingerprints(photos):
    run, _ = audited(photos)
    refused("whose weights are not those of the audited by red", "fingerprint", "load the weights of the audit", run,
            model_of(network(seed=1)))  # fmt: skip


def test_pictures_that_came_without_files_cannot_be_read_again(photos):
    model = model_of(network())
    stream = ((np.asarray(Image.open(file)), file.parent.name) for file in sorted((photos / "photos").rglob("*.png")))
    run = sw.audit(model, stream, photos / "streamed", check=False)
    refused("a run whose pictures came without files", "pictures that can be read again", "audit that", run, model)


def test_some_vanished_pictures_are_left_out_and_told(photos):
    run, model = audited(photos)
    for file in sorted((photos / "photos" / "red").glob("*.png"))[:3]:
        file.unlink()
    found = sw.find_shortcuts(run, model)
    assert found.tried["pictures"] == 77
    assert any("3 pictures left out, such as red/00.png" in note for note in found.notes)


def test_a_class_whose_pictures_vanished_is_told_with_how_many_are_needed(photos):
    run, model = audited(photos)
    for file in sorted((photos / "photos" / "red").glob("*.png"))[:15]:
        file.unlink()
    found = sw.find_shortcuts(run, model)
    assert found.tried["classes"] == 1
    assert any("red: 25 of 40 pictures can be read again, and 30 are needed" in note for note in found.notes)


def test_all_pictures_vanished(photos):
    run, model = audited(photos)
    shutil.rmtree(photos / "photos")
    refused(
        "can be read again; the first", "30 of a class at least", "put them back, or open(folder, root=...)", run, model
    )
