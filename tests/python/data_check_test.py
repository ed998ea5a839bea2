"""espalier data check on folders of pictures with known faults."""

import json

import pytest

PIL = pytest.importorskip("PIL.Image")


def picture(path, colour):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = PIL.new("RGB", (40, 30), colour)
    image.putpixel((3, 4), (255, 255, 255))
    image.save(path, "PNG")


@pytest.fixture
def photos(tmp_path):
    for index in range(3):
        picture(tmp_path / f"photos/train/red/{index}.png", (200, index, 0))
        picture(tmp_path / f"photos/train/blue/{index}.png", (0, index, 200))
    picture(tmp_path / "photos/test/red/9.png", (210, 0, 0))
    picture(tmp_path / "photos/test/blue/9.png", (0, 0, 210))
    return tmp_path / "photos"


def check(espalier, root, *options, code=0):
    words = ("dataset.use=image_folder", f"dataset.root={root}")
    return espalier("data", "check", *words, *options, code=code).stdout


def test_a_clean_dataset(espalier, photos, tmp_path):
    found = json.loads(check(espalier, photos, "--json", "--sheet", tmp_path / "sheet.png"))
    assert found["pictures"] == 8
    assert found["classes"][0] == {"name": "blue", "none": 0, "train": 3, "val": 0, "test": 1}
    assert found["duplicates"] == []
    assert found["width"] == [40, 40, 40]
    assert PIL.open(tmp_path / "sheet.png").size[1] > 100


def test_a_picture_in_two_splits_and_a_damaged_one(espalier, photos):
    picture(photos / "test/red/copy.png", (200, 1, 0))
    (photos / "test/blue/cut.png").write_bytes((photos / "test/blue/9.png").read_bytes()[:60])
    text = check(espalier, photos, code=1)
    assert "test/red/copy.png (test, red) = train/red/1.png (train, red)" in text
    assert "1 of them in more than one split" in text
    assert "cut.png" in text


def test_a_folder_without_pictures_is_left_out_and_no_fault(espalier, photos):
    (photos / "train/green").mkdir()
    assert "left out     a folder without photos is left out: " in check(espalier, photos)
    assert len(json.loads(check(espalier, photos, "--json"))["left_out"]) == 1


def test_what_is_left_out_is_said_before_a_sweep(espalier, photos, tmp_path):
    (photos / "train/green").mkdir()
    (photos / "train/red/cut.png").write_bytes((photos / "train/red/0.png").read_bytes()[:60])
    (tmp_path / "e.yaml").write_text(
        f"name: e\nbase:\n  dataset: {{use: image_folder, root: {photos}, unreadable: skip}}\n"
        "  encoder: classical\n  gnn: {use: mlp, layers: 0}\n"
        "  protocol: {shots: 1, val_shots: 1}\n"
    )
    for _ in range(2):  # asked, and remembered
        said = espalier("plan", tmp_path / "e.yaml", "--results", tmp_path / "r").stderr
        assert said.count("a folder without photos is left out") == 1
        assert "1 of 9 pictures cannot be read and are left out:\n" in said and "cut.png" in said


def test_columns_are_aligned_whatever_the_script(espalier, photos):
    (photos / "train/red").rename(photos / "train/\u82b1\u00e4")
    (photos / "test/red").rename(photos / "test/\u82b1\u00e4")
    table = check(espalier, photos).splitlines()
    assert table[1].index("3") - table[2].index("3") == 1  # one of the two characters is wide


def test_a_component_may_be_chosen_as_run_has_it(espalier, photos):
    whole = check(espalier, photos)
    assert espalier("data", "check", "dataset=image_folder", f"dataset.root={photos}").stdout == whole


def test_mistakes_are_named(espalier):
    done = espalier("data", "check", "dataset.use=oxford_pet", code=2)
    assert "oxford_pets" in done.stderr
    done = espalier("data", "check", "dataset.use=oxford_pets", "dataset.rot=x", code=2)
    assert 'did you mean "root"' in done.stderr
