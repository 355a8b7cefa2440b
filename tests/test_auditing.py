"""An audit: what is written, how it goes on after anything, and what is told of data that do not fit."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import nn

import seewhy as sw
from seewhy.results.record import SCHEMA
from seewhy.results.store import Store

NAMES = ["ant", "bee", "cow"]


def network(outputs=3, seed=0):
    torch.manual_seed(seed)
    body = nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 5, 3, stride=2), nn.ReLU()
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, outputs)).eval()


def model(**told):
    return sw.wrap(network(), **{"labels": NAMES, "prepare": "0..1@16", **told})


@pytest.fixture
def photos(tmp_path):
    return drawn(tmp_path / "photos", 20)


def drawn(folder, count):
    draw = np.random.default_rng(0)
    for i in range(count):
        path = folder / NAMES[i % 3] / ("deeper" if i % 2 else ".") / f"{i:02} 🐄.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        low = np.kron(draw.integers(0, 255, (4, 5, 3), np.uint8), np.ones((6, 6, 1), np.uint8))
        Image.fromarray(low).save(path)
    return folder


def audited(photos, out, **asked):
    return sw.audit(
        asked.pop("model", None) or model(), photos, out, **{"batch_size": 4, "part_size": 8, "check": False, **asked}
    )


def contents(out):
    return {path.name: path.read_bytes() for path in sorted(Path(out, "parts").glob("part-*"))}


def rows(run):
    return run.select().to_pylist()


# what is written


def test_a_row_says_what_explain_says(photos, tmp_path):
    run = audited(photos, tmp_path / "run")
    assert len(run) == 20
    assert run.complete
    for row in rows(run):
        path = photos / row["path"]
        why = sw.explain(model(), path)
        assert row["label"] == row["path"].split("/")[0]
        assert (row["predicted"], row["correct"]) == (why.label, why.label == row["label"])
        np.testing.assert_allclose(row["scores"], why.scores, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(row["probability"], why.probability, rtol=1e-4)
        kept = np.array(row["map"], np.float32).reshape(row["map_height"], row["map_width"]) * row["map_scale"]
        np.testing.assert_allclose(kept, why.map, atol=1e-3 * max(why.map.max(), 1e-6))
        assert row["loss"] == pytest.approx(-np.log(why.probabilities[NAMES.index(row["label"])]), rel=1e-4)
        assert (row["width"], row["height"]) == (30, 24)
        np.testing.assert_allclose(row["box"], why.box, atol=1e-3)
        other = sw.explain(model(), path, target=row["label"])
        assert (row["label_map"] is None) == row["correct"]
        if not row["correct"]:
            np.testing.assert_allclose(row["label_map_scale"], other.map.max(), rtol=1e-3, atol=1e-6)


def test_what_it_looked_at_is_the_layer_under_the_map(photos, tmp_path):
    net = network()
    run = audited(photos, tmp_path / "run", model=sw.wrap(net, labels=NAMES, prepare="0..1@16"))
    for row in rows(run)[:4]:
        image = torch.from_numpy(run_prepare(photos / row["path"]))[None]
        seen = net[:4](image)[0].detach().numpy()
        map = np.array(row["map"], np.float64).reshape(row["map_height"], row["map_width"])
        share = map / map.sum() if map.any() else np.full(map.shape, 1 / map.size)
        np.testing.assert_allclose(row["attended"], (seen * share).sum(axis=(1, 2)), rtol=5e-3, atol=5e-4)
        np.testing.assert_allclose(row["pooled"], seen.mean(axis=(1, 2)), rtol=5e-3, atol=5e-4)
    assert rows(audited(photos, tmp_path / "lean", pooled=False))[0]["pooled"] is None


def run_prepare(path):
    return model().prepare(Image.open(path).convert("RGB"))


def test_the_model_is_left_as_it_was_found(photos, tmp_path):
    net = network().train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    audited(photos, tmp_path / "run", model=sw.wrap(net, labels=NAMES, prepare="0..1@16"))
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in net.parameters())
    assert net[0].weight.is_contiguous()


def test_all_parts_have_the_declared_columns(photos, tmp_path):
    audited(photos, tmp_path / "run")
    for path in Store(tmp_path / "run").parts():
        assert pq.read_schema(path).remove_metadata() == SCHEMA


# going on


def test_missing_and_damaged_parts_are_computed_anew_with_the_same_bytes(photos, tmp_path):
    out = tmp_path / "run"
    audited(photos, out)
    whole = contents(out)
    assert len(whole) == 3
    (out / "parts" / "part-000001.parquet").unlink()
    cut = out / "parts" / "part-000002.parquet"
    cut.write_bytes(cut.read_bytes()[:-100])
    flipped = out / "parts" / "part-000000.parquet"
    data = bytearray(flipped.read_bytes())
    data[len(data) // 3] ^= 0xFF
    flipped.write_bytes(data)
    (out / "parts" / ".part-000001.parquet.tmp").write_bytes(b"half a part")
    audited(photos, out)
    assert contents(out) == whole


def test_what_is_done_is_not_done_again(photos, tmp_path):
    audited(photos, tmp_path / "run")
    said = []
    audited(photos, tmp_path / "run", progress=said.append)
    assert (said[0].done, said[-1].fresh) == (20, 0)


def test_progress_counts(photos, tmp_path):
    said = []
    run = audited(photos, tmp_path / "run", progress=said.append)
    assert [each.done for each in said] == [0, 4, 8, 12, 16, 20]
    assert said[-1].right == sum(row["correct"] for row in rows(run))
    assert (said[-1].judged, said[-1].failed, said[-1].total) == (20, 0, 20)


def test_a_vanished_picture_is_a_row_and_new_ones_are_refused(photos, tmp_path):
    out = tmp_path / "run"
    audited(photos, out)
    (out / "parts" / "part-000000.parquet").unlink()
    gone = next(photos.rglob("00*.png"))
    gone.unlink()
    run = audited(photos, out)
    (failed,) = [row for row in rows(run) if row["error"]]
    assert failed["path"].endswith(gone.name)
    assert "no file" in failed["error"]
    Image.new("RGB", (20, 20)).save(photos / "ant" / "new.png")
    with pytest.raises(sw.InputError, match=r"1 others are here now: 'ant/new.png'"):
        audited(photos, out)


def test_other_labels_are_refused(photos, tmp_path):
    lines = [f"{path.relative_to(photos).as_posix()},{{}}" for path in sorted(photos.rglob("*.png"))]

    def manifest(label):
        (photos / "list.csv").write_text("path,label\n" + "\n".join(line.format(label) for line in lines))
        return photos / "list.csv"

    audited(manifest("ant"), tmp_path / "run")
    with pytest.raises(sw.InputError, match="labels, boxes, masks, groups or splits that differ"):
        audited(manifest("bee"), tmp_path / "run")
    with pytest.raises(sw.InputError, match="that differ"):
        audited(manifest("ant"), tmp_path / "run", labelled=False)


def test_another_data_set_of_the_same_length_is_refused(photos, tmp_path):
    paths = sorted(photos.rglob("*.png"))
    audited([(path, 0) for path in paths[:8]], tmp_path / "run")
    with pytest.raises(sw.InputError, match="data listing"):
        audited([(path, 0) for path in paths[8:16]], tmp_path / "run")


def test_parts_of_another_run_are_not_taken_for_this_one(photos, tmp_path):
    out = tmp_path / "run"
    audited(photos, out, model=sw.wrap(network(seed=1), labels=NAMES, prepare="0..1@16"))
    (out / "run.json").unlink()
    audited(photos, out)
    audited(photos, tmp_path / "fresh")
    assert contents(out) == contents(tmp_path / "fresh")


def test_a_torn_line_of_the_checksums_costs_one_part(photos, tmp_path):
    out = tmp_path / "run"
    audited(photos, out)
    sums = out / "parts.blake2b"
    sums.write_text(sums.read_text()[:-20])
    audited(photos, out)
    store = Store(out)
    assert store.sound(store.about()["key"]) == {0, 1, 2}


def test_other_versions_warn_and_are_kept(photos, tmp_path):
    out = tmp_path / "run"
    audited(photos, out)
    about = json.loads((out / "run.json").read_text())
    about["versions"]["numpy"] = "1.0"
    (out / "run.json").write_text(json.dumps(about))
    with pytest.warns(sw.SeeWhyWarning, match=r"numpy '1.0', now"):
        run = audited(photos, out)
    assert run.about["resumed"][0]["versions"]["numpy"] == np.__version__


def test_moved_pictures_are_found_again(photos, tmp_path):
    audited(photos, tmp_path / "run")
    shutil.move(photos, tmp_path / "moved")
    assert audited(tmp_path / "moved", tmp_path / "run").root == tmp_path / "moved"


def test_nothing_is_left_of_a_start_that_fails(photos, tmp_path):
    with pytest.raises(sw.SeeWhyError):
        audited(photos, tmp_path / "run", layer="nowhere")
    assert not (tmp_path / "run").exists()


def test_a_method_that_cannot_serve_the_model_is_told_once(photos, tmp_path):
    with pytest.raises(sw.SeeWhyError, match="cam"):
        audited(photos, tmp_path / "run", method="cam", layer="0")


def test_other_settings_are_refused_and_named(photos, tmp_path):
    out = tmp_path / "run"
    audited(photos, out)
    for change, told in (
        ({"layer": "0"}, r"layer '3', now '0'"),
        ({"method": "hirescam"}, r"method 'gradcam', now 'hirescam'"),
        ({"batch_size": 5}, r"batch_size 4, now 5"),
        ({"model": model(prepare="imagenet@16")}, r"prepare name '0..1@16', now 'imagenet@16'"),
        ({"model": sw.wrap(network(seed=1), labels=NAMES, prepare="0..1@16")}, r"model fingerprint"),
    ):
        with pytest.raises(sw.InputError, match=told):
            audited(photos, out, **change)


def test_one_process_at_a_time(photos, tmp_path):
    out = tmp_path / "run"
    code = (
        "import sys, time; from seewhy.results.store import Store\n"
        "with Store(__import__('pathlib').Path(sys.argv[1])).locked(): print('in', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "in\n"
        with pytest.raises(sw.InputError, match=rf"another process \(pid {holder.pid}\)"):
            audited(photos, out)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    assert audited(photos, out).complete  # the lock of a dead process holds nobody up


WORK = """
import sys; from pathlib import Path; sys.path.insert(0, {root!r})
import torch; torch.set_num_threads(1)
from tests.test_auditing import audited
audited(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs kill")
def test_killed_at_any_instant_it_goes_on_to_the_same_parts(tmp_path):
    photos = drawn(tmp_path / "photos", 60)
    command = [sys.executable, "-c", WORK.format(root=str(Path(__file__).parent.parent)), str(photos)]
    subprocess.run([*command, str(tmp_path / "whole")], check=True)
    whole, out = contents(tmp_path / "whole"), tmp_path / "killed"
    draw = np.random.default_rng(0)
    for kill in range(1, 6):
        child = subprocess.Popen([*command, str(out)])
        while child.poll() is None and len(contents(out)) < kill:  # at work again
            time.sleep(0.002)
        time.sleep(draw.uniform(0, 0.02))
        child.send_signal(signal.SIGKILL)
        child.wait()
        done = contents(out)
        assert len(done) >= kill
        assert all(done[name] == whole[name] for name in done)
    subprocess.run([*command, str(out)], check=True)
    assert contents(out) == whole


def test_a_full_disk_leaves_no_half_part(photos, tmp_path, monkeypatch):
    out = tmp_path / "run"
    kept = os.fsync
    done = []

    def fails(handle):
        done.append(handle)
        if len(done) > 6:
            raise OSError(28, "No space left on device")
        kept(handle)

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(sw.InputError, match="room on the disk"):
        audited(photos, out)
    monkeypatch.undo()
    assert not list(out.rglob(".*"))
    assert audited(photos, out).complete


# pictures that cannot be used


def spoiled(folder):
    """Files that are no good picture, and what becomes of them: None is a row like any other."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(1)
    photo = Image.fromarray(draw.integers(0, 255, (40, 50, 3), np.uint8))
    photo.save(folder / "whole.jpg")
    data = (folder / "whole.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(data[: len(data) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("not a picture")
    header = bytearray(data)
    at = header.index(b"\xff\xc0")
    header[at + 5 : at + 9] = (30_000).to_bytes(2, "big") * 2
    (folder / "huge.jpg").write_bytes(header)
    photo.convert("CMYK").save(folder / "cmyk.jpg")
    photo.save(folder / "moving.gif", save_all=True, append_images=[photo.rotate(90)])
    grey = Image.fromarray(draw.integers(0, 65535, (40, 50)).astype(np.uint16))
    grey.save(folder / "deep.png")
    grey.save(folder / "deep.tif")
    return {
        **{
            "cut.jpg": "damaged or cut short",
            "empty.jpg": "nothing in",
            "text.jpg": "no image",
            "huge.jpg": "too large",
        },
        **dict.fromkeys(("whole.jpg", "cmyk.jpg", "moving.gif", "deep.png", "deep.tif")),
    }


def test_bad_pictures_are_rows_with_errors_and_harm_no_other(photos, tmp_path):
    clean = {row["path"]: row for row in rows(audited(photos, tmp_path / "clean"))}
    expected = spoiled(photos / "bee" / "bad")
    run = audited(photos, tmp_path / "run", batch_size=4)
    found = {row["path"]: row for row in rows(run)}
    for name, told in expected.items():
        row = found[f"bee/bad/{name}"]
        assert row["label"] == "bee"
        if told is None:
            assert (row["error"], row["predicted"] in NAMES) == (None, True), name
        else:
            assert told in row["error"], name
            assert row["predicted"] is None
    for path, row in clean.items():
        np.testing.assert_allclose(found[path]["scores"], row["scores"], rtol=1e-4, atol=1e-5)


def test_nan_in_a_picture_is_its_own_error(tmp_path):
    images = [(torch.full((3, 16, 16), v), 0) for v in (0.1, float("nan"), 0.3)]
    found = rows(audited(images, tmp_path / "run"))
    assert [row["error"] is None for row in found] == [True, False, True]
    assert "NaN" in found[1]["error"]


# data of other kinds


def test_a_manifest_with_boxes_masks_groups_and_splits(photos, tmp_path):
    masks = photos / "masks"
    masks.mkdir()
    paths = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.png"))[:6]
    whole = np.zeros((24, 30), np.uint8)
    whole[:, :15] = 255
    Image.fromarray(whole).save(masks / "left.png")
    with (photos / "list.csv").open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file)
        write.writerow(["image", "class", "x_min", "y_min", "x_max", "y_max", "mask", "patient", "split"])
        for i, path in enumerate(paths):
            write.writerow([path, NAMES[i % 3], 0, 0, 15, 24, "masks/left.png", f"p{i // 2}", "test"])
            if i == 0:
                write.writerow([path, NAMES[0], 15, 0, 30, 24, "masks/left.png", "p0", "test"])
        write.writerow(["nowhere.png", "ant", "", "", "", "", "", "p9", "train"])
    run = audited(photos / "list.csv", tmp_path / "run", split="test")
    found = {row["path"]: row for row in rows(run)}
    assert sorted(found) == paths
    first = found[paths[0]]
    assert (first["group"], first["split"], len(first["object_boxes"])) == ("p0", "test", 2)
    assert first["inside_box"] == pytest.approx(1, abs=0.02)
    for row in list(found.values())[1:]:
        assert row["inside_box"] == pytest.approx(row["inside_mask"], abs=0.02)
    with pytest.raises(sw.InputError, match="no picture of the split 'tets'"):
        audited(photos / "list.csv", tmp_path / "other", split="tets")


class Pairs(torch.utils.data.Dataset):
    classes = ("bee", "ant", "cow")  # another order than the model's

    def __init__(self, photos):
        self.paths = sorted(photos.rglob("*.png"))

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        if index == 3:
            raise RuntimeError("this one is lost")
        label = next(name for name in NAMES if name in self.paths[index].parts)
        return Image.open(self.paths[index]).convert("RGB"), self.classes.index(label)


def test_a_data_set_of_pytorch_is_matched_by_its_names(photos, tmp_path):
    run, files = audited(Pairs(photos), tmp_path / "a"), audited(photos, tmp_path / "b")
    one, other = rows(run), rows(files)
    assert "this one is lost" in one[3]["error"]
    for i in (0, 1, 2, 4, 19):
        assert (one[i]["label"], one[i]["predicted"]) == (other[i]["label"], other[i]["predicted"])
        assert one[i]["map"] == other[i]["map"]


def test_a_stream_is_read_once_and_cannot_be_gone_on_with(photos, tmp_path):
    items = Pairs(photos)
    stream = (items[i] for i in range(20) if i != 3)
    run = audited(stream, tmp_path / "run")
    assert (len(run), run.complete) == (19, True)
    with pytest.raises(sw.InputError, match="a stream cannot be read again"):
        audited(iter([]), tmp_path / "run")


def test_a_loader_of_batches_is_a_stream(tmp_path):
    torch.manual_seed(0)
    images, labels = torch.rand(10, 3, 16, 16), torch.arange(10) % 3
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, labels), batch_size=4)
    found = rows(audited(loader, tmp_path / "run"))
    assert [row["label"] for row in found] == [NAMES[i % 3] for i in range(10)]
    with torch.no_grad():
        np.testing.assert_allclose([row["scores"] for row in found], network()(images).numpy(), rtol=1e-4, atol=1e-5)


def test_items_with_names_as_those_of_hugging_face(photos, tmp_path):
    class Names:
        names = ("cow", "bee", "ant")

    class Data(list):
        features = types.MappingProxyType({"image": None, "label": Names()})

    data = Data(
        {"image": Image.open(path).convert("RGB"), "label": 2} for path in sorted((photos / "ant").rglob("*.png"))
    )
    assert {row["label"] for row in rows(audited(data, tmp_path / "run"))} == {"ant"}


def test_what_is_real_keeps_its_name_beside_a_link(photos, tmp_path):
    (photos / "Alias").symlink_to("bee", target_is_directory=True)
    assert {row["label"] for row in rows(audited(photos, tmp_path / "run"))} == set(NAMES)


def test_paths_in_a_list_are_kept_and_its_labels_matched_first(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(photos)
    paths = sorted(path.relative_to(photos) for path in photos.rglob("*.png"))
    run = audited([(path, "ant") for path in paths[:3]], tmp_path / "run")
    assert [row["path"] for row in rows(run)] == [path.as_posix() for path in paths[:3]]
    assert run.mistakes().paths or run.measures().accuracy == 1
    for label, told in (("atn", "match no class of the model: 'atn'"), (5, "match no class of the model: '5'")):
        with pytest.raises(sw.InputError, match=told):
            audited([(path, label) for path in paths[:3]], tmp_path / "other")


@pytest.mark.skipif(sys.platform != "linux", reason="needs names of any bytes")
def test_names_in_other_encodings_are_rows(photos, tmp_path):
    odd = os.fsencode(photos / "ant") + b"/\xff.png"
    shutil.copy(next(photos.rglob("*.png")), odd)
    (failed,) = audited(photos, tmp_path / "run").failures()
    assert failed["path"] == "ant/\\udcff.png"
    assert rows(audited([(Path(os.fsdecode(odd)), 0)], tmp_path / "list"))[0]["error"] is None


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes")
def test_a_pipe_is_not_waited_for(photos, tmp_path):
    os.mkfifo(photos / "ant" / "pipe.jpg")
    (failed,) = audited(photos, tmp_path / "run").failures()
    assert "no regular file" in failed["error"]


def test_boxes_that_are_none(photos, tmp_path):
    path = next(photos.rglob("*.png")).relative_to(photos).as_posix()
    for box in ("a,1,2,3", "5,0,1,3"):
        (photos / "list.csv").write_text(f"path;label;box\n{path};ant;{box}\n")
        with pytest.raises(sw.InputError, match="the box"):
            audited(photos / "list.csv", tmp_path / "run")


def test_the_runs_folder_and_the_datas(photos, tmp_path):
    with pytest.raises(sw.InputError, match="the data's own folder"):
        audited(photos, photos)
    assert len(audited(photos, photos / "run")) == 20
    assert len(audited(photos, tmp_path)) == 20


def test_odd_items_are_rows(tmp_path):
    odd = [(np.zeros((3, 16, 16), np.float32), 0), (np.zeros(7, np.float32), 0), (np.zeros(0, np.float32), 0), (5, 0)]
    found = rows(audited([*odd, (np.ones((3, 16, 16), np.float32), 0.5)], tmp_path / "run"))
    assert [row["error"] is None for row in found] == [True, False, False, False, False]
    assert "one class for each picture" in found[4]["error"]
    found = rows(audited(iter([*odd, (np.ones((3, 16, 16), np.float32), float("nan"))]), tmp_path / "stream"))
    assert [row["error"] is None for row in found] == [True, False, False, False, True]


def test_a_limit_of_a_stream_counts_pictures(tmp_path):
    images = torch.utils.data.TensorDataset(torch.rand(10, 3, 16, 16), torch.zeros(10, dtype=torch.long))
    assert len(audited(torch.utils.data.DataLoader(images, batch_size=4), tmp_path / "run", limit=2)) == 2


def test_folders_of_digits_come_with_a_note(tmp_path):
    for name in range(11):
        (tmp_path / "photos" / str(name)).mkdir(parents=True)
        Image.new("RGB", (20, 20), (name * 20, 9, 9)).save(tmp_path / "photos" / str(name) / "x.png")
    net = sw.wrap(network(11), prepare="0..1@16")
    run = audited(tmp_path / "photos", tmp_path / "run", model=net)
    assert any("'10' is class 10" in note and "number 2" in note for note in run.notes)


def test_a_manifest_that_contradicts_itself(photos, tmp_path):
    path = next(photos.rglob("*.png")).relative_to(photos).as_posix()
    (photos / "list.csv").write_text(f"path,label,group\n{path},ant,a\n./{path},ant,b\n")
    with pytest.raises(sw.InputError, match="group 'a' and 'b'"):
        audited(photos / "list.csv", tmp_path / "run")


def test_a_mask_that_cannot_be_read_costs_no_answer(photos, tmp_path):
    path = next(photos.rglob("*.png")).relative_to(photos).as_posix()
    (photos / "list.csv").write_text(f"path,label,mask\n{path},ant,nowhere.png\n")
    (row,) = rows(audited(photos / "list.csv", tmp_path / "run"))
    assert (row["error"], row["inside_mask"], row["mask"]) == (None, None, "nowhere.png")


def test_maps_of_pixels_are_kept_small(tmp_path):
    image = (np.random.default_rng(0).random((3, 150, 100), np.float32), 1)
    (row,) = rows(audited([image], tmp_path / "run", method="integrated_gradients", steps=2))
    assert (row["map_height"], row["map_width"]) == (64, 43)


def test_a_limit_draws_the_same_pictures_again(photos, tmp_path):
    one = [row["path"] for row in rows(audited(photos, tmp_path / "a", limit=7, seed=1))]
    assert len(one) == 7
    assert one == [row["path"] for row in rows(audited(photos, tmp_path / "b", limit=7, seed=1))]
    assert one != [row["path"] for row in rows(audited(photos, tmp_path / "c", limit=7, seed=2))]
    audited(photos, tmp_path / "a", limit=7, seed=1)


def test_folders_without_labels(tmp_path):
    for i in range(3):
        (tmp_path / "flat").mkdir(exist_ok=True)
        Image.new("RGB", (20, 20), (i, 90, 200)).save(tmp_path / "flat" / f"{i}.png")
    assert [row["label"] for row in rows(audited(tmp_path / "flat", tmp_path / "a"))] == [None] * 3
    shutil.move(tmp_path / "flat", tmp_path / "up" / "flat")
    assert [row["label"] for row in rows(audited(tmp_path / "up", tmp_path / "b", labelled=False))] == [None] * 3


def test_links_are_followed_once(photos, tmp_path):
    (photos / "bee" / "circle").symlink_to(photos, target_is_directory=True)
    (photos / "cow" / "linked.png").symlink_to(next((photos / "ant").rglob("*.png")))
    run = audited(photos, tmp_path / "run")
    assert len(run) == 21


# what does not fit


@pytest.mark.parametrize(
    ("labels", "folders", "told"),
    [
        (
            NAMES,
            ["ant", "be"],
            r"1 of the data's 2 labels match no class of the model: 'be'(.|\n)*classes={'be': 'bee'}",
        ),
        (NAMES, ["train", "test"], r"name one of these folders as the data, as in .*/t"),
        (None, ["a", "b"], r"2 labels in the data \('a', 'b'\) for a model with 3 classes that it does not name"),
    ],
)
def test_labels_that_match_nothing_are_told_before_the_work(labels, folders, told, tmp_path):
    for name in folders:
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (20, 20)).save(tmp_path / "photos" / name / "x.png")
    with pytest.raises(sw.InputError, match=told):
        audited(tmp_path / "photos", tmp_path / "run", model=model(labels=labels))
    assert not Store(tmp_path / "run").exists


def test_labels_by_a_map_and_in_alphabetical_order(photos, tmp_path):
    run = audited(
        photos,
        tmp_path / "a",
        model=model(labels=["Ameise", "Biene", "Kuh"]),
        classes={"ant": "Ameise", "bee": 1, "cow": None},
    )
    assert {row["label"] for row in rows(run)} == {"Ameise", "Biene", None}
    run = audited(photos, tmp_path / "b", model=model(labels=None))
    assert {(row["label"], row["label_index"]) for row in rows(run)} == {("ant", 0), ("bee", 1), ("cow", 2)}
    assert any("alphabetical order" in note for note in run.notes)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda here: (here / "empty").mkdir() or here / "empty", "no pictures in the folder"),
        (lambda here: here / "nowhere", "no file or folder"),
        (lambda here: ((here / "x.txt").write_text("") and None) or here / "x.txt", "the file"),
        (lambda here: [], "an empty data set"),
        (lambda here: iter([]), "a stream without pictures"),
        (lambda here: 5, "data of type int"),
        (lambda here: {"train": []}, "of several splits, hand over one"),
        (lambda here: [Path("a.png"), Path("b.png")], "none of the first 2 pictures can be read"),
    ],
)
def test_data_that_are_none(made, told, tmp_path):
    with pytest.raises(sw.InputError, match=told):
        audited(made(tmp_path), tmp_path / "run")


def test_wrong_settings(photos, tmp_path):
    for asked, told in (
        ({"batch_size": 0}, "batch_size=0"),
        ({"layer": "all"}, "one layer for a run"),
        ({"method": "gradcan"}, "did you mean 'gradcam'"),
        ({"channels": 3}, "gradcam has no option 'channels'"),
        ({"classes": {"ape": 0}}, "'ape', which no picture has"),
        ({"classes": {"ant": "aunt"}}, "takes 'ant' for 'aunt'"),
        ({"seed": -1}, "seed=-1"),
        ({"fast_decode": 0}, "fast_decode=0"),
    ):
        with pytest.raises(sw.SeeWhyError, match=told):
            audited(photos, tmp_path / "run", **asked)
    with pytest.raises(sw.InputError, match="preparation is not known"):
        audited(photos, tmp_path / "run", model=sw.wrap(network(), labels=NAMES))


# a look before


def separable(folder, count=30):
    """Pictures that a network of one convolution tells apart by their colour."""
    draw = np.random.default_rng(0)
    for name, colour in (("blue", (20, 20, 230)), ("red", (230, 20, 20))):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            pixels = np.clip(draw.normal(colour, 20, (20, 20, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


def by_colour(bias=0.5):
    net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[0.0, 0, 1], [1, 0, 0]])[..., None, None])
        net[0].bias.zero_()
    return net


def test_the_check_finds_exchanged_classes_and_channels(tmp_path):
    photos = separable(tmp_path / "photos")
    good = sw.check(sw.wrap(by_colour(), labels=["blue", "red"], prepare="0..1@16"), photos)
    assert (good.accuracy, good.warning, good.pictures) == (1.0, "", 60)
    assert "look right" in str(good)
    wrong = sw.check(sw.wrap(by_colour(), labels=["red", "blue"], prepare="0..1@16"), photos)
    assert wrong.accuracy == 0.0
    assert {name for name, reached in wrong.others if reached == 1.0} >= {"BGR", "another order of classes"}
    assert "100.0 %" in wrong.warning


def test_an_audit_warns_of_what_the_check_found_and_goes_on(tmp_path):
    photos = separable(tmp_path / "photos")
    with pytest.warns(sw.SeeWhyWarning, match="accuracy is 0.0 %"):
        run = audited(
            photos, tmp_path / "run", model=sw.wrap(by_colour(), labels=["red", "blue"], prepare="0..1@16"), check=True
        )
    assert run.complete
    assert run.about["check"]["accuracy"] == 0.0


def test_the_check_does_not_praise_chance(tmp_path):
    found = sw.check(sw.wrap(network(2), labels=["blue", "red"], prepare="0..1@16"), separable(tmp_path / "photos"))
    assert found.accuracy in (0.5, 0.0, 1.0) or 0 < found.accuracy < 1
    assert found.accuracy > 0.6 or "accuracy is" in found.warning


def test_pictures_of_one_class_say_nothing_of_the_order(tmp_path):
    photos = separable(tmp_path / "photos")
    shutil.rmtree(photos / "red")
    found = sw.check(sw.wrap(by_colour(), labels=["red", "blue"], prepare="0..1@16"), photos)
    assert (found.accuracy, found.warning) == (0.0, "")


def test_a_check_without_labels_or_with_few_pictures(photos):
    assert "no labels" in str(sw.check(model(), photos, labelled=False))
    assert sw.check(model(), photos, pictures=4).pictures == 4


class Crowded(nn.Module):
    """Has memory for three images at a time."""

    def __init__(self):
        super().__init__()
        self.net = network()

    def forward(self, images):
        if len(images) > 3:
            raise torch.OutOfMemoryError("out of memory")
        return self.net(images)


def test_a_batch_that_does_not_fit_is_halved(photos, tmp_path):
    whole = rows(audited(photos, tmp_path / "whole"))
    halved = rows(
        audited(photos, tmp_path / "run", model=sw.wrap(Crowded(), labels=NAMES, prepare="0..1@16"), batch_size=8)
    )
    for one, other in zip(whole, halved, strict=True):
        np.testing.assert_allclose(one["scores"], other["scores"], rtol=1e-4, atol=1e-5)
