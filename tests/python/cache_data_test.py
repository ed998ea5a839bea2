"""`cache verify --data` reads again what cached features were made of, whatever is remembered of it."""

import os
import shutil

import pytest

numpy = pytest.importorskip("numpy")
pillow = pytest.importorskip("PIL.Image")

EXPERIMENT = """
name: data
base:
  dataset: {use: image_folder, root: photos}
  captioner: {use: none}
  encoder: {use: clip, weights: model}
  nodes: {fuse: image}
  graph: {use: knn, k: 3}
  gnn: {use: mlp, layers: 0}
  peft: {use: none}
  protocol: {shots: 2, val_shots: 2}
  train: {epochs: 1}
"""


@pytest.fixture
def folder(tmp_path, source_dir, espalier):
    """Where a sweep over photos was run, with the cache that it left."""
    shutil.copytree(source_dir / "framework/share/flora-clip", tmp_path / "model")
    random = numpy.random.default_rng(0)
    for name in ("lily", "rose"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(5):
            pixels = random.integers(0, 256, (40, 40, 3), dtype=numpy.uint8)
            pillow.fromarray(pixels).save(tmp_path / "photos" / name / f"{i}.bmp")
    (tmp_path / "data.yaml").write_text(EXPERIMENT)
    espalier("run", "data.yaml", cwd=tmp_path)
    return tmp_path


def verify(espalier, folder, code):
    return espalier("cache", "verify", "--data", code=code, cwd=folder).stdout


def change_last_byte(file):
    """Size and time stay."""
    status = file.stat()
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_data_that_did_not_change_is_good(espalier, folder):
    assert "nothing is damaged\n" in verify(espalier, folder, 0)
    (folder / "photos/rose/Thumbs.db").write_bytes(b"no photo")
    assert verify(espalier, folder, 0)


@pytest.mark.parametrize(
    "file, key", [("photos/rose/3.bmp", "dataset.root"), ("model/model.safetensors", "encoder.weights")]
)
def test_what_was_overwritten_is_named_and_may_come_back(espalier, folder, file, key):
    change_last_byte(folder / file)
    found = verify(espalier, folder, 1)
    assert found.startswith(f"changed {folder / file.split('/')[0]}: {key} of image_features/"), found
    assert "is not what the entry was made of" in found
    change_last_byte(folder / file)
    assert "nothing is damaged\n" in verify(espalier, folder, 0)


def test_data_that_is_gone_is_named(espalier, folder):
    shutil.move(folder / "photos", folder / "elsewhere")
    assert f"changed {folder / 'photos'}: dataset.root of image_features/" in verify(espalier, folder, 1)
