#include "caption/caption_writer.hpp"

#include "caption/caption_journal.hpp"
#include "caption/captions_of.hpp"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <espalier/caption/caption_file.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/plugin/loader.hpp>
#include <exception>
#include <map>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t compared_at_start = 8;
// Pictures that a captioner which only computes is given together.
constexpr std::size_t computed_together = 8;

class CaptionWriting {
 public:
  CaptionWriting(const CaptionJob& job, const CaptionHooks& hooks)
      : job_(job),
        hooks_(hooks),
        samples_(job.dataset->samples()),
        asking_(dynamic_cast<const AskingCaptioner*>(job.captioner)) {}

  std::optional<CaptionSet> run() {
    if (asking_ == nullptr) check_captions(*job_.captioner, *job_.dataset, job_.seed);
    take_set();
    const fs::path part = job_.file.string() + ".part";
    const bool begun = is_there(part);
    if (!begun && known_.size() == samples_.size() && missing().empty()) return *set_;
    CaptionJournal journal(part, job_.about);
    for (const auto& [id, record] : journal.records()) known_.insert_or_assign(id, record);
    compare_pictures();
    const bool all = ask(journal);
    journal.sync();
    if (!all) return std::nullopt;
    CaptionSet set = finished();
    if (!job_.partial && !missing().empty()) return set;
    write_captions(set, job_.file);
    journal.remove();
    return set;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void take_set() {
    if (!is_there(job_.file)) return;
    set_ = read_captions(job_.file);
    require_same_request(set_->about(), job_.about, job_.file.string());
    for (const CaptionRecord& record : set_->records()) known_.emplace(record.id, record);
  }

  [[nodiscard]] std::vector<std::size_t> missing() const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      const auto known = known_.find(samples_[i].id);
      if (known == known_.end() || !has_text(known->second.caption.answer)) found.push_back(i);
    }
    return found;
  }

  // A few, whether they are those that were captioned before.
  void compare_pictures() const {
    std::size_t compared = 0;
    for (std::size_t i = 0; i < samples_.size() && compared < compared_at_start; ++i) {
      const auto known = known_.find(samples_[i].id);
      if (known == known_.end() || known->second.image.empty()) continue;
      ++compared;
      if (picture_hash(job_.dataset->image(i)) == known->second.image) continue;
      throw Error({.what = "the file holds captions of other pictures under the same ids",
                   .where = job_.file.string(),
                   .expected = "a caption of this " + samples_[i].id,
                   .found = {},
                   .fix = "name another file with --out, or move this one away"});
    }
  }

  bool ask(CaptionJournal& journal) {
    todo_ = missing();
    progress_.all = samples_.size();
    progress_.before = samples_.size() - todo_.size();
    std::vector<std::jthread> threads;
    const std::size_t count = std::min(at_once(), todo_.size());
    for (std::size_t i = 0; i < count; ++i) {
      threads.emplace_back([this, &journal] { work(journal); });
    }
    threads.clear();
    if (failure_ && !hooks_.stopped()) {
      journal.sync();
      std::rethrow_exception(failure_);
    }
    return progress_.asked == todo_.size();
  }

  // What one thread does.
  void work(CaptionJournal& journal) try {
    const std::size_t together = asking_ == nullptr ? computed_together : 1;
    while (!ended()) {
      const std::size_t first = next_.fetch_add(together);
      if (first >= todo_.size()) return;
      const std::size_t some = std::min(together, todo_.size() - first);
      for (const CaptionRecord& record : captioned(std::span(todo_).subspan(first, some))) {
        keep(journal, record);
      }
    }
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    over_ = true;
  }

  [[nodiscard]] bool ended() const { return over_ || hooks_.stopped(); }

  [[nodiscard]] std::vector<CaptionRecord> captioned(std::span<const std::size_t> samples) const {
    std::vector<Image> images;
    std::vector<CaptionRecord> records;
    std::vector<CaptionRequest> requests;
    images.reserve(samples.size());
    for (const std::size_t sample : samples) {
      const Image& image = images.emplace_back(job_.dataset->image(sample));
      records.push_back({.id = samples_[sample].id, .image = picture_hash(image)});
      requests.push_back(caption_request(*job_.dataset, sample, job_.seed));
      requests.back().image = [&image] { return image; };
    }
    if (asking_ != nullptr) {
      ask(requests.front(), records.front());
    } else {
      compute(requests, records);
    }
    for (CaptionRecord& record : records) take_fault(record);
    return records;
  }

  void ask(const CaptionRequest& request, CaptionRecord& record) const {
    const auto begin = Clock::now();
    guarded(job_.captioner_name, "caption of " + record.id,
            [&] { record.caption = asking_->ask(request, [this] { return ended(); }); });
    record.seconds =
        std::chrono::round<std::chrono::milliseconds>(Clock::now() - begin).count() / 1e3;
  }

  void compute(std::span<const CaptionRequest> requests, std::span<CaptionRecord> records) const {
    std::vector<Caption> captions = captions_of(*job_.captioner, job_.captioner_name, requests);
    for (std::size_t i = 0; i < records.size(); ++i) {
      records[i].caption = {std::move(captions[i].text), std::move(captions[i].source)};
    }
  }

  static void take_fault(CaptionRecord& record) {
    const std::string fault = record_fault(record);
    if (fault.empty()) return;
    record.caption.text.clear();
    record.caption.note = fault;
    record.caption.answer = Answer::malformed;
  }

  [[nodiscard]] std::size_t at_once() const {
    return asking_ == nullptr ? 1 : static_cast<std::size_t>(asking_->concurrency());
  }

  void keep(CaptionJournal& journal, const CaptionRecord& record) {
    const std::scoped_lock lock(mutex_);
    journal.add(record);
    known_.insert_or_assign(record.id, record);
    ++progress_.asked;
    if (!has_text(record.caption.answer)) ++progress_.failed;
    hooks_.progress(progress_);
  }

  [[nodiscard]] CaptionSet finished() const {
    std::vector<CaptionRecord> records;
    for (const Sample& sample : samples_) records.push_back(known_.at(sample.id));
    return {job_.about, std::move(records), job_.file.string()};
  }

  const CaptionJob& job_;
  const CaptionHooks& hooks_;
  const std::vector<Sample>& samples_;
  const AskingCaptioner* asking_;  // null: one that only computes
  std::optional<CaptionSet> set_;
  std::map<std::string, CaptionRecord> known_;
  std::vector<std::size_t> todo_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> over_ = false;
  std::mutex mutex_;
  CaptionProgress progress_;
  std::exception_ptr failure_;
};

}  // namespace

std::optional<CaptionSet> write_caption_set(const CaptionJob& job, const CaptionHooks& hooks) {
  return CaptionWriting(job, hooks).run();
}

}  // namespace espalier
