// No edges: what every graph is compared with.
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

namespace {

class NoGraph final : public espalier::GraphBuilder {
 public:
  using Params = espalier::NoParams;
  NoGraph(const Params&, const espalier::RunContext&) {}

  espalier::CsrGraph build(const at::Tensor& features) const override {
    return espalier::empty_graph(features.size(0), features.size(0));
  }
  espalier::CsrGraph attach(const at::Tensor& support, const at::Tensor& queries) const override {
    return espalier::empty_graph(queries.size(0), support.size(0));
  }
};

}  // namespace

ESPALIER_COMPONENT(graph, "none", 1, NoGraph, "No edges", "symmetric")
