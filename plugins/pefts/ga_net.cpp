// GA-Net's bottleneck adapter (Cheng 2024, arXiv 2408.00290) inside an image tower: beside branches
// of its layers, on their tokens pooled to a node, with messages from the training pictures. Where
// h_i enters the branch f of picture i, each of its tokens gets
//   y_i = h_i + f(h_i) + s (U a(GNN(D p_i + d, {D q_j + d}, G)) + u),   p_i = pool(h_i), U = u = 0.
// q_j is what p_j is of training picture j in the frozen tower, so that it is known before training
// and no pass needs another picture. G has the edges among the nodes q, and from them to i: those
// of its own node where i is a training picture, whose own state is p_i all the same.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <espalier/core/error.hpp>
#include <espalier/core/random.hpp>
#include <espalier/graph/receivers.hpp>
#include <espalier/nn/activation.hpp>
#include <espalier/nn/linear.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/targets.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_states.hpp>
#include <espalier/plugin/peft.hpp>
#include <map>
#include <utility>

namespace {

using espalier::AdaptableEncoder;
using espalier::CsrGraph;
using espalier::Mode;
using espalier::Parameters;
using espalier::SampleGraph;
using espalier::Site;

struct GaNetParams : espalier::TargetParams {
  GaNetParams() {
    towers = "image";
    target_modules = {"mlp"};
  }
  espalier::ComponentRef layer{"gcn"};
  std::int64_t bottleneck = 64;
  double scale = 1.0;
  std::string activation = "relu";
  std::string pool = "mean";
};

void bind(espalier::Schema<GaNetParams>& s) {
  bind_targets(s);
  s.field("layer", &GaNetParams::layer).kind("gnn").doc("The network inside the bottleneck");
  s.field("bottleneck", &GaNetParams::bottleneck)
      .sizes()
      .range(1, 65536)
      .doc("Width that the pooled tokens are projected to");
  s.field("scale", &GaNetParams::scale).range(-100, 100).doc("Factor s on what the adapter adds");
  s.field("activation", &GaNetParams::activation)
      .choices(espalier::activations)
      .doc("Function a after the network");
  s.field("pool", &GaNetParams::pool)
      .choices({"mean", "cls"})
      .doc("What of a picture's tokens is its node: their mean, or the first, the class token");
  s.check("towers == 'image'", "the nodes are pictures: texts of classes are none");
  s.check("has(layer, bipartite)", "the network in it must be able to attach a picture");
  s.check("not has(layer, scores)", "the network in it must have states, not classes");
  s.check(
      "not layer.norm == 'batch'",
      "layer.norm: batch normalises by all training nodes, and a picture sees its neighbours at "
      "most: layer.norm=layer needs none");
}

// [n, tokens, width] to float32 [n, width].
at::Tensor pooled(const std::string& pool, const at::Tensor& stream) {
  return pool == "cls" ? stream.select(1, 0).to(at::kFloat) : stream.to(at::kFloat).mean(1);
}

// One position of what leaves the last layer stands for the picture.
bool has_class_token(const espalier::VisionTower& tower) {
  const at::Tensor tokens = at::zeros({1, 2, tower.width()});
  return tower.feature_positions({.states = tokens, .valid = {}, .pooled = {}}).defined();
}

[[noreturn]] void refuse_untold() {
  throw espalier::Error(
      {.what = "a graph adapter is to send messages between pictures, and was not told of a graph",
       .where = {},
       .expected = "that of the trial that trains it",
       .found = "none",
       .fix = "it works inside a trial alone, and not from an adapter: train it anew"});
}

// What messages come from at one branch: pooled tokens of the graph's nodes, float32 [nodes,
// width].
struct Senders {
  const SampleGraph* graph = nullptr;  // null: nobody was told of one
  at::Tensor pooled;
};

class GraphAdapter {
 public:
  GraphAdapter(std::string name, const GaNetParams& params, std::shared_ptr<espalier::Gnn> network,
               Senders senders, std::int64_t width, Parameters& parameters,
               espalier::Random& random)
      : name_(std::move(name)),
        params_(params),
        network_(std::move(network)),
        senders_(std::move(senders)) {
    using espalier::LinearInit;
    const Parameters::Scope scope(parameters, name_, parameters.device());
    down_.init("down", width, params.bottleneck, LinearInit::standard, parameters, random);
    {
      const Parameters::Scope inner(parameters, "layer", parameters.device());
      network_->init(params.bottleneck, parameters, random);
    }
    up_.init("up", network_->out_width(), width, LinearInit::zero, parameters, random);
    if (senders_.graph == nullptr && network_->depth() > 0) refuse_untold();
    if (senders_.pooled.defined()) return;
    senders_.pooled = at::empty({0, width}, down_.weight().options().requires_grad(false));
  }

