#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstdio>
#include <espalier/caption/filter.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/core/words.hpp>
#include <limits>
#include <map>

#include "caption_check.hpp"
#include "captions_internal.hpp"

namespace espalier::cli {
namespace {

FilterWish wish_of(const Json& request) {
  FilterWish wish{.rules = {}, .lowest = request.at("lowest")};
  for (const Json& name : request.at("rules")) {
    wish.rules.push_back(find_caption_rule(name.get<std::string>())->rule);
  }
  return wish;
}

std::vector<RatedCaption> rated(const CaptionCheck& check) {
  std::vector<RatedCaption> all;
  for (std::size_t i = 0; i < check.records.size(); ++i) {
    const double score =
        check.scores.empty() ? std::numeric_limits<double>::quiet_NaN() : check.scores[i];
    all.push_back({check.labels[i], !check.texts[i].empty(), check.broken[i], score});
  }
  return all;
}

// Why a caption goes: the rules that it breaks, else its score.
std::vector<std::string> reasons(const RuleSet& broken, const FilterWish& wish) {
  std::vector<std::string> names;
  for (const CaptionRule rule : wish.rules) {
    if (broken.has(rule)) names.emplace_back(caption_rules()[static_cast<std::size_t>(rule)].name);
  }
  if (names.empty()) names.emplace_back("clip_score");
  return names;
}

// What stands in the new set for a caption that goes; nothing where it is to be asked for again.
void put(CaptionRecord record, const std::string& action, const std::vector<std::string>& why,
         std::vector<CaptionRecord>& into) {
  if (action == "ask") return;
  if (action == "review") {
    record.more["review"] = why;
  } else {
    if (has_text(record.caption.answer)) record.more["text_before"] = record.caption.text;
    record.caption.text.clear();
    record.caption.answer = Answer::dropped;
    record.caption.note = joined(why);
  }
  into.push_back(std::move(record));
}

CaptionSet filtered(const CaptionCheck& check, const Json& request, const FilterWish& wish,
                    const FilterOutcome& outcome) {
  std::map<const CaptionRecord*, std::size_t> gone;
  for (const std::size_t i : outcome.gone) gone.emplace(check.records[i], i);
  std::vector<CaptionRecord> records;
  for (const CaptionRecord& record : check.set().records()) {
    const auto found = gone.find(&record);
    if (found == gone.end()) {
      records.push_back(record);
    } else {
      put(record, request.at("action"), reasons(check.broken[found->second], wish), records);
    }
  }
  Json about = check.set().about();
  about["parent"] = check.set().digest();
  about["filter"] = {{"rules", request.at("rules")},
                     {"lowest", request.at("lowest")},
                     {"do", request.at("action")},
                     {"encoder", request.at("encoder")}};
  return {std::move(about), std::move(records), request.at("out").get<std::string>()};
}

void print_classes(const CaptionCheck& check, const FilterOutcome& outcome) {
  struct Counts {
    std::size_t all = 0, gone = 0, saved = 0;
  };
  std::map<std::int64_t, Counts> counts;
  for (const std::int64_t label : check.labels) ++counts[label].all;
  for (const std::size_t i : outcome.gone) ++counts[check.labels[i]].gone;
  for (const std::size_t i : outcome.saved) ++counts[check.labels[i]].saved;
  std::printf("%8s %8s %8s  class\n", "captions", "gone", "kept");
  for (const auto& [label, count] : counts) {
    const std::string& name = check.dataset().class_names()[static_cast<std::size_t>(label)];
    std::printf("%8zu %8zu %8zu  %s%s\n", count.all, count.gone, count.all - count.gone,
                printable(name).c_str(),
                count.saved > 0 ? "  (one that should go stays, or the class had none)" : "");
  }
}

}  // namespace

int filter_caption_set(const Json& request) {
  const c10::AutoGradMode without_gradients(false);
  const CaptionCheck check(request);
  const FilterWish wish = wish_of(request);
  const FilterOutcome outcome =
      filter_captions(rated(check), wish, request.at("action") != "review");
  const CaptionSet set = filtered(check, request, wish, outcome);
  const std::string digest = write_captions(set, request.at("out").get<std::string>());
  print_classes(check, outcome);
  const std::map<std::string, std::string> done = {
      {"drop", "lost their text"},
      {"ask", "are left out, for `captions write` to ask for again"},
      {"review", "are marked for review"}};
  std::printf("%zu of %zu captions %s\n%s  %s, parent %s\n", outcome.gone.size(),
              check.records.size(), done.at(request.at("action").get<std::string>()).c_str(),
              printable(request.at("out").get<std::string>()).c_str(), digest.c_str(),
              check.set().digest().c_str());
  return 0;
}

}  // namespace espalier::cli
