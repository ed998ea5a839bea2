"""Model folders as people have them and their pictures, against transformers and Pillow.

What these libraries make of a folder is the reference; golden files cannot hold it, since it depends
on settings beside the weights. 1e-5 is what float32 leaves of numbers up to 3 after two layers.
"""

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
safetensors = pytest.importorskip("safetensors.torch")
numpy = pytest.importorskip("numpy")
pillow = pytest.importorskip("PIL.Image")

from model_folders import SIZES, random_weights, write  # noqa: E402


@pytest.fixture
def photos(tmp_path):
    """Squares, so that both passes of Pillow's resizing shrink alike, in any version's order."""
    noise = numpy.random.default_rng(3)
    for label in ("cat", "dog"):
        for i in range(3):
            coarse = pillow.fromarray(noise.integers(0, 256, (6, 6, 3), dtype=numpy.uint8))
            (tmp_path / "photos" / label).mkdir(parents=True, exist_ok=True)
            coarse.resize((90 + 7 * i,) * 2, pillow.Resampling.BICUBIC).save(
                tmp_path / "photos" / label / f"{i}.png")
    return tmp_path / "photos"


def save_clip(folder):
    config = transformers.CLIPConfig(
        projection_dim=16,
        vision_config={**SIZES, "image_size": 32, "patch_size": 8, "projection_dim": 16},
        text_config={**SIZES, "vocab_size": 99, "eos_token_id": 98, "projection_dim": 16})
    random_weights(transformers.CLIPModel(config)).save_pretrained(folder)


def clip_features(folder, photos):
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    pictures = [pillow.open(file).convert("RGB") for file in sorted(photos.glob("*/*.png"))]
    with torch.no_grad():
        pixels = processor(pictures, return_tensors="pt")["pixel_values"]
        return model.visual_projection(
            model.vision_model(pixels, interpolate_pos_encoding=True).pooler_output)


PROCESSORS = {
    "of Transformers 5": ("processor_config.json", {"image_processor": {
        "image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 40},
        "crop_size": {"height": 32, "width": 32}}, "processor_class": "CLIPProcessor"}),
    "without a type": ("preprocessor_config.json",
                       {"size": {"shortest_edge": 36}, "crop_size": 32, "image_mean": [0.5, 0.4, 0.3]}),
    "of another program": ("preprocessor_config.json", {"_class_name": "Pipeline"}),
    "with pairs": ("preprocessor_config.json",
                   {"size": [48, 40], "crop_size": [32, 32], "feature_extractor_type": "CLIPFeatureExtractor"}),
}


@pytest.mark.parametrize("kind", list(PROCESSORS))
def test_pictures_are_prepared_as_the_reference_does(espalier, photos, tmp_path, kind):
    folder = tmp_path / "model"
    save_clip(folder)
    write(folder, *PROCESSORS[kind])
    done = espalier("encode", "encoder.use=clip", f"encoder.weights={folder}",
                    "dataset.use=image_folder", f"dataset.root={photos}",
                    "--out", tmp_path / "f.safetensors")
    tensors = safetensors.load_file(tmp_path / "f.safetensors")
    assert "class_features" not in tensors
    assert "class features are left out" in done.stderr
    assert "no tokenizer" in done.stderr
    torch.testing.assert_close(tensors["image_features"], clip_features(folder, photos),
                               rtol=0, atol=2e-5)


def test_templates_need_a_tokenizer(espalier, photos, tmp_path):
    save_clip(tmp_path / "model")
    write(tmp_path / "model", *PROCESSORS["without a type"])
    done = espalier("encode", "encoder.use=clip", f"encoder.weights={tmp_path / 'model'}",
                    "dataset.use=image_folder", f"dataset.root={photos}", "--template", "a {}", code=2)
    assert "no tokenizer" in done.stderr


def test_features_that_are_not_finite_are_named(espalier, photos, tmp_path):
    save_clip(tmp_path / "model")
    write(tmp_path / "model", *PROCESSORS["without a type"])
    weights = safetensors.load_file(tmp_path / "model/model.safetensors")
    weights["visual_projection.weight"] *= 1e38
    weights["vision_model.post_layernorm.weight"] *= 1e38
    safetensors.save_file(weights, tmp_path / "model/model.safetensors")
    done = espalier("encode", "encoder.use=clip", f"encoder.weights={tmp_path / 'model'}",
                    "dataset.use=image_folder", f"dataset.root={photos}",
                    "--out", tmp_path / "f.h5", code=2)
    assert "not finite" in done.stderr
    assert "cat/0.png" in done.stderr
    assert not (tmp_path / "f.h5").exists()


def test_a_torchscript_file_must_be_trusted(espalier, source_dir):
    file = source_dir / "tests/data/encoders/channels.pt"
    arguments = ("encode", "encoder.use=torchscript", f"encoder.weights={file}", "encoder.size=16",
                 "dataset.use=flora", "dataset.classes=2", "dataset.per_class=4")
    assert "runs with your rights" in espalier(*arguments, code=2).stderr
    espalier(*arguments, "encoder.trusted=true")
