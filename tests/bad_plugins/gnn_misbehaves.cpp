// A network that does in one place what no network should.
#include <ATen/TensorOperators.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/zeros.h>

#include <chrono>
#include <csignal>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn.hpp>
#include <limits>
#include <stdexcept>
#include <thread>

namespace {

struct Params {
  std::string how = "works";
};
void bind(espalier::Schema<Params>& s) {
  // works; constructor, init, embed, step, readout throw there; torch, odd, nan, shape, sleep,
  // allocate, crash are done in step().
  s.field("how", &Params::how).doc("The method that throws, or the deed");
}

[[noreturn]] void sleep_forever() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

[[noreturn]] void allocate_without_end() {
  std::vector<std::vector<char>> blocks;
  for (;;) blocks.emplace_back(std::size_t{64} << 20, 'x');
}

class Misbehaves final : public espalier::Gnn {
 public:
  using Params = ::Params;
  Misbehaves(const Params& params, const espalier::RunContext&) : how_(params.how) {
    fail_in("constructor");
  }

  void init(std::int64_t width, espalier::Parameters& parameters, espalier::Random&) override {
    fail_in("init");
    width_ = width;
    scale_ = parameters.add("scale", at::zeros({1}));
  }
  [[nodiscard]] std::int64_t out_width() const override { return width_; }
  [[nodiscard]] std::int64_t depth() const override { return 1; }

  [[nodiscard]] at::Tensor embed(const at::Tensor& x, const espalier::Mode&) const override {
    fail_in("embed");
    return x;
  }

  [[nodiscard]] at::Tensor step(std::int64_t, const at::Tensor&, const at::Tensor& targets,
                                const at::Tensor&, const espalier::CsrGraph&,
                                const espalier::Mode&) const override {
    fail_in("step");
    if (how_ == "torch") return targets.matmul(at::zeros({width_ + 1, 1}));
    if (how_ == "odd") throw 42;
    if (how_ == "nan") return at::full_like(targets, std::numeric_limits<double>::quiet_NaN());
    if (how_ == "shape") return at::zeros({targets.size(0), width_ + 1});
    if (how_ == "sleep") sleep_forever();
    if (how_ == "allocate") allocate_without_end();
    if (how_ == "crash") std::raise(SIGSEGV);
    return targets * (scale_ + 1);
  }

  [[nodiscard]] at::Tensor readout(const at::Tensor& h, const at::Tensor&,
                                   const espalier::Mode&) const override {
    fail_in("readout");
    return h;
  }

 private:
  void fail_in(const char* place) const {
    if (how_ == place) throw std::runtime_error(std::string("thrown in ") + place);
  }

  std::string how_;
  std::int64_t width_ = 0;
  at::Tensor scale_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "misbehaves", 1, Misbehaves, "Does on request what no network should", "")
