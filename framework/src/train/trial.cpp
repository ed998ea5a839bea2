#include "train/trial.hpp"

#include "train/checkpoint.hpp"
#include "train/component_call.hpp"
#include "train/fit.hpp"
#include "train/graph_protocol.hpp"
#include "train/zero_shot.hpp"
#include <espalier/core/error.hpp>
#include <espalier/graph/statistics.hpp>

#include "trial_run_internal.hpp"

namespace espalier {
namespace {

constexpr double checkpoint_seconds = 30;

class NoEdges final : public GraphBuilder {
 public:
  CsrGraph build(const at::Tensor& x) const override { return empty_graph(x.size(0), x.size(0)); }
  CsrGraph attach(const at::Tensor& support, const at::Tensor& queries) const override {
    return empty_graph(queries.size(0), support.size(0));
  }
};

// The nodes of the three splits.
struct SplitNodes {
  Nodes train;
  Nodes val;
  Nodes test;
};

class Trial : TrialRun {
 public:
  Trial(const TrialRequest& request, const TrialHooks& hooks)
      : TrialRun(request, hooks), nodes_params_(section<NodesParams>("nodes")) {}

  std::optional<TrialResult> run();

 private:
  std::optional<SplitNodes> make_nodes();
  std::string graph_protocol() const;
  std::shared_ptr<GraphBuilder> graph_builder() const;
  void require_frozen_encoder() const;
  void describe_graph(const GraphProtocol& protocol);
  bool train(Training& training, Parameters& parameters, const Checkpoint& checkpoint);
  void describe_training(const Progress& progress);

