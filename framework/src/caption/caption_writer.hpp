// Has a captioner caption the pictures of a dataset, and keeps what it answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/caption/caption_set.hpp>
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/dataset.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace espalier {

struct CaptionJob {
  const Dataset* dataset = nullptr;
  const Captioner* captioner = nullptr;
  std::string captioner_name;   // captioner/..., for messages
  std::int64_t seed = 1;        // of captioners that follow one
  bool partial = true;          // the set is written even where pictures got no text
  Json about = Json::object();  // of the set; its `captioner` is what is asked, all that counts
  std::filesystem::path file;
};

struct CaptionProgress {
  std::size_t before = 0;  // captions that were there when it began
  std::size_t asked = 0;   // answers since then
  std::size_t failed = 0;  // of these, without a text
  std::size_t all = 0;     // pictures
};

struct CaptionHooks {
  std::function<bool()> stopped = [] { return false; };
  std::function<void(const CaptionProgress&)> progress = [](const CaptionProgress&) {};
};

// Asks for the captions that job.file and what an earlier end left beside it (caption_journal.hpp)
// lack, several at once where the captioner wants that, and writes the set. Pictures without a text
// are in it with the class of the answer; where job.partial is false they keep it from being
// written. Empty where `stopped` said so: what was answered is kept, and the next call goes on from
// there. Throws Error where the captioner does, where what is there was asked for in another way or
// of other pictures, and StorageError where it cannot be stored; nothing that was answered is lost
// by these.
[[nodiscard]] std::optional<CaptionSet> write_caption_set(const CaptionJob& job,
                                                          const CaptionHooks& hooks);

}  // namespace espalier
