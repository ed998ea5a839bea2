"""Folders of small models with random weights, as people have them."""

import json

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


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
