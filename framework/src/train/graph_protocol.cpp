#include "train/graph_protocol.hpp"

#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <vector>

namespace espalier {
namespace {

// Queries that are always evaluated together, the last block filled up with zeros: matrix products
// round differently for different numbers of rows. About as many as there are support samples,
// whose states every block has to transform as well.
std::int64_t block_size(std::int64_t support) {
  constexpr std::int64_t least = 64;
  constexpr std::int64_t most = 4096;
  return std::clamp((support + least - 1) / least * least, least, most);
}

struct Block {
  Nodes nodes;
  CsrGraph graph;
  std::int64_t used = 0;
};

template <class Visit>
void each_block(std::int64_t samples, std::int64_t size, const Visit& visit) {
  for (std::int64_t first = 0; first < samples; first += size) {
    visit(first, std::min(first + size, samples));
  }
}

class Attach final : public GraphProtocol {
 public:
  Attach(TrainingNodes nodes, const NodeGraphs& graphs)
      : train_(std::move(nodes.train)), graphs_(graphs), graph_(graphs.build(train_)) {
    prepare(graph_);
    degree_ = in_degree(graph_);
    val_ = blocks_of(nodes.val);
  }

  const Nodes& nodes() const override { return train_; }
  const CsrGraph& graph() const override { return graph_; }

  Logits evaluate(const Model& model) const override {
    const c10::AutoGradMode no_grad(false);
    const Model::Support support = model.support(train_, graph_);
    return {.train = support.logits, .val = attached(model, support, val_)};
  }

  at::Tensor test(const Model& model, const Nodes& test) const override {
    const c10::AutoGradMode no_grad(false);
    return attached(model, model.support(train_, graph_), blocks_of(test));
  }

 private:
  std::vector<Block> blocks_of(const Nodes& queries) const {
    std::vector<Block> blocks;
    const std::int64_t size = block_size(train_.samples());
    each_block(queries.samples(), size, [&](std::int64_t first, std::int64_t last) {
      Nodes block = slice(queries, first, first + size);
      CsrGraph graph = graphs_.attach(train_, degree_, block);
      blocks.push_back({std::move(block), std::move(graph), last - first});
    });
    return blocks;
  }

  static at::Tensor attached(const Model& model, const Model::Support& support,
                             const std::vector<Block>& blocks) {
    std::vector<at::Tensor> logits;
    for (const Block& block : blocks) {
      const at::Tensor rows = model.attached(support, block.nodes, block.graph);
      logits.push_back(rows.slice(0, 0, block.used));
    }
    return at::cat(logits);
  }

  Nodes train_;
  const NodeGraphs& graphs_;
  CsrGraph graph_;
  at::Tensor degree_;
  std::vector<Block> val_;
};

class Batch final : public GraphProtocol {
 public:
  Batch(TrainingNodes nodes, const NodeGraphs& graphs)
      : train_(std::move(nodes.train)), graphs_(graphs), graph_(graphs.build(train_)) {
    prepare(graph_);
    val_ = batches_of(nodes.val);
  }

  const Nodes& nodes() const override { return train_; }
  const CsrGraph& graph() const override { return graph_; }

  Logits evaluate(const Model& model) const override {
    const c10::AutoGradMode no_grad(false);
    return {.train = model.logits(train_, graph_, {}), .val = joined(model, val_)};
  }

  at::Tensor test(const Model& model, const Nodes& test) const override {
    const c10::AutoGradMode no_grad(false);
    return joined(model, batches_of(test));
  }

 private:
  std::vector<Block> batches_of(const Nodes& queries) const {
    std::vector<Block> batches;
    each_block(queries.samples(), query_batch, [&](std::int64_t first, std::int64_t last) {
      Nodes all = join(train_, slice(queries, first, last));
      CsrGraph graph = graphs_.build(all);
      prepare(graph);
      batches.push_back({std::move(all), std::move(graph), last - first});
    });
    return batches;
  }

  at::Tensor joined(const Model& model, const std::vector<Block>& batches) const {
    std::vector<at::Tensor> logits;
    const std::int64_t n = train_.samples();
    for (const Block& batch : batches) {
      logits.push_back(model.logits(batch.nodes, batch.graph, {}).slice(0, n, n + batch.used));
    }
    return at::cat(logits);
  }

  Nodes train_;
  const NodeGraphs& graphs_;
  CsrGraph graph_;
  std::vector<Block> val_;
};

class Transductive final : public GraphProtocol {
 public:
  Transductive(const TrainingNodes& nodes, const NodeGraphs& graphs)
      : train_(nodes.train.samples()), val_(nodes.val.samples()) {
    ESPALIER_ASSERT(nodes.unlabelled, "the transductive protocol has the test nodes");
    nodes_ = join(join(nodes.train, nodes.val), *nodes.unlabelled);
    graph_ = graphs.build(nodes_);
    prepare(graph_);
  }

  const Nodes& nodes() const override { return nodes_; }
  const CsrGraph& graph() const override { return graph_; }

  Logits evaluate(const Model& model) const override {
    const c10::AutoGradMode no_grad(false);
    const at::Tensor all = model.logits(nodes_, graph_, {});
    return {.train = all.slice(0, 0, train_), .val = all.slice(0, train_, train_ + val_)};
  }

  at::Tensor test(const Model& model, const Nodes& test) const override {
    const c10::AutoGradMode no_grad(false);
    ESPALIER_ASSERT(test.samples() == nodes_.samples() - train_ - val_, "the same test nodes");
    return model.logits(nodes_, graph_, {}).slice(0, train_ + val_);
  }

 private:
  std::int64_t train_;
  std::int64_t val_;
  Nodes nodes_;
  CsrGraph graph_;
};

}  // namespace

std::unique_ptr<GraphProtocol> make_graph_protocol(const std::string& name, TrainingNodes nodes,
                                                   const NodeGraphs& graphs) {
  if (name == "transductive") return std::make_unique<Transductive>(nodes, graphs);
  if (name == "inductive_batch") return std::make_unique<Batch>(std::move(nodes), graphs);
  ESPALIER_ASSERT(name == "inductive_attach" || name == "none",
                  "a protocol that the schema allows");
  return std::make_unique<Attach>(std::move(nodes), graphs);
}

}  // namespace espalier
