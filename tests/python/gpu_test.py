"""On a GPU everything says what it says on the CPU, to rounding. Skipped where there is none."""

import json
import subprocess

import h5py
import numpy as np
import pytest

from conftest import PROGRAM, SOURCE

ENCODERS = SOURCE / "tests/data/encoders"
METHODS = SOURCE / "tests/data/peft"
GOLDEN = SOURCE.parent / "shared/golden/peft"

# Losses of an epoch: float32 sums in another order, through up to three updates of the size that the
# rate sets.
TOLERANCE = 2e-3
DEVICE = "cuda"

INSIDE = [
    {"use": "lora", "lora_dropout": 0.2}, {"use": "lora", "use_dora": True},
    {"use": "lora", "init_lora_weights": "pissa"}, {"use": "ga_net", "layer": {"use": "gcn", "layers": 1}},
    {"use": "vpt", "deep": True}, {"use": "vpt"}, {"use": "full"}, {"use": "full", "towers": "image", "top_layers": 1},
    {"use": "c3a", "block_size": 32}, {"use": "road", "group_size": 32}, {"use": "vblora", "vector_length": 32},
    *({"use": name} for name in (
        "adalora adaptformer beft bitfit boft cocoop coop deft delora fourierft glora gralora hira houlsby hra"
        " ia3 layer_norm loha lokr maple miss oft parallel peanut pfeiffer psoft pvera randlora shira ssf"
        " supertuning tinylora unilora vera waveft").split()),
]
BEHIND = [{"use": name} for name in (
    "clap clip_adapter cross_modal gda linear_probe lp_plus_plus none taskres tip_adapter").split()]
STACK = {"use": "stack", "methods": [{"use": "lora", "towers": "image"}, {"use": "taskres"}]}
LORA = {"use": "lora", "towers": "image", "top_layers": 1}

BASE = {
    "dataset": {"use": "flora", "classes": 4, "per_class": 12},
    "protocol": {"shots": 4, "val_shots": 2, "graph": "none"},
    "captioner": {"use": "none"},
    "encoder": {"use": "clip", "weights": "builtin:flora-clip"},
    "nodes": {"fuse": "image"},
    "graph": {"use": "none"},
    "gnn": {"use": "mlp", "layers": 0},
    "head": {"use": "prompts"},
    "train": {"epochs": 3, "lr": 1e-3, "select": "last"},
}
GRAPH = {"graph": {"use": "knn", "k": 3}, "protocol.graph": "inductive_attach",
         "gnn": {"use": "gcn", "layers": 1, "hidden": 16}, "head": {"use": "linear"}}
CAPTIONED = {"captioner": {"use": "attributes"}, "nodes": {"fuse": "cross_attention", "heads": 2}}
OTHER = [
    {"peft": LORA, "train.batch_size": 8, "train.clip_norm": 1.0},
    {"peft": LORA, "train.views": 2},
    {"peft": LORA, "head": {"use": "cosine"}, "train.optimizer": "sgd"},
    {"peft": LORA, **GRAPH},
    {"peft": LORA, **GRAPH, "train.batch_size": 8},
    {"peft": {"use": "lora"}, **GRAPH, **CAPTIONED},
    {"peft": LORA, **GRAPH, "protocol.tasks": 2, "train.ewc": 10},
    {"peft": STACK},
]


@pytest.fixture(scope="module", autouse=True)
def needs_a_gpu():
    done = subprocess.run([PROGRAM, "parity", "--device", DEVICE, ENCODERS / "vit-tiny"],
                          capture_output=True, text=True)
    if "no GPU can be used" in done.stderr:
        pytest.skip("needs a GPU, and a LibTorch with CUDA")


@pytest.mark.parametrize("name", sorted(p.name for p in ENCODERS.iterdir() if p.is_dir()))
def test_encoders_give_hugging_faces_numbers(espalier, name):
    out = espalier("parity", "--device", DEVICE, ENCODERS / name).stdout
    assert " 0 over tolerance or missing" in out


