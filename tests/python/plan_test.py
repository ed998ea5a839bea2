"""`espalier plan --json` as another program reads it."""

import json
import subprocess
import sys

EXPERIMENT = """
name: plan
base:
  dataset: {use: flora}
  captioner: {use: attributes}
  encoder: {use: classical}
  graph: {use: knn}
  gnn: {use: ga_net, layer: gcn}
sweep:
  - grid: {nodes.fuse: [image, bimodal, mean], gnn.use: [ga_net, mlp], graph.k: [5, 10],
           train.lr: [1e-3, 0.1, 1e-7], seed: range(0, 2)}
"""


def lines(espalier, tmp_path, *overrides):
    file = tmp_path / "plan.yaml"
    file.write_text(EXPERIMENT)
    return espalier("plan", file, *overrides, "--json", "--results", tmp_path / "results").stdout


def test_every_name_can_be_recomputed(espalier, source_dir, tmp_path):
    done = subprocess.run([sys.executable, source_dir / "tools/trial_id.py"],
                          input=lines(espalier, tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "72 trials, 0 differences\n"


def test_a_line_says_everything_about_a_trial(espalier, tmp_path):
    trials = [json.loads(line) for line in lines(espalier, tmp_path).splitlines()]
    keys = ["axes", "combo_id", "config", "done", "identity", "reason", "stage_inputs", "stages", "state",
            "trial_id"]
    assert all(sorted(trial) == keys for trial in trials)
    states = {(t["axes"]["nodes.fuse"], t["axes"]["gnn.use"], t["axes"]["graph.k"]): t["state"]
              for t in trials}
    assert states["image", "ga_net", 5] == states["image", "ga_net", 10] == "planned"
    assert states["image", "mlp", 5] == "planned"
    assert states["image", "mlp", 10] == "duplicate"
    assert states["mean", "mlp", 5] == "impossible"
    assert all((t["trial_id"] is None) == (t["state"] == "impossible") for t in trials)
    assert not any(t["done"] for t in trials)


def test_a_run_says_what_it_leaves_out(espalier, tmp_path):
    """graph.k does not matter to mlp, and pictures and words of the classical encoder have no mean."""
    file = tmp_path / "plan.yaml"
    file.write_text(EXPERIMENT)
    words = ["gnn.use=mlp", "train.lr=1e-3", "seed=0", "train.epochs=1", "dataset.classes=4",
             "dataset.per_class=20"]
    said = espalier("run", file, *words, "--results", tmp_path / "results").stderr
    assert "2 trials equal an earlier one and are run once: " in said
    assert "2 trials cannot be and are left out: nodes.fuse: mean needs " in said
    both = espalier("run", file, *words, "head.use=linear,prompts", "--results", tmp_path / "results").stderr
    assert "trials cannot be and are left out: `espalier plan` says why" in both


def test_overrides_name_the_same_trials(espalier, tmp_path):
    written = lines(espalier, tmp_path, "train.lr=0.001", "seed=0,1")
    other = lines(espalier, tmp_path, "train.lr=1e-3", "seed=range(0,2)", "train.epochs=60")
    assert [json.loads(line)["trial_id"] for line in written.splitlines()] == [
        json.loads(line)["trial_id"] for line in other.splitlines()]


def test_mistakes_are_reported_together(espalier, tmp_path):
    file = tmp_path / "plan.yaml"
    file.write_text(EXPERIMENT)
    done = espalier("plan", file, "graph.kk=3", "train.lr=-1", "encoder=clasical", code=2)
    assert done.stdout == ""
    for text in ("graph.kk", "train.lr", "clasical", "did you mean", "command line: graph.kk=3"):
        assert text in done.stderr


WORDS = """
name: words
base:
  dataset: {use: flora, classes: 4, per_class: 12}
  captioner: {use: none}
  encoder: {use: clip, weights: "builtin:flora-clip"}
  graph: {use: none}
  gnn: {use: mlp, layers: 0}
  peft: {use: coop, ctx_init: a photo of a}
  head: {use: prompts}
  protocol: {shots: 4, val_shots: 2, graph: none}
  budget: {trainable: 1M}
"""


def test_a_budget_takes_no_more_words_than_there_are(espalier, tmp_path):
    file = tmp_path / "words.yaml"
    file.write_text(WORDS)
    (trial,) = espalier("plan", file, "--json", "--results", tmp_path / "results").stdout.splitlines()
    assert json.loads(trial)["config"]["peft"]["n_ctx"] == 4


def test_help_shows_an_example(espalier):
    assert "espalier plan experiments/" in espalier("plan", "--help").stdout
