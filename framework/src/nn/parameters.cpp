#include <espalier/nn/parameters.hpp>

#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>

namespace espalier {

at::Tensor Parameters::add(const std::string& name, const at::Tensor& initial,
                           ParameterRates rates) {
  const std::string full = prefix_ + name;
  const auto taken = [&](const Entry& entry) { return entry.first == full; };
  if (std::any_of(entries_.begin(), entries_.end(), taken)) {
    throw Error({.what = "two parameters have the name \"" + full + "\"",
                 .where = {},
                 .expected = "a name of its own for each parameter",
                 .found = {},
                 .fix = {}});
  }
  const at::Tensor copy = initial.detach().to(device_).clone(at::MemoryFormat::Contiguous);
  at::Tensor leaf = copy.set_requires_grad(true);
  entries_.emplace_back(full, leaf);
  rates_.push_back(rates);
  return leaf;
}

std::vector<Parameters::Entry> Parameters::added_since(std::size_t first) const {
  std::vector<Entry> added;
  for (std::size_t i = first; i < entries_.size(); ++i) {
    added.emplace_back(entries_[i].first.substr(prefix_.size()), entries_[i].second);
  }
  return added;
}

std::vector<at::Tensor> Parameters::tensors() const {
  std::vector<at::Tensor> list;
  for (const Entry& entry : entries_) list.push_back(entry.second);
  return list;
}

std::int64_t Parameters::count() const {
  std::int64_t sum = 0;
  for (const Entry& entry : entries_) sum += entry.second.numel();
  return sum;
}

std::vector<Parameters::Entry> Parameters::snapshot() const {
  std::vector<Entry> copies;
  for (const auto& [name, tensor] : entries_) copies.emplace_back(name, tensor.detach().clone());
  return copies;
}

void Parameters::restore(const std::vector<Entry>& snapshot) {
  ESPALIER_ASSERT(snapshot.size() == entries_.size(), "the snapshot is of other parameters");
  const c10::AutoGradMode no_grad(false);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    ESPALIER_ASSERT(snapshot[i].first == entries_[i].first, "the snapshot is of other parameters");
    entries_[i].second.copy_(snapshot[i].second);
  }
}

Parameters::Scope::Scope(Parameters& parameters, const std::string& prefix,
                         std::optional<at::Device> device)
    : parameters_(parameters), length_(parameters.prefix_.size()), device_(parameters.device_) {
  if (!prefix.empty()) parameters.prefix_ += prefix + ".";
  parameters.device_ = device.value_or(device_);
}

Parameters::Scope::~Scope() {
  parameters_.prefix_.resize(length_);
  parameters_.device_ = device_;
}

bool all_finite(const at::Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

at::Tensor uniform_init(at::IntArrayRef sizes, double bound, Random& random) {
  at::Tensor tensor = at::empty(sizes, at::kFloat);
  float* values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = static_cast<float>(random.uniform(-bound, bound));
  }
  return tensor;
}

at::Tensor normal_init(at::IntArrayRef sizes, double deviation, Random& random) {
  at::Tensor tensor = at::empty(sizes, at::kFloat);
  float* values = tensor.data_ptr<float>();
  std::generate(values, values + tensor.numel(),
                [&] { return static_cast<float>(deviation * random.normal()); });
  return tensor;
}

at::Tensor glorot_uniform(at::IntArrayRef sizes, Random& random) {
  const double fans = static_cast<double>(sizes[sizes.size() - 2] + sizes[sizes.size() - 1]);
  return uniform_init(sizes, std::sqrt(6.0 / fans), random);
}

at::Tensor linear_init(at::IntArrayRef sizes, Random& random) {
  return uniform_init(sizes, 1.0 / std::sqrt(static_cast<double>(sizes.back())), random);
}

}  // namespace espalier
