#include "results/table.hpp"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <espalier/core/error.hpp>
#include <limits>

namespace espalier {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::size_t size_of(const ColumnValues& values) {
  return std::visit([](const auto& list) { return list.size(); }, values);
}

template <class Test>
bool all_present(const std::vector<Json>& values, Test test) {
  const auto fits = [&](const Json& value) { return value.is_null() || test(value); };
  return std::all_of(values.begin(), values.end(), fits);
}

template <class T, class Convert>
std::vector<T> converted(const std::vector<Json>& values, T absent, Convert convert) {
  std::vector<T> list;
  list.reserve(values.size());
  for (const Json& value : values) list.push_back(value.is_null() ? absent : convert(value));
  return list;
}

bool all_null(const std::vector<Json>& values) {
  return std::all_of(values.begin(), values.end(), [](const Json& v) { return v.is_null(); });
}

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

std::string csv_number(double value) {
  if (std::isnan(value)) return {};
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end.ptr};
}

struct CsvCell {
  std::size_t row;
  std::string operator()(const std::vector<double>& list) const { return csv_number(list[row]); }
  std::string operator()(const std::vector<std::string>& list) const { return csv_text(list[row]); }
  std::string operator()(const std::vector<Flag>& list) const {
    if (list[row] == Flag::absent) return {};
    return list[row] == Flag::yes ? "true" : "false";
  }
  template <class Integer>
  std::string operator()(const std::vector<Integer>& list) const {
    return std::to_string(list[row]);
  }
};

struct JsonCell {
  std::size_t row;
  Json operator()(const std::vector<double>& list) const {
    return std::isfinite(list[row]) ? Json(list[row]) : Json();
  }
  Json operator()(const std::vector<Flag>& list) const {
    return list[row] == Flag::absent ? Json() : Json(list[row] == Flag::yes);
  }
  template <class T>
  Json operator()(const std::vector<T>& list) const {
    return list[row];
  }
};

}  // namespace

void Table::add(std::string name, ColumnValues values) {
  ESPALIER_ASSERT(columns_.empty() || size_of(values) == rows(), "columns of one length");
  columns_.push_back({std::move(name), std::move(values)});
}

std::size_t Table::rows() const { return columns_.empty() ? 0 : size_of(columns_[0].values); }

const Column* Table::find(std::string_view name) const {
  const auto it = std::find_if(columns_.begin(), columns_.end(),
                               [&](const Column& column) { return column.name == name; });
  return it == columns_.end() ? nullptr : &*it;
}

ColumnValues column_of(const std::vector<Json>& values) {
  if (!all_null(values) && all_present(values, [](const Json& v) { return v.is_boolean(); })) {
    return converted(values, Flag::absent,
                     [](const Json& v) { return v.get<bool>() ? Flag::yes : Flag::no; });
  }
  if (all_present(values, [](const Json& v) { return v.is_number_integer(); })) {
    return converted(values, std::int64_t{-1}, [](const Json& v) { return v.get<std::int64_t>(); });
  }
  if (all_present(values, [](const Json& v) { return v.is_number(); })) {
    return converted(values, nan, [](const Json& v) { return v.get<double>(); });
  }
  return converted(values, std::string(),
                   [](const Json& v) { return v.is_string() ? v.get<std::string>() : v.dump(); });
}

std::string to_csv(const Table& table) {
  std::string text;
  for (const Column& column : table.columns()) {
    text += (text.empty() ? "" : ",") + csv_text(column.name);
  }
  text.push_back('\n');
  for (std::size_t row = 0; row < table.rows(); ++row) {
    bool first = true;
    for (const Column& column : table.columns()) {
      if (!first) text.push_back(',');
      first = false;
      text += std::visit(CsvCell{row}, column.values);
    }
    text.push_back('\n');
  }
  return text;
}

Json to_json(const Table& table) {
  Json rows = Json::array();
  for (std::size_t row = 0; row < table.rows(); ++row) {
    Json object = Json::object();
    for (const Column& column : table.columns()) {
      object[column.name] = std::visit(JsonCell{row}, column.values);
    }
    rows.push_back(std::move(object));
  }
  return rows;
}

}  // namespace espalier
