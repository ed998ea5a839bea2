#include <algorithm>
#include <array>
#include <espalier/core/error.hpp>
#include <espalier/dataset/csv.hpp>

#include "text/unicode.hpp"

namespace espalier {
namespace {

class CsvParser {
 public:
  CsvParser(std::string_view text, std::string_view origin, char delimiter)
      : rest_(text), origin_(origin), delimiter_(delimiter), ends_{delimiter, '\n'} {}

  std::vector<CsvRow> parse() {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
    if (const auto at = unicode::first_invalid_byte(rest_)) {
      for (const char c : rest_.substr(0, *at)) line_ += c == '\n' ? 1 : 0;
      fail("a table is not UTF-8");
    }
    std::vector<CsvRow> rows;
    while (!rest_.empty()) {
      CsvRow row{.line = line_, .fields = {}};
      do row.fields.push_back(field());
      while (take(delimiter_));
      end_line();
      if (row.fields.size() > 1 || !row.fields[0].empty()) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  [[noreturn]] void fail(std::string what) const {
    throw Error({.what = std::move(what),
                 .where = std::string(origin_) + ":" + std::to_string(line_),
                 .expected = {},
                 .found = {},
                 .fix = "write the table again as CSV in UTF-8"});
  }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string field() { return take('"') ? quoted() : plain(); }

  std::string plain() {
    const std::size_t end =
        std::min(rest_.find_first_of(std::string_view(ends_.data(), ends_.size())), rest_.size());
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end);
    if (value.ends_with('\r')) value.pop_back();
    if (value.find('"') != std::string::npos) fail("a quote inside a field that is not quoted");
    return value;
  }

  std::string quoted() {
    std::string value;
    while (true) {
      const std::size_t end = rest_.find('"');
      if (end == std::string_view::npos) fail("a quote is not closed");
      for (const char c : rest_.substr(0, end)) line_ += c == '\n' ? 1 : 0;
      value += rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      if (!take('"')) return value;
      value.push_back('"');
    }
  }

  void end_line() {
    (void)take('\r');
    if (!rest_.empty() && !take('\n')) fail("text after a closing quote");
    ++line_;
  }

  std::string_view rest_;
  std::string_view origin_;
  char delimiter_;
  std::array<char, 2> ends_;  // of a field that is not quoted
  std::int64_t line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, std::string_view origin, char delimiter) {
  return CsvParser(text, origin, delimiter).parse();
}

}  // namespace espalier
