// OFT (Qiu et al. 2023): the inputs of a map are rotated, block by block.
//   W' = W R^T, R block diagonal with orthogonal blocks
// A block is (I - Q) (I + Q)^-1 of a trained skew-symmetric Q, or OFT v2's series for it (Qiu et
// al. 2025), which is cheaper and orthogonal only nearly.
#include <ATen/TensorOperators.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <espalier/nn/dropout.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/peft/orthogonal.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Mode;
using espalier::Site;

struct OftParams : espalier::TargetParams {
  OftParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 0;
  std::int64_t oft_block_size = 32;
  double module_dropout = 0;
  std::string bias = "none";
  bool coft = false;
  double eps = 6e-5;
  bool block_share = false;
  bool use_cayley_neumann = true;
  std::int64_t num_cayley_neumann_terms = 5;
};

void bind(espalier::Schema<OftParams>& s) {
  bind_targets(s);
  s.field("r", &OftParams::r)
      .range(0, 65536)
      .doc("Number of blocks, with oft_block_size 0")
      .source("Hugging Face PEFT");
  s.field("oft_block_size", &OftParams::oft_block_size)
      .sizes()
      .range(0, 65536)
      .doc("Width of a block, which divides the width of each map, with r 0")
      .source("Hugging Face PEFT");
  s.field("module_dropout", &OftParams::module_dropout)
      .min(0)
      .below(1)
      .doc("Share of blocks that a step of training does not rotate");
  bind_bias(s, "oft_only");
  s.field("coft", &OftParams::coft).doc("Keep Q within eps of 0").source("Qiu et al. 2023");
  s.field("eps", &OftParams::eps)
      .above(0)
      .max(1e6)
      .doc("Largest norm of all blocks of Q together")
      .only_if("coft")
      .source("Hugging Face PEFT");
  s.field("block_share", &OftParams::block_share).doc("Rotate all blocks of a map alike");
  s.field("use_cayley_neumann", &OftParams::use_cayley_neumann)
      .doc("Take the series instead of the inverse")
      .source("Hugging Face PEFT");
  s.field("num_cayley_neumann_terms", &OftParams::num_cayley_neumann_terms)
      .range(2, 64)
      .doc("Terms of the series")
      .only_if("use_cayley_neumann")
      .source("Hugging Face PEFT");
  s.check("(r == 0) != (oft_block_size == 0)",
          "one of r and oft_block_size is 0: the other counts");
  compared_by_peft(s);
}

// Blocks of Q that are longer than their share of eps, shortened.
at::Tensor near_zero(const at::Tensor& q, double eps) {
  const double most = eps / std::sqrt(static_cast<double>(q.size(0)));
  const at::Tensor length = q.norm(2, {1, 2}, /*keepdim=*/true);
  return at::where(length <= most, q, q * (most / length));
}

class Rotation final : public espalier::RotatedInput {
 public:
  // `above` [blocks or 1, k (k - 1) / 2].
  Rotation(const OftParams& params, const Site& site, at::Tensor above, std::int64_t k)
      : params_(params),
        site_(site.name),
        above_(std::move(above)),
        k_(k),
        blocks_(inputs_of(site) / k) {}

  [[nodiscard]] at::Tensor rotation() const override { return whole(squares()); }

  [[nodiscard]] at::Tensor input(const at::Tensor& x, const Mode& mode) const override {
    if (!mode.training || params_.module_dropout == 0 || above_.size(0) == 1) {
      return RotatedInput::input(x, mode);
    }
    espalier::Random random = espalier::step_random(mode, site_);
    const at::Tensor kept =
        espalier::kept_blocks(blocks_, params_.module_dropout, random).to(above_.device());
    const at::Tensor one = at::eye(k_, above_.options());
    return at::linear(x, whole(squares() * kept + one * (1 - kept)).to(x.scalar_type()));
  }

 private:
  [[nodiscard]] at::Tensor squares() const {
    at::Tensor q = espalier::skew_symmetric(above_, k_);
    if (params_.coft) q = q + (near_zero(q, params_.eps) - q).detach();
    if (!params_.use_cayley_neumann) return espalier::cayley(q);
    return espalier::cayley_neumann(q, params_.num_cayley_neumann_terms);
  }
  // Rows are rotated as x R, so that the map of x is R^T.
  [[nodiscard]] at::Tensor whole(const at::Tensor& squares) const {
    return espalier::block_diagonal(squares, blocks_).t();
  }

  OftParams params_;
  std::string site_;
  at::Tensor above_;
  std::int64_t k_;
  std::int64_t blocks_;
};

class Oft final : public espalier::LinearMethod {
 public:
  using Params = OftParams;
  Oft(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("OFT");
    config["r"] = params_.r;
    config["oft_block_size"] = params_.oft_block_size;
    config["module_dropout"] = params_.module_dropout;
    config["coft"] = params_.coft;
    config["eps"] = params_.eps;
    config["block_share"] = params_.block_share;
    config["use_cayley_neumann"] = params_.use_cayley_neumann;
    config["num_cayley_neumann_terms"] = params_.num_cayley_neumann_terms;
    return config;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random&) override {
    const std::int64_t width = inputs_of(site);
    const bool by_size = params_.oft_block_size != 0;
    const std::int64_t given = by_size ? params_.oft_block_size : params_.r;
    espalier::require_divisor(by_size ? "oft_block_size" : "r", given, width, site);
    const std::int64_t k = by_size ? given : width / given;
    const std::int64_t blocks = params_.block_share ? 1 : width / k;
    const at::Tensor above = parameters.add(site.name + ".oft_R.weight",
                                            at::zeros({blocks, k * (k - 1) / 2}, at::kFloat));
    return std::make_shared<Rotation>(params_, site, above, k);
  }

  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "oft", 1, Oft, "Rotates the inputs of linear maps in blocks (Qiu 2023)",
                   "needs_sites on_linear identity_at_init mergeable")
