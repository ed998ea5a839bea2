"""Holds the values that the C++ tests of hog() expect to scikit-image.

`python tests/python/hog_test.py` writes them anew.
"""

import json
import pathlib

import numpy as np
import pytest

STORED = pathlib.Path(__file__).parents[1] / "data" / "hog.json"
CASES = [
    {"width": 24, "height": 16, "orientations": 9, "cell": 8, "block": 2, "seed": 1},
    {"width": 21, "height": 17, "orientations": 6, "cell": 5, "block": 3, "seed": 2},
    {"width": 16, "height": 16, "orientations": 9, "cell": 8, "block": 2, "seed": 0},
]


def picture(case):
    """Pixels that the C++ test makes by the same rule; seed 0 is one colour."""
    i = np.arange(3 * case["width"] * case["height"], dtype=np.int64)
    levels = (i * i * 7 + i * 31) // (11 + i % 5) * case["seed"] % 256
    return levels.astype(np.uint8).reshape(case["height"], case["width"], 3)


def expected(case):
    feature = pytest.importorskip("skimage.feature")
    return feature.hog(
        picture(case),
        orientations=case["orientations"],
        pixels_per_cell=(case["cell"], case["cell"]),
        cells_per_block=(case["block"], case["block"]),
        block_norm="L2-Hys",
        channel_axis=-1,
    )


def test_stored_values_are_those_of_scikit_image():
    stored = json.loads(STORED.read_text())
    assert len(stored) == len(CASES)
    for case, values in zip(CASES, stored):
        np.testing.assert_allclose(values["hog"], expected(case), atol=1e-6)
        assert {key: values[key] for key in case} == case


if __name__ == "__main__":
    lines = [json.dumps(case | {"hog": expected(case).round(7).tolist()}) for case in CASES]
    STORED.write_text("[\n" + ",\n".join(lines) + "\n]\n")
