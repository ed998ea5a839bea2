#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>

#include "train/consolidation.hpp"
#include "train/fisher.hpp"
#include "train/index_of.hpp"
#include "train/network.hpp"
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/plugin/gnn.hpp>
#include <espalier/plugin/loader_context.hpp>
#include <map>
#include <memory>
#include <numeric>

#include "parity_internal.hpp"

namespace espalier::cli {
namespace {

namespace fs = std::filesystem;

constexpr double ewc_tolerance = 1e-5;

Error no_ewc_case(const fs::path& folder, const std::string& found) {
  return Error({.what = "the folder is no case of elastic weight consolidation",
                .where = folder.string(),
                .expected = "meta.json and expected.safetensors as docs/parity.md describes them",
                .found = found,
                .fix = "tools/parity/make_ewc_case.py makes such a case"});
}

// The case's perceptron as the network of a trial: its first layer, an identity behind the
// activation, and a head for its second layer. What the parts are called there.
const std::map<std::string, std::string>& reference_names() {
  static const std::map<std::string, std::string> names = {{"gnn.layers.0.weight", "0.weight"},
                                                           {"gnn.layers.0.bias", "0.bias"},
                                                           {"head.linear.weight", "2.weight"},
                                                           {"head.linear.bias", "2.bias"}};
  return names;
}

class EwcCase {
 public:
  explicit EwcCase(const fs::path& folder)
      : folder_(folder),
        expected_(read_named_tensors(folder / "expected.safetensors")),
        meta_(parse_json(read_file(folder / "meta.json"), (folder / "meta.json").string())),
        log_("parity", std::make_shared<spdlog::sinks::null_sink_mt>()),
        catalog_(Catalog::installed()),
        loader_(catalog_) {
    const at::Tensor x = matrix("x");
    samples_.resize(static_cast<std::size_t>(x.size(0)));
    std::iota(samples_.begin(), samples_.end(), std::size_t{0});
    sources_.images = std::make_shared<FrozenSource>(x, samples_);
    protocol_ = no_graph(samples_, 1);
    make_network(x.size(1), matrix("anchor.0.weight").size(0), matrix("anchor.2.weight").size(0));
  }

  Differences run() {
    set("anchor.");
    Anchor anchor{.source = "task_1", .parameters = parameters_.snapshot(), .fisher = {}};
    compare_fisher(FisherLabels::expected, "fisher_expected.");
    anchor.fisher = compare_fisher(FisherLabels::empirical, "fisher_empirical.");
    Consolidation held(meta_.at("lambda").get<double>());
    held.add(std::move(anchor));
    set("param.");
    const at::Tensor penalty = held(parameters_);
    compare("penalty", penalty);
    compare_gradients(penalty, "grad_penalty.");
    compare_gradients(cross_entropy() + held(parameters_), "grad_total.");
    return std::move(rows_);
  }

 private:
  at::Tensor value(const std::string& name) const {
    const auto found = expected_.find(name);
    if (found == expected_.end()) throw no_ewc_case(folder_, "no tensor " + name);
    return found->second;
  }
  at::Tensor matrix(const std::string& name) const {
    if (value(name).dim() != 2) throw no_ewc_case(folder_, name + " is no matrix");
    return value(name).to(at::kFloat).contiguous();
  }

  void make_network(std::int64_t inputs, std::int64_t hidden, std::int64_t classes) {
    const LoaderContext context(loader_, log_);
    auto gnn = loader_.make<Gnn>({{"use", "mlp"}, {"layers", 2}, {"hidden", hidden}}, context);
    std::shared_ptr<Fusion> fusion =
        make_fusion({.fuse = "image", .normalize = false}, {.images = inputs}, false);
    network_ = std::make_unique<Network>(NetworkParts{std::move(fusion), std::move(gnn), "gnn/mlp",
                                                      make_head({.use = "linear"}, {})},
                                         classes, 1, parameters_);
    const at::Tensor y = value("y").to(at::kLong).contiguous();
    if (y.numel() != std::ssize(samples_)) throw no_ewc_case(folder_, "y is not of the rows of x");
    labels_.assign(y.data_ptr<std::int64_t>(), y.data_ptr<std::int64_t>() + y.numel());
    for (const std::int64_t label : labels_) {
      if (label < 0 || label >= classes) throw no_ewc_case(folder_, "a label out of range");
    }
  }

  void set(const std::string& prefix) {
    const c10::AutoGradMode no_grad(false);
    for (const auto& [name, tensor] : parameters_.entries()) {
      const auto theirs = reference_names().find(name);
      const bool known = theirs != reference_names().end();
      const at::Tensor values = known               ? value(prefix + theirs->second)
                                : tensor.dim() == 2 ? at::eye(tensor.size(0))
                                                    : at::zeros(tensor.sizes());
      if (!values.sizes().equals(tensor.sizes())) {
        throw no_ewc_case(folder_, prefix + theirs->second + " has another shape than its layer");
      }
      at::Tensor(tensor).copy_(values);
    }
  }

  Task task() {
    return {.network = *network_,
            .parameters = parameters_,
            .sources = sources_,
            .protocol = *protocol_,
            .train = {samples_, labels_},
            .val = {}};
  }

  std::vector<Parameters::Entry> compare_fisher(FisherLabels labels, const std::string& prefix) {
    auto found = *fisher_information(task(), {.labels = labels},
                                     [](std::int64_t, std::int64_t) { return true; });
    for (const auto& [name, tensor] : found) compare_named(name, prefix, tensor);
    return found;
  }

  at::Tensor cross_entropy() const {
    const Scene& scene = protocol_->training();
    const Values values = values_of(sources_, samples_, {});
    const at::Tensor loss = at::cross_entropy_loss(network_->scores(scene.graph, values, {}).logits,
                                                   index_of(labels_, at::kCPU));
    return loss;
  }

  void compare_gradients(const at::Tensor& loss, const std::string& prefix) {
    for (const at::Tensor& tensor : parameters_.tensors()) tensor.mutable_grad().reset();
    loss.backward();
    for (const auto& [name, tensor] : parameters_.entries()) {
      compare_named(name, prefix, tensor.grad());
    }
  }

  void compare_named(const std::string& name, const std::string& prefix, const at::Tensor& found) {
    const auto theirs = reference_names().find(name);
    if (theirs != reference_names().end()) compare(prefix + theirs->second, found);
  }
  void compare(const std::string& name, const at::Tensor& found) {
    rows_.push_back(compare_tensors(name, value(name), found.detach(), ewc_tolerance));
  }

  fs::path folder_;
  NamedTensors expected_;
  Json meta_;
  spdlog::logger log_;
  Catalog catalog_;
  Loader loader_;
  std::vector<std::size_t> samples_;
  std::vector<std::int64_t> labels_;
  Sources sources_;
  std::unique_ptr<Protocol> protocol_;
  Parameters parameters_;
  std::unique_ptr<Network> network_;
  Differences rows_;
};

}  // namespace

bool is_ewc_case(const fs::path& folder) {
  const fs::path file = folder / "meta.json";
  if (!fs::exists(file)) return false;
  const Json meta = parse_json(read_file(file), file.string());
  return meta.is_object() && meta.contains("lambda") && meta.at("lambda").is_number();
}

Differences ewc_parity(const fs::path& folder) { return EwcCase(folder).run(); }

}  // namespace espalier::cli
