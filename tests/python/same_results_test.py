"""tools/kill-test finds what differs between two folders of results, whatever it is."""

import shutil

import h5py
import pytest

import same_results
import small

EXPERIMENT = small.experiment("small", "{epochs: 3}", "grid: {seed: [0, 1]}")


@pytest.fixture(scope="module")
def twice(tmp_path_factory, run_espalier):
    folder = tmp_path_factory.mktemp("twice")
    (folder / "small.yaml").write_text(EXPERIMENT)
    for name in "ab":
        run_espalier("run", folder / "small.yaml", "--results", folder / name)
    return folder


def compared(folder):
    return list(same_results.differences(*(same_results.trials(folder / name) for name in "ab")))


def test_two_runs_of_one_sweep_are_equal(twice):
    assert compared(twice) == []
    first, _ = same_results.trials(twice / "a").values()
    arrays = {"predictions/test/logits", "training/sample", "metrics.loss", "final.test_loss"}
    assert arrays | {"@trial_id", "graph@edges", "env@libtorch", "config_json"} <= first.keys()
    assert not {"@created_utc", "metrics.wall_s", "final.attempt", "timing.seconds"} & first.keys()


def change_attribute(file):
    file["graph"].attrs["edges"] += 1


def change_bit(file):
    file["predictions/test/logits"][0, 0] *= 1 + 1e-7


def change_column(file):
    table = file["metrics"][:]
    table["loss"][0] *= 1 + 1e-15
    file["metrics"][...] = table


def add_array(file):
    file["predictions/test/more"] = [1]


@pytest.mark.parametrize(
    "change, name",
    [(change_attribute, "graph@edges"), (change_bit, "predictions/test/logits"),
     (change_column, "metrics.loss"), (add_array, "predictions/test/more")],
)
def test_every_change_is_named(twice, tmp_path, change, name):
    shutil.copytree(twice, tmp_path, dirs_exist_ok=True)
    result = next(tmp_path.glob("b/*/trials/*/result.h5"))
    with h5py.File(result, "a") as file:
        change(file)
    assert compared(tmp_path) == [f"{result.parent.name}: {name} differs"]


def test_a_trial_that_is_missing_is_named(twice, tmp_path):
    shutil.copytree(twice, tmp_path, dirs_exist_ok=True)
    trial = next(tmp_path.glob("b/*/trials/*"))
    shutil.rmtree(trial)
    assert compared(tmp_path) == [f"{trial.name}: only in the first folder"]
