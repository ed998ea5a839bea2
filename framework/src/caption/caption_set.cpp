#include <algorithm>
#include <espalier/caption/caption_set.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <espalier/core/words.hpp>
#include <espalier/dataset/photo_dataset.hpp>
#include <utility>

namespace espalier {
namespace {

constexpr std::string_view set_format = "espalier captions";
constexpr std::int64_t set_version = 1;

std::string content_digest(std::string_view bytes) { return "sha256:" + hex(sha256(bytes)); }

Json header_of(const Json& about) {
  return {{"about", about}, {"format", set_format}, {"version", set_version}};
}

bool has_format(const Json& line) {
  return line.is_object() && line.contains("format") && line["format"] == set_format;
}

// The first line where it is that of a set, else null.
Json header_in(std::string_view text) try {
  Json line = parse_json(text.substr(0, text.find('\n')), "header");
  return has_format(line) ? line : Json();
} catch (const Error&) {
  return nullptr;
}

void refuse_other(const Json& header, std::string_view origin) {
  if (header.is_null()) {
    throw Error({.what = "the first line is not that of a caption set",
                 .where = std::string(origin) + ":1",
                 .expected = header_of(Json::object()).dump(),
                 .found = {},
                 .fix = "write the set again, or move this file away"});
  }
  if (header.value("version", Json()) == set_version && header.value("about", Json()).is_object())
    return;
  throw Error({.what = "a caption set is of another version",
               .where = std::string(origin) + ":1",
               .expected = header_of(Json::object()).dump(),
               .found = header.dump().substr(0, 200),
               .fix = "read it with the Espalier that wrote it"});
}

void sort_records(std::vector<CaptionRecord>& records, const std::string& origin,
                  ListProblems& wrong) {
  std::stable_sort(records.begin(), records.end(),
                   [](const auto& a, const auto& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < records.size(); ++i) {
    if (records[i].id != records[i - 1].id) continue;
    wrong.add({.what = "a picture has two captions",
               .where = origin,
               .expected = "one line for each picture",
               .found = records[i].id.substr(0, 200),
               .fix = {}});
  }
}

}  // namespace

std::string record_fault(const CaptionRecord& record) {
  const AnsweredCaption& caption = record.caption;
  if (record.id.empty()) return "a caption is for no picture";
  if (caption.text.size() > longest_caption) return "a caption is longer than 8192 bytes";
  if (!is_utf8(record.id) || !is_utf8(caption.text) || !is_utf8(caption.note))
    return "a caption is no UTF-8";
  if (caption.text.find('\0') != std::string::npos) return "a caption holds a NUL";
  if (has_text(caption.answer) && caption.text.empty()) return "a caption is empty";
  if (!has_text(caption.answer) && !caption.text.empty())
    return "an answer of the class `" + std::string(to_string(caption.answer)) + "` has a text";
  return {};
}

std::string picture_hash(const Image& image) {
  Sha256 hash;
  hash.update(std::to_string(image.width) + " " + std::to_string(image.height) + "\n");
  hash.update({reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size()});
  return hex(hash.finish());
}

CaptionSet::CaptionSet(Json about, std::vector<CaptionRecord> records, std::string_view origin)
    : about_(std::move(about)), records_(std::move(records)) {
  Problems problems;
  {
    ListProblems wrong(problems);
    for (const CaptionRecord& record : records_) {
      std::string fault = record_fault(record);
      if (fault.empty()) continue;
      wrong.add({.what = std::move(fault),
                 .where = std::string(origin),
                 .expected = {},
                 .found = record.id.substr(0, 200),
                 .fix = {}});
    }
    sort_records(records_, std::string(origin), wrong);
  }
  problems.throw_if_any();
  digest_ = content_digest(text());
}

CaptionSet CaptionSet::parse(std::string_view text, std::string_view origin) {
  const Json header = header_in(text);
  refuse_other(header, origin);
  std::vector<CaptionRecord> records;
  Problems problems;
  std::string_view rest = text;
  for (std::int64_t number = 1; !rest.empty() && problems.size() < 10; ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (number == 1 || line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string where = std::string(origin) + ":" + std::to_string(number);
    if (!is_utf8(line)) {
      problems.add({.what = "a line of a caption set is not UTF-8",
                    .where = where,
                    .expected = {},
                    .found = {},
                    .fix = "write it again as UTF-8"});
      continue;
    }
    try {
      records.push_back(record_from(parse_json(line, where), where, problems));
    } catch (const Error& error) {
      for (const Problem& problem : error.problems()) problems.add(problem);
    }
  }
  problems.throw_if_any();
  CaptionSet set(header["about"], std::move(records), origin);
  set.set_digest_of(text);
  return set;
}

bool CaptionSet::is_set(std::string_view text) { return !header_in(text).is_null(); }

void CaptionSet::set_digest_of(std::string_view bytes) { digest_ = content_digest(bytes); }

const CaptionRecord* CaptionSet::find(std::string_view id) const {
  const auto found = std::lower_bound(
      records_.begin(), records_.end(), id,
      [](const CaptionRecord& record, std::string_view key) { return record.id < key; });
  return found == records_.end() || found->id != id ? nullptr : &*found;
}

std::string CaptionSet::text() const {
  std::string lines = header_of(about_).dump() + "\n";
  for (const CaptionRecord& record : records_) lines += to_json(record).dump() + "\n";
  return lines;
}

std::string write_captions(const CaptionSet& set, const std::filesystem::path& file) {
  const std::string text = set.text();
  write_file(file, text);
  return content_digest(text);
}

}  // namespace espalier
