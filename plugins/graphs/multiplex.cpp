// One graph of three kinds of edges over image nodes and text nodes: between images, between texts,
// and between an image and a text, each with a builder of its own. One threshold for all does not
// do: in CLIP-like spaces two images are far more alike than an image and its text.
//
// Relations: 0 image to image, 1 text to text, 2 image to text, 3 text to image. Where nodes hold
// one modality, or two that cannot be compared, edges across are left out.
#include <espalier/graph/centring.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/graph.hpp>

namespace {

using espalier::CsrGraph;
using espalier::Edge;
using espalier::GraphBuilder;
using espalier::GraphInput;
using espalier::GraphSupport;

struct MultiplexParams {
  espalier::ComponentRef image{"knn"};
  espalier::ComponentRef text{"knn"};
  espalier::ComponentRef cross{"knn", {{"k", 5}}};
  bool centre = false;
};

void bind(espalier::Schema<MultiplexParams>& s) {
  s.field("image", &MultiplexParams::image).kind("graph").doc("Builds between image nodes");
  s.field("text", &MultiplexParams::text).kind("graph").doc("Builds between text nodes");
  s.field("cross", &MultiplexParams::cross)
      .kind("graph")
      .doc("Builds between images and texts, as each side would attach to the other");
  s.field("centre", &MultiplexParams::centre)
      .doc("Subtract the mean of the training nodes, of each modality its own");
}

std::span<const std::string> half_of(std::span<const std::string> all, bool second) {
  return second ? all.subspan(all.size() / 2) : all.first(all.size() / 2);
}

// The nodes of one modality.
GraphInput side(const GraphInput& input, bool texts) {
  const std::int64_t n = input.nodes() / 2, first = texts ? n : 0;
  GraphInput one = input;
  one.features = input.features.slice(0, first, first + n);
  if (input.other.defined()) one.other = input.other.slice(0, first, first + n);
  one.texts = half_of(input.texts, texts);
  one.ids = half_of(input.ids, texts);
  one.views = 1;
  one.text_nodes = texts;
  return one;
}

void append(const CsrGraph& graph, std::int64_t target, std::int64_t source, std::int8_t relation,
            std::vector<Edge>& edges) {
  for (Edge edge : espalier::edges_of(graph)) {
    edges.push_back({edge.target + target, edge.source + source, edge.weight, relation});
  }
}

struct Builders {
  std::shared_ptr<GraphBuilder> image, text, cross;
};

class BothModalities final : public GraphSupport {
 public:
  BothModalities(const Builders& builders, GraphInput nodes, bool centre) : n_(nodes.nodes() / 2) {
    if (centre) centring_ = espalier::Centring(nodes.features, 2, nodes.fit);
    nodes.features = centring_(nodes.features);
    const GraphInput images = side(nodes, false), texts = side(nodes, true);
    image_ = builders.image->support(images);
    text_ = builders.text->support(texts);
    to_texts_ = builders.cross->support(images);
    to_images_ = builders.cross->support(texts);
    std::vector<Edge> edges;
    append(image_->graph(), 0, 0, 0, edges);
    append(text_->graph(), n_, n_, 1, edges);
    append(to_texts_->attach(texts), n_, 0, 2, edges);
    append(to_images_->attach(images), 0, n_, 3, edges);
    graph_ = espalier::graph_from_edges(2 * n_, 2 * n_, std::move(edges), true);
    add_facts("image", image_->graph());
    add_facts("text", text_->graph());
  }

  const CsrGraph& graph() const override { return graph_; }
  CsrGraph attach(const GraphInput& given) const override {
    GraphInput queries = given;
    queries.features = centring_(given.features);
    const GraphInput images = side(queries, false), texts = side(queries, true);
    const std::int64_t q = images.nodes();
    std::vector<Edge> edges;
    append(image_->attach(images), 0, 0, 0, edges);
    append(text_->attach(texts), q, n_, 1, edges);
    append(to_texts_->attach(texts), q, 0, 2, edges);
    append(to_images_->attach(images), 0, n_, 3, edges);
    return espalier::graph_from_edges(2 * q, 2 * n_, std::move(edges), true);
  }

 private:
  void add_facts(const std::string& prefix, const CsrGraph& graph) {
    for (const auto& [key, value] : graph.facts.items()) {
      graph_.facts[prefix + "_" + key] = value;
    }
  }

  std::int64_t n_;  // nodes of one modality
  espalier::Centring centring_;
  std::unique_ptr<GraphSupport> image_, text_;          // within a modality
  std::unique_ptr<GraphSupport> to_texts_, to_images_;  // from images, from texts
  CsrGraph graph_;
};

class OneModality final : public GraphSupport {
 public:
  OneModality(const GraphBuilder& builder, GraphInput nodes, bool centre) {
    if (centre) centring_ = espalier::Centring(nodes.features, 1, nodes.fit);
    nodes.features = centring_(nodes.features);
    support_ = builder.support(nodes);
  }

  const CsrGraph& graph() const override { return support_->graph(); }
  CsrGraph attach(const GraphInput& given) const override {
    GraphInput queries = given;
    queries.features = centring_(given.features);
    return support_->attach(queries);
  }

 private:
  espalier::Centring centring_;
  std::unique_ptr<GraphSupport> support_;
};

class Multiplex final : public GraphBuilder {
 public:
  using Params = MultiplexParams;
  Multiplex(const Params& params, const espalier::RunContext& context)
      : centre_(params.centre),
        builders_{context.make<GraphBuilder>(params.image), context.make<GraphBuilder>(params.text),
                  context.make<GraphBuilder>(params.cross)} {}

  std::unique_ptr<GraphSupport> support(const GraphInput& nodes) const override {
    if (nodes.views == 2) return std::make_unique<BothModalities>(builders_, nodes, centre_);
    const GraphBuilder& builder = nodes.text_nodes ? *builders_.text : *builders_.image;
    return std::make_unique<OneModality>(builder, nodes, centre_);
  }

 private:
  bool centre_;
  Builders builders_;
};

}  // namespace

ESPALIER_COMPONENT(graph, "multiplex", 1, Multiplex,
                   "Joins images, texts, and both with each other, each by a builder of its own",
                   "edge_weight wraps:image:seeded wraps:image:needs_other "
                   "wraps:image:needs_texts wraps:image:needs_ids wraps:text:seeded "
                   "wraps:text:needs_other wraps:text:needs_texts wraps:text:needs_ids "
                   "wraps:cross:seeded wraps:cross:needs_other wraps:cross:needs_texts "
                   "wraps:cross:needs_ids")
