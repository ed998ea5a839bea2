// Queries that are attached to a large training graph and answered one by one, as a trial does it:
// two layers of gcn over 512 numbers a node, ten neighbours a query.
//
// `search_s` is the time of the queries' nearest neighbours alone, `of_search` that of neighbours,
// edges and answers over it; `apart` is the answers' share of the latter. `support_s` is what the
// training nodes' states take, once. `extra_mib` is what the peak of memory grows by over the
// training graph with its states.
//
//   attach_bench --benchmark_filter=100000/10000/1
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <ATen/Parallel.h>
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>

#include "train/environment.hpp"
#include "train/evaluation.hpp"
#include "train/protocol.hpp"
#include <chrono>
#include <espalier/graph/edges.hpp>
#include <espalier/graph/similarity.hpp>
#include <fstream>
#include <numeric>

#include "plugins/plugin_support.hpp"

namespace {

using namespace espalier;  // NOLINT: a program of its own
using Clock = std::chrono::steady_clock;

constexpr std::int64_t width = 512, neighbours = 10, classes = 100;

double seconds_of(const std::function<void()>& call) {
  const Clock::time_point start = Clock::now();
  call();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t whole = 0, resident = 0;
  statm >> whole >> resident;
  return static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// Searches for the neighbours of queries alone: a search over all training nodes, which is none of
// what is measured, would take minutes. Their edges are drawn.
class Neighbourhoods final : public GraphBuilder {
 public:
  std::unique_ptr<GraphSupport> support(const GraphInput& nodes) const override {
    return std::make_unique<Support>(nodes.features);
  }

 private:
  class Support final : public GraphSupport {
   public:
    explicit Support(const at::Tensor& nodes) : search_(nodes) {
      Random random(std::uint64_t{1});
      const auto n = static_cast<std::uint64_t>(search_.size());
      std::vector<Edge> edges;
      for (std::int64_t i = 0; i < search_.size(); ++i) {
        for (std::int64_t k = 0; k < neighbours; ++k) {
          const auto source = static_cast<std::int64_t>(random.below(n));
          if (source != i) edges.push_back({.target = i, .source = source});
        }
      }
      graph_ = graph_from_edges(search_.size(), search_.size(), std::move(edges));
    }
    const CsrGraph& graph() const override { return graph_; }
    CsrGraph attach(const GraphInput& queries) const override {
      return attach_from_neighbours(search_.nearest(queries.features, neighbours), search_.size(),
                                    {});
    }

   private:
    SimilaritySearch search_;
    CsrGraph graph_;
  };
};

struct World {
  World(std::int64_t nodes, std::int64_t queries)
      : features(at::randn({nodes + queries, width})), asked(range(nodes, nodes + queries)) {
    sources.images = std::make_shared<FrozenSource>(features, range(0, nodes + queries));
    protocol = inductive_attach(
        range(0, nodes), {.builder = std::make_shared<Neighbourhoods>(),
                          .name = "graph/neighbourhoods",
                          .nodes = [this](std::span<const std::size_t> samples) -> FrozenNodes {
                            return {.nodes = (*fusion)(values_of(sources, samples, {}))};
                          }});
  }

  static Samples range(std::int64_t first, std::int64_t last) {
    Samples list(static_cast<std::size_t>(last - first));
    std::iota(list.begin(), list.end(), static_cast<std::size_t>(first));
    return list;
  }

  at::Tensor features;
  Samples asked;
  Sources sources;
  std::shared_ptr<Fusion> fusion =
      make_fusion({.fuse = "image", .normalize = false}, {.images = width}, false);
  std::unique_ptr<Protocol> protocol;
  Parameters parameters;
  Network network{{.fusion = fusion,
                   .gnn = testing_support::make<Gnn>("gcn", {{"layers", 2}, {"hidden", 64}}),
                   .gnn_name = "gnn/gcn",
                   .head = make_head({}, {}),
                   .node_rows = true},
                  classes,
                  1,
                  parameters};
};

void attach(benchmark::State& state) {
  at::set_num_threads(static_cast<int>(state.range(2)));
  const c10::AutoGradMode without_gradients(false);
  const World world(state.range(0), state.range(1));
  const std::int64_t queries = state.range(1);
  for (auto _ : state) {
    StateBank bank;
    Evaluation evaluation(world.network, world.sources, *world.protocol, bank);
    state.counters["support_s"] = seconds_of([&] { (void)evaluation.training(); });
    (void)world.protocol->scenes(std::span(world.asked).first(512));  // to be warm
    const double before = resident_mib();
    const MemoryWatch memory;
    std::vector<Scene> scenes;
    const double edges = seconds_of([&] { scenes = world.protocol->scenes(world.asked); });
    const double answers = seconds_of([&] { (void)evaluation.answers(scenes, queries); });
    state.counters["extra_mib"] = static_cast<double>(memory.peak()) / (1 << 20) - before;
    const SimilaritySearch search(world.features.slice(0, 0, state.range(0)));
    const double bare = seconds_of(
        [&] { (void)search.nearest(world.features.slice(0, state.range(0)), neighbours); });
    state.SetIterationTime(edges + answers);
    state.counters["search_s"] = bare;
    state.counters["of_search"] = (edges + answers) / bare;
    state.counters["apart"] = answers / (edges + answers);
  }
}

BENCHMARK(attach)
    ->ArgNames({"nodes", "queries", "threads"})
    ->ArgsProduct({{20000, 100000}, {10000}, {1, 2}})
    ->UseManualTime()
    ->Unit(benchmark::kSecond)
    ->Iterations(1);

}  // namespace
