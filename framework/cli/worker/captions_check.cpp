#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include "train/text_probe.hpp"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <espalier/caption/agreement.hpp>
#include <espalier/caption/caption_file.hpp>
#include <espalier/caption/leakage.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/printable.hpp>
#include <map>

#include "caption_check.hpp"
#include "caption_report.hpp"
#include "captions_internal.hpp"

namespace espalier::cli {
namespace {

using Texts = std::vector<std::string>;

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json rules_json(const CaptionCheck& check, std::size_t most_examples) {
  Json all = Json::array();
  for (const CaptionRuleInfo& info : caption_rules()) {
    std::size_t count = 0;
    Json examples = Json::array();
    for (std::size_t i = 0; i < check.broken.size(); ++i) {
      if (!check.broken[i].has(info.rule) || ++count > most_examples) continue;
      Json example = {{"id", check.records[i]->id},
                      {"text", check.records[i]->caption.text.substr(0, 400)}};
      if (info.of_set && check.twins[i] >= 0) {
        example["like"] = check.records[static_cast<std::size_t>(check.twins[i])]->id;
      }
      examples.push_back(std::move(example));
    }
    all.push_back({{"rule", info.name},
                   {"summary", info.summary},
                   {"count", count},
                   {"share", static_cast<double>(count) / static_cast<double>(check.broken.size())},
                   {"examples", std::move(examples)}});
  }
  return all;
}

// Those with a text.
struct Written {
  Texts texts;
  Texts masked;
  std::vector<std::int64_t> labels;
  std::vector<Json> facts;
};

Written written_of(const CaptionCheck& check, const std::string& word, std::string_view split) {
  Written some;
  for (std::size_t i = 0; i < check.texts.size(); ++i) {
    const Sample& sample = check.dataset().samples()[check.samples[i]];
    const bool wanted = split == "all" || to_string(sample.split) == split;
    if (check.texts[i].empty() || !wanted) continue;
    some.texts.push_back(check.texts[i]);
    some.masked.push_back(check.names().masked(check.texts[i], word));
    some.labels.push_back(check.labels[i]);
    some.facts.push_back(check.dataset().facts(check.samples[i]));
  }
  return some;
}

Json leakage_json(const CaptionCheck& check, const Written& some, bool probe) {
  const NameLeakage names = name_leakage(some.texts, some.labels, check.names());
  Json leakage = {{"captions", names.captions},
                  {"own_name", number_or_null(names.own)},
                  {"any_name", number_or_null(names.any)},
                  {"other_name", number_or_null(names.other)},
                  {"coverage", number_or_null(names.coverage)},
                  {"accuracy", number_or_null(names.accuracy)}};
  if (!probe) return leakage;
  const std::int64_t classes = std::ssize(check.dataset().class_names());
  const TextProbe plain = probe_texts(some.texts, some.labels, classes);
  const TextProbe masked =
      some.masked == some.texts ? plain : probe_texts(some.masked, some.labels, classes);
  leakage["probe"] = number_or_null(plain.accuracy);
  leakage["probe_masked"] = number_or_null(masked.accuracy);
  std::map<std::int64_t, std::int64_t> counts;
  for (const std::int64_t label : some.labels) ++counts[label];
  std::int64_t most = 0;
  for (const auto& [label, count] : counts) most = std::max(most, count);
  leakage["chance"] =
      number_or_null(static_cast<double>(most) / static_cast<double>(some.labels.size()));
  return leakage;
}

Json leakage_by_split(const CaptionCheck& check, const Json& request) {
  Json splits = Json::object();
  for (const char* split : {"all", "train", "val", "test", "none"}) {
    const Written some = written_of(check, request.at("word"), split);
    if (some.texts.empty()) continue;
    const bool is_whole =
        std::string_view(split) != "all" && splits.at("all").at("captions") == some.texts.size();
    if (is_whole) continue;
    splits[split] = leakage_json(check, some, request.at("probe"));
  }
  return splits;
}

Json facts_json(const CaptionCheck& check, const Written& all) {
  const Wording* wording = check.dataset().wording();
  if (wording == nullptr) return nullptr;
  const FactAgreement facts = fact_agreement(all.texts, all.facts, *wording);
  return {{"attributes", facts.attributes},
          {"mentions", facts.mentions},
          {"precision", number_or_null(facts.precision)},
          {"recall", number_or_null(facts.recall)},
          {"hallucinating", number_or_null(facts.hallucinating)}};
}

Json agreement_json(const Written& all) {
  Json groups = Json::array();
  for (const GroupAgreement& group : class_agreement(all.texts, all.labels)) {
    if (group.captions == 0) continue;
    groups.push_back({{"group", group.group},
                      {"captions", group.captions},
                      {"agreement", number_or_null(group.agreement)}});
  }
  return groups;
}

// Of further sets of the same pictures.
Json consistency_json(const CaptionCheck& check, const Json& files) {
  if (files.empty()) return nullptr;
  return {{"sets", files.size() + 1},
          {"jaccard", number_or_null(self_consistency(check.samples_with(files)))}};
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

Json score_json(const CaptionCheck& check, const Json& request) {
  if (check.scores.empty()) return nullptr;
  std::vector<double> all;
  std::map<std::int64_t, std::vector<double>> by_class;
  for (std::size_t i = 0; i < check.scores.size(); ++i) {
    if (!std::isfinite(check.scores[i])) continue;
    all.push_back(check.scores[i]);
    by_class[check.labels[i]].push_back(check.scores[i]);
  }
  if (all.empty()) return nullptr;
  Json classes = Json::array();
  for (const auto& [label, scores] : by_class) {
    classes.push_back({{"class", check.dataset().class_names()[static_cast<std::size_t>(label)]},
                       {"captions", scores.size()},
                       {"mean", mean_of(scores)}});
  }
  std::stable_sort(classes.begin(), classes.end(), [](const Json& a, const Json& b) {
    return a.at("mean").get<double>() < b.at("mean").get<double>();
  });
  std::sort(all.begin(), all.end());
  return {{"encoder", request.at("encoder")},
          {"mean", mean_of(all)},
          {"median", all[all.size() / 2]},
          {"lowest_tenth", all[all.size() / 10]},
          {"classes", std::move(classes)}};
}

Json report_of(const CaptionCheck& check, const Json& request) {
  std::map<std::string, std::size_t> answers;
  std::size_t flagged = 0;
  for (std::size_t i = 0; i < check.records.size(); ++i) {
    ++answers[std::string(to_string(check.records[i]->caption.answer))];
    flagged += is_flagged(check.broken[i]) ? 1 : 0;
  }
  const Written all = written_of(check, request.at("word"), "all");
  const std::vector<std::string>& unknown = check.unknown();
  return {{"set", {{"file", request.at("set")}, {"digest", check.set().digest()}}},
          {"captions", check.records.size()},
          {"answers", answers},
          {"pictures_without", check.missing()},
          {"ids_of_no_picture", unknown.size()},
          {"unknown", Texts(unknown.begin(),
                            unknown.begin() + std::min<std::ptrdiff_t>(5, std::ssize(unknown)))},
          {"flagged", static_cast<double>(flagged) / static_cast<double>(check.records.size())},
          {"tokens_by", check.tokenizer()},
          {"rules", rules_json(check, request.at("examples"))},
          {"leakage", leakage_by_split(check, request)},
          {"agreement", agreement_json(all)},
          {"facts", facts_json(check, all)},
          {"self_consistency", consistency_json(check, request.at("samples"))},
          {"clip_score", score_json(check, request)}};
}

}  // namespace

int check_caption_set(const Json& request) {
  const c10::AutoGradMode without_gradients(false);
  at::set_num_threads(request.at("threads").get<int>());
  const CaptionCheck check(request);
  const Json report = report_of(check, request);
  const std::string out = request.at("json");
  const std::string text = report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  if (out == "-") {
    std::fputs(text.c_str(), stdout);
    return 0;
  }
  if (!out.empty()) write_file(out, text);
  std::fputs(caption_report(report).c_str(), stdout);
  return 0;
}

}  // namespace espalier::cli
