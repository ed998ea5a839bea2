"""Wrong input as a user gives it: exit code 2, and a message that says what, where and how to go on.

Every file at every kind of damage is tested inside the program's own tests; here is one of each kind
on the way through the command line.
"""

import json
import os
import shutil
import struct
import subprocess

import pytest


@pytest.fixture
def model(source_dir, tmp_path):
    """A copy of a small CLIP that may be broken."""
    return shutil.copytree(source_dir / "tests/data/encoders/clip-tiny-gelu", tmp_path / "model")


@pytest.fixture
def encode(espalier, model):
    """Encodes two classes of painted flowers with the model, which must fail."""

    def run():
        done = espalier(
            "encode", "encoder.use=clip", f"encoder.weights={model}", "dataset.use=flora",
            "dataset.classes=2", "dataset.per_class=2", "--threads", "1", code=2, timeout=60,
        )
        assert done.stdout == ""
        assert done.stderr.startswith("error: ")
        return done.stderr

    return run


def cut(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def set_nan(file):
    """Makes the last number of the last tensor NaN."""
    content = bytearray(file.read_bytes())
    content[-4:] = struct.pack("<f", float("nan"))
    file.write_bytes(content)


def loop(file):
    """Makes a link to itself, which nobody can open."""
    file.unlink()
    file.symlink_to(file.name)


def edit(file, **changes):
    content = json.loads(file.read_text())
    for key, value in changes.items():
        content[key].update(value) if isinstance(value, dict) else content.update({key: value})
    file.write_text(json.dumps(content))


DAMAGES = {
    "cut config": (lambda m: cut(m / "config.json"), "not valid JSON"),
    "cut weights": (lambda m: cut(m / "model.safetensors"), "cut off before the end of tensor"),
    "cut vocabulary": (lambda m: cut(m / "vocab.json"), "vocab.json"),
    "cut merges": (lambda m: cut(m / "merges.txt"), "merge"),
    "empty weights": (lambda m: (m / "model.safetensors").write_bytes(b""), "safetensors"),
    "no weights": (lambda m: (m / "model.safetensors").unlink(), "model.safetensors.index.json"),
    "no config": (lambda m: (m / "config.json").unlink(), "No such file"),
    "no folder": (shutil.rmtree, "a model is a folder"),
    "pickle": (
        lambda m: (m / "model.safetensors").rename(m / "pytorch_model.bin"), "safe_serialization"
    ),
    "other architecture": (lambda m: edit(m / "config.json", model_type="llama"), "architecture"),
    "other sizes": (
        lambda m: edit(m / "config.json", vision_config={"num_hidden_layers": 2}),
        "belongs to nothing in this model",
    ),
    "short vocabulary": (
        lambda m: edit(m / "config.json", text_config={"vocab_size": 900}), "[900, 24]"
    ),
    "looping link": (lambda m: loop(m / "model.safetensors"), "Too many levels of symbolic links"),
    "NaN": (lambda m: set_nan(m / "model.safetensors"), "holds NaN or infinity"),
    "picture settings": (
        lambda m: edit(m / "preprocessor_config.json", resample=7), "resample"
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_broken_model_is_refused(encode, model, name):
    damage, said = DAMAGES[name]
    damage(model)
    message = encode()
    assert said in message
    assert str(model) in message


def test_all_broken_files_are_said_at_once(encode, model):
    for name in ("config.json", "model.safetensors", "preprocessor_config.json", "vocab.json"):
        cut(model / name)
    message = encode()
    for name in ("config.json", "model.safetensors", "preprocessor_config.json", "vocab.json"):
        assert f"{model / name}\n" in message


def test_arguments_that_are_not_utf8_are_refused(espalier):
    done = espalier("tokenize", os.fsdecode(b"encoder.weights=caf\xe9"), code=2)
    assert "argument 2" in done.stderr
    assert "not UTF-8" in done.stderr


def test_an_output_that_cannot_be_written_is_refused_first(espalier, model, tmp_path):
    done = espalier(
        "encode", "encoder.use=clip", f"encoder.weights={model}", "dataset.use=flora",
        "--out", tmp_path / "absent/f.h5", code=2,
    )
    assert "the folder of --out is not there" in done.stderr


@pytest.mark.parametrize(
    "dataset, file, content, code, said",
    [
        ("oxford_pets", "annotations/test.txt", "beagle_9 2 2 1\n", 1, "beagle_9.jpg"),
        ("oxford_pets", "annotations/test.txt", "beagle_2 99 2 1\n", 2, "from 1 to 37"),
        ("food101", "meta/train.txt", "ramen/77\n", 1, "77.jpg"),
        ("manifest", "manifest.csv", "photo,label\na.jpg,b\n", 2, "path"),
        ("image_folder", "rose/a.jpg", "no picture", 2, "2 that can be read"),
        (
            "flowers102", "split_zhou_OxfordFlowers.json",
            '{"train": [["image_00099.jpg", 0, "rose"]], "val": [], "test": []}', 2, "no photos",
        ),
        (
            "flowers102", "split_zhou_OxfordFlowers.json",
            '{"train": [["image_00001.jpg", -4, "rose"]], "val": [], "test": []}', 2, "out of range",
        ),
    ],
)
def test_a_broken_dataset_is_said(
    espalier, source_dir, tmp_path, dataset, file, content, code, said
):
    root = shutil.copytree(source_dir / "tests/data/datasets" / dataset, tmp_path / "data")
    (root / file).write_text(content)
    done = espalier("data", "check", f"dataset.use={dataset}", f"dataset.root={root}", code=code)
    assert said in done.stderr + done.stdout


def test_a_matlab_file_with_other_fields_is_refused(espalier, source_dir, tmp_path):
    scipy = pytest.importorskip("scipy.io")
    root = shutil.copytree(source_dir / "tests/data/datasets/flowers102", tmp_path / "data")
    scipy.savemat(root / "imagelabels.mat", {"label": [[1, 2]]})
    scipy.savemat(root / "setid.mat", {"trnid": [[1]], "valid": [[1]], "tstid": [[2]]})
    done = espalier(
        "data", "check", "dataset.use=flowers102", f"dataset.root={root}",
        "dataset.split=official", code=2,
    )
    assert 'no field "labels"' in done.stderr
    assert "label" in done.stderr


def test_a_device_that_is_not_there_is_said_before_anything_runs(espalier, tmp_path, source_dir):
    quickstart = source_dir / "experiments/quickstart.yaml"
    for device in ["tpu", "cuda:99"]:
        out = espalier("run", quickstart, "--device", device, code=2, cwd=tmp_path)
        assert device in out.stderr or "no GPU" in out.stderr
        assert not (tmp_path / "results").exists()


@pytest.fixture
def finished(espalier, tmp_path):
    """The folder of a small experiment that was run."""
    (tmp_path / "tiny.yaml").write_text(
        "name: tiny\nbase:\n  dataset: {use: flora, classes: 2, per_class: 8, size: 32}\n"
        "  captioner: {use: none}\n  encoder: {use: classical}\n  nodes: {fuse: image}\n"
        "  graph: {use: none}\n  gnn: {use: mlp}\n  peft: {use: none}\n"
        "  protocol: {shots: 2, val_shots: 2}\n  train: {epochs: 2}\n"
    )
    espalier("run", tmp_path / "tiny.yaml", "--results", tmp_path / "results")
    return tmp_path / "results" / "tiny"


def test_a_pipe_in_the_place_of_a_file_of_ours_keeps_nobody_waiting(espalier, finished):
    (trial,) = (finished / "trials").iterdir()
    for file in [finished / ".lock", finished / "plan.jsonl", trial / "journal.jsonl", trial / "result.h5"]:
        kept = file.read_bytes()
        file.unlink()
        os.mkfifo(file)
        done = espalier("status", finished, code=2, timeout=30)
        assert file.name in done.stderr and "a pipe" in done.stderr
        file.unlink()
        file.write_bytes(kept)
    espalier("status", finished)


def test_a_link_in_the_place_of_a_file_of_ours_keeps_what_is_behind_it(espalier, finished, tmp_path):
    precious = tmp_path / "precious"
    for name in [".lock", "plan.jsonl", "sweep.h5", "trials.csv"]:
        precious.write_text("precious")
        (finished / name).unlink()
        (finished / name).symlink_to(precious)
        done = espalier("run", tmp_path / "tiny.yaml", "--results", finished.parent, code=2)
        assert name in done.stderr and "a symbolic link" in done.stderr
        assert precious.read_text() == "precious"
        (finished / name).unlink()
    espalier("run", tmp_path / "tiny.yaml", "--results", finished.parent)
    (tmp_path / "out.csv").symlink_to(precious)
    espalier("export", finished, "--csv", "--out", tmp_path / "out.csv", code=2)
    assert precious.read_text() == "precious"


def test_an_edited_result_is_noticed_and_made_again(espalier, finished, tmp_path):
    h5py = pytest.importorskip("h5py")
    (result,) = finished.glob("trials/*/result.h5")
    with h5py.File(result, "r+") as file:
        row = file["final"][:]
        row["test_top1"] = 1.0
        file["final"][:] = row
    done = espalier("status", finished)
    assert "SHA-256" in done.stderr and "runs again" in done.stderr
    done = espalier("run", tmp_path / "tiny.yaml", "--results", finished.parent)
    assert "runs again" in done.stderr and "1 to run" in done.stderr
    assert espalier("status", finished).stderr == ""


def test_control_characters_of_names_never_reach_the_terminal(espalier, tmp_path):
    from PIL import Image

    for name in ["rose\x1b[31m", "tulip\u202e", "a\nb"]:
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(3):
            Image.new("RGB", (32, 32), (index * 90, 20, 40)).save(tmp_path / "photos" / name / f"{index}.png")
    (tmp_path / "photos" / "a\nb" / "x\x1b]0;t\x07.png").write_bytes(b"no picture")
    done = subprocess.run(
        [os.environ["ESPALIER"], "data", "check", "dataset.use=image_folder",
         f"dataset.root={tmp_path / 'photos'}"], capture_output=True, text=True,
    )
    text = done.stdout + done.stderr
    assert "rose\\x1b[31m" in text and "tulip\\u202e" in text and "a\\nb" in text
    assert not any(c in text for c in "\x1b\x07\u202e")
