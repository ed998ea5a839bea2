"""The cache that trials share, as a person looks after it: listed, shown, pruned, verified, limited."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import h5py
import pytest

EXPERIMENT = """
name: cached
base:
  dataset: {use: flora, classes: 3, per_class: 8, size: 32}
  captioner: {use: attributes}
  encoder: {use: classical, text_width: 128}
  nodes: {fuse: concat}
  graph: {use: knn, k: 3}
  gnn: {use: ga_net, bottleneck: 8, layer: gcn}
  peft: {use: none}
  protocol: {shots: 4, val_shots: 2}
  train: {epochs: 3, lr: 1e-2, batch_size: 4}
sweep:
  - grid: {gnn.bottleneck: [4, 8]}
"""


@pytest.fixture
def experiment(tmp_path):
    file = tmp_path / "cached.yaml"
    file.write_text(EXPERIMENT)
    return file


@pytest.fixture
def results(experiment, tmp_path, espalier):
    """A folder of results with three entries: image features, captions, text features."""
    folder = tmp_path / "r"
    espalier("run", experiment, "--results", folder)
    return folder


def listed(espalier, results):
    return json.loads(espalier("cache", "list", "--results", results, "--json").stdout)


def losses(results):
    found = {}
    for file in sorted(pathlib.Path(results).glob("*/trials/*/result.h5")):
        with h5py.File(file) as result:
            found[file.parent.name] = result["predictions/test/logits"][:].tobytes()
    return found


def forget_trials(results):
    for folder in results.glob("*/trials"):
        shutil.rmtree(folder)


def damage(part):
    raw = bytearray(part.read_bytes())
    raw[-1] ^= 1
    part.write_bytes(raw)


def test_list_has_a_line_an_entry_and_the_total(results, espalier):
    lines = espalier("cache", "list", "--results", results).stdout.splitlines()
    assert [line.split("/")[0] for line in lines[:3]] == ["captions", "image_features", "text_features"]
    for line in lines[:3]:
        assert re.search(r"/[0-9a-f]{12} +24 samples +\d+\.\d kB, made .* ago, used .* ago$", line)
    assert re.match(r"3 entries, \d+\.\d kB in ", lines[3])
    entries = listed(espalier, results)
    assert entries["bytes"] == sum(entry["bytes"] for entry in entries["entries"])
    for entry in entries["entries"]:
        assert entry["bytes"] == sum(
            file.stat().st_size for file in pathlib.Path(entry["folder"]).iterdir()
        )


def test_show_says_what_an_entry_was_made_of(results, espalier):
    entries = {entry["stage"]: entry["key"] for entry in listed(espalier, results)["entries"]}
    key = entries["image_features"]
    shown = json.loads(espalier("cache", "show", key[:10], "--results", results, "--json").stdout)
    assert shown["about"]["config"]["dataset"]["per_class"] == 8
    assert shown["about"]["config"]["encoder"]["use"] == "classical"
    assert shown["about"]["inputs"]["stage"] == "image_features"
    assert all(len(file["sha256"]) == 64 for file in shown["files"])
    assert sum(file["samples"] for file in shown["files"]) == 24  # in a file for each worker's share
    text = espalier("cache", "show", "text_features/" + entries["text_features"], "--results", results)
    assert re.search(r"config +captioner .*attributes", text.stdout)
    assert entries["captions"] in text.stdout


@pytest.mark.parametrize("key, message", [("ffffzz", 'no cache entry "ffffzz"'), ("", "no cache entry")])
def test_show_knows_no_other_key(results, espalier, key, message):
    failed = espalier("cache", "show", key, "--results", results, code=2)
    assert message in failed.stderr and "espalier cache list" in failed.stderr


def test_prune_removes_what_fulfils_all_conditions(results, espalier):
    entries = listed(espalier, results)["entries"]
    smallest = min(entries, key=lambda entry: entry["bytes"])
    expected = sum(entry["bytes"] for entry in entries) - smallest["bytes"]
    larger = ["--larger", smallest["bytes"], "--results", results]
    assert "removed 0 entries" in espalier("cache", "prune", *larger, "--older", 1).stdout
    dry = espalier("cache", "prune", *larger, "--dry-run").stdout
    assert dry.count("would remove") == 3 and len(listed(espalier, results)["entries"]) == 3
    done = espalier("cache", "prune", *larger).stdout
    assert f"removed 2 entries, {expected / 1000:.1f} kB ({expected} bytes)" in done
    assert [entry["key"] for entry in listed(espalier, results)["entries"]] == [smallest["key"]]
    for file in pathlib.Path(smallest["folder"]).iterdir():
        os.utime(file, (time.time() - 3 * 86400,) * 2)
    assert "removed 0 entries" in espalier("cache", "prune", "--older", 3.5, "--results", results).stdout
    assert "removed 1 entry" in espalier("cache", "prune", "--older", 2.5, "--results", results).stdout


def test_what_was_pruned_is_computed_again_with_the_same_bits(results, experiment, espalier):
    before = losses(results)
    espalier("cache", "prune", "--older", 0, "--results", results)
    assert listed(espalier, results)["entries"] == []
    forget_trials(results)
    espalier("run", experiment, "--results", results)
    assert losses(results) == before and len(listed(espalier, results)["entries"]) == 3


def test_a_running_sweep_keeps_its_entries(results, experiment, espalier, start_espalier):
    host = start_espalier("run", experiment, "train.epochs=1000000", "--results", results)
    end = time.monotonic() + 60
    while len(list(results.glob("cached/trials/*/journal.jsonl"))) < 3:
        assert time.monotonic() < end
        time.sleep(0.02)
    done = espalier("cache", "prune", "--older", 0, "--results", results).stdout
    assert done.count("which a running sweep uses") == 3 and "removed 0 entries" in done
    host.terminate()
    host.communicate(timeout=60)
    assert "removed 3 entries" in espalier("cache", "prune", "--older", 0, "--results", results).stdout


def test_verify_names_damage_which_the_next_run_puts_right(results, experiment, espalier):
    before = losses(results)
    assert "nothing is damaged" in espalier("cache", "verify", "--results", results).stdout
    part = next(results.glob(".cache/image_features/*/part-0.safetensors"))
    damage(part)
    found = espalier("cache", "verify", "--results", results, code=1).stdout
    assert f"damaged {part}: its bytes have another SHA-256 than it says" in found
    report = espalier("cache", "verify", "--results", results, "--json", code=1).stdout
    assert [fault["file"] for fault in json.loads(report)["damaged"]] == [str(part)]
    forget_trials(results)
    again = espalier("run", experiment, "--results", results, "--workers", 1)
    assert again.stderr.count(f"warning: {part} is damaged and is made again") == 1
    assert losses(results) == before
    assert "nothing is damaged" in espalier("cache", "verify", "--results", results).stdout


@pytest.mark.parametrize("limit", ["0", "10k"])
def test_above_the_limit_nothing_is_stored_and_nothing_else_changes(
    experiment, tmp_path, results, espalier, limit
):
    other = tmp_path / "limited"
    done = espalier("run", experiment, "--results", other, "--cache-limit", limit, "--workers", 1)
    text = "warning: image_features are not stored, so every trial computes them again: the cache is at"
    assert done.stderr.count(text) == 1
    assert losses(other) == losses(results), "the same trials with the same bits"
    assert listed(espalier, other)["bytes"] <= 10_000
    again = espalier("run", experiment, "--results", other)
    assert "2 done" in again.stderr, "the limit is no part of a trial's identity"


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["prune"], "--older DAYS, --larger SIZE or both"),
        (["prune", "--older", "soon"], "days, such as 30 or 0.5"),
        (["prune", "--older=-1"], "days, such as 30 or 0.5"),
        (["prune", "--older", "1d"], "days, such as 30 or 0.5"),
        (["prune", "--larger", "big"], "a size, such as 500M or 2G"),
        (["prune", "--larger", "5X"], "a size, such as 500M or 2G"),
        (["purge"], "one of list, show, prune, verify"),
        (["list", "--results", "/nowhere/at/all"], "--results DIR"),
    ],
)
def test_mistakes_on_the_command_line(results, espalier, arguments, expected):
    before = len(listed(espalier, results)["entries"])
    failed = espalier("cache", *arguments, *([] if "--results" in arguments else ["--results", results]), code=2)
    assert failed.stderr.startswith("error: ") and expected in failed.stderr
    assert len(listed(espalier, results)["entries"]) == before


def test_a_limit_must_be_a_size(experiment, tmp_path, espalier):
    failed = espalier("run", experiment, "--results", tmp_path, "--cache-limit", "much", code=2)
    assert "--cache-limit has a wrong value" in failed.stderr and "20G" in failed.stderr


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk]).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_disk_that_is_nearly_full_is_left_to_results(experiment, small_disk, results, espalier):
    done = espalier("run", experiment, "--results", small_disk / "r")
    assert "the disk would have less than 100.0 MB left" in done.stderr
    assert losses(small_disk / "r") == losses(results)
    assert listed(espalier, small_disk / "r")["entries"] == []


def test_a_cache_that_cannot_be_written_is_read(experiment, small_disk, results, tmp_path, espalier):
    before = losses(results)
    shutil.copytree(results / ".cache", small_disk / "cache")
    for entry in small_disk.glob("cache/text_features/*"):
        shutil.rmtree(entry)
    shutil.rmtree(results / ".cache")
    (results / ".cache").mkdir()
    shutil.rmtree(results / "cached")
    subprocess.run(["mount", "--bind", small_disk / "cache", results / ".cache"], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", results / ".cache"], check=True)
    try:
        done = espalier("run", experiment, "--results", results, "--workers", 1)
        assert done.stderr.count("Read-only file system") == 1, done.stderr
        assert "image_features are not stored" not in done.stderr
        assert losses(results) == before
        failed = espalier("cache", "prune", "--older", 0, "--results", results, code=2)
        assert "Read-only file system" in failed.stderr
    finally:
        subprocess.run(["umount", results / ".cache"], check=True)
