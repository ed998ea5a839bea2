"""Adapters against Hugging Face PEFT itself, both ways, and the same training path."""

import json
import shutil
import subprocess
import sys
import warnings

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
peft = pytest.importorskip("peft")

# Methods that both have: peft_type, settings, and the modules in CLIP and ViT and in BERT.
METHODS = {
    "lora": ("LORA", ["r=4", "lora_alpha=8"]),
    "rslora": ("LORA", ["r=4", "lora_alpha=8", "use_rslora=true"]),
    "dora": ("LORA", ["r=4", "lora_alpha=8", "use_dora=true"]),
    "biases": ("LORA", ["r=2", "lora_alpha=1", 'bias="lora_only"']),
}
# Those whose modules are others than FAMILIES says.
CLIP_METHODS = {
    "ia3": ("IA3", ['target_modules=["k_proj","v_proj","fc2"]', 'feedforward_modules=["fc2"]']),
    "ln": ("LN_TUNING", ['target_modules=["layer_norm1","layer_norm2","post_layernorm"]']),
}
FAMILIES = {
    "clip": '["q_proj","v_proj"]',
    "vit": '["q_proj","v_proj"]',
    "bert": '["query","value"]',
}


@pytest.fixture(scope="session")
def model(tmp_path_factory, source_dir):
    """The folder of a tiny model of a family."""
    folder = tmp_path_factory.mktemp("models")

    def make(family):
        if not (folder / family).exists():
            tool = source_dir / "tools/parity/tiny_model.py"
            subprocess.run([sys.executable, tool, family, folder / family], check=True)
        return folder / family

    return make


@pytest.fixture
def case(source_dir, tmp_path, monkeypatch):
    """A case of a random adapter of one of METHODS on a model, made in this process: a new one takes
    seconds to import what it needs."""
    monkeypatch.syspath_prepend(source_dir / "tools/parity")
    import make_peft_case

    def make(folder, family, method, *options):
        kind, settings = (METHODS | CLIP_METHODS)[method]
        targets = [] if method in CLIP_METHODS else [f"target_modules={FAMILIES[family]}"]
        arguments = [folder, tmp_path / "case", *options, "--method", kind, "--set", *settings,
                     *targets]
        monkeypatch.setattr(sys, "argv", ["make_peft_case", *map(str, arguments)])
        make_peft_case.main()
        return tmp_path / "case"

    return make


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", METHODS)
def test_outputs_and_gradients_are_pefts(espalier, model, case, family, method):
    out = espalier("parity", case(model(family), family, method)).stdout
    assert "0 over tolerance or missing" in out
    assert "merged.logits" in out


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", METHODS)
def test_twenty_steps_of_training_are_pefts(espalier, model, case, family, method):
    out = espalier("parity", case(model(family), family, method, "--steps", 20)).stdout
    assert "0 over tolerance or missing" in out
    assert "losses" in out


@pytest.mark.parametrize("method", CLIP_METHODS)
def test_twenty_steps_of_scales_and_norms_are_pefts(espalier, model, case, method):
    out = espalier("parity", case(model("clip"), "clip", method, "--steps", 20)).stdout
    assert "0 over tolerance or missing" in out
    assert "losses" in out


@pytest.mark.parametrize("method", ["bitfit", "full", "vpt-deep", "coop"])
def test_twenty_steps_without_peft_are_torchs(espalier, model, source_dir, tmp_path, monkeypatch,
                                              method):
    monkeypatch.syspath_prepend(source_dir / "tools/parity")
    import make_training_case

    arguments = ["make_training_case", method, model("clip"), tmp_path / "case"]
    monkeypatch.setattr(sys, "argv", list(map(str, arguments)))
    make_training_case.main()
    out = espalier("parity", tmp_path / "case").stdout
    assert "0 over tolerance or missing" in out
    assert "losses" in out


EXPERIMENT = """
name: trained
base:
  dataset: {{use: flora, classes: 3, per_class: 8, size: 32}}
  protocol: {{shots: 3, val_shots: 2, graph: none}}
  captioner: {{use: none}}
  encoder: {{use: {family}, weights: {weights}}}
  nodes: {{fuse: image}}
  graph: {{use: none}}
  gnn: {{use: mlp, layers: 0}}
  head: {{use: linear}}
  train: {{epochs: 2, lr: 0.01, select: last}}
  peft: {peft}
sweep:
  - grid: {{seed: [0]}}
"""

TRAINED = {
    "lora": {"use": "lora", "r": 4, "lora_alpha": 8},
    "dora": {"use": "lora", "use_dora": True},
    "patterns": {"use": "lora", "rank_pattern": ["layers?\\.1\\..*=2"], "lora_bias": True},
    "pissa": {"use": "lora", "init_lora_weights": "pissa"},
    "pissa_rs": {"use": "lora", "init_lora_weights": "pissa", "use_rslora": True},
    "olora": {"use": "lora", "init_lora_weights": "olora", "r": 3},
    "bias": {"use": "lora", "bias": "lora_only"},
}


@pytest.fixture
def trained(espalier, model, tmp_path):
    """The adapter that a short training leaves."""

    def run(family, method):
        file = tmp_path / "trained.yaml"
        file.write_text(EXPERIMENT.format(family=family, weights=model(family),
                                          peft=json.dumps(TRAINED[method])))
        espalier("run", file, "--results", tmp_path / "results")
        (folder,) = (tmp_path / "results/trained/trials").glob("*/adapter")
        return folder

    return run


def image_features(loaded, pixels):
    with torch.no_grad():
        if hasattr(loaded, "visual_projection"):
            return loaded.visual_projection(loaded.vision_model(pixels).pooler_output)
        return loaded(pixel_values=pixels).last_hidden_state[:, 0]


@pytest.mark.parametrize("family", ["clip", "vit"])
@pytest.mark.parametrize("method", TRAINED)
def test_an_adapter_trained_here_works_there(espalier, model, trained, tmp_path, family, method):
    adapter = trained(family, method)
    espalier("adapters", "check", adapter, "--base", model(family))
    espalier("adapters", "merge", adapter, "--base", model(family), "--into", tmp_path / "merged")
    load = transformers.AutoModel.from_pretrained
    pixels = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    base = load(model(family))
    before = image_features(base, pixels)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        there = peft.PeftModel.from_pretrained(base, adapter).eval()
    assert not [w for w in said if "adapter keys" in str(w.message)]
    on = image_features(there.get_base_model(), pixels)
    torch.testing.assert_close(on, image_features(load(tmp_path / "merged"), pixels), rtol=1e-4,
                               atol=1e-5)
    assert (on - before).abs().max() > 1e-3


def test_what_was_trained_goes_on_from_a_file(espalier, model, trained, tmp_path):
    shutil.copytree(trained("clip", "lora"), tmp_path / "start")
    file = tmp_path / "again.yaml"
    section = json.dumps({"use": "hf", "path": str(tmp_path / "start")})
    text = EXPERIMENT.format(family="clip", weights=model("clip"), peft=section)
    file.write_text(text.replace("name: trained", "name: again"))
    espalier("run", file, "--results", tmp_path / "results")
    (again,) = (tmp_path / "results/again/trials").glob("*/adapter")
    assert "of its norm" in espalier("adapters", "diff", tmp_path / "start", again).stdout


def test_an_adapter_of_another_model_is_refused(espalier, model, trained):
    adapter = trained("clip", "lora")
    message = espalier("adapters", "check", adapter, "--base", model("vit"), code=2).stderr
    assert "names a module that is not there" in message
