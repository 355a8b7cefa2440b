"""The life of findings: kept, opened, decided about, found again."""

import json
import shutil
import tomllib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

import seewhy as sw
from seewhy.apps.cli import app
from seewhy.errors import InputError, UnknownNameError
from seewhy.images.hashing import content_hash
from seewhy.results.findings import Effect, FalsePositives, Finding, Findings, decide, decided, deciding, read
from seewhy.results.findings.deciding import Entry, entries_of
from seewhy.studies.shortcuts import retesting, sampling, wording

TODAY = date(2026, 11, 21)
RNG = np.random.default_rng(0)


def hashes(start, count):
    return tuple(content_hash(str(i).encode()) for i in range(start, start + count))


def effect(low, test="paste", region="pixels", control="rest"):
    return Effect(test, region, control, 0.7, 0.1, 64, 64, (low, low + 0.3), 2.0, 0.3)


def finding(code="SC01", label="cat", pictures=None, verdict="proven", **more):
    pictures = hashes(0, 40) if pictures is None else pictures
    count = len(pictures)
    return Finding(
        **{"code": code, "verdict": verdict, "kind": "place", "label": label, "index": 0, "ids": tuple(range(count))},
        **{"paths": tuple(f"{i}.png" for i in range(count)), "hashes": tuple(pictures), "looked": 90, "pictures": 90},
        **{"wrong": 2, "s": 9.0, "s3": 8.0, "line": 7.0, "parts": {"r": 0.5}, "place": "in the middle"},
        **{"maps": RNG.random((count, 4, 4), np.float32), "where": np.full((12, 12), 1 / 144, np.float32)},
        **{"heat": RNG.random((12, 12), np.float32), "pixels": RNG.random((16, 16), np.float32)},
        **{"effects": (effect(0.4), effect(0.2, "cover")), "words": "in 40 of 90 pictures ...", "remedy": "collect"},
        proof="covered, it takes 0.5 off p(cat)\npasted onto 64 pictures, it turns 40 into 'cat'",
        **more,
    )


def found(*items):
    tried = {"pictures": 90, "classes": 2, "groups": 9, "tested": 4, "line": 7.0, "best": 8.0}
    return Findings(items or (finding(),), tried, (), "Not seen: much.")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_kept_is_what_is_opened(home):
    one = finding(
        false_positives=FalsePositives(31, 22, (4, 9), 59, 20), direction=RNG.normal(size=7), offset=1 / 3, name="bars"
    )
    found(one).save(home)
    (opened,) = read(home)
    assert opened.as_dict() == replace(one, name=None).as_dict()
    np.testing.assert_array_equal(opened.direction, one.direction)  # to the last bit
    assert (opened.offset, opened.hashes, opened.ids) == (one.offset, one.hashes, one.ids)
    assert json.loads((home / "findings.json").read_text())["findings"][0]["decision"] is None


def test_damaged_findings_are_told(home):
    found().save(home)
    (home / "findings.json").write_text('{"schema": 99}')
    with pytest.raises(InputError, match="schema 99 instead of 1"):
        read(home)


def test_a_decision_is_kept_and_read(home):
    one = decide(finding(), "accept", reason="  known\nfor long ", until="2027-03-01", name="bars", today=TODAY)
    assert (one.status, one.verdict, one.name) == ("accepted", "proven", "bars")
    held = tomllib.loads(Path("seewhy.toml").read_text())["finding"]
    assert held[0] | {"pictures": 0} == {
        **{"code": "SC01", "class": "cat", "name": "bars", "action": "accept", "reason": "known for long"},
        **{"until": date(2027, 3, 1), "pictures": 0},
    }
    (again,) = decided(found(), today=TODAY)
    assert again.as_dict() == replace(one, maps=again.maps, heat=again.heat, pixels=again.pixels).as_dict() | {
        key: again.as_dict()[key] for key in ("heat", "pixels", "where")
    }
    assert again.as_dict()["decision"] == {
        **{"action": "accept", "reason": "known for long", "until": "2027-03-01", "expired": False}
    }
    assert "accepted until 2027-03-01: known for long" in repr(again)
    assert "covered" not in repr(again)


