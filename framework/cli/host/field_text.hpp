// Parameters in words.
#pragma once

#include <espalier/core/schema.hpp>
#include <string>
#include <vector>

namespace espalier::cli {

// `list of integer`, `encoder`.
[[nodiscard]] std::string type_text(const FieldInfo& field);
// `default 0.7`, `must be given`.
[[nodiscard]] std::string default_text(const FieldInfo& field);
// `0 < value <= 1`, `cosine | constant`; empty where all of the type can be.
[[nodiscard]] std::string range_text(const FieldInfo& field);
// What else is to be said of it, one sentence a line: that a path counts by its content, when it
// matters, where its default comes from.
[[nodiscard]] std::vector<std::string> remarks(const FieldInfo& field);

// `lr: 0.0002, batch_size: 32`; where a method trains nothing, that it does not.
[[nodiscard]] std::string preset_text(const TrainPreset& preset);

}  // namespace espalier::cli
