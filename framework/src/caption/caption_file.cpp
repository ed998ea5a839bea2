#include <algorithm>
#include <espalier/caption/caption_file.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/dataset/csv.hpp>
#include <espalier/dataset/photo_dataset.hpp>
#include <map>
#include <optional>
#include <utility>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t caption_file_limit = std::size_t{1} << 30;
constexpr JsonLimits limits{.bytes = caption_file_limit};
constexpr std::string_view id_names[] = {"id", "path"};
constexpr std::string_view text_names[] = {"text", "caption"};

// Forms of a person's own.
class CaptionReader {
 public:
  CaptionReader(const fs::path& file, Problems& problems)
      : file_(file.string()), wrong_(problems) {}

  std::vector<CaptionRecord> read(const std::string& text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    if (first == std::string::npos) {
      wrong(1, "there are no captions", "");
    } else if (text[first] == '[') {
      read_list(parse_json(text, file_, limits));
    } else if (text[first] == '{') {
      read_objects(text);
    } else {
      read_table(text);
    }
    std::vector<CaptionRecord> records;
    for (auto& [id, caption] : captions_) {
      records.push_back({.id = id, .caption = {std::move(caption), "file"}});
    }
    return records;
  }

 private:
  void wrong(std::int64_t line, std::string what, std::string found) {
    wrong_.add({.what = std::move(what),
                .where = file_ + ":" + std::to_string(line),
                .expected = R"({"id": "text", ...}, lines of {"id": ..., "text": ...}, or CSV)",
                .found = found.substr(0, 200),
                .fix = {}});
  }

  void add(std::int64_t line, const std::string& id, const std::string& text) {
    if (id.empty()) return wrong(line, "a caption is for no photo", text);
    if (text.empty()) return wrong(line, "a caption is empty", id);
    if (text.size() > longest_caption)
      return wrong(line, "a caption is longer than 8192 bytes", id);
    if (text.find('\0') != std::string::npos) return wrong(line, "a caption holds a NUL", id);
    const std::string plain = fs::path(id).lexically_normal().generic_string();
    if (!captions_.emplace(plain, text).second) wrong(line, "a photo has two captions", plain);
  }

  // The value under the first of the names that is there, where it is a text.
  template <std::size_t n>
  static std::optional<std::string> text_under(const Json& object,
                                               const std::string_view (&names)[n]) {
    for (const std::string_view name : names) {
      const auto value = object.find(name);
      if (value != object.end() && value->is_string()) return value->template get<std::string>();
    }
    return std::nullopt;
  }

  void add_object(std::int64_t line, const Json& object) {
    const auto id = object.is_object() ? text_under(object, id_names) : std::nullopt;
    const auto text = object.is_object() ? text_under(object, text_names) : std::nullopt;
    if (id && text) return add(line, *id, *text);
    wrong(line, "an entry lacks the texts id and text", object.dump());
  }

  void read_list(const Json& list) {
    std::int64_t number = 0;
    for (const Json& object : list) add_object(++number, object);
  }

  // One object of all, or one a line.
  void read_objects(const std::string& text) {
    const auto first = parsed(std::string_view(text).substr(0, text.find('\n')));
    if (first && text_under(*first, id_names) && text_under(*first, text_names)) {
      return read_lines(text);
    }
    const Json whole = parse_json(text, file_, limits);
    for (const auto& [id, value] : whole.items()) {
      if (value.is_string()) {
        add(1, id, value.get<std::string>());
      } else {
        wrong(1, "a caption is no text", id + ": " + value.dump());
      }
    }
  }

  void read_lines(std::string_view rest) {
    for (std::int64_t line = 1; !rest.empty(); ++line) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view text = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (text.find_first_not_of(" \t\r\xef\xbb\xbf") == std::string_view::npos) continue;
      if (const auto object = parsed(text)) {
        add_object(line, *object);
      } else {
        wrong(line, "a line is no JSON", std::string(text));
      }
    }
  }

  [[nodiscard]] std::optional<Json> parsed(std::string_view text) const try {
    return parse_json(text, file_);
  } catch (const Error&) {
    return std::nullopt;
  }

  void read_table(const std::string& text) {
    const std::string_view head = std::string_view(text).substr(0, text.find('\n'));
    const auto count = [&](char c) { return std::count(head.begin(), head.end(), c); };
    char delimiter = ',';
    for (const char other : {';', '\t'}) {
      if (count(other) > count(delimiter)) delimiter = other;
    }
    const std::vector<CsvRow> rows = parse_csv(text, file_, delimiter);
    const auto column = [&](const auto& names) {
      if (rows.empty()) return std::ptrdiff_t{-1};
      const std::vector<std::string>& fields = rows[0].fields;
      for (const std::string_view name : names) {
        const auto found = std::find(fields.begin(), fields.end(), name);
        if (found != fields.end()) return found - fields.begin();
      }
      return std::ptrdiff_t{-1};
    };
    const std::ptrdiff_t id = column(id_names), caption = column(text_names);
    if (id < 0 || caption < 0)
      return wrong(1, "the table has no columns id and text", std::string(head));
    for (auto row = rows.begin() + 1; row != rows.end(); ++row) {
      if (row->fields.size() != rows[0].fields.size()) {
        wrong(row->line, "a line has another number of columns", row->fields[0]);
      } else {
        add(row->line, row->fields[static_cast<std::size_t>(id)],
            row->fields[static_cast<std::size_t>(caption)]);
      }
    }
  }

  std::string file_;
  ListProblems wrong_;
  std::map<std::string, std::string> captions_;
};

}  // namespace

CaptionSet read_captions(const fs::path& file) {
  const std::string text = read_file(file, caption_file_limit);
  if (CaptionSet::is_set(text)) return CaptionSet::parse(text, file.string());
  Problems problems;
  std::vector<CaptionRecord> records = CaptionReader(file, problems).read(text);
  problems.throw_if_any();
  CaptionSet set(Json::object(), std::move(records), file.string());
  set.set_digest_of(text);
  return set;
}

}  // namespace espalier
