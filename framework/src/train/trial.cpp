#include <espalier/train/trial.hpp>

#include <spdlog/logger.h>

#include <chrono>
#include <espalier/core/error.hpp>
#include <espalier/experiment/sections.hpp>
#include <espalier/graph/statistics.hpp>
#include <espalier/plugin/peft.hpp>
#include <espalier/train/checkpoint.hpp>
#include <espalier/train/component_call.hpp>
#include <espalier/train/environment.hpp>
#include <espalier/train/features.hpp>
#include <espalier/train/fit.hpp>
#include <espalier/train/graph_protocol.hpp>
#include <espalier/train/split.hpp>
#include <espalier/train/test_set.hpp>

#include "trial_context_internal.hpp"

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double checkpoint_seconds = 30;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

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

class Trial {
 public:
  Trial(const TrialRequest& request, const TrialHooks& hooks)
      : request_(request),
        hooks_(hooks),
        context_(request.config.at("seed"), hooks),
        protocol_params_(section<ProtocolParams>("protocol")),
        nodes_params_(section<NodesParams>("nodes")) {}

  std::optional<TrialResult> run();

 private:
  template <class Params>
  Params section(const char* name) const {
    return schema_of<Params>().parse(request_.config.at(name));
  }
  template <class Interface>
  std::shared_ptr<Interface> make() const {
    return hooks_.loader->make<Interface>(component(Interface::kind), context_);
  }
  const Json& component(std::string_view kind) const {
    return request_.config.at(std::string(kind));
  }
  std::string name(std::string_view kind) const {
    return std::string(kind) + "/" + component(kind).at("use").get<std::string>();
  }
  bool has(std::string_view kind, std::string_view capability) const {
    return hooks_.loader->catalog().has(kind, component(kind), capability);
  }
  bool stopped() const { return hooks_.stop != nullptr && hooks_.stop->load(); }
  void begin(std::string_view stage) const {
    if (hooks_.stage) hooks_.stage(stage);
  }
  void warn(const std::string& text) const {
    hooks_.log->warn("{}", text);
    if (hooks_.warning) hooks_.warning(text);
  }
  void time(const std::string& stage, Clock::time_point start, bool cached = false) {
    result_.timing.push_back({.stage = stage, .seconds = seconds_since(start), .cached = cached});
  }

  FeatureStages feature_stages(const Dataset& dataset, const DataSplit& split) const;
  std::optional<SplitNodes> make_nodes(const Dataset& dataset, const DataSplit& split);
  std::string graph_protocol() const;
  std::shared_ptr<GraphBuilder> graph_builder() const;
  void attach_peft(Parameters& parameters) const;
  void describe_graph(const GraphProtocol& protocol, const std::vector<std::int64_t>& labels);
  bool train(Training& training, Parameters& parameters, const Checkpoint& checkpoint);
  void conclude(const Training& training, const Parameters& parameters, const DataSplit& split,
                const Dataset& dataset, const at::Tensor& val_logits, TestSet::Verdict verdict);

  const TrialRequest& request_;
  const TrialHooks& hooks_;
  TrialContext context_;
  ProtocolParams protocol_params_;
  NodesParams nodes_params_;
  std::int64_t encoder_parameters_ = 0;
  TrialResult result_;
};

FeatureStages Trial::feature_stages(const Dataset& dataset, const DataSplit& split) const {
  FeatureInputs inputs;
  inputs.dataset = &dataset;
  inputs.captioner = [this] { return make<Captioner>(); };
  inputs.encoder = [this] { return make<Encoder>(); };
  inputs.dataset_name = name("dataset");
  inputs.captioner_name = name("captioner");
  inputs.encoder_name = name("encoder");
  inputs.fitted = has("encoder", "fitted");
  inputs.fit_samples = split.unlabelled_train;
  inputs.seed = has("captioner", "seeded") ? context_.seed() : 0;
  inputs.stages = request_.stages;
  inputs.config = request_.config;
  inputs.storage = {.cache = request_.cache,
                    .limit = request_.cache_limit,
                    .warn = [this](const std::string& text) { warn(text); }};
  inputs.stopped = [this] { return stopped(); };
  inputs.stage = [this](std::string_view stage) { begin(stage); };
  return FeatureStages(std::move(inputs));
}

std::optional<SplitNodes> Trial::make_nodes(const Dataset& dataset, const DataSplit& split) {
  const Clock::time_point start = Clock::now();
  FeatureStages stages = feature_stages(dataset, split);
  std::vector<std::size_t> samples = split.train.samples;
  samples.insert(samples.end(), split.val.samples.begin(), split.val.samples.end());
  samples.insert(samples.end(), split.test.samples.begin(), split.test.samples.end());
  std::optional<at::Tensor> images = at::Tensor();
  std::optional<at::Tensor> texts = at::Tensor();
  if (nodes_params_.fuse != "text") images = stages.images(samples);
  if (images && nodes_params_.fuse != "image") texts = stages.texts(samples);
  if (!images || !texts) return std::nullopt;
  bool all_cached = true;
  for (const auto& [stage, cached] : stages.cached()) all_cached = all_cached && cached;
  time("features", start, all_cached);
  encoder_parameters_ = stages.encoder_parameters();
  const Nodes all = fuse(nodes_params_, *images, *texts, has("encoder", "shared_space"));
  const auto train = static_cast<std::int64_t>(split.train.samples.size());
  const auto val = static_cast<std::int64_t>(split.val.samples.size());
  return SplitNodes{.train = slice(all, 0, train),
                    .val = slice(all, train, train + val),
                    .test = slice(all, train + val, all.samples())};
}

std::string Trial::graph_protocol() const {
  return has("gnn", "graph") ? protocol_params_.graph : "none";
}

