"""Stops sweeps by signals, in use, on disks that are full or read-only; the numbers must not move."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

import same_results
import small

EXPERIMENT = small.experiment(
    "stopped", "{epochs: 300, lr: 1e-2, batch_size: 4}", "grid: {seed: [0, 1, 2]}"
)


@pytest.fixture
def experiment(tmp_path):
    file = tmp_path / "stopped.yaml"
    file.write_text(EXPERIMENT)
    return file


@pytest.fixture
def start(start_espalier, experiment):
    return lambda results, *options: start_espalier("run", experiment, "--results", results, *options)


def wait_for_epoch(results, epoch):
    """Until some trial has got there."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for journal in pathlib.Path(results).glob("*/trials/*/journal.jsonl"):
            if f'"epoch":{epoch},' in journal.read_text():
                return
        time.sleep(0.01)
    pytest.fail("no trial gets there")


@pytest.mark.parametrize("stop, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_sweep_that_was_stopped_ends_with_the_same_bits(start, tmp_path, stop, code):
    host = start(tmp_path / "stopped", "--workers", 2)
    wait_for_epoch(tmp_path / "stopped", 20)
    host.send_signal(stop)
    _, err = host.communicate(timeout=60)
    assert host.returncode == code, err
    assert "the same command goes on" in err
    assert list((tmp_path / "stopped").glob("*/trials/*/checkpoint*"))

    again = start(tmp_path / "stopped", "--workers", 1)
    _, err = again.communicate(timeout=120)
    assert again.returncode == 0 and re.search(r"\d of them begun before", err), err
    whole = start(tmp_path / "whole", "--workers", 1)
    assert whole.wait(timeout=120) == 0
    assert len(same_results.trials(tmp_path / "whole")) == 3
    assert same_results.trials(tmp_path / "stopped") == same_results.trials(tmp_path / "whole")


def test_a_second_signal_stops_at_once_and_leaves_no_worker(start, tmp_path):
    host = start(tmp_path / "r", "train.epochs=1000000")
    wait_for_epoch(tmp_path / "r", 3)
    workers = subprocess.run(["pgrep", "-P", str(host.pid)], capture_output=True, text=True).stdout
    host.send_signal(signal.SIGINT)
    host.send_signal(signal.SIGINT)
    host.communicate(timeout=20)
    assert host.returncode == 130
    assert workers.split() and not any(pathlib.Path("/proc", pid).exists() for pid in workers.split())


def test_workers_end_with_a_host_that_is_killed(start, tmp_path):
    host = start(tmp_path / "r", "train.epochs=1000000")
    wait_for_epoch(tmp_path / "r", 3)
    workers = subprocess.run(["pgrep", "-P", str(host.pid)], capture_output=True, text=True).stdout
    host.kill()
    host.communicate(timeout=20)
    end = time.monotonic() + 10
    while any(pathlib.Path("/proc", pid).exists() for pid in workers.split()):
        assert time.monotonic() < end, "a worker lives on"
        time.sleep(0.05)


def test_the_number_of_workers_changes_nothing(experiment, tmp_path, espalier):
    espalier("run", experiment, "train.epochs=30", "--results", tmp_path / "one", "--workers", 1)
    espalier("run", experiment, "train.epochs=30", "--results", tmp_path / "three", "--workers", 3)
    assert len(same_results.trials(tmp_path / "one")) == 3
    assert same_results.trials(tmp_path / "one") == same_results.trials(tmp_path / "three")


def test_a_second_run_in_the_same_folder_is_told_who_is_there(start, experiment, tmp_path, espalier):
    host = start(tmp_path / "r", "train.epochs=1000000")
    wait_for_epoch(tmp_path / "r", 3)
    second = espalier("run", experiment, "--results", tmp_path / "r", code=2)
    assert "in use by another run" in second.stderr and str(host.pid) in second.stderr
    status = json.loads(espalier("status", tmp_path / "r" / "stopped", "--json").stdout)
    assert status["running"] >= 1 and status["trials"] == 3
    host.terminate()
    host.communicate(timeout=60)
    assert host.returncode == 143


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to mount")
@pytest.mark.parametrize("options, message", [("ro", "Read-only"), ("size=64k", "No space left")])
def test_results_on_a_disk_that_takes_nothing(experiment, tmp_path, espalier, options, message):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(disk)]).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        done = espalier("run", experiment, "train.epochs=30", "--results", disk / "r", code=2)
        assert message in done.stderr and "--results DIR" in done.stderr
        if options != "ro":
            subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
            espalier("run", experiment, "train.epochs=30", "--results", disk / "r")
            espalier("run", experiment, "train.epochs=30", "--results", tmp_path / "whole")
            assert same_results.trials(disk / "r") == same_results.trials(tmp_path / "whole")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_dry_run_writes_nothing(experiment, tmp_path, espalier):
    done = espalier("run", experiment, "--results", tmp_path / "r", "--dry-run")
    assert "3 trials, 0 done, 3 to run" in done.stderr
    assert not (tmp_path / "r" / "stopped").exists()
