"""espalier tokenize against the recorded ids, and against Transformers where it is installed."""

import json

import pytest


def texts_and_ids(source_dir):
    cases = json.loads((source_dir / "tests/data/tokenizers/clip.json").read_text())["cases"]
    return [(c["text"], c["ids"]) for c in cases if "\n" not in c["text"]]


def test_ids_are_the_recorded_ones(espalier, source_dir, tmp_path):
    cases = texts_and_ids(source_dir)
    file = tmp_path / "texts.txt"
    file.write_bytes("".join(text + "\n" for text, _ in cases).encode())
    folder = source_dir / "tests/data/tokenizers/clip"
    done = espalier("tokenize", f"encoder.weights={folder}", file, "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["ids"] for line in lines] == [ids for _, ids in cases]
    plain = espalier("tokenize", f"encoder.weights={folder}", file).stdout.splitlines()
    assert [[int(word) for word in line.split()] for line in plain] == [ids for _, ids in cases]


def test_bert_equals_the_fast_tokenizer(espalier, source_dir, tmp_path):
    transformers = pytest.importorskip("transformers")
    folder = source_dir / "tests/data/encoders/bert-tiny"
    texts = [text for text, _ in texts_and_ids(source_dir)]
    file = tmp_path / "texts.txt"
    file.write_bytes("".join(text + "\n" for text in texts).encode())
    done = espalier("tokenize", f"encoder.weights={folder}", file, "--json")
    ids = [json.loads(line)["ids"] for line in done.stdout.splitlines()]
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    assert ids == tokenizer(texts, truncation=True, max_length=64)["input_ids"]


def test_text_that_is_not_utf8_is_named_by_line(espalier, source_dir, tmp_path):
    (tmp_path / "texts.txt").write_bytes(b"good\nbad \xff\n")
    folder = source_dir / "tests/data/tokenizers/clip"
    done = espalier("tokenize", f"encoder.weights={folder}", tmp_path / "texts.txt", code=2)
    assert "texts.txt:2" in done.stderr
    assert done.stdout == ""
