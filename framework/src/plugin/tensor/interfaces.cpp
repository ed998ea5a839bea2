#include <espalier/plugin/encoder.hpp>
#include <espalier/plugin/gnn.hpp>
#include <espalier/plugin/graph.hpp>
#include <espalier/plugin/peft.hpp>

namespace espalier {

Encoder::~Encoder() = default;
GraphBuilder::~GraphBuilder() = default;
Gnn::~Gnn() = default;
Peft::~Peft() = default;

void Encoder::fit(std::span<const std::string>) {}
double Encoder::logit_scale() const { return 1.0; }
AdaptableEncoder* Encoder::adaptable() { return nullptr; }

void Peft::prepare(const FrozenFeatures&, std::span<const std::int64_t>) {}
void Peft::attach(AdaptableEncoder&, Parameters&, Random&) {}
Json Peft::adapter_config() const { return nullptr; }
void Peft::merge(AdaptableEncoder&) {}

at::Tensor Gnn::embed(const at::Tensor& x, const Mode&) const { return x; }
at::Tensor Gnn::readout(const at::Tensor& h, const at::Tensor&, const Mode&) const { return h; }

}  // namespace espalier
