// Where a method cuts an encoder, for espalier plan.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/plugin/loader.hpp>
#include <espalier/plugin/loader_context.hpp>

namespace espalier::cli {

// Answers {"encoder", "peft": sections, "towers": what the trial looks at of
// image, text and class_texts} with {"cuts":
// [{"tower", "cut", "layers", "bytes"}]}: none where the method needs features before it attaches.
// Throws Error where it finds nothing to train there.
[[nodiscard]] Json cuts_of_method(const Json& question, Loader& loader,
                                  const LoaderContext& context);

}  // namespace espalier::cli
