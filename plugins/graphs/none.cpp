// No edges: what every graph is compared with.
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

namespace {

class NoEdges final : public espalier::GraphSupport {
 public:
  explicit NoEdges(std::int64_t nodes) : graph_(espalier::empty_graph(nodes, nodes)) {}

  const espalier::CsrGraph& graph() const override { return graph_; }
  espalier::CsrGraph attach(const espalier::GraphInput& queries) const override {
    return espalier::empty_graph(queries.nodes(), graph_.targets);
  }

 private:
  espalier::CsrGraph graph_;
};

class NoGraph final : public espalier::GraphBuilder {
 public:
  using Params = espalier::NoParams;
  NoGraph(const Params&, const espalier::RunContext&) {}

  std::unique_ptr<espalier::GraphSupport> support(
      const espalier::GraphInput& nodes) const override {
    return std::make_unique<NoEdges>(nodes.nodes());
  }
};

}  // namespace

ESPALIER_COMPONENT(graph, "none", 1, NoGraph, "No edges", "symmetric")
