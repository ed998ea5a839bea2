"""Graphs through the program: the file that scipy and anndata read, and searches against sklearn's."""

import xml.etree.ElementTree

import h5py
import numpy
import pytest

scipy_sparse = pytest.importorskip("scipy.sparse")
safetensors = pytest.importorskip("safetensors.numpy")


@pytest.fixture
def features(tmp_path):
    """A safetensors file of 300 rows in 5 clusters, and the rows."""
    numbers = numpy.random.default_rng(3)
    labels = numbers.integers(0, 5, 300)
    x = (numbers.normal(size=(5, 24))[labels] + numbers.normal(size=(300, 24))).astype("float32")
    safetensors.save_file({"features": x, "labels": labels}, tmp_path / "x.safetensors")
    return tmp_path / "x.safetensors", x, labels


def read(file):
    with h5py.File(file) as opened:
        g = opened["graph"]
        matrix = scipy_sparse.csr_matrix(
            (g["data"][:], g["indices"][:], g["indptr"][:]), tuple(g.attrs["shape"])
        )
        return matrix, dict(opened.attrs)


def test_nearest_neighbours_are_sklearns(espalier, features, tmp_path):
    neighbors = pytest.importorskip("sklearn.neighbors")
    file, x, _ = features
    for metric, ours in (("cosine", "cosine"), ("euclidean", "l2")):
        espalier(
            "graph", "--tensors", file, "--out", tmp_path / "g.h5", "graph.use=knn", "graph.k=7",
            "graph.symmetry=directed", f"graph.metric={ours}", "graph.weight=binary",
        )
        got, _ = read(tmp_path / "g.h5")
        search = neighbors.NearestNeighbors(n_neighbors=7, metric=metric, algorithm="brute")
        expected = search.fit(x.astype("float64")).kneighbors_graph()
        assert (got != expected).nnz == 0


def test_a_threshold_graph_has_the_cosines_that_reach_it(espalier, features, tmp_path):
    file, x, labels = features
    out = espalier(
        "graph", "--tensors", file, "--out", tmp_path / "g.h5", "graph.use=threshold",
        "graph.tau=0.6",
    ).stdout
    unit = x.astype("float64") / numpy.linalg.norm(x.astype("float64"), axis=1, keepdims=True)
    cosine = unit @ unit.T
    numpy.fill_diagonal(cosine, 0)
    expected = numpy.where(cosine >= 0.6, cosine, 0)
    got, facts = read(tmp_path / "g.h5")
    assert numpy.abs(got.toarray() - expected).max() < 1e-6
    assert facts["edges"] == (expected > 0).sum()
    rows, columns = expected.nonzero()
    assert facts["edge_homophily"] == pytest.approx((labels[rows] == labels[columns]).mean())
    assert "edge_homophily" in out and "similarity_histogram" in out


def test_features_that_a_dataset_has_are_nodes(espalier, tmp_path):
    data = ["dataset.use=gaussian", "dataset.classes=4", "dataset.per_class=12"]
    espalier(
        "graph", *data, "encoder.use=given", "graph.use=threshold", "graph.tau=0.1", "--split", "all",
        "--out", tmp_path / "g.h5", "--picture", tmp_path / "g.svg",
    )
    espalier("encode", *data, "encoder.use=given", "--out", tmp_path / "x.safetensors")
    espalier(
        "graph", "--tensors", tmp_path / "x.safetensors", "graph.use=threshold", "graph.tau=0.1",
        "--out", tmp_path / "same.h5",
    )
    got, facts = read(tmp_path / "g.h5")
    same, _ = read(tmp_path / "same.h5")
    assert facts["nodes"] == 48 and facts["edges"] > 0
    assert (got != same).nnz == 0
    message = espalier("graph", *data, "encoder.use=classical", "graph.use=none", code=2).stderr
    assert "encoder.use=given" in message


def test_anndata_reads_the_file(espalier, features, tmp_path):
    io = pytest.importorskip("anndata.io")
    espalier(
        "graph", "--tensors", features[0], "--out", tmp_path / "g.h5", "graph.use=knn", "graph.k=4",
        "graph.symmetry=directed",
    )
    with h5py.File(tmp_path / "g.h5") as opened:
        matrix = io.read_elem(opened["graph"])
    assert matrix.shape == (300, 300)
    assert (numpy.diff(matrix.indptr) == 4).all()


def test_a_picture_is_svg_with_thumbnails(espalier, tmp_path):
    espalier(
        "graph", "dataset.use=flora", "dataset.classes=4", "dataset.per_class=6",
        "encoder.use=classical", "graph.use=knn", "graph.k=3", "--split", "all",
        "--picture", tmp_path / "g.svg", "--out", tmp_path / "g.h5",
    )
    root = xml.etree.ElementTree.parse(tmp_path / "g.svg").getroot()
    images = root.findall(".//{http://www.w3.org/2000/svg}image")
    with h5py.File(tmp_path / "g.h5") as opened:
        assert len(images) == len(opened["ids"])
    assert all(image.get("href").startswith("data:image/png;base64,iVBOR") for image in images)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["graph.use=threshold", "graph.tau=2"], "tau"),
        (["graph.use=knn", "graph.k=0"], "graph.k"),
        (["graph.use=shared_words"], "captions"),
        (["graph.use=semantic"], "text_features"),
        (["graph.use=nothing"], "nothing"),
        ([], "graph.use"),
        (["graph.use=knn", "grph.k=3"], "grph.k"),
    ],
)
def test_bad_settings_are_named(espalier, features, arguments, said):
    assert said in espalier("graph", "--tensors", features[0], *arguments, code=2).stderr


def test_bad_tensors_are_named(espalier, tmp_path):
    def refused(**tensors):
        safetensors.save_file(tensors, tmp_path / "x.safetensors")
        return espalier(
            "graph", "--tensors", tmp_path / "x.safetensors", "graph.use=knn", code=2
        ).stderr

    x = numpy.ones((5, 3), "float32")
    assert "matrix" in refused(other=x[0])
    assert "labels" in refused(features=x, labels=numpy.arange(4))
    x[2, 1] = numpy.nan
    assert "row 2" in refused(features=x)


def test_strange_features_make_graphs(espalier, tmp_path):
    zero, equal = numpy.zeros((6, 3), "float32"), numpy.ones((6, 3), "float32")
    one = numpy.ones((1, 3), "float32")
    for x, edges in ((zero, 0), (equal, 30), (one, 0)):
        safetensors.save_file({"features": x}, tmp_path / "x.safetensors")
        out = espalier(
            "graph", "--tensors", tmp_path / "x.safetensors", "graph.use=threshold",
            "--picture", tmp_path / "g.svg",
        ).stdout
        assert f"edges                  {edges}\n" in out
        assert ("no edges" in out) == (edges == 0)


def test_recorded_graphs_are_built_again(espalier, source_dir):
    out = espalier("parity", source_dir / "tests/data/gnn/graphs").stdout
    assert "0 over tolerance or missing" in out
    for name in ("knn_euclidean_mutual.edge_index", "threshold_0.7.class_homophily",
                 "automatic_threshold.10.tau", "local_scaling"):
        assert name in out