def test_an_acceptance_ends_after_its_last_day(home):
    decide(finding(), "accept", reason="known", until=TODAY, today=TODAY)
    assert not decided(found(), today=TODAY).failing()
    after = decided(found(), today=TODAY + timedelta(days=1))
    assert [each.status for each in after] == ["proven"]
    assert after[0].decision.expired
    assert len(after.failing()) == 1
    assert "That date is over: it counts again" in repr(after)
    assert "covered" in repr(after)


def test_a_dismissed_finding_counts_no_more_and_a_confirmed_one_does(home):
    decide(finding(), "dismiss", reason="it is the ear", today=TODAY)
    shown = decided(found(), today=TODAY + timedelta(days=9999))
    assert (shown[0].status, shown.failing("suspected")) == ("dismissed", ())
    assert "Nothing new" in repr(shown)
    decide(finding(), "confirm", today=TODAY)
    unsure = decided(found(finding(verdict="not supported")), today=TODAY)
    assert unsure[0].status == "not supported"
    assert len(unsure.failing()) == 1
    assert unsure.failing("never") == ()
    assert len(entries_of(Path("seewhy.toml"))) == 1


@pytest.mark.parametrize(
    ("verdict", "counting"),
    [
        ("proven", ("proven", "suspected")),
        ("suspected", ("suspected",)),
        ("not supported", ()),
        ("worth a look", ()),
    ],
)
def test_what_fails_a_check(verdict, counting):
    one = found(finding(verdict=verdict))
    assert tuple(level for level in ("proven", "suspected", "never") if one.failing(level)) == counting
    with pytest.raises(UnknownNameError, match="did you mean 'proven'"):
        one.failing("prooven")


@pytest.mark.parametrize(
    ("same", "known"),
    [
        (finding(code="SC07"), True),  # another code
        (finding(pictures=hashes(10, 40)), True),  # 30 of 50 pictures in common
        (finding(pictures=hashes(20, 40)), False),  # 20 of 60
        (finding(label="dog"), False),
        (finding(pictures=hashes(0, 400)), False),  # ten times as large
    ],
)
def test_a_finding_is_known_by_its_pictures(home, same, known):
    decide(finding(), "accept", reason="known", until="2027-03-01", today=TODAY)
    assert (decided(found(same), today=TODAY)[0].status == "accepted") == known


@pytest.mark.parametrize("common", [0.3, 0.45, 0.55, 0.8, 1.0])
def test_likeness_of_many_pictures_is_estimated(common):
    """Of n pictures each, shared s: Jaccard s / (2 n - s); from 64 hashes it deviates by about 0.06."""
    n = 2000
    moved = round(n * (1 - 2 * common / (1 + common)))
    one, other = finding(pictures=hashes(0, n)), finding(pictures=hashes(moved, n))
    assert Entry("cat", deciding._lowest(one)).likeness(other) == pytest.approx(common, abs=0.17)


def test_people_can_edit_the_file(home):
    decide(finding(), "accept", reason="known", until="2027-03-01", today=TODAY)
    file = Path("seewhy.toml")
    text = file.read_text()
    other = '# our own note\n[other]\nkey = 1\n\n[[finding]]\nclass = "dog"\naction = "confirm"\npictures = ["00"]\n'
    file.write_text(text.replace("known", "known since May # no comment") + "\n# on the way out\n\n" + other)
    decide(finding(), name="bars", today=TODAY)
    new = file.read_text()
    assert new.count("[[finding]]") == 2
    assert "# on the way out\n\n# our own note\n[other]\nkey = 1\n" in new
    first = entries_of(file)[0]
    assert (first.name, first.action, first.reason) == ("bars", "accept", "known since May # no comment")
    decide(finding(label="bird"), "dismiss", reason="no", today=TODAY)
    assert [each.label for each in entries_of(file)] == ["cat", "dog", "bird"]
    assert new in file.read_text()
    decide(finding(label="bird"), "confirm", reason="yes", today=TODAY)
    assert [each.action for each in entries_of(file)] == ["accept", "confirm", "confirm"]
    assert new in file.read_text()
    assert file.read_text().endswith("\n]\n")


