#include "results/result_file.hpp"

#include "results/trial_fields.hpp"
#include <algorithm>
#include <ctime>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <variant>

#include "hdf5_internal.hpp"

namespace espalier {
namespace {

constexpr std::size_t largest_file = std::size_t{8} << 30;
constexpr std::string_view seal_word = "sha256 ";
constexpr std::size_t seal_bytes = seal_word.size() + 64 + 1;

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Table final_table(const TrialResult& result) {
  Table table;
  for (const TrialField& field : trial_fields()) {
    table.add(std::string(field.name),
              field_column(field, 1, [&](std::size_t) -> const TrialResult& { return result; }));
  }
  return table;
}

Table timing_table(const std::vector<StageTime>& timing) {
  std::vector<std::string> stages;
  std::vector<double> seconds;
  std::vector<Flag> cached;
  for (const StageTime& time : timing) {
    stages.push_back(time.stage);
    seconds.push_back(time.seconds);
    cached.push_back(time.cached ? Flag::yes : Flag::no);
  }
  Table table;
  table.add("stage", std::move(stages));
  table.add("seconds", std::move(seconds));
  table.add("cached", std::move(cached));
  return table;
}

// A row a candidate, a column a setting that they differ in.
void write_candidates(hid_t file, const std::vector<TunedCandidate>& candidates) {
  if (candidates.empty()) return;
  Table table;
  for (const auto& [key, first] : candidates.front().settings.items()) {
    std::vector<Json> values;
    for (const TunedCandidate& candidate : candidates) values.push_back(candidate.settings.at(key));
    table.add(key, column_of(values));
  }
  std::vector<double> top1;
  std::vector<Flag> chosen;
  std::vector<std::string> failures;
  for (const TunedCandidate& candidate : candidates) {
    top1.push_back(candidate.val_top1);
    chosen.push_back(candidate.chosen ? Flag::yes : Flag::no);
    failures.push_back(candidate.failure);
  }
  table.add("val_top1", std::move(top1));
  table.add("chosen", std::move(chosen));
  table.add("failure", std::move(failures));
  hdf5::write_table(file, "tune", table);
}

// What write_candidates() wrote.
std::vector<TunedCandidate> candidates_from(const Table& table) {
  std::vector<TunedCandidate> candidates;
  for (const Json& row : to_json(table)) {
    TunedCandidate candidate{.settings = Json::object(), .failure = {}};
    for (const auto& [key, value] : row.items()) {
      if (key.find('.') != std::string::npos) candidate.settings[key] = value;
    }
    const Json& top1 = row.at("val_top1");
    if (top1.is_number()) candidate.val_top1 = top1.get<double>();
    candidate.failure = row.at("failure").get<std::string>();
    candidate.chosen = row.at("chosen").get<bool>();
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

std::vector<StageTime> timing_from(const Table& table) {
  std::vector<StageTime> timing;
  for (const Json& row : to_json(table)) {
    if (!row.at("seconds").is_number()) continue;
    timing.push_back({.stage = row.at("stage").get<std::string>(),
                      .seconds = row.at("seconds").get<double>(),
                      .cached = row.at("cached") == true});
  }
  return timing;
}

void write_training(hid_t file, const TrainingSamples& training) {
  ESPALIER_ASSERT(training.labels.size() == training.ids.size(), "one label a sample");
  if (training.ids.empty()) return;
  hdf5::write_column(file, "training/sample", training.ids);
  hdf5::write_array(file, "training/y_true", H5T_NATIVE_INT32, training.labels.data(),
                    {training.labels.size()});
}

void write_predictions(hid_t file, const Predictions& predictions) {
  const std::string group = "predictions/" + predictions.split;
  const hsize_t rows = predictions.ids.size();
  ESPALIER_ASSERT(predictions.labels.size() == rows && predictions.predicted.size() == rows,
                  "one label and one prediction a sample");
  if (rows == 0) return;
  ESPALIER_ASSERT(predictions.logits.size() % rows == 0, "logits are a matrix");
  const hsize_t classes = predictions.logits.size() / rows;
  hdf5::write_column(file, group + "/sample", predictions.ids);
  hdf5::write_array(file, group + "/y_true", H5T_NATIVE_INT32, predictions.labels.data(), {rows});
  hdf5::write_array(file, group + "/y_pred", H5T_NATIVE_INT32, predictions.predicted.data(),
                    {rows});
  hdf5::write_array(file, group + "/logits", H5T_NATIVE_FLOAT, predictions.logits.data(),
                    {rows, classes});
}

void write_tasks(hid_t file, const TaskResults& tasks) {
  if (tasks.accuracy.empty()) return;
  std::vector<double> rows;
  for (const std::vector<double>& row : tasks.accuracy) {
    rows.insert(rows.end(), row.begin(), row.end());
  }
  const hsize_t count = tasks.accuracy.size();
  hdf5::write_array(file, "tasks/accuracy", H5T_NATIVE_DOUBLE, rows.data(), {count, count});
  hdf5::write_array(file, "tasks/task_of_class", H5T_NATIVE_INT32, tasks.task_of_class.data(),
                    {tasks.task_of_class.size()});
}

void write_header(hid_t file, const TrialResult& result) {
  hdf5::write_attribute(file, "schema", "espalier.trial/1");
  hdf5::write_attribute(file, "trial_id", result.trial_id);
  hdf5::write_attribute(file, "combo_id", result.combo_id);
  hdf5::write_attribute(file, "status", "complete");
  hdf5::write_attribute(file, "seed", result.seed);
  hdf5::write_attribute(file, "created_utc", utc_now());
  for (const char* name : {"framework_version", "git_sha", "git_dirty"}) {
    if (result.environment.contains(name)) {
      hdf5::write_attribute(file, name, result.environment[name]);
    }
  }
}

std::int64_t offset_of(hid_t dataset) {
  const haddr_t offset = H5Dget_offset(dataset);
  return offset == HADDR_UNDEF ? 0 : static_cast<std::int64_t>(offset);
}

std::string seal_of(std::string_view content) {
  return std::string(seal_word) + hex(sha256(content)) + "\n";
}

// What the seal of a file covers.
std::string_view unsealed(std::string_view bytes, const std::filesystem::path& file) {
  const std::size_t size = bytes.size() - std::min(seal_bytes, bytes.size());
  const std::string_view content = bytes.substr(0, size);
  if (bytes.substr(size) == seal_of(content)) return content;
  throw Error({.what = "a result was cut, edited or damaged",
               .where = file.string(),
               .expected = {},
               .found = "its bytes have another SHA-256 than its last line says",
               .fix = {}});
}

template <class T>
const std::vector<T>& column(const Table& table, std::string_view name) {
  const Column* found = table.find(name);
  const auto* values = found != nullptr ? std::get_if<std::vector<T>>(&found->values) : nullptr;
  if (values == nullptr) {
    throw Error({.what = "a table lacks the column " + std::string(name),
                 .where = {},
                 .expected = {},
                 .found = {},
                 .fix = {}});
  }
  return *values;
}

std::vector<EpochMetrics> metrics_from(const Table& table) {
  std::vector<EpochMetrics> rows(table.rows());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = {column<std::int32_t>(table, "epoch")[i], column<std::int64_t>(table, "step")[i],
               column<std::string>(table, "split")[i],  column<double>(table, "loss")[i],
               column<double>(table, "top1")[i],        column<double>(table, "lr")[i],
               column<double>(table, "wall_s")[i]};
  }
  return rows;
}

}  // namespace

ResultExtent write_result(const std::filesystem::path& file, const TrialResult& result) {
  const hdf5::Handle memory = hdf5::create_file();
  write_header(memory, result);
  hdf5::write_text(memory, "config_json", result.config.dump(2));
  hdf5::write_attributes(hdf5::create_group(memory, "params"), result.config);
  hdf5::write_attributes(hdf5::create_group(memory, "graph"), result.graph);
  hdf5::write_attributes(hdf5::create_group(memory, "method"), result.method);
  hdf5::write_attributes(hdf5::create_group(memory, "env"), result.environment);
  hdf5::write_column(memory, "class_names", result.class_names);
  if (!result.new_class_names.empty()) {
    hdf5::write_column(memory, "new_class_names", result.new_class_names);
  }
  hdf5::write_table(memory, "final", final_table(result));
  hdf5::write_table(memory, "timing", timing_table(result.timing));
  write_training(memory, result.training);
  write_tasks(memory, result.tasks);
  write_candidates(memory, result.candidates);
  for (const Predictions& predictions : result.predictions) write_predictions(memory, predictions);

  MetricsColumns rows;
  rows.add(result.metrics);
  Table metrics;
  std::move(rows).move_to(metrics);
  const hdf5::Handle dataset = hdf5::write_table(memory, "metrics", metrics);
  const std::string_view content = hdf5::file_bytes(memory);
  const std::string seal = seal_of(content);
  const std::string_view pieces[] = {content, seal};
  write_file(file, pieces);

  Sha256 whole;
  for (const std::string_view piece : pieces) whole.update(piece);
  return {.bytes = static_cast<std::int64_t>(content.size() + seal.size()),
          .sha256 = hex(whole.finish()),
          .metrics_offset = offset_of(dataset),
          .metrics_rows = static_cast<std::int64_t>(metrics.rows()),
          .metrics_row_bytes = static_cast<std::int64_t>(hdf5::row_layout(metrics).bytes)};
}

TrialResult read_result(const std::filesystem::path& file) {
  const std::string bytes = read_own_file(file, largest_file);
  return parse_result(unsealed(bytes, file), file.string());
}

TrialResult parse_result(std::string_view bytes, const std::string& origin) try {
  const hdf5::Handle memory = hdf5::open_bytes(bytes, origin);
  TrialResult result;
  result.trial_id = hdf5::read_text_attribute(memory, "trial_id");
  result.combo_id = hdf5::read_text_attribute(memory, "combo_id");
  result.config = parse_json(hdf5::read_text(memory, "config_json"), origin);
  if (!result.config.is_object() && !result.config.is_null()) {
    throw Error({.what = "config_json is no configuration",
                 .where = {},
                 .expected = "a JSON object",
                 .found = result.config.type_name(),
                 .fix = {}});
  }
  result.metrics = metrics_from(hdf5::read_table(memory, "metrics"));
  if (H5Lexists(memory, "timing", H5P_DEFAULT) > 0) {
    result.timing = timing_from(hdf5::read_table(memory, "timing"));
  }
  const Json final_rows = to_json(hdf5::read_table(memory, "final"));
  if (!final_rows.empty()) read_summary(final_rows[0], result);
  if (H5Lexists(memory, "tune", H5P_DEFAULT) > 0) {
    result.candidates = candidates_from(hdf5::read_table(memory, "tune"));
    result.tuned = tuned_text(result.candidates);
  }
  if (const auto seed = result.config.find("seed");
      seed != result.config.end() && seed->is_number_integer()) {
    seed->get_to(result.seed);
  }
  return result;
} catch (const Error& error) {
  std::vector<Problem> problems = error.problems();
  for (Problem& problem : problems) problem.where = origin;
  throw Error(std::move(problems));
}

}  // namespace espalier
