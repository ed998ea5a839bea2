// Settings of one component on the command line: `dataset.use=flora dataset.classes=12`, and of
// those in it: `captioner.of.use=file captioner.of.file=captions.csv`.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/plugin/catalog.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::cli {

// Key below the section to its text. Throws Error with every argument that is not
// `SECTION.KEY=VALUE` and every key that is given twice.
[[nodiscard]] std::map<std::string, std::string> read_settings(
    std::string_view section, const std::vector<std::string>& arguments);

// The resolved section {"use": ..., all parameters}. Values are text for parameters that are text,
// else JSON. A component in it is named by its key or by `.use` below that, as in an experiment.
// Throws Error with all problems, or where there is no such component.
[[nodiscard]] Json resolve_settings(std::string_view kind,
                                    const std::map<std::string, std::string>& settings,
                                    const Catalog& catalog);

}  // namespace espalier::cli