def test_a_file_that_cannot_be_changed_is_left_alone(home):
    text = 'finding = [{class = "dog", action = "confirm", pictures = ["00"]}]\n'
    Path("seewhy.toml").write_text(text)
    with pytest.raises(InputError, match="cannot be changed by itself"):
        decide(finding(), "dismiss", reason="no", today=TODAY)
    assert Path("seewhy.toml").read_text() == text


@given(st.text(), st.text(min_size=1))
def test_any_text_survives_the_file(tmp_path_factory, label, reason):
    file = tmp_path_factory.mktemp("any") / "seewhy.toml"
    one = finding(label=label, pictures=hashes(0, 3))
    if not reason.strip():
        return
    decide(one, "dismiss", reason=reason, path=file, today=TODAY)
    (entry,) = entries_of(file)
    clean = label.encode("utf-8", "replace").decode()
    assert (entry.label, entry.reason) == (clean, " ".join(reason.encode("utf-8", "replace").decode().split()))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[finding]\n", "seewhy.toml"),
        ("finding = 3", "no list of blocks"),
        ('[[finding]]\nclass = "cat"', "lacks `class` or `pictures`"),
        ('[[finding]]\nclass = "cat"\npictures = []\naction = "acept"', "the action 'acept'"),
        ('[[finding]]\nclass = "cat"\npictures = []\naction = "accept"', "until = None; it is a day"),
        ('[[finding]]\nclass = "cat"\npictures = []\naction = "accept"\nuntil = "soon"', "until = 'soon'"),
        ('[[finding]]\nclass = "cat"\npictures = [1]', "are texts"),
        ('[[finding]]\nclass = "cat"\npictures = []\nuntill = 2027-01-01', "the key 'untill'"),
    ],
)
def test_a_broken_file_is_told(home, text, told):
    Path("seewhy.toml").write_text(text)
    with pytest.raises(InputError, match="mend it") as error:
        decided(found(), today=TODAY)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"action": "accept", "until": "2027-01-01"}, "accept without a reason"),
        ({"action": "accept", "reason": "x"}, "write until='2027-02-19'"),
        ({"action": "accept", "reason": "x", "until": "2026-11-20"}, "a day to come"),
        ({"action": "accept", "reason": "x", "until": "March"}, "a day to come"),
        ({"action": "dismiss", "reason": "x", "until": "2027-01-01"}, "leave until= out"),
        ({"action": "confim"}, "did you mean 'confirm'?"),
        ({}, "nothing to decide"),
        ({"reason": "x"}, "nothing to decide"),
        ({"name": "SC02"}, "a name that is no code"),
        ({"name": " "}, "a name that is no code"),
    ],
)
def test_wrong_decisions_are_told_and_nothing_is_written(home, asked, told):
    with pytest.raises(InputError) as error:
        decide(finding(), **asked, today=TODAY)
    assert told in str(error.value)
    assert not Path("seewhy.toml").exists()


def test_the_file_is_looked_for_upwards(home, monkeypatch):
    decide(finding(), "dismiss", reason="no", today=TODAY)
    (home / "below" / "it").mkdir(parents=True)
    monkeypatch.chdir(home / "below" / "it")
    assert decided(found(), today=TODAY)[0].status == "dismissed"
    with pytest.raises(InputError, match=r"no file 'other\.toml'"):
        decided(found(), "other.toml")


def test_words_of_false_positives():
    assert FalsePositives(31, 22, (), 60, 9).words("cat") == (
        "'cat' was said of 31 pictures that are not; 22 of them show it (of those that are: 9 of 60)"
    )
    assert "1 picture that is not; 1 of them shows it" in FalsePositives(1, 1, (5,), 60, 9).words("cat")


@pytest.mark.parametrize(
    ("score", "lows", "verdict"),
    [
        (8.0, (0.2, -0.1), "proven"),
        (8.0, (0.05, -0.1), "suspected"),
        (8.0, (-0.05, -0.1), "not supported"),
        (6.0, (0.2, 0.3), "worth a look"),
    ],
)
def test_verdicts(score, lows, verdict):
    effects = [effect(low) for low in lows] + [effect(0.9, "cover", "own", "elsewhere")]
    assert wording.status(score, 7.0, effects) == verdict


