#include <spdlog/logger.h>

#include <algorithm>
#include <espalier/caption/caption_file.hpp>
#include <espalier/caption/recorded_captions.hpp>
#include <set>
#include <string_view>
#include <utility>

namespace espalier {
namespace {

constexpr std::size_t most_named = 5;
constexpr std::size_t pictures_compared = 64;  // before anything is computed; the others when asked

// The first few, and how many there are.
class FewNames {
 public:
  void add(std::string_view name) {
    if (++count_ > most_named) return;
    text_.append(count_ == 1 ? "" : ", ").append(name);
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::string text() const { return count_ > most_named ? text_ + ", ..." : text_; }

 private:
  std::size_t count_ = 0;
  std::string text_;
};

// A text that was taken away leaves the picture alone.
bool is_usable(const CaptionRecord& record) {
  return has_text(record.caption.answer) || record.caption.answer == Answer::dropped;
}

bool is_of_another(const CaptionRecord& record, const CaptionRequest& request) {
  return !record.image.empty() && request.image && record.image != picture_hash(request.image());
}

}  // namespace

RecordedCaptions::RecordedCaptions(std::filesystem::path file, spdlog::logger& log)
    : file_(std::move(file)), captions_(read_captions(file_)), log_(log) {}

void RecordedCaptions::check(std::span<const CaptionRequest> requests) const {
  Problems problems;
  check_ids(requests, problems);
  check_answers(requests, problems);
  problems.throw_if_any();
  check_pictures(requests);
}

const std::string& RecordedCaptions::caption(const CaptionRequest& request) const {
  const CaptionRecord* found = captions_.find(request.id);
  if (found == nullptr || !is_usable(*found)) {
    throw Error({.what = "a photo has no caption",
                 .where = file_.string(),
                 .expected = "a caption for " + std::string(request.id),
                 .found = {},
                 .fix = {}});
  }
  if (is_of_another(*found, request)) other_pictures(1, std::string(request.id));
  return found->caption.text;
}

void RecordedCaptions::check_ids(std::span<const CaptionRequest> requests,
                                 Problems& problems) const {
  FewNames missing, superfluous;
  std::set<std::string_view> asked;
  for (const CaptionRequest& request : requests) {
    asked.insert(request.id);
    if (captions_.find(request.id) == nullptr) missing.add(request.id);
  }
  for (const CaptionRecord& record : captions_.records()) {
    if (!asked.contains(record.id)) superfluous.add(record.id);
  }
  if (missing.count() > 0) {
    problems.add({.what = std::to_string(missing.count()) + " of " +
                          std::to_string(requests.size()) + " photos have no caption",
                  .where = file_.string(),
                  .expected = "a caption for " + missing.text(),
                  .found = superfluous.count() == 0
                               ? std::to_string(captions_.records().size()) + " captions"
                               : "captions for " + superfluous.text(),
                  .fix = "an id is the path of a photo below the root of the dataset"});
  } else if (superfluous.count() > 0) {
    log_.warn("{} captions of {} are for photos that the dataset does not have: {}",
              superfluous.count(), file_.string(), superfluous.text());
  }
}

void RecordedCaptions::check_answers(std::span<const CaptionRequest> requests,
                                     Problems& problems) const {
  FewNames failed;
  for (const CaptionRequest& request : requests) {
    const CaptionRecord* found = captions_.find(request.id);
    if (found == nullptr || is_usable(*found)) continue;
    failed.add(found->id + " (" + std::string(to_string(found->caption.answer)) + ")");
  }
  if (failed.count() == 0) return;
  problems.add({.what = "the captions of " + std::to_string(failed.count()) + " of " +
                        std::to_string(requests.size()) + " photos failed",
                .where = file_.string(),
                .expected = "a text for every photo",
                .found = failed.text(),
                .fix = "the same `espalier captions write` asks for these again"});
}

void RecordedCaptions::check_pictures(std::span<const CaptionRequest> requests) const {
  const std::size_t step = std::max<std::size_t>(1, requests.size() / pictures_compared);
  FewNames others;
  for (std::size_t i = 0; i < requests.size(); i += step) {
    const CaptionRecord& record = *captions_.find(requests[i].id);
    if (is_of_another(record, requests[i])) others.add(record.id);
  }
  if (others.count() > 0) other_pictures(others.count(), others.text());
}

void RecordedCaptions::other_pictures(std::size_t count, const std::string& names) const {
  throw Error({.what = "captions are for other pictures than the dataset has under their ids",
               .where = file_.string(),
               .expected = "captions that were written for these pixels",
               .found = std::to_string(count) + " others: " + names,
               .fix = "write the captions anew, or take the hashes `image` out of the file where "
                      "the difference does not matter"});
}

}  // namespace espalier
