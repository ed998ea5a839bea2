// The three forms of `espalier encode`, and what other verbs need of them. Requests are what
// cli/host/encode.cpp makes.
#pragma once

#include <cstddef>
#include <espalier/core/json.hpp>
#include <espalier/plugin/dataset.hpp>
#include <espalier/plugin/encoder.hpp>
#include <espalier/plugin/loader_context.hpp>
#include <espalier/tensor/tensor.hpp>
#include <memory>
#include <span>
#include <spdlog/logger.h>
#include <string>

namespace espalier::cli {

void encode_tensors(const Json& request);
void encode_dataset(const Json& request);
void encode_texts(const Json& request);

// Makes the components of a request.
class EncodeComponents {
 public:
  explicit EncodeComponents(const Json& request);

  // The component of a resolved section.
  template <class Interface>
  [[nodiscard]] std::shared_ptr<Interface> make(const Json& section) {
    return loader_.make<Interface>(section, context_);
  }

  [[nodiscard]] bool has(std::string_view kind, const Json& section,
                         std::string_view capability) const {
    return catalog_.has(kind, section, capability);
  }

 private:
  Catalog catalog_;
  Loader loader_;
  spdlog::logger log_;
  LoaderContext context_;
};

// Features of some pictures, float32 [samples, width] on the CPU, with a line of progress on a
// terminal.
[[nodiscard]] at::Tensor image_rows(const Encoder& encoder, const Dataset& dataset,
                                    std::span<const std::size_t> samples);

// float32 [rows, width]; undefined where there are none.
[[nodiscard]] at::Tensor given_rows(const FeatureRows& rows);

// Who needs pictures has to get them, and features are passed on by an encoder that is `given`
// alone: throws Error otherwise.
void require_a_match(bool given, const Dataset& dataset);

// Throws Error with the first ten of `names` whose row, float32 [n, width], is not finite. `kind`
// is what a name names, such as `picture`.
void require_finite(const at::Tensor& rows, std::span<const std::string> names,
                    const std::string& kind);

}  // namespace espalier::cli