@pytest.mark.parametrize("folder", [p for p in (METHODS, GOLDEN) if p.exists()], ids=lambda p: p.parent.name)
def test_methods_give_pefts_numbers(run_espalier, folder):
    cases = [p for p in sorted(folder.iterdir()) if (p / "meta.json").exists()]
    assert cases
    gpu, cpu = (subprocess.run([PROGRAM, "parity", "--device", device, *cases], capture_output=True, text=True)
                for device in (DEVICE, "cpu"))
    assert gpu.returncode >= 0 and cpu.returncode >= 0, "neither was killed by a signal"
    assert gpu.stderr == cpu.stderr, "cases that no component computes are refused by name"
    found, expected = verdicts(gpu.stdout), verdicts(cpu.stdout)
    assert found.keys() == expected.keys() and len(found) > 10 * len(cases)
    assert {name for name in found if found[name] != "ok" and expected[name] == "ok"} == set()


def verdicts(out):
    """What is said of each tensor of each case."""
    case, found = None, {}
    for line in out.splitlines():
        if line.startswith("/"):
            case = line
        elif line.split()[:1] in (["ok"], ["DIFFERS"]):
            verdict, name = line.split()[:2]
            found[case, name] = verdict
    return found


def run_on_both(espalier, folder, blocks, **changes):
    """The files of both devices' results, in pairs."""
    file = folder / "trials.yaml"
    file.write_text(json.dumps({"name": "trials", "base": {**BASE, **changes}, "sweep": blocks}))
    results = []
    for name, device in (("cpu", "cpu"), ("gpu", DEVICE)):
        espalier("run", file, "--results", folder / name, "--device", device, "--workers", "2", "--threads", "1")
        found = (folder / name).glob("trials/trials/*/result.h5")
        results.append({path.parent.name: path for path in found})
    cpu, gpu = results
    assert cpu.keys() == gpu.keys()
    return [(cpu[trial], gpu[trial]) for trial in cpu]


def differences(pairs):
    """What is over tolerance, by the section that asked for it."""
    found = {}
    for cpu, gpu in pairs:
        with h5py.File(cpu) as a, h5py.File(gpu) as b:
            config = json.loads(a["config_json"][()])
            name = json.dumps({key: config.get(key) for key in ("peft", "gnn", "nodes", "train")})
            expected, got = a["metrics"]["loss"], b["metrics"]["loss"]
            off = np.abs(expected - got) / np.maximum(1, np.abs(expected))
            if not off.max() <= TOLERANCE:
                found[name] = float(off.max())
    return found


def test_methods_train_as_on_the_cpu(espalier, tmp_path):
    pairs = run_on_both(espalier, tmp_path, [{"grid": {"peft": INSIDE + BEHIND}}],
                        protocol={**BASE["protocol"], "graph": "inductive_attach"},
                        graph={"use": "knn", "k": 3})
    assert len(pairs) == len(INSIDE + BEHIND)
    assert differences(pairs) == {}


@pytest.mark.parametrize("change", OTHER, ids=lambda change: " ".join(change))
def test_trials_are_as_on_the_cpu(espalier, tmp_path, change):
    pairs = run_on_both(espalier, tmp_path, [{"grid": {key: [value] for key, value in change.items()}}])
    assert len(pairs) == 1
    assert differences(pairs) == {}


def test_one_worker_computes_there_unless_more_are_asked_for(espalier, tmp_path):
    file = tmp_path / "two.yaml"
    file.write_text(json.dumps({"name": "two", "base": BASE, "sweep": [{"grid": {"seed": [1, 2]}}]}))
    how = ["run", file, "--results", tmp_path / "results", "--device", DEVICE, "--dry-run"]
    assert " 2 to run on 1 worker with" in espalier(*how).stderr
    assert " 2 to run on 2 workers" in espalier(*how, "--workers", "2").stderr


def test_a_trial_in_half_precision_says_its_memory(espalier, tmp_path):
    encoder = {**BASE["encoder"], "precision": "bfloat16"}
    ((_, gpu),) = run_on_both(espalier, tmp_path, [{"grid": {"peft": [LORA]}}], encoder=encoder)
    with h5py.File(gpu) as result:
        assert np.isfinite(result["metrics"]["loss"]).all()
        assert result["final"]["peak_cuda_bytes"] > 0
