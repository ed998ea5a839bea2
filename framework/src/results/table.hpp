// A table by columns: what becomes a compound dataset in HDF5, a CSV file, or JSON.
//
// Missing values are NaN in numbers, -1 in integers and truth values, and the empty text in strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/core/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace espalier {

// A truth value that can be kept in a std::vector and copied as one byte.
enum class Flag : std::int8_t { absent = -1, no = 0, yes = 1 };

using ColumnValues = std::variant<std::vector<std::int32_t>, std::vector<std::int64_t>,
                                  std::vector<double>, std::vector<std::string>, std::vector<Flag>>;

struct Column {
  std::string name;
  ColumnValues values;
};

class Table {
 public:
  // Every column has as many values as the first.
  void add(std::string name, ColumnValues values);

  [[nodiscard]] const std::vector<Column>& columns() const noexcept { return columns_; }
  [[nodiscard]] std::size_t rows() const;
  // Nullptr where there is none.
  [[nodiscard]] const Column* find(std::string_view name) const;

 private:
  std::vector<Column> columns_;
};

// Values of one parameter in the narrowest column that holds them all: truth values, integers,
// numbers, else text (texts as they are, anything else as JSON). Null is missing.
[[nodiscard]] ColumnValues column_of(const std::vector<Json>& values);

// RFC 4180 with a header line and "\n" line ends; missing values are empty, numbers in the shortest
// form that reads back equal.
[[nodiscard]] std::string to_csv(const Table& table);
// An array with one object a row; missing numbers and truth values are null.
[[nodiscard]] Json to_json(const Table& table);

}  // namespace espalier
