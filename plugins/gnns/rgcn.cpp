// Relational graph convolution, Schlichtkrull et al. 2018:
//   x'_i = sum over relations r of mean over j in N_r(i) of x_j W_r + x_i W_root + b
// The mean is taken in each relation. To save parameters W_r is a sum of bases,
// sum_b c_rb V_b, or block-diagonal.
#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/matmul.h>

#include <espalier/core/error.hpp>
#include <espalier/graph/by_relation.hpp>
#include <espalier/graph/segment.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_stack.hpp>

namespace {

using espalier::Neighbourhood;

struct RgcnParams : espalier::StackParams {
  std::int64_t relations = 4;
  std::int64_t bases = 0;
  std::int64_t blocks = 0;
  bool root_weight = true;
  bool bias = true;
};

void bind(espalier::Schema<RgcnParams>& s) {
  bind_stack(s);
  s.field("relations", &RgcnParams::relations)
      .range(1, 128)
      .doc("Kinds of edges; of bimodal nodes there are four");
  s.field("bases", &RgcnParams::bases)
      .range(0, 1024)
      .doc("Matrices of which each relation's is a mix, 0 for one of its own");
  s.field("blocks", &RgcnParams::blocks)
      .range(0, 1024)
      .doc("Blocks on the diagonal of each relation's matrix, 0 for a whole one");
  s.field("root_weight", &RgcnParams::root_weight).doc("Add the node's own state, x_i W_root");
  s.field("bias", &RgcnParams::bias).doc("Add a bias after each convolution");
  s.check("bases == 0 or blocks == 0",
          "bases and blocks are two ways to save parameters: one of them");
}

class RgcnConvolution final : public espalier::Convolution {
 public:
  explicit RgcnConvolution(const RgcnParams& params) : params_(params) {}

  void init(std::int64_t in, std::int64_t out, espalier::Parameters& parameters,
            espalier::Random& random) override {
    const std::int64_t blocks = std::max<std::int64_t>(1, params_.blocks);
    if (in % blocks != 0 || out % blocks != 0) refuse_blocks(in, out);
    const std::int64_t matrices = params_.bases > 0 ? params_.bases : params_.relations;
    weight_ = parameters.add(
        "weight", params_.blocks > 0 ? espalier::glorot_uniform(
                                           {matrices, blocks, in / blocks, out / blocks}, random)
                                     : espalier::glorot_uniform({matrices, in, out}, random));
    if (params_.bases > 0) {
      mix_ = parameters.add("comp",
                            espalier::glorot_uniform({params_.relations, params_.bases}, random));
    }
    if (params_.root_weight)
      root_ = parameters.add("root", espalier::glorot_uniform({in, out}, random));
    bias_ = espalier::zero_bias(out, params_.bias, parameters);
  }

  at::Tensor operator()(const Neighbourhood& on) const override {
    const espalier::CsrGraph apart = espalier::by_relation(on.graph, params_.relations);
    const at::Tensor means =
        espalier::spmm(apart, espalier::mean_weights(apart, on.sources), on.sources);
    at::Tensor h = params_.blocks > 0 ? through_blocks(means) : through_matrices(means);
    if (root_.defined()) h = h + on.targets.matmul(root_);
    return bias_.defined() ? h + bias_ : h;
  }

 private:
  void refuse_blocks(std::int64_t in, std::int64_t out) const {
    throw espalier::Error(
        {.what = "the blocks of a relational network do not fit its widths",
         .where = {},
         .expected = "widths that " + std::to_string(params_.blocks) + " blocks share equally",
         .found = std::to_string(in) + " to " + std::to_string(out),
         .fix = "choose gnn's hidden and blocks so that they do"});
  }

  // Means [t * relations, in], by one product of all relations side by side.
  [[nodiscard]] at::Tensor through_matrices(const at::Tensor& means) const {
    const std::int64_t in = means.size(1);
    const at::Tensor all = mix_.defined() ? mix_.matmul(weight_.flatten(1)) : weight_;
    return means.view({-1, params_.relations * in})
        .matmul(all.reshape({params_.relations * in, -1}));
  }

  [[nodiscard]] at::Tensor through_blocks(const at::Tensor& means) const {
    const std::int64_t blocks = params_.blocks;
    const std::int64_t in = params_.relations * means.size(1) / blocks;
    const at::Tensor cut = means.view({-1, params_.relations, blocks, means.size(1) / blocks})
                               .permute({2, 0, 1, 3})
                               .reshape({blocks, -1, in});
    const at::Tensor all = weight_.permute({1, 0, 2, 3}).reshape({blocks, in, -1});
    return at::bmm(cut, all).permute({1, 0, 2}).flatten(1);
  }

  RgcnParams params_;
  at::Tensor weight_;
  at::Tensor mix_;
  at::Tensor root_;
  at::Tensor bias_;
};

class Rgcn final : public espalier::GnnStack {
 public:
  using Params = RgcnParams;
  Rgcn(const Params& params, const espalier::RunContext&) : GnnStack(params), params_(params) {}

 private:
  std::unique_ptr<espalier::Convolution> convolution(std::int64_t) const override {
    return std::make_unique<RgcnConvolution>(params_);
  }
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "rgcn", 1, Rgcn, "Relational graph convolution (Schlichtkrull et al. 2018)",
                   "graph bipartite node_rows needs_relations")
