#include <espalier/testing/gnn_parity.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <espalier/core/file.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/testing/suite.hpp>
#include <optional>

#include "layer_run_internal.hpp"
#include "recorded_internal.hpp"

namespace espalier::conformance {
namespace {

namespace fs = std::filesystem;

constexpr double parity_tolerance = 1e-5;

Error no_case(const fs::path& folder, const std::string& what, const std::string& found) {
  return Error({.what = "the folder is no case of a graph layer: " + what,
                .where = folder.string(),
                .expected = "meta.json and expected.safetensors as docs/parity.md describes them",
                .found = found,
                .fix = "tools/parity/make_gnn_case.py makes such a case"});
}

// A graph of the case. Its edges stand by target, those of the case in any order: edge e of the
// graph is edge order[e] of the case. Duplicates and self-loops stay.
struct CaseGraph {
  CsrGraph graph;
  at::Tensor order;
  at::Tensor weight;  // leaves, in the case's order; undefined where it has none
  at::Tensor attributes;
};

class LayerCase {
 public:
  LayerCase(const fs::path& folder, NamedTensors expected)
      : file_(folder / "expected.safetensors"),
        tensors_(std::move(expected)),
        recorded_(tensors_),
        x_(rows("x")) {}

  [[nodiscard]] std::int64_t width() const { return x_.size(1); }

  // Gives the layer the recorded parameters.
  void take(LayerRun run) {
    std::vector<Parameters::Entry> values;
    for (const auto& [name, tensor] : run.network().parameters().entries()) {
      const auto theirs = run.layer().name_of(name);
      if (!theirs) {
        values.emplace_back(name, tensor.detach());
        continue;
      }
      const at::Tensor& stored = value("param." + *theirs);
      if (!stored.sizes().equals(tensor.sizes())) {
        throw no_case(file_, "a parameter has another shape", "param." + *theirs);
      }
      values.emplace_back(name, stored);
    }
    run.network().restore(values);
    runs_.push_back(std::move(run));
  }

  void compare_graph(const std::string& name) {
    if (name != "canonical" && !tensors_.contains(name + ".edge_index")) return;
    for (LayerRun& run : runs_) run.network().clear_gradients();
    const CaseGraph on = graph(name, x_.size(0));
    const at::Tensor x = x_.clone().set_requires_grad(true);
    const at::Tensor out = forward(x, on.graph);
    (void)value(name + ".out");
    compare(name + ".out", out);
    const at::Tensor probe = rows(name + ".probe");
    if (!probe.sizes().equals(out.sizes())) {
      throw no_case(file_, "the probe does not fit the output", name + ".probe");
    }
    const at::Tensor loss = (out * probe).sum();
    compare(name + ".loss", loss);
    loss.backward();
    compare(name + ".grad.x", x.grad());
    if (on.weight.defined()) compare(name + ".grad.edge_weight", on.weight.grad());
    if (on.attributes.defined()) compare(name + ".grad.edge_attr", on.attributes.grad());
    compare_parameters(name + ".grad.");
    compare_attention(name + ".attention.alpha", on);
  }

  void compare_attached(const std::string& name) {
    if (!tensors_.contains(name)) return;
    const at::Tensor queries = rows("x_query");
    const CsrGraph among = graph("canonical", x_.size(0)).graph;
    const CsrGraph to_queries = graph("attach", queries.size(0)).graph;
    at::Tensor x = x_;
    at::Tensor q = queries;
    for (std::size_t l = 0; l < runs_.size(); ++l) {
      const at::Tensor next = runs_[l].attach(x, among, q, x_0("x_0_query"), to_queries);
      x = runs_[l].forward(x, x_0("x_0"), among);
      q = next;
      if (l + 1 < runs_.size()) {
        x = x.relu();
        q = q.relu();
      }
    }
    compare(name, q);
  }

  std::vector<TensorDifference> take_rows() { return recorded_.take_rows(); }

