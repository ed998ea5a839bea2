"""`espalier adapters` on the recorded adapters of tests/data, without PEFT."""

import json
import shutil

import pytest


@pytest.fixture
def data(source_dir):
    return source_dir / "tests/data/peft"


def test_shows_what_an_adapter_holds(espalier, data):
    out = espalier("adapters", "show", data / "lora").stdout
    assert "peft_type" in out and '"LORA"' in out
    assert "28 tensors, 4608 parameters" in out
    assert "vision_model.encoder.layers.3.self_attn.q_proj.lora_A.weight" in out


def test_says_whether_it_fits_a_model(espalier, data, source_dir):
    assert "4608 trained parameters" in espalier("adapters", "check", data / "lora").stdout
    vit = source_dir / "tests/data/encoders/bert-tiny"
    message = espalier("adapters", "check", data / "lora", "--base", vit, code=2).stderr
    assert "lacks" in message or "belongs to nothing" in message


def test_merges_into_a_folder_of_its_own_and_only_there(espalier, data, tmp_path):
    out = espalier("adapters", "merge", data / "dora", "--into", tmp_path / "merged").stdout
    assert out.startswith("21 tensors of")
    names = {path.name for path in (tmp_path / "merged").iterdir()}
    assert names == {"config.json", "model.safetensors"}
    message = espalier("adapters", "merge", data / "dora", "--into", tmp_path / "merged", code=2)
    assert "there already" in message.stderr
    assert not list(tmp_path.glob("*.partial"))


def test_refuses_to_merge_what_cannot_be_merged(espalier, data, tmp_path):
    """A bottleneck has no place in the weights: that must not look like a merge of nothing."""
    adapter = tmp_path / "prompts"
    shutil.copytree(data / "lora", adapter)
    config = {"peft_type": "ESPALIER_VPT", "num_tokens": 2}
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    message = espalier(
        "adapters", "merge", adapter, "--base", data / "base", "--into", tmp_path / "m", code=2
    ).stderr
    assert "lacks \"prompts\"" in message
    assert not (tmp_path / "m").exists()


TRAINED = """
name: base
base:
  dataset: {{use: flora, classes: 4, per_class: 12, size: 32}}
  captioner: {{use: none}}
  encoder: {{use: clip, weights: {model}}}
  graph: {{use: none}}
  gnn: {{use: mlp, layers: 0}}
  peft: {{use: lora, towers: image, top_layers: 1}}
  head: {{use: prompts}}
  protocol: {{shots: 2, val_shots: 1, graph: none}}
  train: {{epochs: 1}}
"""


def test_a_plan_names_a_base_that_changed_since_an_adapter_was_trained(espalier, source_dir, tmp_path):
    model, file, results = tmp_path / "model", tmp_path / "base.yaml", tmp_path / "results"
    shutil.copytree(source_dir / "framework/share/flora-clip", model)
    file.write_text(TRAINED.format(model=model))
    espalier("run", file, "--results", results)
    (adapter,) = results.glob("*/trials/*/adapter")

    def planned():
        return espalier("plan", file, f"peft={{use: hf, path: {adapter}}}", "--results", results).stderr

    assert "another base" not in planned()
    (model / "config.json").write_text((model / "config.json").read_text() + "\n")
    assert f"of another base: it was trained on {model} with the content sha256:" in planned()


def test_methods_of_a_stack_have_an_adapter_each(espalier, tmp_path):
    """One inside the encoder, and one that starts from what the encoder says of the trial's samples."""
    file, results = tmp_path / "base.yaml", tmp_path / "results"
    file.write_text(TRAINED.format(model="builtin:flora-clip"))
    stack = "peft=[{use: lora, towers: image, top_layers: 1}, {use: taskres}]"
    espalier("run", file, stack, "--results", results)
    (adapter,) = results.glob("*/trials/*/adapter")
    assert sorted(path.name for path in adapter.iterdir()) == ["lora", "taskres"]
    assert "ESPALIER_TASKRES" in espalier("adapters", "show", adapter / "taskres").stdout


def test_says_where_two_differ(espalier, data):
    assert "28 of 28 tensors are equal" in espalier(
        "adapters", "diff", data / "lora", data / "lora"
    ).stdout
    out = espalier("adapters", "diff", data / "lora", data / "dora").stdout
    assert "use_dora" in out and "only in the second" in out


def test_averages_by_weights(espalier, data, tmp_path):
    both = [data / "lora", data / "lora"]
    espalier("adapters", "average", *both, "--weights", "0.25,0.75", "--into", tmp_path / "cat")
    config = json.loads((tmp_path / "cat/adapter_config.json").read_text())
    assert config["r"] == 8 and config["lora_alpha"] == 8
    assert "9216 trained parameters" in espalier(
        "adapters", "check", tmp_path / "cat", "--base", data / "base"
    ).stdout
    svd = ["--how", "svd", "--weights", "0.25,0.75", "--into", tmp_path / "svd"]
    espalier("adapters", "average", *both, *svd)
    assert json.loads((tmp_path / "svd/adapter_config.json").read_text())["r"] == 4


@pytest.mark.parametrize(
    "words, says",
    [
        ([], "takes an action"),
        (["melt", "A"], "no such action"),
        (["diff", "A"], "takes other folders"),
        (["merge", "A"], "needs a folder to write"),
        (["average", "A", "B", "--into", "C"], "needs a weight for each"),
        (["average", "A", "B", "--into", "C", "--weights", "1,x"], "takes numbers"),
        (["show", "nowhere"], "holds no adapter"),
    ],
)
def test_says_what_is_wrong_with_the_words(espalier, words, says):
    assert says in espalier("adapters", *words, code=2).stderr
