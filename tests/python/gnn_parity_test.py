"""Graph layers against PyTorch Geometric itself, through the program."""

import importlib.util

import pytest

pytest.importorskip("torch_geometric")


@pytest.fixture(scope="module")
def make_gnn_case(source_dir):
    """The tool, loaded once: importing PyTorch for each case takes longer than all the rest."""
    spec = importlib.util.spec_from_file_location(
        "make_gnn_case", source_dir / "tools/parity/make_gnn_case.py"
    )
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


@pytest.mark.parametrize(
    "options",
    [
        ["--layer", "GCNConv"],
        ["--layer", "GCNConv", "--arguments", '{"improved": true, "bias": false}'],
        ["--layer", "GCNConv", "--arguments", '{"normalize": false, "add_self_loops": false}'],
        ["--layer", "GANet", "--arguments", '{"bottleneck": 3, "scale": 2.0}', "--width", "20"],
        ["--layer", "GATConv", "--arguments", '{"heads": 4, "edge_dim": 1, "negative_slope": 0.1}'],
        ["--layer", "SAGEConv", "--arguments", '{"aggr": "sum", "root_weight": false}'],
        ["--layer", "TransformerConv", "--arguments", '{"heads": 2, "root_weight": false}'],
        ["--layer", "RGCNConv", "--arguments", '{"num_relations": 4}', "--width", "30"],
    ],
    ids=["gcn", "gcn_improved_without_bias", "gcn_plain_sums", "ga_net", "gat", "sage",
         "transformer", "rgcn"],
)
def test_a_case_made_by_the_tool_passes(espalier, make_gnn_case, tmp_path, options):
    make_gnn_case.main([str(tmp_path / "case"), *options])
    out = espalier("parity", tmp_path / "case").stdout
    assert "canonical.grad.x" in out
    assert "attach.out" in out
    assert "0 over tolerance or missing" in out


def test_a_layer_that_no_component_computes_is_refused(espalier, tmp_path):
    (tmp_path / "meta.json").write_text('{"layer": "PNAConv", "arguments": {}}')
    message = espalier("parity", tmp_path, code=2).stderr
    assert "no component computes this layer" in message
    assert "PNAConv" in message