  // Float32 [pictures, width], of their pooled tokens [pictures, width].
  [[nodiscard]] at::Tensor operator()(const at::Tensor& own, const Mode& mode) const {
    const at::Tensor x = down_(at::cat({senders_.pooled, own}));
    const CsrGraph graph = to_device(joined(own.size(0), mode), x.device());
    const std::vector<std::uint64_t> ids = ids_of(mode);
    Mode within{.training = mode.training, .dropout = {}};
    if (mode.training) {
      const auto key = static_cast<std::int64_t>(mode.dropout.key);
      within.dropout = {
          .key = espalier::stream_seed(key, name_), .rows = ids, .drawn = mode.dropout.drawn};
    }
    const at::Tensor all = espalier::run_gnn(*network_, x, graph, within).output;
    const at::Tensor inner = all.slice(0, senders_.pooled.size(0));
    return up_(espalier::activate(params_.activation, inner)) * params_.scale;
  }

 private:
  // The nodes, and behind them the pictures of a pass.
  [[nodiscard]] CsrGraph joined(std::int64_t pictures, const Mode& mode) const {
    if (senders_.graph == nullptr) return espalier::empty_graph(pictures, pictures);
    ESPALIER_ASSERT(std::ssize(mode.samples) == pictures, "a pass says whose its pictures are");
    return with_receivers(senders_.graph->graph(), senders_.graph->rows(mode.samples));
  }

  // For dropout: a picture that is a node as well has two rows.
  [[nodiscard]] std::vector<std::uint64_t> ids_of(const Mode& mode) const {
    constexpr std::uint64_t of_a_node = std::uint64_t{1} << 63;
    std::vector<std::uint64_t> ids;
    if (senders_.graph != nullptr) {
      for (const std::int64_t node : senders_.graph->nodes()) {
        ids.push_back(static_cast<std::uint64_t>(node) | of_a_node);
      }
    }
    ids.insert(ids.end(), mode.dropout.rows.begin(), mode.dropout.rows.end());
    return ids;
  }

  std::string name_;
  GaNetParams params_;
  std::shared_ptr<espalier::Gnn> network_;
  Senders senders_;
  espalier::Linear down_;
  espalier::Linear up_;
};

class GaNet final : public espalier::Peft {
 public:
  using Params = GaNetParams;
  GaNet(const Params& params, const espalier::RunContext& context)
      : params_(params), context_(context) {}

  void join(AdaptableEncoder& encoder, const SampleGraph& graph,
            const espalier::LookAtNodes& look) override {
    const std::vector<Site*> sites = branches(encoder);
    std::map<std::string, std::vector<at::Tensor>> seen;
    for (Site* site : sites) {
      site->hook_output([&of_site = seen[site->name], pool = params_.pool](
                            const at::Tensor& stream, const at::Tensor& result, const Mode&) {
        of_site.push_back(pooled(pool, stream).detach().clone());
        return result;
      });
    }
    const bool all = graph.nodes().empty() || look();
    for (Site* site : sites) {
      site->unhook();
      if (!all) continue;
      Senders& senders = senders_[site->name];
      senders.graph = &graph;
      if (!seen.at(site->name).empty()) senders.pooled = at::cat(seen.at(site->name));
    }
  }

  void attach(AdaptableEncoder& encoder, Parameters& parameters,
              espalier::Random& random) override {
    for (Site* site : branches(encoder)) {
      const std::string name = layer_of(*site, encoder) + "." + site->part + "_graph_adapter";
      const GraphAdapter adapter(name, params_, context_.make<espalier::Gnn>(params_.layer),
                                 senders_[site->name], encoder.image()->width(), parameters,
                                 random);
      site->hook_output([adapter, pool = params_.pool](const at::Tensor& stream,
                                                       const at::Tensor& result, const Mode& mode) {
        return result + adapter(pooled(pool, stream), mode).unsqueeze(1).to(result.scalar_type());
      });
      targets_.push_back(site->name);
    }
    train_whole(encoder, params_, parameters);
  }

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json layer = params_.layer.params;
    layer["use"] = params_.layer.use;
    return espalier::own_adapter_config("ga_net", {{"towers", params_.towers},
                                                   {"target_modules", targets_},
                                                   {"modules_to_save", params_.modules_to_save},
                                                   {"layer", layer},
                                                   {"bottleneck", params_.bottleneck},
                                                   {"scale", espalier::number(params_.scale)},
                                                   {"activation", params_.activation},
                                                   {"pool", params_.pool}});
  }

 private:
  [[nodiscard]] std::vector<Site*> branches(const AdaptableEncoder& encoder) const {
    std::vector<Site*> sites = find_targets(encoder, espalier::SiteRole::branch, params_);
    if (params_.pool != "cls" || sites.empty() || has_class_token(*encoder.image())) return sites;
    throw espalier::Error({.what = "peft.pool: cls asks for a class token",
                           .where = {},
                           .expected = "an image tower that has one",
                           .found = "one without, of " + encoder.family,
                           .fix = "peft.pool=mean takes the mean of all tokens"});
  }

  GaNetParams params_;
  const espalier::RunContext& context_;
  std::map<std::string, Senders> senders_;  // by the branch's name
  std::vector<std::string> targets_;        // branches that have an adapter
};

}  // namespace

ESPALIER_COMPONENT(peft, "ga_net", 1, GaNet,
                   "GA-Net's graph adapter inside the image tower (Cheng 2024)",
                   "needs_sites needs_image on_branch identity_at_init wraps:layer:graph "
                   "wraps:layer:edge_weight wraps:layer:needs_relations")
