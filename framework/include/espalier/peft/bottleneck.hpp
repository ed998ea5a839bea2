// Bottleneck adapters: a small MLP of its own at a branch of a layer,
//   f(x) = s (U drop(a(D x + d)) + u), D [m, w], U [w, m].
// Methods differ in what the adapter sees: the branch's result, the sum with the stream, or the
// stream that enters the branch. What f gives is added to the branch's result, and so to the
// stream.
#pragma once

#include <algorithm>
#include <espalier/nn/activation.hpp>
#include <espalier/peft/targets.hpp>
#include <espalier/plugin/peft.hpp>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

// `target_modules` are branches: attention, mlp.
struct BottleneckParams : TargetParams {
  BottleneckParams() { target_modules = {"mlp"}; }
  std::int64_t reduction_factor = 16;
  std::int64_t bottleneck = 0;
  std::string non_linearity = "relu";
  double scaling = 1;
  double dropout = 0;
  std::string init_weights = "mam_adapter";
};

template <class Params>
void bind_bottleneck(Schema<Params>& s) {
  bind_targets(s);
  s.template field<std::int64_t>("bottleneck", &Params::bottleneck)
      .sizes()
      .range(0, 65536)
      .doc("Width m inside the adapter; 0 for that of the tower over reduction_factor");
  s.template field<std::int64_t>("reduction_factor", &Params::reduction_factor)
      .range(1, 65536)
      .only_if("bottleneck == 0")
      .doc("The tower's width over that inside the adapter")
      .source("AdapterHub");
  s.template field<std::string>("non_linearity", &Params::non_linearity)
      .choices(activations)
      .doc("Between the two maps of the adapter");
  s.template field<double>("scaling", &Params::scaling)
      .above(0)
      .max(1e4)
      .doc("Factor s on what the adapter gives");
  s.template field<double>("dropout", &Params::dropout)
      .min(0)
      .below(1)
      .doc("Share of the values inside the adapter that is dropped in training");
}

// Of a method whose start may be other than the identity.
template <class Params>
void bind_init_weights(Schema<Params>& s) {
  s.template field<std::string>("init_weights", &Params::init_weights)
      .choices({"bert", "houlsby", "mam_adapter"})
      .doc(
          "Start of D and U: normal, normal within two deviations, or uniform and 0; d and u are "
          "0")
      .source("bert: AdapterHub; houlsby: Houlsby et al. 2019; mam_adapter: He et al. 2021");
}

class BottleneckMethod : public Peft {
 public:
  void attach(AdaptableEncoder& encoder, Parameters& parameters, Random& random) final;
  [[nodiscard]] Json adapter_config() const final;

 protected:
  // What an adapter sees of the stream that enters a branch and of the branch's result.
  using Seen = at::Tensor (*)(const at::Tensor& stream, const at::Tensor& result);
  struct Placing {
    std::string component;    // its name
    std::string mlp_adapter;  // the module's name in a layer, of one at the MLP
    Seen seen;
  };
  BottleneckMethod(BottleneckParams params, Placing placing)
      : params_(std::move(params)), placing_(std::move(placing)) {}

 private:
  [[nodiscard]] std::string module_of(const Site& branch, const AdaptableEncoder& encoder) const;

  BottleneckParams params_;
  Placing placing_;
  std::vector<std::string> targets_;  // branches that have an adapter
};

}  // namespace espalier
