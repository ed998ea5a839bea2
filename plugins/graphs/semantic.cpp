// Edges by meaning: any builder, on the features that the nodes do not hold. For nodes that are
// images these are the features of their captions.
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

#include <utility>

namespace {

using espalier::GraphInput;

struct SemanticParams {
  espalier::ComponentRef builder{"knn"};
};

void bind(espalier::Schema<SemanticParams>& s) {
  s.field("builder", &SemanticParams::builder)
      .kind("graph")
      .doc("Builds by the features that the nodes do not hold, of images their captions'");
}

GraphInput turned(const GraphInput& input) {
  GraphInput other = input;
  std::swap(other.features, other.other);
  return other;
}

class SemanticSupport final : public espalier::GraphSupport {
 public:
  explicit SemanticSupport(std::unique_ptr<espalier::GraphSupport> support)
      : support_(std::move(support)) {}

  const espalier::CsrGraph& graph() const override { return support_->graph(); }
  espalier::CsrGraph attach(const GraphInput& queries) const override {
    return support_->attach(turned(queries));
  }

 private:
  std::unique_ptr<espalier::GraphSupport> support_;
};

class Semantic final : public espalier::GraphBuilder {
 public:
  using Params = SemanticParams;
  Semantic(const Params& params, const espalier::RunContext& context)
      : builder_(context.make<espalier::GraphBuilder>(params.builder)) {}

  std::unique_ptr<espalier::GraphSupport> support(const GraphInput& nodes) const override {
    return std::make_unique<SemanticSupport>(builder_->support(turned(nodes)));
  }

 private:
  std::shared_ptr<espalier::GraphBuilder> builder_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "semantic", 1, Semantic,
                   "Joins nodes by the other modality: images whose captions mean the same",
                   "needs_other wraps:builder")
