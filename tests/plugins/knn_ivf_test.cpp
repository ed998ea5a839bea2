// graph/knn_ivf, where the build has faiss.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <gmock/gmock.h>

#include <espalier/plugin/graph.hpp>
#include <filesystem>

#include "graph/random_rows.hpp"
#include "libtorch_threads.hpp"
#include "plugin_support.hpp"

namespace espalier {
namespace {

using testing_support::make;

class KnnIvfGraphs : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(ESPALIER_BINARY_DIR "/plugins/graph-knn_ivf.espalier.so")) {
      GTEST_SKIP() << "built without faiss";
    }
  }

  static std::shared_ptr<GraphSupport> support(const std::string& name, const Json& params,
                                               const at::Tensor& x) {
    const auto builder = make<GraphBuilder>(name, params);
    std::shared_ptr<GraphSupport> made = builder->support({.features = x});
    return {made.get(), [builder, made](GraphSupport*) {}};
  }
};

// 900 rows in 12 clusters that overlap.
at::Tensor clusters() {
  const at::Tensor centres = random_rows(12, 32, Random(41));
  return random_rows(900, 32, Random(42)) + centres.repeat({75, 1});
}

bool equal(const CsrGraph& a, const CsrGraph& b) {
  return a.rowptr.equal(b.rowptr) && a.col.equal(b.col) && a.weight.equal(b.weight);
}

TEST_F(KnnIvfGraphs, AreThoseOfKnnWhereEveryListIsProbed) {
  const at::Tensor x = clusters(), queries = random_rows(50, 32, Random(43));
  for (const char* metric : {"cosine", "l2", "ip"}) {
    for (const char* symmetry : {"union", "mutual", "directed"}) {
      const Json wanted = {{"k", 7}, {"metric", metric}, {"symmetry", symmetry}};
      Json asked = wanted;
      asked.update({{"lists", 25}, {"probes", 25}});
      const auto exact = support("knn", wanted, x), all = support("knn_ivf", asked, x);
      EXPECT_TRUE(equal(all->graph(), exact->graph())) << asked;
      EXPECT_EQ(all->graph().facts.at("recall"), 1.0) << asked;
      EXPECT_TRUE(equal(all->attach({.features = queries}), exact->attach({.features = queries})));
    }
  }
}

TEST_F(KnnIvfGraphs, FindMoreInMoreLists) {
  const at::Tensor x = clusters();
  double before = 0;
  for (const std::int64_t probes : {1, 3, 9, 27}) {
    const auto some = support("knn_ivf", {{"lists", 30}, {"probes", probes}}, x);
    const Json& facts = some->graph().facts;
    const auto recall = facts.at("recall").get<double>();
    EXPECT_GT(recall, before) << probes;
    EXPECT_EQ(facts.at("lists"), 30);
    EXPECT_EQ(facts.at("probes"), probes);
    before = recall;
  }
  EXPECT_GT(before, 0.99);
  const auto one = support("knn_ivf", {{"lists", 30}, {"probes", 1}}, x);
  EXPECT_LT(one->graph().facts.at("recall").get<double>(), 0.9);
}

TEST_F(KnnIvfGraphs, HaveTheRootOfTheNodesAsListsUnlessTold) {
  EXPECT_EQ(support("knn_ivf", Json::object(), clusters())->graph().facts.at("lists"), 30);
  const auto few = support("knn_ivf", {{"lists", 50}}, clusters().slice(0, 0, 8).contiguous());
  EXPECT_EQ(few->graph().facts.at("lists"), 8);
}

TEST_F(KnnIvfGraphs, HaveTheSameBitsOnHoweverManyThreads) {
  const at::Tensor x = clusters();
  const Json params = {{"lists", 30}, {"probes", 2}};
  const int before = at::get_num_threads();
  testing_support::set_threads(1);
  const CsrGraph one = support("knn_ivf", params, x)->graph();
  testing_support::set_threads(2);
  const int given = at::get_num_threads();
  EXPECT_TRUE(equal(support("knn_ivf", params, x)->graph(), one));
  EXPECT_EQ(at::get_num_threads(), given);
  testing_support::set_threads(before);
}

TEST_F(KnnIvfGraphs, GiveAQueryItsEdgesWhoeverElseAsks) {
  const auto to = support("knn_ivf", {{"lists", 30}, {"probes", 2}}, clusters());
  const at::Tensor queries = random_rows(64, 32, Random(44));
  const std::vector<Edge> all = edges_of(to->attach({.features = queries}));
  for (const std::int64_t size : {1, 7}) {
    std::vector<Edge> some;
    for (std::int64_t first = 0; first < 64; first += size) {
      const at::Tensor few = queries.slice(0, first, std::min<std::int64_t>(first + size, 64));
      for (Edge edge : edges_of(to->attach({.features = few}))) {
        edge.target += first;
        some.push_back(edge);
      }
    }
    EXPECT_TRUE(equal(graph_from_edges(64, 900, some), graph_from_edges(64, 900, all))) << size;
  }
}

// Cells are where the rows are, whatever their order.
TEST_F(KnnIvfGraphs, DoNotDependOnTheOrderOfNodes) {
  const at::Tensor x = clusters();
  for (const char* metric : {"cosine", "l2"}) {
    const Json params = {{"lists", 30}, {"probes", 2}, {"metric", metric}};
    std::vector<Edge> edges = edges_of(support("knn_ivf", params, x.flip(0))->graph());
    for (Edge& edge : edges) {
      edge.target = 899 - edge.target;
      edge.source = 899 - edge.source;
    }
    EXPECT_TRUE(equal(graph_from_edges(900, 900, edges), support("knn_ivf", params, x)->graph()));
  }
}

TEST_F(KnnIvfGraphs, JoinANodeToItsCopyAndNotToItself) {
  const at::Tensor x = at::cat({clusters(), clusters().slice(0, 0, 5)});
  const Json params = {{"lists", 30}, {"probes", 1}, {"k", 1}, {"symmetry", "directed"}};
  const CsrGraph graph = support("knn_ivf", params, x)->graph();
  for (std::int64_t copy = 0; copy < 5; ++copy) {
    EXPECT_EQ(graph.col[graph.rowptr[copy]].item<std::int64_t>(), 900 + copy);
    EXPECT_EQ(graph.col[graph.rowptr[900 + copy]].item<std::int64_t>(), copy);
  }
}

}  // namespace
}  // namespace espalier
