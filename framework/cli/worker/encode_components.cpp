#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <espalier/core/error.hpp>

#include "described_catalog.hpp"
#include "encode_internal.hpp"

namespace espalier::cli {
EncodeComponents::EncodeComponents(const Json& request)
    : catalog_(described_catalog(request.at("plugins").get<std::vector<std::string>>())),
      loader_(catalog_),
      log_("encode", std::make_shared<spdlog::sinks::stderr_sink_mt>()),
      context_(loader_, log_, request.at("device"), request.value("seed", std::int64_t{1})) {}

void require_finite(const at::Tensor& rows, std::span<const std::string> names,
                    const std::string& kind) {
  constexpr std::size_t shown = 10;
  const at::Tensor good = at::isfinite(rows).all(1);
  Problems problems;
  for (std::size_t i = 0; i < names.size() && problems.size() < shown; ++i) {
    if (good[static_cast<std::int64_t>(i)].item<bool>()) continue;
    problems.add(
        {.what = "the features of a " + kind + " are not finite",
         .where = names[i],
         .expected = "numbers",
         .found = "NaN or infinity",
         .fix = "encoder.precision=float32 where it was another; else look at the weights"});
  }
  problems.throw_if_any();
}

}  // namespace espalier::cli
