// What `espalier data check` found, as people and programs read it.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/dataset/dataset_check.hpp>
#include <functional>
#include <string>

#include "../said_sink.hpp"

namespace espalier::cli {

struct DataReport {
  std::string name;
  const Dataset& dataset;
  const DatasetCheck& check;
  SaidSink::Said said;  // by the dataset while it was opened, such as files that it left out
};

[[nodiscard]] std::string report_text(const DataReport& report);
[[nodiscard]] Json report_json(const DataReport& report);
// Whether every picture can be read and is in one split and one class.
[[nodiscard]] bool is_clean(const DataReport& report);

// One line on standard error that renews itself; empty where that is no terminal.
[[nodiscard]] std::function<void(std::size_t done, std::size_t total)> picture_progress();

}  // namespace espalier::cli