  NodesParams nodes_params_;
};

std::optional<SplitNodes> Trial::make_nodes() {
  const TrialClock::time_point start = TrialClock::now();
  FeatureStages stages = feature_stages();
  std::vector<std::size_t> samples = split_.train.samples;
  samples.insert(samples.end(), split_.val.samples.begin(), split_.val.samples.end());
  samples.insert(samples.end(), split_.test.samples.begin(), split_.test.samples.end());
  std::optional<at::Tensor> images = at::Tensor();
  std::optional<at::Tensor> texts = at::Tensor();
  if (nodes_params_.fuse != "text") images = stages.images(samples);
  if (images && nodes_params_.fuse != "image") texts = stages.texts(samples);
  if (!images || !texts) return std::nullopt;
  note(stages, start);
  const Nodes all = fuse(nodes_params_, *images, *texts, has("encoder", "shared_space"));
  const auto train = static_cast<std::int64_t>(split_.train.samples.size());
  const auto val = static_cast<std::int64_t>(split_.val.samples.size());
  return SplitNodes{.train = slice(all, 0, train),
                    .val = slice(all, train, train + val),
                    .test = slice(all, train + val, all.samples())};
}

std::string Trial::graph_protocol() const { return has("gnn", "graph") ? protocol_.graph : "none"; }

std::shared_ptr<GraphBuilder> Trial::graph_builder() const {
  if (graph_protocol() == "none") return std::make_shared<NoEdges>();
  return make<GraphBuilder>();
}

void Trial::require_frozen_encoder() const {
  if (!has("peft", "needs_sites")) return;
  throw Error(
      {.what = name("peft") + " trains inside the encoder",
       .where = {},
       .expected = "a method that leaves the encoder frozen: its features are computed once",
       .found = {},
       .fix = "peft=none"});
}

void Trial::describe_graph(const GraphProtocol& protocol) {
  if (graph_protocol() == "none") return;
  const std::vector<std::int64_t>& labels = split_.train.labels;
  std::vector<std::int64_t> of_nodes;
  for (std::int64_t v = 0; v < protocol.nodes().views; ++v) {
    of_nodes.insert(of_nodes.end(), labels.begin(), labels.end());
    of_nodes.resize(static_cast<std::size_t>((v + 1) * protocol.nodes().samples()), -1);
  }
  result_.graph = graph_statistics(protocol.graph(), of_nodes);
  if (protocol.nodes().views == 1) return;
  const auto homophily =
      edge_homophily(without_pairs(protocol.graph(), protocol.nodes().samples()), of_nodes);
  result_.graph["edge_homophily"] = homophily ? Json(*homophily) : Json(nullptr);
}

// False: stopped, with a checkpoint on disk.
bool Trial::train(Training& training, Parameters& parameters, const Checkpoint& checkpoint) {
  TrialClock::time_point saved = TrialClock::now();
  while (!training.finished()) {
    training.next();
    const std::vector<EpochMetrics>& rows = training.progress().metrics;
    if (hooks_.epoch) {
      for (std::size_t i = rows.size() - 2; i < rows.size(); ++i) hooks_.epoch(rows[i]);
    }
    const bool stop = stopped() && !training.finished();
    const std::chrono::duration<double> unsaved = TrialClock::now() - saved;
    if (stop || unsaved.count() > checkpoint_seconds) {
      checkpoint.save(training, parameters);
      saved = TrialClock::now();
    }
    if (stop) return false;
  }
  return true;
}

void Trial::describe_training(const Progress& progress) {
  const std::chrono::duration<double> spent(progress.seconds);
  time("train", TrialClock::now() - std::chrono::duration_cast<TrialClock::duration>(spent));
  result_.val_top1 = progress.best_top1;
  result_.best_epoch = progress.best_epoch;
  result_.epochs = progress.epoch;
  result_.train_seconds = progress.seconds;
  result_.metrics = progress.metrics;
}

std::optional<TrialResult> Trial::run() {
  draw_data();
  std::optional<SplitNodes> nodes = make_nodes();
  if (!nodes) return std::nullopt;
  const std::int64_t width = nodes->train.x.size(1);
  const std::int64_t views = nodes->train.views;
  TestSet test(std::move(nodes->test), std::move(split_.test.labels), ids(split_.test.samples));

  const TrialClock::time_point graph_start = TrialClock::now();
  begin("graph");
  const std::shared_ptr<GraphBuilder> builder = graph_builder();
  const NodeGraphs graphs(*builder, name("graph"), has("encoder", "shared_space"));
  const std::unique_ptr<GraphProtocol> protocol =
      make_graph_protocol(graph_protocol(),
                          {.train = std::move(nodes->train),
                           .val = std::move(nodes->val),
                           .unlabelled = test.unlabelled(graph_protocol())},
                          graphs);
  describe_graph(*protocol);
  time("graph", graph_start);

  Parameters parameters;
  require_frozen_encoder();
  const auto classes = static_cast<std::int64_t>(dataset_->class_names().size());
  Model model(make<Gnn>(), name("gnn"), section<HeadParams>("head"), width, views, classes,
              context_.seed(), parameters);
  Training training(model, parameters, *protocol, {split_.train.labels, split_.val.labels},
                    section<TrainParams>("train"), context_.seed());
  const Checkpoint checkpoint(request_.folder, request_.trial_id, *hooks_.log);
  checkpoint.load(training, parameters);
  begin("train");
  if (!train(training, parameters, checkpoint)) return std::nullopt;
  describe_training(training.progress());

  const TrialClock::time_point test_start = TrialClock::now();
  begin("test");
  parameters.restore(training.best());
  const at::Tensor val_logits = protocol->evaluate(model).val;
  TestSet::Verdict verdict = std::move(test).evaluate(
      [&](const Nodes& queries) { return protocol->test(model, queries); });
  time("test", test_start);
  TrialResult result = conclude(val_logits, std::move(verdict), parameters.count());
  checkpoint.remove();
  return result;
}

}  // namespace

std::optional<TrialResult> run_trial(const TrialRequest& request, const TrialHooks& hooks) {
  if (request.config.at("head").at("use") == "zero_shot") return run_zero_shot(request, hooks);
  return Trial(request, hooks).run();
}

}  // namespace espalier
