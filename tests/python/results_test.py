"""Opens the results of a small sweep with h5py, pandas and TensorBoard's own reader."""

import json
import pathlib

import h5py
import numpy as np
import pandas as pd
import pytest

import small

EXPERIMENT = (
    small.experiment(
        "small",
        "{epochs: 3, lr: 1e-2}",
        "grid: {gnn.layer: [mlp, gcn], head.use: [linear, cosine], seed: [0, 1]}",
        "grid: {train.epochs: [1000000], seed: [0]}",
    )
    + "limits: {seconds: 5}\n"
)
TRIALS = (
    "trial_id combo_id status seed gnn.layer head.use train.epochs val_top1 test_top1 test_top5 "
    "test_macro_accuracy test_macro_f1 test_loss test_ece task_forgetting backward_transfer new_top1 harmonic_mean new_zero_shot_top1 "
    "forgetting best_epoch epochs trainable_parameters method_parameters budget_deviation "
    "total_parameters adapter_bytes optimizer_bytes caption_score caption_leak_rate caption_flagged train_seconds prefix_seconds forward_seconds backward_seconds "
    "total_seconds prefix_flops forward_flops backward_flops inference_seconds "
    "merged_inference_seconds peak_rss_bytes peak_cuda_bytes attempt tuned error file"
).split()
METRICS = "trial_idx epoch step split loss top1 lr wall_s".split()


@pytest.fixture(scope="module")
def sweep(tmp_path_factory, run_espalier):
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "small.yaml").write_text(EXPERIMENT)
    done = run_espalier("run", "small.yaml", cwd=folder, code=1)
    assert "over its time limit of 5 s" in done.stderr
    return folder / "results" / "small"


def read(sweep, table):
    """As docs/results.md shows it, and texts decoded."""
    with h5py.File(sweep / "sweep.h5") as file:
        frame = pd.DataFrame(file[table][:])
    for column in frame.select_dtypes([object]):
        frame[column] = frame[column].str.decode("utf-8")
    return frame


def test_two_lines_of_pandas_give_every_trial(sweep):
    file = h5py.File(sweep / "sweep.h5")
    trials = pd.DataFrame(file["trials"][:])
    assert list(trials.columns)[: len(TRIALS)] == TRIALS
    assert len(trials) == 9


def test_columns_have_the_types_that_were_promised(sweep):
    trials = read(sweep, "trials")
    integers = (
        "seed train.epochs best_epoch epochs trainable_parameters method_parameters adapter_bytes "
        "optimizer_bytes peak_rss_bytes peak_cuda_bytes attempt"
    ).split()
    numbers = (
        "val_top1 test_top1 test_loss test_ece new_top1 forgetting train_seconds forward_seconds "
        "forward_flops merged_inference_seconds total_seconds"
    ).split()
    assert all(trials[name].dtype == np.int64 for name in integers)
    assert all(trials[name].dtype == np.float64 for name in numbers)
    assert set(trials["gnn.layer"]) == {"mlp", "gcn"}
    assert set(trials["seed"]) == {0, 1}
    assert trials["trial_id"].str.fullmatch("[0-9a-f]{64}").all()
    assert trials["trial_id"].is_unique
    assert trials["combo_id"].nunique() == 5


def test_finished_trials_are_complete_and_failed_ones_marked_missing(sweep):
    trials = read(sweep, "trials")
    done = trials[trials.status == "complete"]
    assert len(done) == 8
    assert done[["val_top1", "test_top1", "test_macro_f1"]].apply(lambda c: c.between(0, 1)).all(axis=None)
    assert (done.best_epoch >= 0).all() and (done.error == "").all()
    for file in done.file:
        assert (sweep / file).is_file()
    failed = trials[trials.status == "failed"]
    assert len(failed) == 1 and failed.test_top1.isna().all()
    assert (failed.best_epoch == -1).all() and (failed.error != "").all()
    assert (failed.file == "").all()


def test_metrics_are_one_long_table(sweep):
    trials, metrics = read(sweep, "trials"), read(sweep, "metrics")
    assert list(metrics.columns) == METRICS
    assert metrics.trial_idx.dtype == np.int32 and metrics.epoch.dtype == np.int32
    assert set(metrics.split) == {"train", "val"}
    for index in trials.index[trials.status == "complete"]:
        rows = metrics[(metrics.trial_idx == index) & (metrics.split == "val")]
        assert rows.epoch.is_monotonic_increasing
        best = trials.best_epoch[index]
        assert rows.loc[rows.epoch == best, "top1"].item() == trials.val_top1[index]


def test_statistics_equal_pandas(sweep):
    trials, agg = read(sweep, "trials"), read(sweep, "agg").set_index("combo_id")
    expected = trials[trials.status == "complete"].groupby("combo_id").test_top1
    assert np.array_equal(agg.n, expected.count()[agg.index])
    np.testing.assert_allclose(agg.test_top1_mean, expected.mean()[agg.index], rtol=1e-14)
    np.testing.assert_allclose(agg.test_top1_std, expected.std()[agg.index], atol=1e-15)
    np.testing.assert_allclose(agg.test_top1_median, expected.median()[agg.index], rtol=1e-14)


