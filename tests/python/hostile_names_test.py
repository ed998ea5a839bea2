"""Control characters of names never reach a terminal, whichever verb says the names."""

import json

import pytest

numpy = pytest.importorskip("numpy")
pillow = pytest.importorskip("PIL.Image")

NAMES = ["rose\x1b[31m", "tulip\u202e", "lily\x9b31m", "a\nb"]
EXPERIMENT = """
name: hostile
about: "bell \\u0007 and \\u009b31m"
base:
  dataset: {use: image_folder, root: %s}
  captioner: {use: none}
  encoder: {use: clip, weights: builtin:flora-clip}
  nodes: {fuse: image}
  graph: {use: knn, k: 3}
  gnn: {use: mlp, layers: 0}
  peft: {use: none}
  protocol: {shots: 2, val_shots: 2}
  train: {epochs: 1}
sweep:
  - grid: {head.use: [prompts], head.prompts: [template], head.prompt: ["a \\u001b]0;t\\u0007{}", "\\u009b31m{}"]}
"""
DRIVING = [chr(code) for code in [*range(10), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F)]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    root = folder / "photos\x1b[2J\x9bm"
    random = numpy.random.default_rng(0)
    for name in NAMES:
        (root / name).mkdir(parents=True)
        for i in range(4):
            pixels = random.integers(0, 256, (24, 24, 3), dtype=numpy.uint8)
            pillow.fromarray(pixels).save(root / name / f"{i}.png")
    (folder / "hostile.yaml").write_text(EXPERIMENT % json.dumps(str(root)))
    return folder


def harmless(text):
    return not any(character in text for character in DRIVING)


def test_looking_at_data(espalier, folder):
    root = f"dataset.root={folder}/photos\x1b[2J\x9bm"
    for options in [], ["--json"]:
        done = espalier("data", "check", "dataset.use=image_folder", root, *options)
        assert harmless(done.stdout + done.stderr)
        assert ("\\u001b[31m" if options else "\\x1b[31m") in done.stdout
    assert json.loads(done.stdout)["classes"][0]["name"] in NAMES


def test_planning_running_and_looking_back(espalier, folder):
    answers = {}
    for words in (
        "plan hostile.yaml", "plan hostile.yaml --json", "run hostile.yaml", "status", "status --json",
        "table", "cache list", "cache list --json", "cache verify --data", "cache verify --json",
        "export results/hostile --json",
    ):
        done = espalier(*words.split(), cwd=folder)
        assert harmless(done.stdout + done.stderr), words
        answers[words] = done.stdout
    assert json.loads(answers["export results/hostile --json"])
    assert "photos\\u001b[2J\\u009bm" in answers["plan hostile.yaml --json"]
    for entry in json.loads(answers["cache list --json"])["entries"]:
        for options in [], ["--json"]:
            shown = espalier("cache", "show", entry["key"], *options, cwd=folder).stdout
            assert harmless(shown)
            assert "photos\\u001b[2J\\u009bm" in shown