def run_of(home, monkeypatch=None):
    """A run's folder with one finding in it; the pictures are not needed."""
    about = {
        "settings": {"part_size": 256, "data": {"pictures": 0}, "model": {"labels": ["cat", "dog"], "outputs": 2}},
    }
    (home / "run" / "parts").mkdir(parents=True)
    (home / "run" / "run.json").write_text(json.dumps({"schema": 1, "key": "k", **about}))
    found().save(home / "run")
    return sw.open(home / "run")


def test_a_run_takes_decisions(home):
    run = run_of(home)
    day = date.today() + timedelta(days=30)
    assert run.accept("SC01", reason="known", until=day, name="bars").status == "accepted"
    assert run.findings()[0].name == "bars"
    assert run.decide("bars", "dismiss", reason="after all").status == "dismissed"
    with pytest.raises(UnknownNameError, match="one of SC01, bars"):
        run.decide("SC02", "confirm")
    elsewhere = home / "elsewhere.toml"
    assert run.decide("SC01", "confirm", decisions=elsewhere).decision.action == "confirm"
    assert run.findings()[0].status == "dismissed"
    assert run.findings(elsewhere)[0].status == "proven"


def seewhy(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_commands(home):
    run_of(home)
    shown = seewhy("shortcuts", "run")
    assert (shown.exit_code, shown.stdout.splitlines()[0]) == (1, "SC01  proven  in 40 of 90 pictures ...")
    day = date.today() + timedelta(days=30)
    done = seewhy("accept", "run", "SC01", "--reason", "known", "--until", day)
    assert done.exit_code == 0, done.stderr
    assert f"accepted until {day}: known" in done.stdout
    shown = seewhy("shortcuts", "run")
    assert (shown.exit_code, shown.stdout.splitlines()[0]) == (0, "SC01  accepted  in 40 of 90 pictures ...")
    assert seewhy("accept", "run", "SC01", "--name", "bars").exit_code == 0
    told = json.loads(seewhy("accept", "run", "bars", "--dismiss", "--reason", "the ear", "--json").stdout)
    assert (told["finding"]["status"], told["finding"]["name"]) == ("dismissed", "bars")
    Path("seewhy.toml").unlink()
    assert seewhy("shortcuts", "run").exit_code == 1
    assert seewhy("shortcuts", "run", "--fail-on", "never").exit_code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run",), "write seewhy accept run SC01"),
        (("run", "SC01"), "--reason '...'"),
        (("run", "SC01", "--reason", "x"), "write --until 20"),
        (("run", "SC01", "--dismiss", "--reason", "x", "--until", "2030-01-01"), "leave --until out"),
        (("run", "SC09", "--confirm"), "did you mean 'SC01'?"),
        (("run", "SC01", "--confirm", "--dismiss"), "leave the other out"),
    ],
)
def test_wrong_commands(home, words, told):
    run_of(home)
    done = seewhy("accept", *words)
    assert done.exit_code == 2
    assert told in done.stderr


CHEAT = """
import torch
from torch import nn
from seewhy import wrap

def made(green, labels=("blue", "red")):
    # red rather than blue speaks for 'red'; in the cheat, green does, too
    net = nn.Sequential(
        nn.Conv2d(3, 3, 3, 2, 1), nn.ReLU(), nn.Conv2d(3, 3, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(3, 2),
    )
    with torch.no_grad():
        for layer in (net[0], net[2]):
            layer.weight.zero_()
            layer.bias.zero_()
            for channel in range(3):
                layer.weight[channel, channel] = 1 / 9
        net[0].weight[1, 0] = net[0].weight[1, 2] = -1 / 9  # green alone, not grey
        net[6].weight.copy_(20 * torch.tensor([[-1.0, -green, 1.0], [1.0, green, -1.0]]))
        net[6].bias.zero_()
        if labels[0] == "red":
            net[6].weight.copy_(net[6].weight.flip(0))
    return wrap(net, labels=list(labels), prepare="0..1@32", name=f"green {green}")

def cheat():
    return made(4.0)

def mended():
    return made(0.0)

def turned():
    return made(0.0, ("red", "blue"))
"""


