// CoCoOp (Zhou et al. 2022, conditional prompt learning): the words in front of a class's name
// follow from the picture, so that each picture has class vectors of its own.
//   v_m(x) = v_m + h(x),  h(x) = W_2 ReLU(W_1 x + b_1) + b_2,  x the picture's feature of length 1
//   logits_c = s cos(x, t([start][v_1(x) ... v_M(x)][class][.][end]))
// The towers stay as they are: this stands at the logits site and runs the text tower for each
// picture and class, in training with the tape of one picture at a time. A picture's scores have
// the same bits whatever others there are.
#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/perceptron.hpp>
#include <espalier/nn/replay.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/prompt_context.hpp>
#include <espalier/plugin/component.hpp>
#include <numeric>

namespace {

using espalier::AdaptableEncoder;
using espalier::Mode;

struct CoCoOpParams : espalier::ContextParams {
  CoCoOpParams() {
    n_ctx = 4;
    ctx_init = "a photo of a";
  }
  std::int64_t reduction = 16;
};

void bind(espalier::Schema<CoCoOpParams>& s) {
  bind_context(s);
  s.field("reduction", &CoCoOpParams::reduction)
      .range(1, 4096)
      .doc("Widths of a feature for one of the hidden layer of h; the layer has one at least")
      .source("Zhou et al. 2022");
  s.paper({{"optimizer", "sgd"},
           {"momentum", 0.9},
           {"lr", 2e-3},
           {"weight_decay", 5e-4},
           {"batch_size", 1},
           {"epochs", 10},
           {"schedule", "cosine"}},
          "the authors' code");
}

constexpr double deviation = 0.02;

// The texts of some classes in a pass for one picture, as the text tower's mode says it.
struct TextRows {
  bool training;
  std::uint64_t key;
  std::atomic<bool>* drawn;
  std::vector<std::int64_t> classes;
  std::vector<std::uint64_t> pictures;  // row ids of the pictures, in training

  TextRows(const Mode& mode, std::int64_t count)
      : training(mode.training),
        key(mode.dropout.key),
        drawn(mode.dropout.drawn),
        classes(mode.classes.begin(), mode.classes.end()),
        pictures(mode.dropout.rows.begin(), mode.dropout.rows.end()) {
    if (!classes.empty()) return;
    classes.resize(static_cast<std::size_t>(count));
    std::iota(classes.begin(), classes.end(), std::int64_t{0});
  }

  // Row ids of the texts for a picture, by which they drop apart from those of other pictures.
  [[nodiscard]] std::vector<std::uint64_t> ids(std::int64_t picture) const {
    std::vector<std::uint64_t> all;
    if (!training) return all;
    const std::uint64_t own = pictures.at(static_cast<std::size_t>(picture));
    for (const std::int64_t label : classes) {
      all.push_back(own * 0x9E3779B97F4A7C15 + static_cast<std::uint64_t>(label));
    }
    return all;
  }
  [[nodiscard]] Mode mode(const std::vector<std::uint64_t>& ids) const {
    return {.training = training,
            .dropout = {.key = key, .rows = ids, .drawn = drawn},
            .classes = classes};
  }
};

class CoCoOp final : public espalier::Peft {
 public:
  using Params = CoCoOpParams;
  CoCoOp(const Params& params, const espalier::RunContext&) : params_(params), place_(params) {}

  [[nodiscard]] std::string class_template() const override { return place_.class_template(); }

  void prepare(const espalier::MethodInput& input) override {
    place_.find(input);
    scale_ = input.logit_scale;
    for (const auto* classes : {&input.class_tokens, &input.new_class_tokens}) {
      for (const espalier::TokenLists& texts : *classes) texts_.push_back(texts.at(0));
    }
  }

  void attach(AdaptableEncoder& encoder, espalier::Parameters& parameters,
              espalier::Random& random) override {
    const auto sites = encoder.sites(espalier::SiteRole::logits);
    if (sites.empty() || encoder.text() == nullptr) return;
    const std::int64_t width = encoder.text()->feature_width();
    context_ = parameters.add("context", place_.start(encoder, deviation, random));
    meta_net_.init(
        {"meta_net.linear1", "meta_net.linear2"},
        {width, std::max<std::int64_t>(1, width / params_.reduction), encoder.text()->width()},
        "relu", parameters, random);
    sites[0]->hook_output(
        [this, &encoder](const at::Tensor& features, const at::Tensor& logits, const Mode& mode) {
          return scores(encoder, features, TextRows(mode, logits.size(1)));
        });
  }

  [[nodiscard]] espalier::Json adapter_config() const override {
    return espalier::own_adapter_config("cocoop", {{"n_ctx", params_.n_ctx},
                                                   {"ctx_init", params_.ctx_init},
                                                   {"reduction", params_.reduction}});
  }

 private:
  [[nodiscard]] at::Tensor scores(const AdaptableEncoder& encoder, const at::Tensor& features,
                                  TextRows rows) const {
    const auto of_one = [this, &encoder, rows = std::move(rows)](std::int64_t picture,
                                                                 const at::Tensor& x) {
      const std::vector<std::uint64_t> ids = rows.ids(picture);
      const at::Tensor classes = class_vectors(encoder, x, rows.mode(ids));
      return at::matmul(x, espalier::unit_rows(classes).t()) * scale_;
    };
    return espalier::replayed_map(espalier::unit_rows(features), 1, of_one);
  }

  // [classes, w] for the picture with this feature [1, w].
  [[nodiscard]] at::Tensor class_vectors(const AdaptableEncoder& encoder, const at::Tensor& x,
                                         const Mode& mode) const {
    const espalier::TextTower& tower = *encoder.text();
    espalier::TokenBatch batch = texts_of(mode.classes, tower);
    const at::Tensor shift = meta_net_(x.to(context_.device()));
    batch.words = place_.put(espalier::word_vectors(encoder, batch.ids), context_ + shift);
    const at::Tensor features =
        tower.advance(tower.embed(batch, mode), 0, tower.layers() + 2, mode).states;
    return encoder.classify(espalier::unit_rows(features.to(at::kCPU, at::kFloat)), mode);
  }

  // As long as the longest text of all classes.
  [[nodiscard]] espalier::TokenBatch texts_of(std::span<const std::int64_t> classes,
                                              const espalier::TextTower& tower) const {
    std::vector<std::vector<std::int64_t>> some;
    for (const std::int64_t label : classes) {
      some.push_back(texts_.at(static_cast<std::size_t>(label)));
    }
    std::int64_t longest = 0;
    for (const auto& text : texts_) longest = std::max(longest, std::ssize(text));
    espalier::TokenBatch batch = espalier::token_batch(tower, some, longest);
    batch.ids = batch.ids.to(tower.device());
    if (batch.valid.defined()) batch.valid = batch.valid.to(tower.device());
    return batch;
  }

  Params params_;
  espalier::PromptContext place_;
  double scale_ = 1;
  std::vector<std::vector<std::int64_t>> texts_;  // ids, by class
  at::Tensor context_;                            // [words, text width]
  espalier::Perceptron meta_net_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "cocoop", 1, CoCoOp,
                   "Learns words before a class's name that follow from the picture (Zhou 2022)",
                   "needs_sites needs_features class_template")