std::shared_ptr<GraphBuilder> Trial::graph_builder() const {
  if (graph_protocol() == "none") return std::make_shared<NoEdges>();
  return make<GraphBuilder>();
}

void Trial::attach_peft(Parameters& parameters) const {
  const std::shared_ptr<Peft> peft = make<Peft>();
  Random random = context_.random("init");
  guarded(name("peft"), "attach", [&] { peft->attach(nullptr, parameters, random); });
  if (parameters.entries().empty()) return;
  throw Error(
      {.what = name("peft") + " trains inside the encoder",
       .where = {},
       .expected = "a method that leaves the encoder frozen: its features are computed once",
       .found = {},
       .fix = "peft=none"});
}

void Trial::describe_graph(const GraphProtocol& protocol, const std::vector<std::int64_t>& labels) {
  if (graph_protocol() == "none") return;
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
  Clock::time_point saved = Clock::now();
  while (!training.finished()) {
    training.next();
    const std::vector<EpochMetrics>& rows = training.progress().metrics;
    if (hooks_.epoch) {
      for (std::size_t i = rows.size() - 2; i < rows.size(); ++i) hooks_.epoch(rows[i]);
    }
    const bool stop = stopped() && !training.finished();
    if (stop || seconds_since(saved) > checkpoint_seconds) {
      checkpoint.save(training, parameters);
      saved = Clock::now();
    }
    if (stop) return false;
  }
  return true;
}

void Trial::conclude(const Training& training, const Parameters& parameters, const DataSplit& split,
                     const Dataset& dataset, const at::Tensor& val_logits,
                     TestSet::Verdict verdict) {
  const Progress& progress = training.progress();
  result_.trial_id = request_.trial_id;
  result_.combo_id = request_.combo_id;
  result_.seed = context_.seed();
  result_.config = request_.config;
  result_.class_names = dataset.class_names();
  result_.val_top1 = progress.best_top1;
  result_.test_top1 = verdict.metrics.top1;
  result_.test_top5 = verdict.metrics.top5;
  result_.test_macro_accuracy = verdict.metrics.macro_accuracy;
  result_.test_macro_f1 = verdict.metrics.macro_f1;
  result_.test_loss = verdict.metrics.loss;
  result_.test_ece = verdict.metrics.ece;
  result_.best_epoch = progress.best_epoch;
  result_.epochs = progress.epoch;
  result_.trainable_parameters = parameters.count();
  result_.total_parameters = parameters.count() + encoder_parameters_;
  result_.train_seconds = progress.seconds;
  result_.attempt = request_.attempt;
  result_.metrics = progress.metrics;
  std::vector<std::string> ids;
  for (const std::size_t i : split.val.samples) ids.push_back(dataset.samples()[i].id);
  result_.predictions.push_back(
      predictions_of("val", std::move(ids), split.val.labels, val_logits));
  result_.predictions.push_back(std::move(verdict.predictions));
  result_.environment = trial_environment(request_.config, hooks_.loader->catalog());
}

std::optional<TrialResult> Trial::run() {
  const Clock::time_point start = Clock::now();
  const MemoryWatch memory;
  const std::shared_ptr<Dataset> dataset = make<Dataset>();
  DataSplit split = split_dataset(*dataset, protocol_params_, context_.seed());
  time("dataset", start);
  std::optional<SplitNodes> nodes = make_nodes(*dataset, split);
  if (!nodes) return std::nullopt;

  std::vector<std::string> test_ids;
  for (const std::size_t i : split.test.samples) test_ids.push_back(dataset->samples()[i].id);
  TestSet test(std::move(nodes->test), std::move(split.test.labels), std::move(test_ids));

  const Clock::time_point graph_start = Clock::now();
  begin("graph");
  const std::shared_ptr<GraphBuilder> builder = graph_builder();
  const NodeGraphs graphs(*builder, name("graph"), has("encoder", "shared_space"));
  const std::int64_t width = nodes->train.x.size(1);
  const std::int64_t views = nodes->train.views;
  const std::unique_ptr<GraphProtocol> protocol =
      make_graph_protocol(graph_protocol(),
                          {.train = std::move(nodes->train),
                           .val = std::move(nodes->val),
                           .unlabelled = test.unlabelled(graph_protocol())},
                          graphs);
  describe_graph(*protocol, split.train.labels);
  time("graph", graph_start);

  Parameters parameters;
  attach_peft(parameters);
  const auto classes = static_cast<std::int64_t>(dataset->class_names().size());
  Model model(make<Gnn>(), name("gnn"), section<HeadParams>("head"), width, views, classes,
              context_.seed(), parameters);
  Training training(model, parameters, *protocol, {split.train.labels, split.val.labels},
                    section<TrainParams>("train"), context_.seed());
  const Checkpoint checkpoint(request_.folder, request_.trial_id, *hooks_.log);
  checkpoint.load(training, parameters);
  begin("train");
  if (!train(training, parameters, checkpoint)) return std::nullopt;
  time("train", Clock::now() - std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(training.progress().seconds)));

  const Clock::time_point test_start = Clock::now();
  begin("test");
  parameters.restore(training.best());
  const at::Tensor val_logits = protocol->evaluate(model).val;
  conclude(training, parameters, split, *dataset, val_logits,
           std::move(test).evaluate(*protocol, model));
  time("test", test_start);
  result_.total_seconds = seconds_since(start);
  result_.peak_rss_bytes = memory.peak();
  checkpoint.remove();
  return std::move(result_);
}

}  // namespace

std::optional<TrialResult> run_trial(const TrialRequest& request, const TrialHooks& hooks) {
  return Trial(request, hooks).run();
}

}  // namespace espalier