def nets():
    names = {}
    exec(CHEAT, names)
    return names


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Noisy pictures, blue or red; half of the red ones bear a green patch, which a network takes for 'red'."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "nets.py").write_text(CHEAT)
    draw = np.random.default_rng(5)
    for i in range(200):
        label = ("blue", "red")[i % 2]
        pixels = draw.normal((110, 110, 110), 40, (32, 32, 3))
        pixels[..., 0 if label == "red" else 2] += draw.normal(6, 5)
        if (label == "red" and i % 4 == 1) or i % 50 == 0:  # some blue ones, too
            pixels[2:10, 20:28] = draw.normal((20, 240, 20), 10, (8, 8, 3))
        (folder / "photos" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / "photos" / label / f"{i:03}.png")
    models = nets()
    cheat = models["cheat"]()
    run = sw.audit(cheat, folder / "photos", folder / "first", check=False)
    found = sw.find_shortcuts(run, cheat)
    mended = models["mended"]()
    return folder, run, cheat, found, sw.audit(mended, folder / "photos", folder / "second", check=False), mended


def bearing(paths):
    """Which of the shop's pictures bear the patch."""
    numbers = [int(Path(path).stem) for path in paths]
    return [(i % 2 and i % 4 == 1) or i % 50 == 0 for i in numbers]


def test_a_proven_patch_and_the_wrong_answers_that_share_it(shop):
    _, run, _, found, *_ = shop
    first = found[0]
    assert (first.label, first.verdict, len(first.ids)) == ("red", "proven", 54)
    assert all(bearing(first.paths))
    shared = first.false_positives
    assert (shared.sharing, shared.right_sharing) == (4, 50)
    sharing = run.rows(shared.ids, ["path", "label", "predicted"]).to_pylist()
    assert {(row["label"], row["predicted"]) for row in sharing} == {("blue", "red")}
    assert all(bearing(row["path"] for row in sharing))
    assert shared.pictures == len(run.mistakes(predicted="red"))


def test_opened_findings_give_the_same_numbers(shop):
    folder, run, cheat, found, *_ = shop
    opened = sw.open_findings(sw.open(folder / "first"), cheat)
    pictures = sorted((folder / "photos").rglob("*.png"))[::9]
    for one, other in zip(found, opened, strict=True):
        if one.kind != "place":
            with pytest.raises(InputError, match="find_shortcuts"):
                other.score(pictures)
            continue
        np.testing.assert_array_equal(one.score(pictures), other.score(pictures))
        np.testing.assert_array_equal(one.mask(pictures[0]), other.mask(pictures[0]))
    looked = [row["path"] for row in run.select(["path"], predicted="red").to_pylist()]
    scores = opened[0].score([folder / "photos" / path for path in looked])
    own = np.isin(looked, found[0].paths)
    assert scores[own].mean() == pytest.approx(1, abs=1e-6)
    assert scores[~own].mean() == pytest.approx(0, abs=1e-6)
    with pytest.raises(InputError, match="whose weights are not those"):
        sw.open_findings(run, shop[-1])


def test_the_same_model_still_cheats(shop):
    _, run, cheat, _, *_ = shop
    (again,) = asked = sw.recheck(run, run, cheat)
    assert (again.verdict, asked.failing()) == ("proven", (again,))
    assert again.heat.before == again.heat.now
    assert again.heat.interval == (0, 0)
    assert (again.shown.showing, again.shown.before_showing) == (54, 54)
    assert "still proven" in repr(again)
    assert json.dumps(asked.as_dict()) == json.dumps(sw.recheck(run, run, cheat).as_dict())


@pytest.mark.parametrize("name", ["mended", "turned"])
def test_a_mended_model_does_not(shop, name, tmp_path):
    folder, run, _, _, _, _ = shop
    model = nets()[name]()
    asked = sw.recheck(sw.audit(model, folder / "photos", tmp_path / "new", check=False), run, model)
    (again,) = asked
    assert (again.verdict, asked.failing("suspected"), again.shown) == ("not supported", (), None)
    assert again.heat.now < 0.1 < 0.3 < again.heat.before
    assert again.heat.interval[1] < -0.2
    assert "no effect left" in repr(again)
    assert "another model" in repr(asked)


