"""Elastic weight consolidation against PyTorch itself, through the program."""

import subprocess
import sys

import pytest

pytest.importorskip("torch")


@pytest.mark.parametrize("options", [[], ["--lambda", "0.5", "--hidden", "9", "--classes", "3", "--seed", "2"]])
def test_a_case_made_by_the_tool_passes(espalier, source_dir, tmp_path, options):
    tool = source_dir / "tools/parity/make_ewc_case.py"
    subprocess.run([sys.executable, tool, tmp_path / "case", *options], check=True)
    out = espalier("parity", tmp_path / "case").stdout
    assert "fisher_expected.0.weight" in out
    assert "grad_total.2.bias" in out
    assert "17 compared, 0 over tolerance or missing" in out
