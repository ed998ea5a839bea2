"""GA-Net's adapter inside an image tower against CLIPModel and PyTorch Geometric, through the program."""

import importlib.util
import sys

import pytest

pytest.importorskip("torch_geometric")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def make_ga_net_case(source_dir):
    """The tool, loaded once, beside the tools that it takes its model and pictures from."""
    folder = source_dir / "tools/parity"
    sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location(
        "make_ga_net_case", folder / "make_ga_net_case.py"
    )
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    yield tool
    sys.path.remove(str(folder))


@pytest.mark.parametrize("layer", ["gcn", "gatv2"])
def test_a_case_made_by_the_tool_passes(espalier, make_ga_net_case, source_dir, tmp_path, layer):
    base = tmp_path / "base"
    base.symlink_to(source_dir / "tests/data/peft/base")
    make_ga_net_case.main([str(base), str(tmp_path / "case"), "--layer", layer, "--seed", "4"])
    out = espalier("parity", tmp_path / "case").stdout
    assert "grad.vision_model.encoder.layers.3.mlp_graph_adapter.down.weight" in out
    assert "on.logits" in out
    assert "0 over tolerance or missing" in out
