// Captions that were written before, as a captioner gives them.
#pragma once

#include <espalier/caption/caption_set.hpp>
#include <espalier/core/error.hpp>
#include <espalier/plugin/captioner.hpp>
#include <filesystem>
#include <span>
#include <spdlog/fwd.h>
#include <string>

namespace espalier {

class RecordedCaptions {
 public:
  // Reads any form of caption_file.hpp. The log must outlive it.
  RecordedCaptions(std::filesystem::path file, spdlog::logger& log);

  // Throws Error with the samples that have no caption, whose captions failed, and, of some of
  // them, whose pictures are not those that were captioned. Warns of captions without a sample.
  void check(std::span<const CaptionRequest> requests) const;
  // The text; empty where it was taken away. Throws Error where there is none, or where it is of
  // another picture.
  [[nodiscard]] const std::string& caption(const CaptionRequest& request) const;

 private:
  void check_ids(std::span<const CaptionRequest> requests, Problems& problems) const;
  void check_answers(std::span<const CaptionRequest> requests, Problems& problems) const;
  void check_pictures(std::span<const CaptionRequest> requests) const;
  [[noreturn]] void other_pictures(std::size_t count, const std::string& names) const;

  std::filesystem::path file_;
  CaptionSet captions_;
  spdlog::logger& log_;
};

}  // namespace espalier