 private:
  const at::Tensor& value(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) throw no_case(file_, "a tensor is missing", "no " + name);
    return found->second;
  }

  // A matrix in float32.
  at::Tensor rows(const std::string& name) const {
    const at::Tensor& found = value(name);
    if (found.dim() == 2) return found.to(at::kFloat);
    throw no_case(file_, "a tensor is no matrix", name);
  }

  at::Tensor x_0(const std::string& name) const {
    return tensors_.contains(name) ? rows(name) : at::Tensor();
  }

  void compare(const std::string& name, const at::Tensor& actual) {
    recorded_.compare(name, actual, parity_tolerance);
  }

  // Something of each edge, in the case's order; undefined where the case has no such thing.
  at::Tensor of_edges(const std::string& name, std::int64_t edges) const {
    if (!tensors_.contains(name)) return {};
    const at::Tensor& found = value(name);
    if (found.dim() > 0 && found.size(0) == edges) return found.contiguous();
    throw no_case(file_, "the edges do not fit", name);
  }

  at::Tensor leaf_of_edges(const std::string& name, std::int64_t edges) const {
    const at::Tensor found = of_edges(name, edges);
    return found.defined() ? found.to(at::kFloat).clone().set_requires_grad(true) : found;
  }

  void require_nodes(const at::Tensor& ends, std::int64_t count) const {
    for (std::int64_t e = 0; e < ends.numel(); ++e) {
      const auto i = ends[e].item<std::int64_t>();
      if (i < 0 || i >= count) throw no_case(file_, "an edge ends at no node", std::to_string(i));
    }
  }

  CaseGraph graph(const std::string& name, std::int64_t targets) const {
    const at::Tensor ends = value(name + ".edge_index").to(at::kLong).contiguous();
    if (ends.dim() != 2 || ends.size(0) != 2) {
      throw no_case(file_, "the edges do not fit", name + ".edge_index");
    }
    require_nodes(ends[0], x_.size(0));
    require_nodes(ends[1], targets);
    const std::int64_t edges = ends.size(1);
    CaseGraph made;
    made.order = at::argsort(ends[1], /*stable=*/true, 0, false);
    made.weight = leaf_of_edges(name + ".edge_weight", edges);
    made.attributes = leaf_of_edges(name + ".edge_attr", edges);
    const at::Tensor kind = of_edges(name + ".edge_type", edges);
    CsrGraph& graph = made.graph;
    graph = empty_graph(targets, x_.size(0));
    graph.col = ends[0].index_select(0, made.order);
    graph.rowptr.slice(0, 1).copy_(at::zeros({targets}, at::kLong)
                                       .index_add(0, ends[1], at::ones({edges}, at::kLong))
                                       .cumsum(0));
    graph.weight = made.weight.defined() ? made.weight.index_select(0, made.order)
                                         : at::ones({edges}, at::kFloat);
    if (made.attributes.defined()) {
      graph.attributes = made.attributes.index_select(0, made.order);
    }
    if (kind.defined()) graph.relation = kind.to(at::kChar).index_select(0, made.order);
    prepare(graph);
    return made;
  }

  at::Tensor forward(const at::Tensor& x, const CsrGraph& graph) {
    at::Tensor h = x;
    for (std::size_t l = 0; l < runs_.size(); ++l) {
      h = runs_[l].forward(h, x_0("x_0"), graph);
      if (l + 1 < runs_.size()) h = h.relu();
    }
    return h;
  }

  void compare_parameters(const std::string& prefix) {
    for (LayerRun& run : runs_) {
      for (const auto& [name, tensor] : run.network().parameters().entries()) {
        if (const auto theirs = run.layer().name_of(name)) {
          compare(prefix + *theirs, tensor.grad());
        }
      }
    }
  }

