// A caption set: a text for each picture and how it came about, written once.
//
// What a server answers is no function of the question, so what it answered is data. A set is known
// by its digest, the SHA-256 of its file, which is what enters the identity of trials.
//
// captions.jsonl, UTF-8, a line each:
//   {"about": {...}, "format": "espalier captions", "version": 1}
//   {"answer": "ok", "fingerprint": "", "id": "roses/1.jpg", "image": "9f86...", "model":
//   "smolvlm",
//    "prompt_tokens": 812, "seconds": 1.25, "source": "openai plain", "text": "a red rose",
//    "tokens": 9, "tries": 1}
//   ...
// in the order of the ids. `about` says what the set was made of and from; who makes one set of
// another puts the digest of that one under `parent`. Of a record only id, text and answer must be
// there; `note` is there where it says something; other members belong to whoever wrote them, are
// kept and written back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/caption/asking_captioner.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <espalier/image/image.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

inline constexpr std::size_t longest_caption = 8192;  // bytes

struct CaptionRecord {
  std::string id;       // of the sample, which for photos is the path below the dataset's root
  std::string image{};  // picture_hash() of what was captioned; empty: not known
  AnsweredCaption caption{};
  double seconds = 0;  // from the first question to the answer, waits included; 0: nobody was asked
  Json more = Json::object();
};

// What keeps a record out of a set; empty where nothing does.
[[nodiscard]] std::string record_fault(const CaptionRecord& record);

// Of the pixels: hex SHA-256 of `WIDTH HEIGHT\n` in decimal digits and the bytes of Image::rgb.
[[nodiscard]] std::string picture_hash(const Image& image);

class CaptionSet {
 public:
  // `about` is an object. Throws Error with all that is wrong: ids that are empty or there twice,
  // texts that are longer than longest_caption, hold a NUL, or are missing where the answer has
  // one.
  CaptionSet(Json about, std::vector<CaptionRecord> records, std::string_view origin);

  // Of a file that write() made or a person changed. Throws Error with all that is wrong. `text` of
  // at most 1 GiB; `origin` names it in errors.
  [[nodiscard]] static CaptionSet parse(std::string_view text, std::string_view origin);
  // Whether it begins as a set does, and is not a person's own form (caption_file.hpp).
  [[nodiscard]] static bool is_set(std::string_view text);

  [[nodiscard]] const Json& about() const noexcept { return about_; }
  // In the order of the ids.
  [[nodiscard]] const std::vector<CaptionRecord>& records() const noexcept { return records_; }
  // Null where the set has no such id.
  [[nodiscard]] const CaptionRecord* find(std::string_view id) const;

  // The lines of the file.
  [[nodiscard]] std::string text() const;
  // `sha256:` and 64 hexadecimal digits: of text(), or of what was parsed.
  [[nodiscard]] const std::string& digest() const noexcept { return digest_; }

  void set_digest_of(std::string_view bytes);

 private:
  Json about_;
  std::vector<CaptionRecord> records_;
  std::string digest_;
};

// As write_file() does. Returns the digest.
std::string write_captions(const CaptionSet& set, const std::filesystem::path& file);

// One record as a line of a set, and back. record_from() adds what is wrong to `problems`, which is
// found at `where`.
[[nodiscard]] Json to_json(const CaptionRecord& record);
[[nodiscard]] CaptionRecord record_from(const Json& line, const std::string& where,
                                        Problems& problems);

}  // namespace espalier
