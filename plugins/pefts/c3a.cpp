// C3A (Chen et al. 2024): a change of a weight out of circulant blocks, each of one trained row.
//   W'[m b + j, n b + p] = W[m b + j, n b + p] + K[m, n, (p - j) mod b] / in
// Hugging Face PEFT 0.21 computes the same, but not its derivative by the map's input, where its
// own backward pass has (p + j): maps below another are trained otherwise there.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Site;

struct C3aParams : espalier::TargetParams {
  C3aParams() { target_modules = {"q", "v"}; }
  std::int64_t block_size = 256;
  std::vector<std::string> block_size_pattern;
  std::string init_weights = "xavier_uniform";
  std::string bias = "none";
};

void bind(espalier::Schema<C3aParams>& s) {
  bind_targets(s);
  s.field("block_size", &C3aParams::block_size)
      .sizes(-1)
      .range(1, 65536)
      .doc("Width of a block, which divides inputs and outputs of each map")
      .source("Hugging Face PEFT");
  s.field("block_size_pattern", &C3aParams::block_size_pattern)
      .doc("block_size of some modules, as MODULE=SIZE; MODULE may be a regular expression");
  s.field("init_weights", &C3aParams::init_weights)
      .choices({"xavier_uniform", "kaiming_uniform", "gaussian", "zeros"})
      .doc("Start of the rows")
      .source("Hugging Face PEFT");
  bind_bias(s, "c3a_only");
  compared_by_peft(s, {{"lr", 0.3}, {"weight_decay", 1e-5}});
}

class Circulants final : public espalier::AddedWeight {
 public:
  // `rows` [out / b, in / b, b].
  explicit Circulants(at::Tensor rows) : rows_(std::move(rows)) {
    const std::int64_t b = rows_.size(2);
    const at::Tensor places = at::arange(b, rows_.options().dtype(at::kLong));
    shifts_ = (places.unsqueeze(0) - places.unsqueeze(1)).remainder(b).flatten();
  }

  [[nodiscard]] at::Tensor delta() const override {
    const std::int64_t m = rows_.size(0), n = rows_.size(1), b = rows_.size(2);
    const at::Tensor blocks = rows_.index_select(2, shifts_).view({m, n, b, b});
    return blocks.permute({0, 2, 1, 3}).reshape({m * b, n * b}) / static_cast<double>(n * b);
  }

 private:
  at::Tensor rows_;
  at::Tensor shifts_;
};

class C3a final : public espalier::LinearMethod {
 public:
  using Params = C3aParams;
  C3a(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias),
        params_(params),
        sizes_(params.block_size_pattern, static_cast<double>(params.block_size),
               "block_size_pattern") {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("C3A");
    config["block_size"] = params_.block_size;
    config["block_size_pattern"] = espalier::pattern_json(sizes_, 1);
    return config;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random& random) override {
    const auto b = static_cast<std::int64_t>(sizes_.of(site.name));
    const std::int64_t in = inputs_of(site), out = outputs_of(site);
    espalier::require_divisor("block_size", b, in, site);
    espalier::require_divisor("block_size", b, out, site);
    return std::make_shared<Circulants>(
        parameters.add(site.name + ".c3a_kernel", start(out, in, b, random)));
  }

  [[nodiscard]] at::Tensor start(std::int64_t out, std::int64_t in, std::int64_t b,
                                 espalier::Random& random) const {
    const std::int64_t sizes[] = {out / b, in / b, b};
    if (params_.init_weights == "zeros") return at::zeros(sizes, at::kFloat);
    if (params_.init_weights == "gaussian") return espalier::normal_init(sizes, 1, random);
    const bool xavier = params_.init_weights == "xavier_uniform";
    const double fans = static_cast<double>(xavier ? in + out : in);
    return espalier::uniform_init(sizes, std::sqrt((xavier ? 6 : 1) / fans), random);
  }

  Params params_;
  espalier::ModulePattern sizes_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "c3a", 1, C3a, "Adds circulant blocks to linear maps (Chen 2024)",
                   "needs_sites on_linear mergeable")
