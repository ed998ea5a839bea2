"""Compares what an axis chose in a small sweep; where scipy is there, holds the numbers to it."""

import csv
import io
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import small

GRID = "grid: {gnn.bottleneck: [4, 8], seed: [0, 1, 2, 3, 4, 5]}"
BY = ("--by", "gnn.bottleneck")


@pytest.fixture(scope="module")
def results(tmp_path_factory, run_espalier):
    folder = tmp_path_factory.mktemp("compare")
    for name, block in [("wide", GRID), ("more", "grid: {gnn.bottleneck: [2], seed: [0, 1, 2]}")]:
        (folder / f"{name}.yaml").write_text(small.experiment(name, "{epochs: 2}", block))
        run_espalier("run", f"{name}.yaml", cwd=folder)
    return folder / "results"


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def by_seed(espalier, folder, metric):
    trials = rows_of(espalier("export", folder, "--csv").stdout)
    values = {}
    for trial in trials:
        values.setdefault(trial["gnn.bottleneck"], {})[trial["seed"]] = float(trial[metric])
    return values


def state_of(folder):
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_size)
        for path in pathlib.Path(folder).rglob("*")
        if ".cache" not in path.parts
    }


def test_it_reads_several_folders_and_writes_nothing(results, espalier):
    before = state_of(results)
    text = espalier("compare", results / "wide", results / "more", *BY).stdout
    assert state_of(results) == before
    assert espalier("compare", results, *BY).stdout.split() == espalier(
        "compare", results / "more", results / "wide", *BY
    ).stdout.split()
    assert re.search(r"^  gnn\.bottleneck +test_top1 +95 % interval +seeds +trainable", text, re.MULTILINE)
    assert "• Pareto front" in text and "3 pairs can show no p below 0.25" in text
    assert "a partner: wide: " in text


def test_the_numbers_are_those_of_scipy(results, espalier):
    stats = pytest.importorskip("scipy.stats")
    for metric in ("test_top1", "test_loss"):
        text = espalier(
            "compare", results / "wide", *BY, "--metric", metric, "--against", "4", "--format", "csv"
        ).stdout
        line = {row["gnn.bottleneck"]: row for row in rows_of(text)}
        values = by_seed(espalier, results / "wide", metric)
        seeds = sorted(values["4"])
        base, other = ([values[k][seed] for seed in seeds] for k in ("4", "8"))
        low, high = stats.t.interval(0.95, 5, loc=sum(other) / 6, scale=stats.sem(other))
        assert float(line["8"]["ci_lo"]) == pytest.approx(low, abs=1e-9)
        assert float(line["8"]["ci_hi"]) == pytest.approx(high, abs=1e-9)
        interval = stats.ttest_rel(other, base).confidence_interval(0.95)
        assert float(line["8"]["difference_ci_lo"]) == pytest.approx(interval.low, abs=1e-9)
        assert float(line["8"]["difference_ci_hi"]) == pytest.approx(interval.high, abs=1e-9)
        flipped = stats.permutation_test(
            (other, base), lambda a, b: (a - b).mean(), permutation_type="samples", vectorized=False
        )
        assert float(line["8"]["p"]) == pytest.approx(flipped.pvalue, abs=1e-7)
        assert line["8"]["exact"] == "true" and line["4"]["reference"] == "true"
        assert float(line["8"]["smallest_p"]) == 2 / 2**6


def test_every_format_goes_to_a_file_too(results, espalier, tmp_path):
    for form, sign in [("text", "Holm"), ("csv", "p_holm"), ("markdown", "|---|"), ("latex", "\\toprule")]:
        printed = espalier("compare", results, *BY, "--format", form).stdout
        file = tmp_path / form
        assert espalier("compare", results, *BY, "--format", form, "--out", file).stdout == ""
        assert file.read_text() == printed and sign in printed


def test_a_trial_in_two_folders_counts_once_and_is_named(results, espalier, tmp_path):
    shutil.copytree(results / "wide", tmp_path / "copy")
    alone = espalier("compare", results / "wide", *BY, "--format", "csv")
    both = espalier("compare", results / "wide", tmp_path / "copy", *BY, "--format", "csv")
    assert both.stdout == alone.stdout and alone.stderr == ""
    assert both.stderr.startswith("left out: 12 trials there twice: wide: gnn.bottleneck=4 seed=0 (")
    same = espalier("compare", results / "wide", results / "wide", *BY, "--format", "csv")
    assert (same.stdout, same.stderr) == (alone.stdout, "")


def test_what_cannot_be_compared_is_refused(results, espalier, tmp_path):
    def refused(*arguments):
        return espalier("compare", results, *arguments, code=2).stderr

    assert 'did you mean "gnn.bottleneck"?' in refused("--by", "gnn.botleneck")
    assert "one of val_top1" in refused(*BY, "--metric", "accuracy")
    assert "nothing to compare" in refused("--by", "gnn.use")
    assert "one of 2; 4; 8" in refused(*BY, "--against", "5")
    assert "text, csv, markdown or latex" in refused(*BY, "--format", "html")
    assert "--by peft.use" in refused()
    assert "there are no results" in espalier("compare", tmp_path, *BY, code=2).stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to mount")
def test_a_folder_that_may_not_be_written_is_compared(results, espalier, tmp_path):
    seen = tmp_path / "seen"
    seen.mkdir()
    if subprocess.run(["mount", "--bind", "-o", "ro", str(results), str(seen)]).returncode:
        pytest.skip("a folder cannot be mounted here")
    try:
        assert espalier("compare", seen, *BY).stdout == espalier("compare", results, *BY).stdout
    finally:
        subprocess.run(["umount", str(seen)], check=True)
