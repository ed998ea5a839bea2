"""`captions check` and `filter` against NumPy on the same features, and the columns of /trials."""

import hashlib
import json

import h5py
import numpy as np
import pandas as pd
import pytest

FLORA = "dataset.use=flora dataset.classes=4 dataset.per_class=10 dataset.size=32".split()
CLIP = "encoder.use=clip encoder.weights=builtin:flora-clip".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, run_espalier):
    """Has set.jsonl: a set of painted flowers, captioned with a fifth of the attributes wrong."""
    made = tmp_path_factory.mktemp("captions")
    write = ["captions", "write", *FLORA, "captioner.use=noisy", "captioner.of=attributes"]
    run_espalier(*write, "captioner.rate=0.2", "--out", made / "set.jsonl")
    return made


def read_set(file):
    about, *records = map(json.loads, file.read_text().splitlines())
    return about["about"], {record["id"]: record for record in records}


def write_set(file, about, records):
    head = {"about": about, "format": "espalier captions", "version": 1}
    lines = [head, *(records[key] for key in sorted(records))]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def report_of(run_espalier, file, *more):
    return json.loads(run_espalier("captions", "check", file, *FLORA, *more, "--json", "-").stdout)


def test_clip_score_is_numpys(folder, run_espalier):
    report = report_of(run_espalier, folder / "set.jsonl", *CLIP)
    _, records = read_set(folder / "set.jsonl")
    run_espalier("encode", *CLIP, *FLORA, "--out", folder / "pictures.h5")
    with h5py.File(folder / "pictures.h5") as file:
        pictures = file["image_features"][:].astype(float)
        ids = [name.decode() for name in file["ids"][:]]
    texts = ["A photo depicts " + records[name]["text"] for name in ids]
    (folder / "texts.txt").write_text("\n".join(texts) + "\n")
    run_espalier("encode", *CLIP, "--texts", folder / "texts.txt", "--out", folder / "texts.h5")
    with h5py.File(folder / "texts.h5") as file:
        said = file["text_features"][:].astype(float)
    cosines = (pictures * said).sum(1) / np.linalg.norm(pictures, axis=1) / np.linalg.norm(said, axis=1)
    scores = 2.5 * np.maximum(cosines, 0)
    assert report["clip_score"]["mean"] == pytest.approx(scores.mean(), abs=1e-6)  # float32 features
    assert report["clip_score"]["median"] == pytest.approx(np.sort(scores)[len(scores) // 2], abs=1e-6)
    assert report["captions"] == 40


def test_facts_leakage_and_rules_are_reported(folder, run_espalier):
    report = report_of(run_espalier, folder / "set.jsonl")
    assert report["leakage"]["all"]["own_name"] == 0, "attributes name no species"
    assert 0.25 <= report["leakage"]["all"]["probe"] <= 1
    assert 0.6 < report["facts"]["precision"] < 0.95, "a fifth of the attributes is wrong"
    twins = {rule["rule"]: rule["count"] for rule in report["rules"]}.get("duplicate", 0)
    about, records = read_set(folder / "set.jsonl")
    first, second, third = sorted(records)[:3]
    records[first]["text"] = "<b>x</b>"
    records[second]["text"] = records[third]["text"]
    write_set(folder / "worse.jsonl", about, records)
    rules = {rule["rule"]: rule for rule in report_of(run_espalier, folder / "worse.jsonl")["rules"]}
    assert rules["markup"]["count"] == rules["too_short"]["count"] == 1
    assert rules["markup"]["examples"][0] == {"id": first, "text": "<b>x</b>"}
    assert rules["duplicate"]["count"] == twins + 2
    text = run_espalier("captions", "check", folder / "worse.jsonl", *FLORA, "--no-probe").stdout
    assert "markup" in text and "<b>x</b>" in text


@pytest.mark.parametrize("action", ["drop", "ask", "review"])
def test_filter_writes_a_set_that_names_its_parent(folder, run_espalier, action):
    parent = folder / "set.jsonl"
    out = folder / f"{action}.jsonl"
    done = run_espalier(
        "captions", "filter", parent, *FLORA, *CLIP, "--lowest", "0.2", "--do", action, "--out", out
    )
    about, records = read_set(out)
    digest = "sha256:" + hashlib.sha256(parent.read_bytes()).hexdigest()
    assert about["parent"] == digest and digest in done.stdout
    assert "8 of 40 captions" in done.stdout and "      10        2        8" in done.stdout
    _, before = read_set(parent)
    if action == "ask":
        assert len(records) == 32
    elif action == "drop":
        dropped = [record for record in records.values() if record["answer"] == "dropped"]
        assert len(dropped) == 8 and all(record["text"] == "" for record in dropped)
        assert all(record["text_before"] == before[record["id"]]["text"] for record in dropped)
    else:
        assert sum("review" in record for record in records.values()) == 8
        assert all(record["text"] == before[name]["text"] for name, record in records.items())


def test_a_class_keeps_its_last_text(folder, run_espalier):
    about, records = read_set(folder / "set.jsonl")
    for record in records.values():
        record["text"] = "<i>five words stand right here</i>"
    write_set(folder / "bad.jsonl", about, records)
    out = folder / "kept.jsonl"
    run_espalier("captions", "filter", folder / "bad.jsonl", *FLORA, "--rule", "markup", "--out", out)
    kept = [record for record in read_set(out)[1].values() if record["answer"] == "ok"]
    assert len(kept) == 4


def test_what_makes_no_sense_is_refused(folder, run_espalier):
    def refused(*arguments):
        return run_espalier("captions", *arguments, code=2).stderr

    parent = folder / "set.jsonl"
    other = ["dataset.use=flora", "dataset.classes=4", "dataset.per_class=10", "dataset.size=32"]
    assert "other pictures" in refused("check", parent, *other, "dataset.seed=2")
    (folder / "ids.json").write_text('{"roses/1.jpg": "a red rose before a wall"}')
    assert "no caption for any picture" in refused("check", folder / "ids.json", *FLORA)
    (folder / "twice.csv").write_text("id,text\na,x\na,y\n")
    assert "two captions" in refused("check", folder / "twice.csv", *FLORA)
    (folder / "bytes.jsonl").write_bytes(b'{"id": "a", "text": "\xff\xfe"}\n')
    refused("check", folder / "bytes.jsonl", *FLORA)
    (folder / "long.csv").write_text("id,text\na," + "x" * 1_000_000 + "\n")
    assert "8192" in refused("check", folder / "long.csv", *FLORA)
    assert "repetition" in refused("filter", parent, *FLORA, "--rule", "repetitoin", "--out", "x.jsonl")
    assert "encoder" in refused("filter", parent, *FLORA, "--lowest", "0.1", "--out", "x.jsonl")
    assert "the set itself" in refused("filter", parent, *FLORA, "--rule", "empty", "--out", parent)
    assert "--rule or --lowest" in refused("filter", parent, *FLORA, "--out", folder / "x.jsonl")


SWEEP = """
name: quality
base:
  dataset: {use: flora, classes: 4, per_class: 10, size: 32}
  captioner: {use: noisy, of: attributes}
  encoder: {use: clip, weights: builtin:flora-clip}
  nodes: {fuse: concat}
  gnn: {use: mlp, layers: 0}
  head: {use: cosine}
  protocol: {shots: 4, val_shots: 2, graph: none}
  train: {epochs: 2}
sweep:
  - grid: {captioner.kind: [swap, generic, name], captioner.rate: [0, 1], seed: [0, 1]}
  - grid: {nodes.fuse: [image], captioner.use: [none], seed: [0]}
"""


def test_accuracy_against_quality_is_one_plot(tmp_path, run_espalier):
    (tmp_path / "quality.yaml").write_text(SWEEP)
    run_espalier("run", "quality.yaml", cwd=tmp_path)
    with h5py.File(tmp_path / "results/quality/sweep.h5") as file:
        trials = pd.DataFrame(file["trials"][:])
    captioned = trials[trials["nodes.fuse"] != b"image"]
    right = captioned[captioned["captioner.rate"] == 0]
    wrong = captioned[captioned["captioner.rate"] == 1].set_index("captioner.kind")
    assert len(right) == 2, "without mistakes their kind makes no difference"
    assert (right.caption_score > wrong.loc[b"swap"].caption_score.max()).all()
    assert (wrong.loc[b"name"].caption_leak_rate == 1).all()
    assert (right.caption_leak_rate == 0).all() and (right.caption_flagged == 0).all()
    assert (wrong.loc[b"generic"].caption_flagged == 1).all(), "two words"
    assert trials[trials["nodes.fuse"] == b"image"].caption_score.isna().all()
