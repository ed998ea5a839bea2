#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "caption/caption_writer.hpp"
#include "run/progress.hpp"
#include "run/stop_signals.hpp"
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <espalier/core/printable.hpp>
#include <espalier/plugin/loader_context.hpp>
#include <espalier/text/tokenizer.hpp>
#include <map>

#include "captions_internal.hpp"

namespace espalier::cli {
namespace {

using Clock = std::chrono::steady_clock;

// One line on a terminal that renews itself; silent in a pipe.
class CaptionLine {
 public:
  ~CaptionLine() {
    if (is_drawn_) std::fputs("\r\x1b[K", stderr);
  }

  void show(const CaptionProgress& now) {
    if (!terminal_ || Clock::now() < next_) return;
    next_ = Clock::now() + std::chrono::milliseconds(200);
    is_drawn_ = true;
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    const double rate = static_cast<double>(now.asked) / std::max(seconds, 1e-9);
    const std::size_t left = now.all - now.before - now.asked;
    std::fprintf(stderr, "\r%zu of %zu captions, %s, %s left%s\x1b[K", now.before + now.asked,
                 now.all, rate_text(rate).c_str(),
                 short_duration(static_cast<double>(left) / std::max(rate, 1e-9)).c_str(),
                 failed_text(now.failed).c_str());
  }

 private:
  static std::string rate_text(double rate) {
    std::array<char, 48> text{};
    const bool quick = rate >= 1;
    std::snprintf(text.data(), text.size(), quick ? "%.1f a second" : "%.1f s each",
                  quick ? rate : 1 / std::max(rate, 1e-9));
    return text.data();
  }
  static std::string failed_text(std::size_t failed) {
    return failed == 0 ? "" : ", " + std::to_string(failed) + " without a text";
  }

  const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point next_ = begin_;
  bool is_drawn_ = false;
};

std::size_t words_in(const std::string& text) {
  return text.empty() ? 0 : static_cast<std::size_t>(std::count(text.begin(), text.end(), ' ')) + 1;
}

// `ok 396, truncated 4`, and how long the texts are. Returns how many have none.
std::size_t print_outcome(const CaptionSet& set, const std::string& file,
                          const std::string& digest) {
  std::map<Answer, std::size_t> counts;
  std::vector<std::size_t> words;
  for (const CaptionRecord& record : set.records()) {
    ++counts[record.caption.answer];
    if (has_text(record.caption.answer)) words.push_back(words_in(record.caption.text));
  }
  std::printf("%s: %zu captions of %zu pictures, %s\n", printable(file).c_str(), words.size(),
              set.records().size(), digest.c_str());
  std::string answers;
  for (const auto& [answer, count] : counts) {
    answers += (answers.empty() ? "" : ", ") + std::string(to_string(answer)) + " " +
               std::to_string(count);
  }
  std::printf("answers: %s\n", answers.c_str());
  if (!words.empty()) {
    std::sort(words.begin(), words.end());
    std::printf("words: median %zu, longest %zu\n", words[words.size() / 2], words.back());
  }
  return set.records().size() - words.size();
}

// How many texts are longer than an encoder reads.
void print_lengths(const CaptionSet& set, const std::filesystem::path& folder) {
  const Tokenizer tokenizer = open_tokenizer(folder);
  std::vector<std::int64_t> lengths;
  for (const CaptionRecord& record : set.records()) {
    if (!has_text(record.caption.answer)) continue;
    lengths.push_back(tokenizer.encode(record.caption.text).full_length);
  }
  if (lengths.empty()) return;
  std::sort(lengths.begin(), lengths.end());
  const auto over =
      lengths.end() - std::upper_bound(lengths.begin(), lengths.end(), tokenizer.max_length());
  std::printf(
      "tokens: median %lld, longest %lld; %lld (%.1f %%) over the %lld that the encoder reads\n",
      static_cast<long long>(lengths[lengths.size() / 2]), static_cast<long long>(lengths.back()),
      static_cast<long long>(over),
      100.0 * static_cast<double>(over) / static_cast<double>(lengths.size()),
      static_cast<long long>(tokenizer.max_length()));
}

// The first few that got no text, with the reason.
void print_failed(const CaptionSet& set, std::size_t count) {
  constexpr std::size_t most_listed = 5;
  std::size_t named = 0;
  std::fprintf(stderr, "%zu without a text, which the same command asks for again:\n", count);
  for (const CaptionRecord& record : set.records()) {
    if (has_text(record.caption.answer) || ++named > most_listed) continue;
    const std::string note = record.caption.note.empty() ? "" : ": " + record.caption.note;
    std::fprintf(stderr, "  %s  %s%s\n", printable(record.id).c_str(),
                 std::string(to_string(record.caption.answer)).c_str(), printable(note).c_str());
  }
  if (named > most_listed) std::fprintf(stderr, "  ...\n");
}

}  // namespace

int write_captions(const Json& request) {
  const bool for_sweep = request.value("complete", false);
  if (for_sweep) ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // the next run goes on from what is written
  StopSignals signals;                                // before a component starts a thread
  const Catalog catalog = Catalog::installed(request.at("plugins").get<std::vector<std::string>>());
  Loader loader(catalog);
  spdlog::logger log("captions", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  const LoaderContext context(loader, log, "cpu", request.at("seed").get<std::int64_t>());
  const auto dataset = loader.make<Dataset>(request.at("dataset"), context);
  const auto captioner = loader.make<Captioner>(request.at("captioner"), context);
  const std::string use = request.at("captioner").at("use");
  CaptionJob job{.dataset = dataset.get(),
                 .captioner = captioner.get(),
                 .captioner_name = "captioner/" + use,
                 .seed = request.at("seed"),
                 .partial = !for_sweep,
                 .about = request.at("about"),
                 .file = request.at("out").get<std::string>()};
  std::atomic<int> signal = 0;
  std::optional<CaptionSet> set;
  {
    CaptionLine line;
    set = write_caption_set(job, {.stopped =
                                      [&] {
                                        if (const std::optional<int> came = signals.take())
                                          signal = *came;
                                        return signal != 0;
                                      },
                                  .progress = [&](const CaptionProgress& now) { line.show(now); }});
  }
  if (!set) {
    std::fprintf(stderr, "stopped; the same command goes on from here\n");
    return 128 + signal;
  }
  const std::size_t failed = print_outcome(*set, job.file.string(), set->digest());
  const std::string tokenizer = request.value("tokenizer", "");
  if (!tokenizer.empty()) print_lengths(*set, tokenizer);
  if (failed > 0) print_failed(*set, failed);
  return failed > 0 ? 1 : 0;
}

}  // namespace espalier::cli
