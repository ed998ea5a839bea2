// VB-LoRA (Li et al. 2024): the factors of all low ranks are put together from one bank of vectors;
// each piece of a factor is a mixture of the topk vectors that its logits choose.
//   y <- y + B A drop(x)
#include <ATen/TensorOperators.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/topk.h>

#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Factors;
using espalier::Parameters;
using espalier::Site;

struct VbLoraParams : espalier::TargetParams {
  VbLoraParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 4;
  std::int64_t num_vectors = 256;
  std::int64_t vector_length = 256;
  std::int64_t topk = 2;
  double vblora_dropout = 0;
  double init_vector_bank_bound = 0.02;
  double init_logits_std = 0.1;
  std::string bias = "none";
};

void bind(espalier::Schema<VbLoraParams>& s) {
  bind_targets(s);
  s.field("r", &VbLoraParams::r).sizes().range(1, 65536).doc("Rank").source("Hugging Face PEFT");
  s.field("num_vectors", &VbLoraParams::num_vectors)
      .range(1, 1e6)
      .doc("Vectors in the bank")
      .source("Hugging Face PEFT");
  s.field("vector_length", &VbLoraParams::vector_length)
      .range(1, 65536)
      .doc("Their length, which divides inputs and outputs of each map")
      .source("Hugging Face PEFT");
  s.field("topk", &VbLoraParams::topk)
      .range(1, 1e6)
      .doc("Vectors that a piece of a factor is mixed of")
      .source("Li et al. 2024");
  s.field("vblora_dropout", &VbLoraParams::vblora_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters A that is dropped in training");
  s.field("init_vector_bank_bound", &VbLoraParams::init_vector_bank_bound)
      .above(0)
      .max(1e3)
      .doc("Vectors start uniform within this")
      .source("Hugging Face PEFT");
  s.field("init_logits_std", &VbLoraParams::init_logits_std)
      .above(0)
      .max(1e3)
      .doc("Standard deviation of the logits at the start")
      .source("Hugging Face PEFT");
  bind_bias(s, "vblora_only");
  s.check("topk <= num_vectors", "topk is more than there are vectors");
  compared_by_peft(s, {{"lr", 5e-4}});
}

class Mixtures final : public espalier::AddedProduct {
 public:
  // `logits`: of A [r, in / length, vectors], of B [out / length, r, vectors].
  Mixtures(espalier::InputDropout dropout, Factors logits, at::Tensor bank, std::int64_t topk)
      : AddedProduct(std::move(dropout)),
        logits_(std::move(logits)),
        bank_(std::move(bank)),
        topk_(topk) {}

  [[nodiscard]] Factors factors() const override {
    return {mixed(logits_.a).flatten(1), mixed(logits_.b).transpose(1, 2).flatten(0, 1)};
  }

 private:
  // [..., length]
  [[nodiscard]] at::Tensor mixed(const at::Tensor& logits) const {
    const auto [best, places] = at::topk(logits, topk_, -1);
    std::vector<std::int64_t> sizes = places.sizes().vec();
    sizes.push_back(bank_.size(1));
    const at::Tensor vectors = bank_.index_select(0, places.flatten()).view(sizes);
    return (at::softmax(best, -1).unsqueeze(-1) * vectors).sum(-2);
  }

  Factors logits_;
  at::Tensor bank_;
  std::int64_t topk_;
};

class VbLora final : public espalier::LinearMethod {
 public:
  using Params = VbLoraParams;
  VbLora(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("VBLORA");
    config["r"] = params_.r;
    config["num_vectors"] = params_.num_vectors;
    config["vector_length"] = params_.vector_length;
    config["topk"] = params_.topk;
    config["vblora_dropout"] = params_.vblora_dropout;
    config["save_only_topk_weights"] = false;
    return config;
  }

 private:
  void begin(const espalier::AdaptableEncoder&, std::span<Site* const>, Parameters& parameters,
             espalier::Random& random) override {
    bank_ = parameters.add("base_model.vblora_vector_bank",
                           espalier::uniform_init({params_.num_vectors, params_.vector_length},
                                                  params_.init_vector_bank_bound, random));
  }

  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters& parameters,
                                              espalier::Random& random) override {
    const std::int64_t length = params_.vector_length, in = inputs_of(site), out = outputs_of(site);
    espalier::require_divisor("vector_length", length, in, site);
    espalier::require_divisor("vector_length", length, out, site);
    espalier::require_rank("r", params_.r, site);
    const auto add = [&](const char* name, std::int64_t rows, std::int64_t columns) {
      return parameters.add(site.name + name,
                            espalier::normal_init({rows, columns, params_.num_vectors},
                                                  params_.init_logits_std, random));
    };
    const Factors logits{add(".vblora_logits_A", params_.r, in / length),
                         add(".vblora_logits_B", out / length, params_.r)};
    return std::make_shared<Mixtures>(espalier::InputDropout{site.name, params_.vblora_dropout},
                                      logits, bank_, params_.topk);
  }

  Params params_;
  at::Tensor bank_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "vblora", 1, VbLora, "Low ranks out of a shared bank of vectors (Li 2024)",
                   "needs_sites on_linear mergeable")
