"""Shows the table of a small sweep again, in every order, also where nothing may be written."""

import os
import shutil
import subprocess

import pytest

import small

EXPERIMENT = small.experiment("small", "{epochs: 2}", "grid: {graph.k: [10, 2, 9], seed: [0, 1]}")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory, run_espalier):
    folder = tmp_path_factory.mktemp("table")
    (folder / "small.yaml").write_text(EXPERIMENT)
    done = run_espalier("run", "small.yaml", "--by", "graph.k", cwd=folder)
    return folder / "results" / "small", done.stdout


def first_column(table):
    return [line.split()[0] for line in table.split("\n\n")[1].splitlines()]


def test_the_table_is_that_of_run(sweep, espalier):
    folder, printed = sweep
    table = espalier("table", folder, "--by", "graph.k").stdout
    assert printed.startswith(table)
    assert first_column(table) == ["graph.k", "2", "9", "10"]
    for named in ([folder.parent], ["--results", folder.parent]):  # the latter as `run` has it
        assert espalier("table", *named, "--by", "graph.k").stdout == table
    assert sorted(first_column(espalier("table", folder).stdout)[1:]) == ["10", "2", "9"]


def test_a_folder_that_was_renamed_is_named_and_export_takes_one(sweep, espalier, tmp_path):
    folder, _ = sweep
    shutil.copytree(folder, tmp_path / "small")
    shutil.copytree(folder, tmp_path / "other")
    said = espalier("status", tmp_path).stdout.splitlines()
    assert [line.split(":")[0] for line in said] == ["small in other", "small"]
    done = espalier("export", tmp_path, "--csv", code=2)
    assert "several experiments" in done.stderr and "other, small" in done.stderr
    alone = espalier("export", tmp_path / "other", "--csv").stdout
    shutil.rmtree(tmp_path / "small")
    assert espalier("export", tmp_path, "--csv").stdout == alone


def test_rows_and_metrics_can_be_chosen(sweep, espalier):
    folder, _ = sweep
    table = espalier("table", folder, "--metric", "test_loss", "--metric", "epochs", "--rows", 1).stdout
    assert "1 of 3 combinations" in table
    assert len(first_column(table)) == 2
    assert table.split("\n\n")[1].splitlines()[0].split() == ["graph.k", "n", "test_loss", "epochs"]


def test_what_there_is_not_is_refused_with_the_nearest_name(sweep, espalier):
    folder, _ = sweep
    done = espalier("table", folder, "--by", "graph.q", "--metric", "test_top", code=2)
    assert 'did you mean "graph.k"?' in done.stderr and 'did you mean "test_top1"?' in done.stderr
    done = espalier("run", folder.parents[1] / "small.yaml", "--by", "tau", code=2)
    assert 'there is no axis "tau"' in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to mount")
def test_a_folder_that_may_not_be_written_is_shown(sweep, espalier, tmp_path):
    folder, _ = sweep
    seen = tmp_path / "seen"
    seen.mkdir()
    if subprocess.run(["mount", "--bind", "-o", "ro", str(folder), str(seen)]).returncode:
        pytest.skip("a folder cannot be mounted here")
    try:
        assert espalier("table", seen).stdout == espalier("table", folder).stdout
    finally:
        subprocess.run(["umount", str(seen)], check=True)
