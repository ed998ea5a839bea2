"""Settings that validation chooses: the best of what was planted, and nothing of the test samples."""

import csv
import re
import signal
import time

import numpy as np
import pytest

h5py = pytest.importorskip("h5py")

CLASSES, PER_CLASS, WIDTH = 4, 24, 8
RATES = [1e-9, 0.1, 1e-8]  # with the others nothing is learnt
EXPERIMENT = """
name: {name}
base:
  dataset: {{use: features, file: {file}}}
  captioner: {{use: none}}
  encoder: given
  nodes: {{fuse: image}}
  gnn: {{use: mlp, layers: 0}}
  head: {{use: {head}}}
  protocol: {{shots: 4, val_shots: 8}}
  train: {{epochs: {epochs}}}
  {tune}
sweep:
  - grid: {grid}
"""


def features(file, relabelled=False, splits=True):
    """Clusters; with `relabelled` the test samples have wrong labels."""
    draw = np.random.default_rng(7)
    labels = np.repeat(np.arange(CLASSES), PER_CLASS)
    centres = draw.normal(size=(CLASSES, WIDTH))
    x = centres[labels] + 0.7 * draw.normal(size=(len(labels), WIDTH))
    of = np.tile(np.repeat(["train", "val", "test"], PER_CLASS // 3), CLASSES)
    if relabelled:
        labels = np.where(of == "test", (labels + 1) % CLASSES, labels)
    with h5py.File(file, "w") as f:
        f["image_features"], f["labels"] = x.astype("float32"), labels
        if splits:
            f["splits"] = np.char.encode(of, "utf-8")


@pytest.fixture
def sweep(espalier, tmp_path):
    def run(name, tune="", grid="{seed: [0, 1, 2]}", file="mine.h5", code=0, **changes):
        text = EXPERIMENT.format(name=name, tune=tune, grid=grid, file=tmp_path / file,
                                 **({"head": "linear", "epochs": 30} | changes))
        (tmp_path / f"{name}.yaml").write_text(text)
        done = espalier("run", tmp_path / f"{name}.yaml", "--results", tmp_path / "results", code=code)
        if code:
            return done
        with open(tmp_path / "results" / name / "trials.csv") as table:
            return list(csv.DictReader(table))

    features(tmp_path / "mine.h5")
    return run


TUNE = f"tune: {{train.lr: {RATES}}}"


def chosen(row):
    return float(re.fullmatch(r"train\.lr=(\S+)", row["tuned"])[1])


def test_the_rate_that_validation_likes_best_is_taken(sweep, tmp_path):
    tuned = sweep("tuned", TUNE)
    alone = sweep("alone", grid=f"{{train.lr: {RATES}, seed: [0, 1, 2]}}")
    for row in tuned:
        others = [a for a in alone if a["seed"] == row["seed"]]
        best = max(others, key=lambda a: float(a["val_top1"]))  # the first of equals
        assert chosen(row) == float(best["train.lr"])
        for column in ("val_top1", "test_top1", "test_loss", "best_epoch", "trainable_parameters",
                       "optimizer_bytes"):
            assert row[column] == best[column]
        with h5py.File(tmp_path / "results" / "tuned" / row["file"]) as f:
            table = f["tune"][:]
            assert list(table["train.lr"]) == RATES
            assert list(table["val_top1"]) == [float(a["val_top1"]) for a in others]
            assert list(table["chosen"]).count(1) == 1
            assert list(f["timing"]["stage"]).count(b"test") == 1
        assert chosen(row) == RATES[1]
    assert all(row["tuned"] == "" for row in alone)


def test_the_labels_of_test_samples_choose_nothing(sweep, tmp_path):
    features(tmp_path / "wrong.h5", relabelled=True)
    right, wrong = sweep("right", TUNE), sweep("wrong", TUNE, file="wrong.h5")
    assert [r["tuned"] for r in right] == [w["tuned"] for w in wrong]
    assert [r["val_top1"] for r in right] == [w["val_top1"] for w in wrong]
    assert [r["test_top1"] for r in right] != [w["test_top1"] for w in wrong]


def test_every_method_has_equally_many_tries(sweep, tmp_path):
    rows = sweep("budget", f"tune: {{train.lr: {RATES}, train.weight_decay: [0, 0.1], trials: 4}}",
                 grid="{head.use: [linear, cosine], seed: [0]}")
    tried = []
    for row in rows:
        with h5py.File(tmp_path / "results" / "budget" / row["file"]) as f:
            tried.append([(t["train.lr"], t["train.weight_decay"]) for t in f["tune"][:]])
    assert len(tried[0]) == 4
    assert tried[0] == tried[1]


def test_tables_say_what_was_chosen(espalier, sweep, tmp_path):
    rows = sweep("tuned", TUNE, grid="{head.use: [linear, cosine], seed: [0, 1, 2]}")
    out = espalier("compare", tmp_path / "results" / "tuned", "--by", "head.use").stdout
    for head in ("linear", "cosine"):
        counts = {}
        for row in rows:
            if row["head.use"] == head:
                counts[row["tuned"]] = counts.get(row["tuned"], 0) + 1
        line = next(l for l in out.splitlines() if l.startswith(f"tuned on validation, {head}: "))
        assert all(f"{text} ({count})" in line for text, count in counts.items())


def test_a_stopped_trial_goes_on_and_ends_with_the_same_numbers(start_espalier, sweep, tmp_path):
    whole = sweep("whole", TUNE, grid="{seed: [5]}", epochs=3000)
    command = ("run", tmp_path / "whole.yaml", "--results", tmp_path / "again")
    for _ in range(3):
        host = start_espalier(*command)
        time.sleep(1.2)
        host.send_signal(signal.SIGINT)
        host.wait()
    host = start_espalier(*command)
    assert host.wait() == 0
    with open(tmp_path / "again" / "whole" / "trials.csv") as table:
        row = next(csv.DictReader(table))
    for column in ("tuned", "val_top1", "test_loss", "best_epoch"):
        assert row[column] == whole[0][column]
    left = {p.name for p in (tmp_path / "again/whole/trials" / row["trial_id"]).iterdir()}
    assert left <= {"adapter", "journal.jsonl", "log.txt", "result.h5"}


def test_without_validation_samples_it_is_refused_by_name(espalier, sweep, tmp_path):
    features(tmp_path / "none.h5", splits=False)
    text = EXPERIMENT.format(name="none", tune=TUNE, grid="{seed: [0]}", head="linear", epochs=3,
                             file=tmp_path / "none.h5")
    (tmp_path / "none.yaml").write_text(text)
    done = espalier("plan", tmp_path / "none.yaml", "+protocol.val_fraction=0", "--results",
                    tmp_path / "results", code=2)
    assert "tune chooses by validation photos, and dataset/features has none" in done.stderr
    assert "none.yaml:" in done.stderr
    espalier("plan", tmp_path / "none.yaml", "--results", tmp_path / "results")


def test_a_threshold_is_chosen_by_validation_too_and_refused_without(espalier, sweep, tmp_path):
    overrides = ("gnn=gcn", "gnn.layers=1", "+graph.use=threshold", "+graph.tau_from=validation",
                 "+graph.taus=[0.5,0.9]")
    features(tmp_path / "some.h5")
    features(tmp_path / "none.h5", splits=False)
    text = EXPERIMENT.format(name="taus", tune="", grid="{seed: [0]}", head="linear", epochs=3,
                             file=tmp_path / "some.h5")
    (tmp_path / "taus.yaml").write_text(text)
    command = (tmp_path / "taus.yaml", *overrides, "--results", tmp_path / "results")
    espalier("run", *command)
    [file] = (tmp_path / "results/taus/trials").glob("*/result.h5")
    with h5py.File(file) as result:
        tune, tau = result["tune"][:], result["graph"].attrs["tau"]
    assert list(tune["graph.tau"]) == [0.5, 0.9]
    assert tune["graph.tau"][tune["chosen"] != 0] == [tau]
    done = espalier("plan", *command, f"dataset.file={tmp_path / 'none.h5'}",
                    "+protocol.val_fraction=0", code=2)
    assert "graph.tau_from: validation chooses by validation photos" in done.stderr


def test_a_plan_says_how_long_it_takes(espalier, sweep, tmp_path):
    sweep("made", TUNE)
    command = ("plan", tmp_path / "made.yaml", "seed=8,9", "--results", tmp_path / "results",
               "--workers", 1)
    assert "expected time: not measured yet" in espalier(*command).stdout
    measured = espalier(*command, "--time").stdout
    assert "to run: 2 trials" in measured
    assert espalier(*command).stdout.split("expected time")[1] == measured.split("expected time")[1]