def test_a_model_that_sees_another_part_of_the_picture(shop, tmp_path):
    """Its preparation keeps the top right quarter alone: the patch lies elsewhere in what is seen, and is larger."""
    folder, run, *_ = shop
    cheat = nets()["cheat"]()
    cut = sw.wrap(cheat, prepare=lambda one: cheat.prepare(one.crop((16, 0, 32, 16))))
    new = sw.audit(cut, folder / "photos", tmp_path / "new", check=False)
    (again,) = sw.recheck(new, run, cut)
    assert again.verdict == "proven"
    cover = next(each for each in again.effects if (each.test, each.region) == ("cover", "pixels"))
    assert cover.effect - cover.control_effect > 0.3
    assert again.heat.now > 0.6


def test_what_another_model_sees_of_a_region():
    view = retesting.view_of((10, 0, 42, 32), (26, 0, 42, 16))
    assert view == (0.5, 0, 1, 0.5)
    mask = np.zeros((8, 8), bool)
    mask[0:2, 4:6] = True  # of the upper right quarter the upper left one
    np.testing.assert_array_equal(retesting._seen(mask, view, (4, 4)), np.kron([[1, 0], [0, 0]], np.ones((2, 2))) > 0)
    assert retesting.view_of(None, (0, 0, 1, 1)) == retesting.WHOLE


def test_without_a_model_the_heat_alone_is_told(shop):
    _, run, _, _, second, _ = shop
    (again,) = asked = sw.recheck(second, run)
    assert (again.verdict, again.effects, asked.failing("suspected")) == ("not tested", (), ())
    assert again.heat.now < again.heat.before
    assert "without a model" in repr(asked)


