#include <espalier/nn/perceptron.hpp>

#include <espalier/core/error.hpp>
#include <espalier/nn/activation.hpp>
#include <espalier/nn/dropout.hpp>

namespace espalier {

void Perceptron::init(const std::vector<std::string>& names,
                      const std::vector<std::int64_t>& widths, const std::string& activation,
                      Parameters& parameters, Random& random) {
  ESPALIER_ASSERT(widths.size() == names.size() + 1, "a width on each side of a map");
  names_ = names;
  activation_ = activation;
  maps_.resize(names.size());
  for (std::size_t l = 0; l < maps_.size(); ++l) {
    maps_[l].init(names[l], widths[l], widths[l + 1], LinearInit::standard, parameters, random);
  }
}

void Perceptron::init(std::int64_t layers, std::int64_t in, std::int64_t out,
                      const std::string& activation, Parameters& parameters, Random& random) {
  std::vector<std::string> names;
  std::vector<std::int64_t> widths = {in};
  for (std::int64_t l = 0; l < layers; ++l) {
    names.push_back("layers." + std::to_string(l));
    widths.push_back(out);
  }
  init(names, widths, activation, parameters, random);
}

at::Tensor Perceptron::operator()(const at::Tensor& x) const { return (*this)(x, 0, {}); }

at::Tensor Perceptron::operator()(const at::Tensor& x, double dropout, const Mode& mode) const {
  at::Tensor h = x;
  for (std::size_t l = 0; l < maps_.size(); ++l) {
    if (l > 0) h = activate(activation_, h);
    h = maps_[l](espalier::dropout(h, dropout, mode, names_[l]));
  }
  return h;
}

at::Tensor Perceptron::after_first(const at::Tensor& first) const {
  at::Tensor h = first;
  for (std::size_t l = 1; l < maps_.size(); ++l) h = maps_[l](activate(activation_, h));
  return h;
}

}  // namespace espalier