  // Edges in the case's order, without loops where every node has one of the layer's own; those
  // last.
  void compare_attention(const std::string& name, const CaseGraph& on) {
    if (!tensors_.contains(name) || runs_.size() != 1) return;
    const MessageWeights found =
        runs_[0].network().gnn().attention(0, x_, x_, x_0("x_0"), on.graph);
    if (!found.edge.defined()) return compare(name, {});
    at::Tensor kept = at::argsort(on.order);
    const auto& loops = on.graph.index->loops;
    if (found.own.defined() && loops.defined()) {
      const at::Tensor is_loop =
          at::zeros({on.graph.edges()}, at::kLong).index_fill(0, loops, 1).index_select(0, kept);
      kept = kept.index_select(0, (is_loop == 0).nonzero().squeeze(1));
    }
    const at::Tensor edges = found.edge.index_select(0, kept);
    compare(name, found.own.defined() ? at::cat({edges, found.own}) : edges);
  }

  fs::path file_;
  NamedTensors tensors_;
  Recorded recorded_;
  at::Tensor x_;
  std::vector<LayerRun> runs_;
};

// The components of a case, and what runs them.
class CaseComponents {
 public:
  CaseComponents(const fs::path& folder, const Json& meta, const NamedTensors& expected,
                 const Catalog& catalog)
      : layers_(recorded_layers(meta, expected)) {
    const ComponentInfo* component = nullptr;
    if (!layers_.empty()) {
      component = catalog.find(Gnn::kind, layers_[0].section.at("use").get<std::string>());
    }
    if (component == nullptr) {
      throw Error({.what = "no component computes this layer",
                   .where = folder.string(),
                   .expected = recorded_layer_names(),
                   .found = meta.at("layer").get<std::string>() + " " +
                            meta.value("arguments", Json::object()).dump(),
                   .fix = "espalier plugins list shows what there is"});
    }
    name_ = component->name;
    suite_.emplace(component->file);
  }

  // With their own self-loops or without.
  void give(LayerCase& to, bool bare = false) const {
    std::int64_t width = to.width();
    for (const RecordedLayer& layer : layers_) {
      Json params = layer.section;
      params.erase("use");
      if (bare) params["self_loops"] = false;
      LayerRun run(layer, subject(params), width);
      width = run.network().gnn().out_width();
      to.take(std::move(run));
    }
  }

  // PyTorch Geometric adds no loops between two sets of nodes.
  [[nodiscard]] bool attends_to_itself() const {
    return (name_ == "gat" || name_ == "gatv2") && layers_[0].section.value("self_loops", true);
  }

 private:
  [[nodiscard]] Subject subject(const Json& params) const {
    for (const ComponentInfo& info : suite_->components()) {
      if (info.kind == Gnn::kind && info.name == name_) {
        return suite_->settings(info, params).front();
      }
    }
    ESPALIER_ASSERT(false, "the suite was made for this component");
  }

  std::vector<RecordedLayer> layers_;
  std::string name_;
  std::optional<Suite> suite_;
};

}  // namespace

std::vector<TensorDifference> gnn_parity(const fs::path& folder, const Catalog& catalog) {
  const fs::path file = folder / "meta.json";
  try {
    const Json meta = parse_json(read_file(file), file.string());
    (void)meta.at("layer").get<std::string>();
    const NamedTensors expected = fs::exists(folder / "expected.safetensors")
                                      ? read_named_tensors(folder / "expected.safetensors")
                                      : NamedTensors();
    const CaseComponents components(folder, meta, expected, catalog);
    LayerCase layer(folder, expected);
    components.give(layer);
    layer.compare_graph("canonical");
    layer.compare_graph("raw");
    layer.compare_attached("attach.out");
    if (!components.attends_to_itself()) {
      layer.compare_attached("bipartite.out");
      return layer.take_rows();
    }
    LayerCase bare(folder, expected);
    components.give(bare, true);
    bare.compare_attached("bipartite.out");
    std::vector<TensorDifference> rows = layer.take_rows();
    for (TensorDifference& row : bare.take_rows()) rows.push_back(std::move(row));
    return rows;
  } catch (const Json::exception& error) {
    throw no_case(file, "its description cannot be used", error.what());
  }
}

}  // namespace espalier::conformance
