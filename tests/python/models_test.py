"""Model folders as people have them, against transformers, sentence-transformers and Pillow.

What these libraries make of a folder is the reference; golden files cannot hold it, since it depends
on settings beside the weights. 1e-5 is what float32 leaves of numbers up to 3 after two layers.
"""

import json
import shutil

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
safetensors = pytest.importorskip("safetensors.torch")
numpy = pytest.importorskip("numpy")
pillow = pytest.importorskip("PIL.Image")

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["a", "photo", "of", "rose", "Rose", "lily", "cafe", "café", "日", "query", ":", "the", "##s",
         "with", "petal", "red"]
TEXTS = ["a photo of the rose", "Rose and café", "日 lily roses", "the red petals of a rose with petals",
         "a"]
SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


def write(folder, name, content):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    file.write_text(text, encoding="utf-8")


def random_weights(model, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for _, parameter in sorted(model.named_parameters()):
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


def save_bert(folder, tokens=len(SPECIAL + WORDS), family="bert", **config):
    """A model with a vocabulary of a few words."""
    common = {"vocab_size": tokens, "max_position_embeddings": 24}
    if family == "bert":
        model = transformers.BertModel(transformers.BertConfig(**SIZES, **common, **config))
    else:
        model = transformers.DistilBertModel(transformers.DistilBertConfig(
            dim=32, hidden_dim=64, n_layers=2, n_heads=4, **common, **config))
    random_weights(model).save_pretrained(folder)
    write(folder, "vocab.txt", "\n".join(SPECIAL + WORDS) + "\n")
    write(folder, "tokenizer_config.json", {"tokenizer_class": "BertTokenizer"})


def save_modules(folder, *modules, transformer=""):
    paths = [("Transformer", transformer)] + [(m.split("_")[1], m) for m in modules]
    write(folder, "modules.json", [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(paths)])


@pytest.fixture
def encode_texts(espalier, tmp_path):
    def run(folder, texts, use="bert"):
        write(tmp_path, "texts.txt", "".join(text + "\n" for text in texts))
        out = tmp_path / "texts.safetensors"
        espalier("encode", f"encoder.use={use}", f"encoder.weights={folder}",
                 "--texts", tmp_path / "texts.txt", "--out", out)
        return safetensors.load_file(out)["text_features"]

    return run


@pytest.fixture
def ids_of(espalier, tmp_path):
    def run(folder, texts):
        write(tmp_path, "texts.txt", "".join(text + "\n" for text in texts))
        out = espalier("tokenize", f"encoder.weights={folder}", tmp_path / "texts.txt").stdout
        return [[int(word) for word in line.split()] for line in out.splitlines()]

    return run


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


def sentence_cases(folder):
    """Name and what makes the folder, a sentence encoder with `bert` weights in it."""
    pooling = {"word_embedding_dimension": 32}
    yield "the dimension alone", lambda: (
        save_modules(folder, "1_Pooling"), write(folder, "1_Pooling/config.json", pooling))
    yield "cls, of length 1", lambda: (
        save_modules(folder, "1_Pooling", "2_Normalize"),
        write(folder, "1_Pooling/config.json", {**pooling, "pooling_mode_cls_token": True,
                                                "pooling_mode_mean_tokens": False}))
    yield "a default prompt", lambda: (
        save_modules(folder, "1_Pooling"), write(folder, "1_Pooling/config.json", pooling),
        write(folder, "config_sentence_transformers.json",
              {"prompts": {"query": "query: "}, "default_prompt_name": "query"}))
    yield "lower case and a length of its own", lambda: (
        save_modules(folder, "1_Pooling"), write(folder, "1_Pooling/config.json", pooling),
        write(folder, "tokenizer_config.json", {"tokenizer_class": "BertTokenizer",
                                                "do_lower_case": False, "model_max_length": 4}),
        write(folder, "sentence_bert_config.json", {"max_seq_length": 6, "do_lower_case": True}))
    yield "the beginning cut off", lambda: (
        save_modules(folder, "1_Pooling"), write(folder, "1_Pooling/config.json", pooling),
        write(folder, "tokenizer_config.json", {"tokenizer_class": "BertTokenizer",
                                                "truncation_side": "left", "model_max_length": 5}))


@pytest.mark.parametrize("name", [name for name, _ in sentence_cases(None)])
@pytest.mark.parametrize("family", ["bert", "distilbert"])
def test_sentences_are_encoded_as_sentence_transformers_does(encode_texts, tmp_path, name, family):
    library = pytest.importorskip("sentence_transformers")
    folder = tmp_path / "model"
    save_bert(folder, family=family)
    dict(sentence_cases(folder))[name]()
    ours = encode_texts(folder, TEXTS)
    model = library.SentenceTransformer(str(folder), device="cpu")
    theirs = torch.cat([torch.tensor(model.encode([text])) for text in TEXTS])
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_a_transformer_in_a_folder_of_its_own(encode_texts, tmp_path):
    library = pytest.importorskip("sentence_transformers")
    folder = tmp_path / "model"
    save_bert(folder / "0_Transformer", family="distilbert")
    write(folder, "config.json", {"__version__": "0.2.4"})
    write(folder / "0_Transformer", "sentence_distilbert_config.json",
          {"max_seq_length": 5, "do_lower_case": False})
    save_modules(folder, "1_Pooling", transformer="0_Transformer")
    write(folder, "1_Pooling/config.json", {"word_embedding_dimension": 32})
    model = library.SentenceTransformer(str(folder), device="cpu")
    theirs = torch.cat([torch.tensor(model.encode([text])) for text in TEXTS])
    torch.testing.assert_close(encode_texts(folder, TEXTS), theirs, rtol=0, atol=1e-5)


def test_a_folder_that_sentence_transformers_6_wrote(encode_texts, tmp_path):
    library = pytest.importorskip("sentence_transformers")
    save_bert(tmp_path / "plain")
    model = library.SentenceTransformer(str(tmp_path / "plain"), device="cpu")
    model.save_pretrained(str(tmp_path / "saved"))
    theirs = torch.cat([torch.tensor(model.encode([text])) for text in TEXTS])
    torch.testing.assert_close(encode_texts(tmp_path / "saved", TEXTS), theirs, rtol=0, atol=1e-5)


def test_a_decoder_looks_back_alone(encode_texts, tmp_path):
    save_bert(tmp_path, is_decoder=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    model = transformers.BertModel.from_pretrained(tmp_path, attn_implementation="eager").eval()
    with torch.no_grad():
        theirs = torch.cat([model(**tokenizer(text, return_tensors="pt")).last_hidden_state.mean(1)
                            for text in TEXTS])
    torch.testing.assert_close(encode_texts(tmp_path, TEXTS), theirs, rtol=0, atol=1e-5)


SETTINGS = {
    "nothing": {},
    "cased": {"do_lower_case": False},
    "no accents": {"do_lower_case": False, "strip_accents": True},
    "ideographs as they are": {"tokenize_chinese_chars": False},
    "special tokens as text": {"split_special_tokens": True},
    "more special tokens": {"additional_special_tokens": ["photo", "rose"]},
    "a token of its own kind": {"image_token": "lily"},
    "left": {"truncation_side": "left", "model_max_length": 4},
}


@pytest.mark.parametrize("saved", ["vocab.txt", "tokenizer.json"])
@pytest.mark.parametrize("name", list(SETTINGS))
def test_ids_follow_the_settings_beside_the_vocabulary(ids_of, tmp_path, saved, name):
    save_bert(tmp_path)
    if saved == "tokenizer.json":
        transformers.AutoTokenizer.from_pretrained(tmp_path).save_pretrained(tmp_path)
        (tmp_path / "vocab.txt").unlink(missing_ok=True)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    write(tmp_path, "tokenizer_config.json", {**config, **SETTINGS[name]})
    texts = [*TEXTS, "rose [SEP] lily", "日日photo"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert ids_of(tmp_path, texts) == tokenizer(texts, truncation=True)["input_ids"]


def test_added_tokens_are_one_id(ids_of, tmp_path):
    first = len(SPECIAL + WORDS)
    save_bert(tmp_path, tokens=first + 2)
    write(tmp_path, "added_tokens.json", {"<New1>": first, "<new2>": first + 1})
    texts = ["<new1> rose", "a photo of a <New1><new2>s"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert ids_of(tmp_path, texts) == tokenizer(texts)["input_ids"]
    assert first in ids_of(tmp_path, texts)[0]


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


def test_texts_in_hdf5(espalier, source_dir, tmp_path):
    h5py = pytest.importorskip("h5py")
    folder = source_dir / "tests/data/encoders/clip-tiny-gelu"
    write(tmp_path, "texts.txt", "a rose\n\na lily")
    out = espalier("encode", "encoder.use=clip", f"encoder.weights={folder}",
                   "--texts", tmp_path / "texts.txt", "--out", tmp_path / "t.h5").stdout
    assert "3 texts, 20 numbers each" in out
    with h5py.File(tmp_path / "t.h5") as file:
        assert file["text_features"].shape == (3, 20)
        assert list(file["texts"].asstr()[:]) == ["a rose", "", "a lily"]
    done = espalier("encode", "encoder.use=classical", "--texts", tmp_path / "texts.txt", code=2)
    assert "learns from training texts" in done.stderr
    done = espalier("encode", "encoder.use=clip", f"encoder.weights={folder}", "dataset.use=flora",
                    "--texts", tmp_path / "texts.txt", code=2)
    assert "one thing to encode" in done.stderr


def test_git_lfs_pointers_are_called_so(espalier, tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 605157884\n"
    save_bert(tmp_path / "model")
    for name in ("model.safetensors", "vocab.txt"):
        write(tmp_path / "model", name, pointer)
    write(tmp_path, "texts.txt", "a\n")
    done = espalier("encode", "encoder.use=bert", f"encoder.weights={tmp_path / 'model'}",
                    "--texts", tmp_path / "texts.txt", code=2)
    assert done.stderr.count("git lfs pull") == 2
    done = espalier("tokenize", f"encoder.weights={tmp_path / 'model'}", tmp_path / "texts.txt", code=2)
    assert "vocab.txt" in done.stderr and "git lfs pull" in done.stderr


def test_a_torchscript_file_must_be_trusted(espalier, source_dir):
    file = source_dir / "tests/data/encoders/channels.pt"
    arguments = ("encode", "encoder.use=torchscript", f"encoder.weights={file}", "encoder.size=16",
                 "dataset.use=flora", "dataset.classes=2", "dataset.per_class=4")
    assert "runs with your rights" in espalier(*arguments, code=2).stderr
    espalier(*arguments, "encoder.trusted=true")
