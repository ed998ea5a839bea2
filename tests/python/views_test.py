"""Holds the values that the C++ tests of colour changes expect to torchvision.

`python tests/python/views_test.py` writes them anew.
"""

import json
import pathlib

import numpy as np
import pytest

STORED = pathlib.Path(__file__).parents[1] / "data" / "views.json"
CASES = [
    *[["brightness", factor] for factor in (0.0, 0.37, 1.0, 1.6)],
    *[["contrast", factor] for factor in (0.0, 0.37, 1.0, 1.6)],
    *[["saturation", factor] for factor in (0.0, 0.37, 1.0, 1.6)],
    *[["hue", factor] for factor in (-0.5, -0.21, 0.0, 0.08, 0.5)],
]


def picture():
    """12 x 8 pixels that the C++ test makes by the same rule."""
    i = np.arange(3 * 12 * 8)
    return ((i * i * 13 // 7 + 5 * i) % 256).astype(np.uint8).reshape(8, 12, 3)


def expected(change, factor):
    functional = pytest.importorskip("torchvision.transforms.functional")
    image = pytest.importorskip("PIL.Image").fromarray(picture())
    return np.asarray(getattr(functional, f"adjust_{change}")(image, factor)).ravel().tolist()


def test_stored_values_are_those_of_torchvision():
    stored = json.loads(STORED.read_text())
    assert [[case["change"], case["factor"]] for case in stored] == CASES
    for case in stored:
        assert case["rgb"] == expected(case["change"], case["factor"])


if __name__ == "__main__":
    lines = [
        json.dumps({"change": change, "factor": factor, "rgb": expected(change, factor)})
        for change, factor in CASES
    ]
    STORED.write_text("[\n" + ",\n".join(lines) + "\n]\n")
