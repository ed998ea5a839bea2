"""Encoders against transformers and sentence-transformers themselves, through the program."""

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
safetensors = pytest.importorskip("safetensors.torch")


@pytest.fixture
def tool(source_dir):
    def run(name, *arguments):
        script = source_dir / "tools/parity" / f"{name}.py"
        done = subprocess.run(
            [sys.executable, script, *map(str, arguments)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    return run


@pytest.fixture
def case(tool, tmp_path):
    """A case of a tiny model, made from its family's name."""

    def make(family, *options):
        tool("tiny_model", family, tmp_path / "model")
        tool("make_case", tmp_path / "model", tmp_path / "case", *options)
        return tmp_path / "case"

    return make


@pytest.mark.parametrize(
    "family",
    ["clip", "clip-text", "clip-vision", "siglip", "vit", "dinov2", "bert", "bert-decoder",
     "distilbert", "mpnet"],
)
def test_a_case_made_by_the_tools_passes(espalier, case, family):
    out = espalier("parity", case(family)).stdout
    assert "0 over tolerance or missing" in out
    assert "hidden_states" in out


@pytest.mark.parametrize("family", ["clip", "dinov2"])
def test_a_case_of_pictures_passes(espalier, case, source_dir, family):
    pictures = [source_dir / "tests/data/images" / name for name in ("gray.jpg", "lossy.webp")]
    folder = case(family, "--images", *pictures)
    assert "0 over tolerance or missing" in espalier("parity", folder).stdout
    assert len(safetensors.load_file(folder / "expected.safetensors")["pixel_values"]) == 2


def test_a_changed_value_fails(espalier, case):
    folder = case("clip")
    file = folder / "expected.safetensors"
    tensors = safetensors.load_file(file)
    tensors["image_embeds"][1, 2] += 1e-3
    safetensors.save_file(tensors, file)
    out = espalier("parity", "--quiet", folder, code=1).stdout
    assert "DIFFERS image_embeds " in out
    assert "DIFFERS to_feature.image_embeds " in out
    assert " 2 over tolerance or missing" in out


def test_what_is_no_case_is_refused(espalier, tmp_path):
    assert "no case that can be run" in espalier("parity", tmp_path, code=2).stderr
    assert "takes one case or more" in espalier("parity", code=2).stderr


def test_tensors_straight_through_the_towers(espalier, tool, tmp_path):
    tool("tiny_model", "clip", tmp_path / "model")
    given = {
        "pixel_values": torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)),
        "input_ids": torch.tensor([[1, 7, 9, 499], [1, 499, 499, 499]]),
    }
    safetensors.save_file(given, tmp_path / "in.safetensors")
    espalier(
        "encode", f"encoder.weights={tmp_path / 'model'}", "--tensors",
        tmp_path / "in.safetensors", "--out", tmp_path / "out.safetensors", "--hidden-states",
    )
    ours = safetensors.load_file(tmp_path / "out.safetensors")
    model = transformers.CLIPModel.from_pretrained(tmp_path / "model").eval()
    with torch.no_grad():
        theirs = model(**given)
    for name in ("image_embeds", "text_embeds", "logits_per_image"):
        torch.testing.assert_close(ours[name], getattr(theirs, name), rtol=0, atol=1e-5)
    assert ours["hidden_states.vision.3"].shape == (2, 17, 48)


def test_features_of_a_dataset(espalier, source_dir, tmp_path):
    h5py = pytest.importorskip("h5py")
    folder = source_dir / "tests/data/encoders/clip-tiny-gelu"
    arguments = (
        "encode", "encoder.use=clip", f"encoder.weights={folder}", "dataset.use=flora",
        "dataset.classes=3", "dataset.per_class=8", "--template", "a {}.", "--template", "one {}.",
    )
    out = espalier(*arguments, "--out", tmp_path / "f.h5").stdout
    assert "24 pictures with 20 numbers each, 3 classes with 20 numbers each" in out
    espalier(*arguments, "--out", tmp_path / "f.safetensors")
    same = safetensors.load_file(tmp_path / "f.safetensors")
    with h5py.File(tmp_path / "f.h5") as file:
        assert file["image_features"].shape == (24, 20)
        assert file["labels"][:].max() == 2
        assert len(file["class_names"]) == 3
        assert file["ids"].dtype.kind in "SO"
        torch.testing.assert_close(torch.tensor(file["image_features"][:]), same["image_features"])
        norms = torch.tensor(file["class_features"][:]).norm(dim=1)
        torch.testing.assert_close(norms, torch.ones(3))


def test_wrong_arguments_are_refused_by_name(espalier, tmp_path):
    assert "--out" in espalier("encode", "encoder.weights=x", "--tensors", "y", code=2).stderr
    assert "needs an encoder" in espalier("encode", code=2).stderr
    bad = espalier("encode", "encoder.use=clp", "dataset.use=flora", code=2)
    assert "clip" in bad.stderr
