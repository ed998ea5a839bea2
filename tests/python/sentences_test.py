"""Model folders as people have them and their texts, against transformers and sentence-transformers.

What these libraries make of a folder is the reference; golden files cannot hold it, since it depends
on settings beside the weights. 1e-5 is what float32 leaves of numbers up to 3 after two layers.
"""

import json

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
safetensors = pytest.importorskip("safetensors.torch")

from model_folders import SPECIAL, TEXTS, WORDS, save_bert, save_modules, write  # noqa: E402


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
