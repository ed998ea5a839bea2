// The three forms of `espalier encode`. Requests are what cli/host/encode.cpp makes.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/plugin/context.hpp>
#include <espalier/plugin/loader.hpp>
#include <espalier/tensor/tensor.hpp>
#include <span>
#include <spdlog/logger.h>
#include <string>

namespace espalier::cli {

void encode_tensors(const Json& request);
void encode_dataset(const Json& request);
void encode_texts(const Json& request);

// What a request's components are made with.
class EncodeContext final : public RunContext {
 public:
  explicit EncodeContext(const Json& request);

  [[nodiscard]] std::int64_t seed() const override { return 0; }
  [[nodiscard]] std::string device() const override { return device_; }
  [[nodiscard]] spdlog::logger& log() const override { return log_; }

  // The component of a resolved section.
  template <class Interface>
  [[nodiscard]] std::shared_ptr<Interface> component(const Json& section) const {
    return loader_.make<Interface>(section, *this);
  }

 protected:
  [[nodiscard]] std::shared_ptr<void> make_component(std::string_view kind,
                                                     const ComponentRef& ref) const override;

 private:
  std::string device_;
  Catalog catalog_;
  mutable Loader loader_;
  mutable spdlog::logger log_;
};

// Throws Error with the first ten of `names` whose row, float32 [n, width], is not finite. `kind`
// is what a name names, such as `picture`.
void require_finite(const at::Tensor& rows, std::span<const std::string> names,
                    const std::string& kind);

}  // namespace espalier::cli
