#include "train/protocol.hpp"

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/random.hpp>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace espalier {
namespace {

std::vector<std::int64_t> places(std::size_t first, std::size_t last) {
  std::vector<std::int64_t> list(last - first);
  std::iota(list.begin(), list.end(), static_cast<std::int64_t>(first));
  return list;
}

// Queries whose states are in memory at a time.
constexpr std::size_t block_size = 4096;

std::vector<Scene> blocks_of(std::span<const std::size_t> queries) {
  std::vector<Scene> blocks;
  for (std::size_t first = 0; first < queries.size(); first += block_size) {
    const auto some = queries.subspan(first, std::min(block_size, queries.size() - first));
    Scene& block = blocks.emplace_back();
    block.samples.assign(some.begin(), some.end());
    block.asked = places(0, some.size());
    block.queries = places(first, first + some.size());
  }
  return blocks;
}

Scene training_scene(Samples train, CsrGraph graph) {
  Scene scene;
  scene.asked = places(0, train.size());
  scene.samples = std::move(train);
  scene.graph = std::move(graph);
  return scene;
}

class NoGraph final : public Protocol {
 public:
  NoGraph(Samples train, std::int64_t views) : views_(views) {
    CsrGraph graph = without_edges(train.size());
    training_ = training_scene(std::move(train), std::move(graph));
  }

  const Scene& training() const override { return training_; }
  std::vector<Scene> scenes(std::span<const std::size_t> queries) const override {
    std::vector<Scene> blocks = blocks_of(queries);
    for (Scene& block : blocks) block.graph = without_edges(block.samples.size());
    return blocks;
  }

 private:
  [[nodiscard]] CsrGraph without_edges(std::size_t samples) const {
    const auto nodes = views_ * static_cast<std::int64_t>(samples);
    return empty_graph(nodes, nodes);
  }

  std::int64_t views_;
  Scene training_;
};

class Attach final : public Protocol {
 public:
  Attach(Samples train, const GraphMaker& maker)
      : maker_(maker),
        graph_(maker, train),
        training_(training_scene(std::move(train), graph_.graph())) {}

  const Scene& training() const override { return training_; }
  std::vector<Scene> scenes(std::span<const std::size_t> queries) const override {
    std::vector<Scene> blocks = blocks_of(queries);
    for (Scene& block : blocks) {
      block.standing = Standing::attached;
      block.graph = graph_.attach(block.samples);
    }
    return blocks;
  }
  void rebuild(const NodesOf& nodes) override {
    maker_.nodes = nodes;
    graph_ = NodeGraph(maker_, training_.samples);
    training_.graph = graph_.graph();
  }

 private:
  GraphMaker maker_;
  NodeGraph graph_;
  Scene training_;
};

class Batch final : public Protocol {
 public:
  Batch(Samples train, const GraphMaker& maker, std::function<std::string(std::size_t)> id_of,
        std::int64_t seed)
      : maker_(maker),
        id_of_(std::move(id_of)),
        seed_(seed),
        training_(training_scene(train, NodeGraph(maker, train).graph())) {}

  const Scene& training() const override { return training_; }
  std::vector<Scene> scenes(std::span<const std::size_t> queries) const override {
    const std::vector<std::int64_t> order = drawn(queries);
    const std::size_t train = training_.samples.size();
    std::vector<Scene> batches;
    for (std::size_t first = 0; first < order.size(); first += query_batch) {
      const std::size_t last = std::min(first + query_batch, order.size());
      Scene& batch = batches.emplace_back();
      batch.queries.assign(order.begin() + static_cast<std::ptrdiff_t>(first),
                           order.begin() + static_cast<std::ptrdiff_t>(last));
      batch.samples = training_.samples;
      for (const std::int64_t q : batch.queries) {
        batch.samples.push_back(queries[static_cast<std::size_t>(q)]);
      }
      batch.asked = places(train, batch.samples.size());
      batch.graph = NodeGraph(maker_, batch.samples, static_cast<std::int64_t>(train)).graph();
    }
    return batches;
  }
  void rebuild(const NodesOf& nodes) override {
    maker_.nodes = nodes;
    training_.graph = NodeGraph(maker_, training_.samples).graph();
  }

 private:
  // Places of the queries, shuffled from the order of their ids.
  [[nodiscard]] std::vector<std::int64_t> drawn(std::span<const std::size_t> queries) const {
    std::vector<std::pair<std::string, std::int64_t>> by_id;
    for (std::size_t q = 0; q < queries.size(); ++q) {
      by_id.emplace_back(id_of_(queries[q]), static_cast<std::int64_t>(q));
    }
    std::sort(by_id.begin(), by_id.end());
    std::vector<std::int64_t> order;
    for (const auto& [id, place] : by_id) order.push_back(place);
    Random(seed_, "queries").shuffle(std::span(order));
    return order;
  }

  GraphMaker maker_;
  std::function<std::string(std::size_t)> id_of_;
  std::int64_t seed_;
  Scene training_;
};

class Transductive final : public Protocol {
 public:
  Transductive(const Samples& train, const Samples& others, const GraphMaker& maker) {
    Samples all = train;
    all.insert(all.end(), others.begin(), others.end());
    for (std::size_t i = 0; i < all.size(); ++i) place_[all[i]] = static_cast<std::int64_t>(i);
    CsrGraph graph = NodeGraph(maker, all, std::ssize(train)).graph();
    training_ = training_scene(std::move(all), std::move(graph));
    training_.asked = places(0, train.size());
  }

  const Scene& training() const override { return training_; }
  std::vector<Scene> scenes(std::span<const std::size_t> queries) const override {
    Scene scene;
    scene.standing = Standing::inside;
    for (const std::size_t sample : queries) {
      const auto place = place_.find(sample);
      ESPALIER_ASSERT(place != place_.end(), "a query stands in the graph from the start");
      scene.asked.push_back(place->second);
    }
    scene.queries = places(0, queries.size());
    return {std::move(scene)};
  }
  void rebuild(const NodesOf&) override {
    ESPALIER_ASSERT(false, "no plan asks for a graph of test features that follows training");
  }

 private:
  std::unordered_map<std::size_t, std::int64_t> place_;
  Scene training_;
};

}  // namespace

std::unique_ptr<Protocol> no_graph(Samples train, std::int64_t views) {
  return std::make_unique<NoGraph>(std::move(train), views);
}

std::unique_ptr<Protocol> inductive_attach(Samples train, const GraphMaker& maker) {
  return std::make_unique<Attach>(std::move(train), maker);
}

std::unique_ptr<Protocol> inductive_batch(Samples train, const GraphMaker& maker,
                                          std::function<std::string(std::size_t)> id_of,
                                          std::int64_t seed) {
  return std::make_unique<Batch>(std::move(train), maker, std::move(id_of), seed);
}

std::unique_ptr<Protocol> transductive(const Samples& train, const Samples& others,
                                       const GraphMaker& maker) {
  return std::make_unique<Transductive>(train, others, maker);
}

}  // namespace espalier
