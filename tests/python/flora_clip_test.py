"""The CLIP that comes with Espalier, opened by transformers."""

import json
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
safetensors = pytest.importorskip("safetensors.torch")


@pytest.fixture
def folder(source_dir):
    return source_dir / "framework/share/flora-clip"


def test_transformers_gives_the_same_features(espalier, source_dir, folder, tmp_path):
    make_case = source_dir / "tools/parity/make_case.py"
    subprocess.run([sys.executable, make_case, folder, tmp_path / "case"], check=True)
    out = espalier("parity", tmp_path / "case").stdout
    assert "0 over tolerance or missing" in out


def test_transformers_gives_the_same_ids(espalier, folder):
    sentences = [
        "A photo of a pale purple flower: four narrow rounded petals, with a brown star.",
        "vivid red, twelve petals in a pinwheel",
        "words that it was never taught: xylophone 42",
    ]
    tokenizer = transformers.CLIPTokenizerFast.from_pretrained(folder)
    out = espalier("tokenize", f"encoder.weights={folder}", "--json", input="\n".join(sentences))
    ours = [json.loads(line)["ids"] for line in out.stdout.splitlines()]
    assert ours == tokenizer(sentences, truncation=True)["input_ids"]