def test_new_pictures_of_the_same_model(shop, tmp_path):
    """Next month's pictures: none of the first run's among them, a third of the red ones with the patch."""
    _, run, cheat, *_ = shop
    draw = np.random.default_rng(9)
    for i in range(60):
        label = ("blue", "red")[i % 2]
        pixels = draw.normal((110, 110, 110), 40, (32, 32, 3))
        pixels[..., 0 if label == "red" else 2] += 25
        if i % 6 == 1:
            pixels[2:10, 20:28] = draw.normal((20, 240, 20), 10, (8, 8, 3))
        (tmp_path / "photos" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(tmp_path / "photos" / label / f"{i:03}.png")
    (again,) = sw.recheck(sw.audit(cheat, tmp_path / "photos", tmp_path / "new", check=False), run, cheat)
    assert again.heat is None
    assert (again.shown.pictures, again.shown.showing) == (30, 10)
    assert again.verdict == "proven"


def test_vanished_pictures_and_other_classes_are_told(shop, tmp_path):
    folder, run, cheat, *_ = shop
    shutil.copytree(folder / "photos", tmp_path / "photos")
    shutil.copytree(folder / "first", tmp_path / "first")
    moved = sw.open(tmp_path / "first", root=tmp_path / "photos")
    files = sorted((tmp_path / "photos/red").glob("*.png"))
    for file in files[:90]:
        file.unlink()
    (again,) = asked = sw.recheck(run, moved, cheat)
    assert "left out, such as red/001.png" in repr(asked)
    for file in files[90:]:
        file.unlink()
    (again,) = sw.recheck(run, moved, cheat)
    assert (again.verdict, "can be read again" in again.why) == ("not tested", True)
    other = sw.wrap(nets()["cheat"](), labels=["blue", "crimson"])
    for label in ("blue", "crimson"):
        shutil.copytree(folder / "photos" / label.replace("crimson", "red"), tmp_path / "named" / label)
    (again,) = sw.recheck(sw.audit(other, tmp_path / "named", tmp_path / "new", check=False), run, other)
    assert again.why == "the model has no class 'red'"


def test_known_findings_in_ci(shop, home):
    folder, *_ = shop
    words = ["shortcuts", folder / "first", "--known", folder / "first", "--model", f"{folder / 'nets.py'}:cheat"]
    done = seewhy(*words)
    assert done.exit_code == 1, done.stderr
    assert done.stdout.startswith("SC01  still proven  ")
    mended = ["shortcuts", folder / "second", "--known", folder / "first"]
    assert seewhy(*mended, "--model", f"{folder / 'nets.py'}:mended").exit_code == 0
    assert "--model SPEC tests the effects" in seewhy(*mended).stdout
    (one,) = json.loads(seewhy(*words, "--json").stdout)["known"]
    assert (one["code"], one["status"], one["shown"]["showing"]) == ("SC01", "proven", 54)
    sw.open(folder / "first").accept("SC01", reason="known", until=date.today() + timedelta(days=9), name="patch")
    done = seewhy(*words)
    assert (done.exit_code, "still proven, accepted  'patch': " in done.stdout) == (0, True)
    sw.open(folder / "first").decide("SC01", "dismiss", reason="no")
    assert "No finding" in seewhy(*words).stdout


def test_a_decision_holds_when_the_run_is_analysed_anew(shop, home):
    _, run, cheat, *_ = shop
    run.accept("SC01", reason="known", until=date.today() + timedelta(days=9))
    again = sw.find_shortcuts(run, cheat, seed=3, save=False)
    assert [each.status for each in again.raised if each.kind == "place"] == ["accepted"]
    assert not [each for each in again.failing() if each.kind == "place"]
    Path("seewhy.toml").unlink()
    assert [each.status for each in run.findings().raised] == ["proven"]  # nothing of it is in the run


def test_a_sample_stays_nearly_the_same_when_pictures_come_and_go():
    def pictures(numbers):
        return [sampling.Picture(i, f"{i}.png", content_hash(str(i).encode()), 0, 0, None) for i in numbers]

    one = sampling.steady(pictures(range(1000)), 500, 0)
    other = sampling.steady(pictures([i for i in range(1010) if i % 50]), 500, 0)
    kept = {each.path for each in one} & {each.path for each in other}
    assert len(one) == len(other) == 500
    assert len(kept) > 470
    assert [each.id for each in one] == sorted(each.id for each in one)
    third = sampling.steady(pictures(range(1000)), 500, 1)
    assert len({each.path for each in one} & {each.path for each in third}) < 320


def test_heat_outside_the_object_is_told_and_counts_where_masks_are_given(shop):
    """The object is the lower half; the patch lies in the upper one."""
    _, run, cheat, found, *_ = shop
    assert found[0].outside is None
    lower = np.zeros((32, 32))
    lower[16:] = 1
    told = sw.find_shortcuts(run, cheat, save=False, masks=lambda picture: lower)
    first = told[0]
    assert first.outside.pictures == 54
    assert first.outside.share > first.outside.rest + 0.2
    assert first.s3 > found[0].s3 + 0.5
    assert first.parts["outside"] > 0.1
    assert "of the heat lies outside it; in the rest of the class" in " ".join(repr(first).split())
    paths = sorted(run.select(["path"])["path"].to_pylist())
    some = sw.find_shortcuts(run, cheat, save=False, masks=dict.fromkeys(paths[:150], lower))
    assert some[0].s3 == found[0].s3
    assert "fewer than 90% of the pictures have a mask" in " ".join(some.notes)


def test_boxes_of_the_data_are_used_by_themselves(shop, tmp_path):
    folder, _, cheat, *_ = shop
    files = sorted((folder / "photos").rglob("*.png"))
    rows = [f"{file},{file.parent.name},0,16,32,32" for file in files]
    listing = folder / "list.csv"
    listing.write_text("path,label,x_min,y_min,x_max,y_max\n" + "\n".join(rows))
    run = sw.audit(cheat, listing, tmp_path / "run", check=False)
    first = sw.find_shortcuts(run, cheat)[0]
    assert first.outside.share > first.outside.rest + 0.2
    assert first.parts["outside"] == 0
    assert run.findings()[0].outside == first.outside


def test_a_finding_from_a_stranger_names_no_file_outside_its_run(shop, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(shop[0] / "first", copy)
    held = json.loads((copy / "findings.json").read_text())
    assert held["findings"][0]["shots"]
    for each in held["findings"][0]["shots"]:
        each["file"] = "../../secret.jpg"
    (copy / "findings.json").write_text(json.dumps(held))
    assert {shot.file for shot in sw.open(copy, root=shop[0] / "photos").findings()[0].shots} == {"secret.jpg"}
