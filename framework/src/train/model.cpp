#include "train/model.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>

#include "train/component_call.hpp"
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/nn/unit_rows.hpp>

namespace espalier {
void Head::init(const HeadParams& params, std::int64_t width, std::int64_t classes,
                Parameters& parameters, Random& random) {
  cosine_ = params.use == "cosine";
  linear_.init("linear", width, classes, LinearInit::standard, parameters, random, !cosine_);
  if (!cosine_) return;
  log_scale_ = parameters.add("log_scale", at::full({1}, std::log(params.scale), at::kFloat));
}

at::Tensor Head::operator()(const at::Tensor& states) const {
  if (!cosine_) return linear_(states);
  return log_scale_.exp() * unit_rows(states).matmul(unit_rows(linear_.weight()).t());
}

Model::Model(std::shared_ptr<Gnn> gnn, std::string gnn_name, const HeadParams& head,
             std::int64_t width, std::int64_t views, std::int64_t classes, std::int64_t seed,
             Parameters& parameters)
    : gnn_(std::move(gnn)), name_(std::move(gnn_name)), views_(views) {
  {
    const Parameters::Scope scope(parameters, "gnn");
    Random random(seed, "init");
    guarded(name_, "init", [&] { gnn_->init(width, parameters, random); });
  }
  const Parameters::Scope scope(parameters, "head");
  Random random(seed, "head");
  head_.init(head, gnn_->out_width(), classes, parameters, random);
}

at::Tensor Model::classify(const at::Tensor& h, const at::Tensor& x, const Mode& mode) const {
  const at::Tensor y = call_component(name_, "readout", [&] { return gnn_->readout(h, x, mode); });
  require_shape(name_, "readout", y, x.size(0), gnn_->out_width());
  if (views_ == 1) return head_(y);
  return head_(y.view({views_, -1, y.size(1)}).mean(0));
}

at::Tensor Model::logits(const Nodes& nodes, const CsrGraph& graph, const Mode& mode) const {
  const at::Tensor h_0 = call_component(name_, "embed", [&] { return gnn_->embed(nodes.x, mode); });
  at::Tensor h = h_0;
  for (std::int64_t l = 0; l < gnn_->depth(); ++l) {
    h = call_component(name_, "step", [&] { return gnn_->step(l, h, h, h_0, graph, mode); });
  }
  return classify(h, nodes.x, mode);
}

Model::Support Model::support(const Nodes& nodes, const CsrGraph& graph) const {
  const Mode mode;
  Support support;
  support.states.push_back(
      call_component(name_, "embed", [&] { return gnn_->embed(nodes.x, mode); }));
  for (std::int64_t l = 0; l < gnn_->depth(); ++l) {
    const at::Tensor& h = support.states.back();
    support.states.push_back(call_component(
        name_, "step", [&] { return gnn_->step(l, h, h, support.states[0], graph, mode); }));
  }
  support.logits = classify(support.states.back(), nodes.x, mode);
  return support;
}

at::Tensor Model::attached(const Support& support, const Nodes& queries,
                           const CsrGraph& graph) const {
  const Mode mode;
  const at::Tensor h_0 =
      call_component(name_, "embed", [&] { return gnn_->embed(queries.x, mode); });
  at::Tensor h = h_0;
  for (std::int64_t l = 0; l < gnn_->depth(); ++l) {
    const at::Tensor& kept = support.states[static_cast<std::size_t>(l)];
    const at::Tensor sources = views_ == 1 ? kept : at::cat({kept, h});
    h = call_component(name_, "step", [&] { return gnn_->step(l, sources, h, h_0, graph, mode); });
  }
  return classify(h, queries.x, mode);
}

}  // namespace espalier
