#include <espalier/caption/caption_set.hpp>
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

// Takes members out of a line; what is left belongs to others.
class RecordReader {
 public:
  RecordReader(Json line, const std::string& where, Problems& problems)
      : line_(std::move(line)), where_(where), problems_(problems) {}

  std::string text(const char* key, bool required) {
    if (!line_.contains(key) && !required) return {};
    const Json value = take(key);
    if (value.is_string()) return value.get<std::string>();
    wrong(key, "a text", value);
    return {};
  }

  std::int64_t count(const char* key, std::int64_t usual) {
    if (!line_.contains(key)) return usual;
    const Json value = take(key);
    if (value.is_number_integer() && value >= 0 && value <= largest_exact)
      return value.get<std::int64_t>();
    wrong(key, "a whole number from 0", value);
    return usual;
  }

  double seconds() {
    if (!line_.contains("seconds")) return 0;
    const Json value = take("seconds");
    if (value.is_number() && value >= 0) return value.get<double>();
    wrong("seconds", "a number from 0", value);
    return 0;
  }

  Answer answer() {
    const std::string name = text("answer", true);
    if (const auto known = answer_named(name)) return *known;
    if (!name.empty()) wrong("answer", "ok, truncated, refused, ...", name);
    return Answer::ok;
  }

  Json rest() { return std::move(line_); }

 private:
  Json take(const char* key) {
    Json value = line_.value(key, Json());
    line_.erase(key);
    return value;
  }

  void wrong(const char* key, const char* expected, const Json& found) {
    problems_.add(
        {.what = "a caption's \"" + std::string(key) + "\" is missing or of a wrong type",
         .where = where_,
         .expected = expected,
         .found = found.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 200),
         .fix = {}});
  }

  Json line_;
  const std::string& where_;
  Problems& problems_;
};

}  // namespace

Json to_json(const CaptionRecord& record) {
  const AnsweredCaption& caption = record.caption;
  Json line = record.more;
  line.update({{"id", record.id},
               {"image", record.image},
               {"text", caption.text},
               {"answer", to_string(caption.answer)},
               {"source", caption.source},
               {"model", caption.model},
               {"fingerprint", caption.fingerprint},
               {"prompt_tokens", caption.prompt_tokens},
               {"tokens", caption.tokens},
               {"tries", caption.tries},
               {"seconds", record.seconds}});
  if (!caption.note.empty()) line["note"] = caption.note;
  return line;
}

CaptionRecord record_from(const Json& line, const std::string& where, Problems& problems) {
  if (!line.is_object()) {
    problems.add({.what = "a line of a caption set is no object",
                  .where = where,
                  .expected = R"({"answer": "ok", "id": ..., "text": ...})",
                  .found = line.dump().substr(0, 200),
                  .fix = {}});
    return {};
  }
  RecordReader reader(line, where, problems);
  CaptionRecord record;
  record.id = reader.text("id", true);
  record.image = reader.text("image", false);
  AnsweredCaption& caption = record.caption;
  caption.text = reader.text("text", true);
  caption.answer = reader.answer();
  caption.note = reader.text("note", false);
  caption.source = reader.text("source", false);
  caption.model = reader.text("model", false);
  caption.fingerprint = reader.text("fingerprint", false);
  caption.prompt_tokens = reader.count("prompt_tokens", 0);
  caption.tokens = reader.count("tokens", 0);
  caption.tries = reader.count("tries", 1);
  record.seconds = reader.seconds();
  record.more = reader.rest();
  return record;
}

}  // namespace espalier
