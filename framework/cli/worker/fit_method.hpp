// How large a method may be, for espalier plan.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/plugin/encoder.hpp>
#include <espalier/plugin/peft.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace espalier::cli {

using MakeMethod = std::function<std::shared_ptr<Peft>(const Json& section)>;

// Answers {"encoder", "peft": sections, "towers", "trainable", "key", "values"}, as
// experiment/data_inspector.hpp has them, with {"smallest", "found": {"value", "trainable"} or
// null}. Methods are attached with one value after the other and counted, by themselves: values
// that they refuse are left out. A method with a template learns in the texts of `class_names`.
[[nodiscard]] Json fit_method(const Json& question, Encoder& encoder, const MakeMethod& make,
                              const std::vector<std::string>& class_names, std::int64_t seed);

}  // namespace espalier::cli