def test_the_cube_holds_the_same_numbers_under_named_dimensions(sweep):
    trials = read(sweep, "trials")
    with h5py.File(sweep / "sweep.h5") as file:
        cube = file["cube/test_top1"]
        keys = [dim.label or dim[0].name.rsplit("/", 1)[-1] for dim in cube.dims]
        assert sorted(keys) == ["gnn.layer", "head.use", "seed", "train.epochs"] and keys[-1] == "seed"
        labels = [[v.decode() if isinstance(v, bytes) else v for v in dim[0][:]] for dim in cube.dims]
        for _, trial in trials[trials.status == "complete"].iterrows():
            place = tuple(values.index(trial[key]) for key, values in zip(keys, labels))
            assert cube[place] == trial.test_top1
        assert np.count_nonzero(~np.isnan(cube[:])) == (trials.status == "complete").sum()


def test_an_axis_that_makes_no_difference_is_missing_and_fills_the_cube(espalier, tmp_path):
    text = EXPERIMENT.split("sweep:")[0]
    text += "sweep:\n  - grid: {gnn: [{use: mlp}, {use: gcn}], graph.k: [2, 3], seed: [0]}\n"
    (tmp_path / "small.yaml").write_text(text)
    espalier("run", "small.yaml", cwd=tmp_path)
    trials = read(tmp_path / "results" / "small", "trials")
    assert sorted(trials["graph.k"]) == [-1, 2, 3]
    with h5py.File(tmp_path / "results/small/sweep.h5") as file:
        cube = file["cube/test_loss"]
        assert not np.isnan(cube[:]).any()
        mlp = trials[trials["graph.k"] == -1].test_loss.item()
        assert (cube[:] == mlp).sum() == 2


def test_links_lead_to_the_files_of_the_trials(sweep):
    trials = read(sweep, "trials")
    with h5py.File(sweep / "sweep.h5") as file:
        for _, trial in trials[trials.status == "complete"].iterrows():
            result = file["links"][trial.trial_id]
            assert result.attrs["trial_id"].decode() == trial.trial_id
            config = json.loads(result["config_json"][()])
            assert config["seed"] == trial.seed == result["params"].attrs["seed"]
            final = pd.DataFrame(result["final"][:])
            assert final.test_top1.item() == trial.test_top1
            predictions = result["predictions/test"]
            right = predictions["y_true"][:] == predictions["y_pred"][:]
            assert right.mean() == pytest.approx(trial.test_top1, abs=1e-12)
            assert np.array_equal(predictions["logits"][:].argmax(1), predictions["y_pred"][:])
            learned = set(result["training/sample"].asstr()[:])
            assert len(learned) == 16 and (result["training/y_true"][:] < 4).all()
            assert not learned & set(predictions["sample"].asstr()[:])
            assert len(result["class_names"]) == predictions["logits"].shape[1] == 4
        assert file["plan_json"][()].count(b"\n") == len(trials) + 1


def test_csv_and_json_say_the_same(sweep, espalier):
    trials = read(sweep, "trials")
    csv = pd.read_csv(sweep / "trials.csv", float_precision="round_trip")
    assert list(csv.columns) == list(trials.columns)
    np.testing.assert_array_equal(csv.test_top1, trials.test_top1)
    assert list(csv.trial_id) == list(trials.trial_id)
    rows = json.loads(espalier("export", sweep, "--json").stdout)
    assert [row["trial_id"] for row in rows] == list(trials.trial_id)
    metrics = json.loads(espalier("export", sweep, "--json", "--table", "metrics").stdout)
    assert len(metrics) == len(read(sweep, "metrics"))


def test_derived_files_can_be_made_again(sweep, espalier):
    before = read(sweep, "trials"), read(sweep, "metrics")
    (sweep / "sweep.h5").unlink()
    (sweep / "trials.csv").unlink()
    espalier("export", sweep)
    pd.testing.assert_frame_equal(read(sweep, "trials"), before[0])
    pd.testing.assert_frame_equal(read(sweep, "metrics"), before[1])
    assert (sweep / "trials.csv").is_file()


def test_tensorboard_reads_the_events(sweep, espalier, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    espalier("export", sweep, "--tensorboard", "--out", tmp_path)
    trials, metrics = read(sweep, "trials"), read(sweep, "metrics")
    for index in trials.index[trials.status == "complete"]:
        (run,) = pathlib.Path(tmp_path).glob(f"* {trials.trial_id[index][:8]}")
        events = accumulator.EventAccumulator(str(run)).Reload()
        rows = metrics[(metrics.trial_idx == index) & (metrics.split == "val")]
        scalars = events.Scalars("val/top1")
        assert [s.step for s in scalars] == list(rows.epoch)
        np.testing.assert_array_equal(
            np.float32([s.value for s in scalars]), rows.top1.astype(np.float32)
        )
        assert events.Scalars("final/test_top1")[0].value == np.float32(trials.test_top1[index])


def test_a_second_run_does_nothing_and_status_agrees(sweep, espalier):
    experiment = sweep.parents[1] / "small.yaml"
    again = espalier("run", experiment, "--results", sweep.parent, code=1)
    assert "0 to run" in again.stderr
    status = json.loads(espalier("status", sweep, "--json").stdout)
    assert status["complete"] == 8 and status["failed"] == 1
    assert status["running"] == status["planned"] == 0
