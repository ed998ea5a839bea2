"""Features of one's own, written by h5py and safetensors, swept over graphs and heads."""

import csv
import json

import numpy
import pytest

h5py = pytest.importorskip("h5py")

CLASSES, PER_CLASS, WIDTH = 4, 14, 16

EXPERIMENT = """
name: own
base:
  dataset: {{use: features, file: {file}}}
  encoder: given
  graph: {{use: threshold, tau: 0.5}}
  gnn: {{use: ga_net, bottleneck: 8, layer: gcn}}
  protocol: {{shots: 4, val_shots: 2}}
  train: {{epochs: 30, lr: 0.01}}
sweep:
"""


def made(seed=1):
    """Samples around a centre for each class; labels, rows, class features."""
    random = numpy.random.default_rng(seed)
    centres = random.normal(size=(CLASSES, WIDTH))
    labels = numpy.arange(CLASSES * PER_CLASS) % CLASSES
    rows = centres[labels] + 0.3 * random.normal(size=(len(labels), WIDTH))
    return labels, rows, centres


def splits():
    return ["train", "train", "train", "train", "train", "val", "test"] * (CLASSES * PER_CLASS // 7)


@pytest.fixture
def run(espalier, tmp_path):
    """Sweeps over a file; `blocks` are flow mappings. Returns the rows of trials.csv."""

    def sweep(file, *blocks, code=0):
        experiment = tmp_path / "own.yaml"
        experiment.write_text(
            EXPERIMENT.format(file=file) + "".join(f"  - grid: {block}\n" for block in blocks)
        )
        done = espalier("run", experiment, "--results", tmp_path / "results", "--workers", "1", code=code)
        if code != 0:
            return done.stderr
        with open(tmp_path / "results/own/trials.csv") as table:
            return list(csv.DictReader(table))

    return sweep


def test_two_lines_of_h5py_are_enough(run, tmp_path):
    labels, rows, _ = made()
    with h5py.File(tmp_path / "mine.h5", "w") as f:
        f["image_features"], f["labels"] = rows, labels
    trials = run(tmp_path / "mine.h5", "{gnn: [mlp, ga_net], seed: [1, 2]}")
    assert len(trials) == 4
    assert all(float(trial["test_top1"]) > 0.5 for trial in trials)


def test_class_features_and_texts_serve_every_head_and_node(run, tmp_path):
    labels, rows, centres = made()
    with h5py.File(tmp_path / "mine.h5", "w") as f:
        f["image_features"], f["labels"], f["class_features"] = rows, labels, centres
        f["text_features"] = rows + 0.1
        f["class_names"] = numpy.char.encode(["röslein", "lily", "iris", "tulip"], "utf-8")
        f["ids"] = numpy.char.encode([f"flower {i}" for i in range(len(labels))], "utf-8")
        f["texts"] = numpy.char.encode([f"a flower, number {i}" for i in range(len(labels))], "utf-8")
        f.attrs["logit_scale"] = 20.0
    trials = run(
        tmp_path / "mine.h5",
        "{head.use: [zero_shot, prompts, linear], seed: [1]}",
        "{nodes.fuse: [image, text, mean, concat, bimodal], seed: [1]}",
    )
    # Of these, image nodes before a linear head are in both.
    assert len(trials) == 7
    best = [float(trial["test_top1"]) for trial in trials if trial["head.use"] == "zero_shot"]
    assert best == [1.0]


def test_zero_shot_is_the_nearest_class_feature(run, tmp_path):
    labels, rows, centres = made()
    centres = centres + numpy.random.default_rng(5).normal(size=centres.shape)
    test = numpy.array(splits()) != "train"
    with h5py.File(tmp_path / "mine.h5", "w") as f:
        f["image_features"], f["labels"], f["class_features"] = rows, labels, centres
        f["splits"] = numpy.char.encode(["train" if s == "train" else "test" for s in splits()])
    trial = run(tmp_path / "mine.h5", "{head.use: [zero_shot], seed: [1]}")[0]
    unit = rows / numpy.linalg.norm(rows, axis=1, keepdims=True)
    unit_centres = centres / numpy.linalg.norm(centres, axis=1, keepdims=True)
    guesses = (unit @ unit_centres.T).argmax(1)
    assert float(trial["test_top1"]) == pytest.approx((guesses == labels)[test].mean())


def test_safetensors_and_hdf5_give_the_same_trials(run, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    labels, rows, _ = made()
    ids = [f"s{i}" for i in range(len(labels))]
    safetensors.save_file(
        {"image_features": rows.astype("float32"), "labels": labels},
        tmp_path / "mine.safetensors",
        metadata={"ids": json.dumps(ids), "splits": json.dumps(splits())},
    )
    with h5py.File(tmp_path / "mine.h5", "w") as f:
        f["labels"], f["ids"] = labels.astype("int32"), numpy.array(ids, dtype="S")
        f.create_dataset("image_features", data=rows.astype("float32"), compression="gzip", shuffle=True)
        f["splits"] = numpy.array(splits(), dtype="S")
    losses = [
        run(tmp_path / name, "{seed: [1]}")[-1]["test_loss"]
        for name in ("mine.safetensors", "mine.h5")
    ]
    assert losses[0] == losses[1]


def test_what_encode_writes_is_read(espalier, run, tmp_path):
    espalier(
        "encode", "encoder.use=clip", "encoder.weights=builtin:flora-clip", "dataset.use=flora",
        "dataset.classes=4", "dataset.per_class=10", "--out", tmp_path / "flora.h5", "--threads", "1",
    )
    trials = run(tmp_path / "flora.h5", "{head.use: [zero_shot, linear], seed: [1]}")
    assert len(trials) == 2
    espalier(
        "encode", "encoder.use=given", "dataset.use=features", f"dataset.file={tmp_path / 'flora.h5'}",
        "--out", tmp_path / "again.h5",
    )
    with h5py.File(tmp_path / "flora.h5") as first, h5py.File(tmp_path / "again.h5") as again:
        for name in ("image_features", "class_features", "labels", "ids"):
            assert (first[name][:] == again[name][:]).all()
        assert first.attrs["logit_scale"] == again.attrs["logit_scale"]


def test_the_order_of_the_rows_changes_nothing(run, tmp_path):
    """Where all training samples are taken and the splits are given; draws follow the file's order."""
    labels, rows, _ = made()
    ids = numpy.array([f"{i:04d}" for i in range(len(labels))], dtype="S")
    parts = numpy.array(splits(), dtype="S")
    top1 = []
    shuffled = numpy.random.default_rng(2).permutation(len(labels))
    for name, order in (("a.h5", numpy.arange(len(labels))), ("b.h5", shuffled)):
        with h5py.File(tmp_path / name, "w") as f:
            f["image_features"], f["labels"] = rows[order], labels[order]
            f["ids"], f["splits"] = ids[order], parts[order]
        top1.append(run(tmp_path / name, "{protocol.shots: [0], seed: [1]}")[-1])
    assert top1[0]["test_top1"] == top1[1]["test_top1"]
    assert float(top1[0]["test_loss"]) == pytest.approx(float(top1[1]["test_loss"]), rel=1e-3)


def test_transductive_rows_are_marked(espalier, run, tmp_path):
    """Where the network looks at the graph; elsewhere there is nothing to see through."""
    labels, rows, _ = made()
    with h5py.File(tmp_path / "mine.h5", "w") as f:
        f["image_features"], f["labels"] = rows, labels
    trials = run(
        tmp_path / "mine.h5",
        "{gnn: [mlp, {use: ga_net, layer: gcn}], protocol.graph: [inductive_attach, transductive], seed: [1]}",
    )
    seen = {(trial["gnn"] == "mlp", trial["protocol.graph"]): trial["sees_test"] for trial in trials}
    assert [key for key, value in seen.items() if value.lower() in ("true", "1")] == [(False, "transductive")]
    lines = espalier("table", tmp_path / "results/own").stdout.splitlines()
    marked = [line for line in lines if line.endswith(" ^")]
    assert len(marked) == 1 and "transductive" in marked[0]
    assert any(line.startswith("^ transductive") for line in lines)


def broken(change):
    """Writes a sound file, then changes it."""

    def write(file):
        labels, rows, _ = made()
        with h5py.File(file, "w") as f:
            f["image_features"], f["labels"] = rows, labels
            change(f)

    return write


def replace(name, value):
    def change(f):
        del f[name]
        f[name] = value(f) if callable(value) else value

    return broken(change)


def nan(f):
    f["image_features"][3, 2] = numpy.nan


def link(f):
    del f["image_features"]
    f["image_features"] = h5py.ExternalLink("/etc/passwd", "/x")


def virtual(f):
    del f["image_features"]
    layout = h5py.VirtualLayout((CLASSES * PER_CLASS, WIDTH), dtype="f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (CLASSES * PER_CLASS, WIDTH))
    f.create_virtual_dataset("image_features", layout)


def bomb(f):
    """A billion numbers that are nowhere stored."""
    del f["image_features"]
    f.create_dataset("image_features", (1_000_000, 1024), dtype="f4", chunks=(1024, 1024), compression="gzip")


BROKEN = {
    "NaN or infinity in the row of": broken(nan),
    "each id once": broken(lambda f: f.update(ids=numpy.array(["x"] * len(f["labels"]), dtype="S"))),
    "0 to 2": broken(lambda f: f.update(class_names=numpy.array(["a", "b", "c"], dtype="S"))),
    "numpy.char.encode": broken(lambda f: f.update(ids=[f"{i}" for i in range(len(f["labels"]))])),
    "features_format 7": broken(lambda f: f.attrs.update(features_format=7)),
    'no "labels"': broken(lambda f: f.__delitem__("labels")),
    "did you mean": broken(lambda f: f.move("image_features", "image_feature")),
    "56 entries": replace("labels", numpy.zeros(5, int)),
    "whole numbers": replace("labels", numpy.zeros(56)),
    "two dimensions": replace("image_features", numpy.zeros(56)),
    "a link": broken(link),
    "virtual storage": broken(virtual),
    "no more numbers than the file has bytes for": broken(bomb),
    "train, val or test": broken(lambda f: f.update(splits=numpy.array(["x"] * 56, dtype="S"))),
}


@pytest.mark.parametrize("said", BROKEN)
def test_what_is_wrong_is_said_before_anything_runs(espalier, run, tmp_path, said):
    BROKEN[said](tmp_path / "bad.h5")
    told = run(tmp_path / "bad.h5", "{seed: [1]}", code=2)
    assert said in told and "bad.h5" in told, told
    assert not (tmp_path / "results/own/trials").exists()
    checked = espalier("data", "check", "dataset.use=features", f"dataset.file={tmp_path / 'bad.h5'}", code=2)
    assert said in checked.stderr


def test_the_plan_says_what_does_not_fit(espalier, tmp_path):
    labels, rows, _ = made()
    with h5py.File(tmp_path / "mine.h5", "w") as f:
        f["image_features"], f["labels"] = rows, labels
    experiment = tmp_path / "own.yaml"
    for line, reason in {
        "head.use=prompts": "has none",
        "nodes.fuse=text": "looks at text features",
        "encoder=classical": "features in place of pictures",
        "train.views=3": "random views of pictures",
    }.items():
        experiment.write_text(EXPERIMENT.format(file=tmp_path / "mine.h5") + "  - grid: {seed: [1]}\n")
        told = espalier("plan", experiment, line, code=2).stderr
        assert "no trial of the experiment can run" in told and reason in told, told
    told = espalier("plan", experiment, "dataset={use: flora}", code=2).stderr
    assert "passes on the features that a dataset has" in told


def test_data_check_looks_at_features(espalier, tmp_path):
    labels, rows, centres = made()
    rows[20] = rows[1]
    with h5py.File(tmp_path / "mine.h5", "w") as f:
        f["image_features"], f["labels"], f["class_features"] = rows, labels, centres[:, :8]
        f["splits"] = numpy.array(["train"] * 20 + ["test"] * 36, dtype="S")
    done = espalier("data", "check", "dataset.use=features", f"dataset.file={tmp_path / 'mine.h5'}", code=1)
    assert "56 samples" in done.stdout and "image 16 numbers wide" in done.stdout
    assert "1 group of samples with the same features, 1 of them in more than one split" in done.stdout
    assert "class_features are left out" in done.stdout
