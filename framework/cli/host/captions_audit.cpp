#include "review/review_file.hpp"
#include <algorithm>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <iostream>
#include <iterator>

#include "captions_internal.hpp"
#include "plugins_internal.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

constexpr double usual_rate = 0.1;

po::options_description audit_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("decisions", po::value<std::string>()->value_name("DIR"),
      "where decisions are kept; SET.review otherwise");
  add("half-width", po::value<double>()->default_value(0.05, "0.05")->value_name("SHARE"),
      "of the interval that you want: 0.05 is 5 points on either side");
  add("json", "print the numbers as JSON");
  add("help", "show this");
  return options;
}

void print_audit_help(const po::options_description& options) {
  std::cout << "usage: espalier captions audit SET [OPTIONS]\n\n"
               "Says how many captions of a set are wrong, from the decisions that reviewers made\n"
               "in the random audit. Decisions of other queues never count: these show the\n"
               "suspicious first.\n\n"
            << options
            << "\nexample:\n  espalier captions audit captions.jsonl --half-width 0.03\n";
}

Json share_json(const Share& share) {
  return {{"estimate", share.estimate}, {"low", share.low}, {"high", share.high}};
}

// Of every two reviewers who have captions in common.
Json pairs_json(const Review& review, const ReviewerViews& views) {
  Json all = Json::array();
  for (auto first = views.begin(); first != views.end(); ++first) {
    for (auto second = std::next(first); second != views.end(); ++second) {
      const auto pairs = review.audited_pairs(first->second, second->second);
      if (pairs.empty()) continue;
      const Kappa kappa = cohen_kappa(pairs);
      std::int64_t of_first = 0, of_second = 0;
      for (const auto& [a, b] : pairs) {
        of_first += a;
        of_second += b;
      }
      all.push_back({{"reviewers", {first->first, second->first}},
                     {"captions", pairs.size()},
                     {"wrong", {of_first, of_second}},
                     {"observed", kappa.observed},
                     {"expected", kappa.expected},
                     {"kappa", kappa.kappa}});
    }
  }
  return all;
}

Json audit_json(const Review& review, const ReviewerViews& views, double half_width) {
  const Review::Audit audit = review.audit(views);
  const auto captions = static_cast<std::int64_t>(review.items().size());
  const double rate =
      audit.looked_at > 0 ? wilson(audit.wrong, audit.looked_at).estimate : usual_rate;
  const std::int64_t needed = looks_needed(rate, half_width, captions);
  Json json = {{"captions", captions},
               {"looked_at", audit.looked_at},
               {"wrong", audit.wrong},
               {"skipped", audit.skipped},
               {"wilson", share_json(wilson(audit.wrong, audit.looked_at))},
               {"clopper_pearson", share_json(clopper_pearson(audit.wrong, audit.looked_at))},
               {"at_most", at_most(audit.wrong, audit.looked_at)},
               {"half_width", half_width},
               {"looks_needed", needed},
               {"looks_left", std::max<std::int64_t>(0, needed - audit.looked_at)},
               {"strata", Json::array()},
               {"reviewers", Json::object()}};
  for (const Stratum& one : audit.strata) {
    json["strata"].push_back({{"name", one.name},
                              {"captions", one.size},
                              {"looked_at", one.looked_at},
                              {"wrong", one.wrong}});
  }
  const auto weighed = stratified(audit.strata);
  json["stratified"] = weighed ? share_json(*weighed) : Json();
  for (const auto& [name, view] : views) {
    json["reviewers"][name] = {{"decisions", view.count()}, {"about_other_texts", view.stale()}};
  }
  const std::optional<double> auc = review.score_auc(views);
  json["score"] = review.measure().empty()
                      ? Json()
                      : Json{{"measure", review.measure()}, {"auc", auc ? Json(*auc) : Json()}};
  json["pairs"] = pairs_json(review, views);
  const Agreement same = agreement(review.audited_verdicts(views));
  json["agreement"] = {{"captions", same.captions},
                       {"observed", same.observed},
                       {"expected", same.expected},
                       {"alpha", same.alpha}};
  return json;
}

double percent(const Json& share) { return 100 * share.get<double>(); }

void print_share(const char* name, const Json& share) {
  std::printf("  %-28s %5.1f %%   %5.1f to %5.1f %%\n", name, percent(share.at("estimate")),
              percent(share.at("low")), percent(share.at("high")));
}

void print_pairs(const Json& pairs) {
  for (const Json& pair : pairs) {
    std::printf(
        "%s and %s on %lld captions: %.1f %% alike, %.1f %% by chance, Cohen's kappa %.3f; wrong "
        "for %lld and %lld\n",
        pair.at("reviewers")[0].get<std::string>().c_str(),
        pair.at("reviewers")[1].get<std::string>().c_str(),
        static_cast<long long>(pair.at("captions").get<std::int64_t>()),
        percent(pair.at("observed")), percent(pair.at("expected")), pair.at("kappa").get<double>(),
        static_cast<long long>(pair.at("wrong")[0].get<std::int64_t>()),
        static_cast<long long>(pair.at("wrong")[1].get<std::int64_t>()));
  }
}

void print_score(const Json& score) {
  if (score.is_null()) return;
  const std::string measure = printable(score.at("measure").get<std::string>());
  if (score.at("auc").is_null()) {
    std::printf("%s: the audit has not yet both right and wrong captions to try it on\n",
                measure.c_str());
    return;
  }
  const double auc = score.at("auc");
  std::printf("%s puts a wrong caption below a right one %.0f times in 100 (AUC %.3f)%s\n",
              measure.c_str(), 100 * auc, auc,
              auc < 0.8 ? ": looking at the lowest first saves little" : "");
}

void print_agreement(const Json& same) {
  const std::int64_t captions = same.at("captions");
  if (captions == 0) {
    std::printf("\nagreement: no caption was audited by two reviewers\n");
    return;
  }
  const double alpha = same.at("alpha");
  const char* const verdict = alpha >= 0.8     ? "good by convention"
                              : alpha >= 0.667 ? "usable by convention"
                                               : "too low by convention";
  std::printf(
      "\nagreement on %lld captions of several reviewers: %.1f %% of pairs, %.1f %% by "
      "chance,\n  Krippendorff's alpha %.3f (%s)\n",
      static_cast<long long>(captions), percent(same.at("observed")), percent(same.at("expected")),
      alpha, verdict);
}

void print_audit(const Json& json, const std::string& file) {
  const auto number = [&](const char* key) {
    return static_cast<long long>(json.at(key).get<std::int64_t>());
  };
  std::printf("%s: %lld captions, %lld looked at in the random audit, %lld wrong, %lld skipped\n",
              printable(file).c_str(), number("captions"), number("looked_at"), number("wrong"),
              number("skipped"));
  if (number("looked_at") > 0) {
    std::printf("\nwrong captions, with 95 %% intervals\n");
    print_share("all (Wilson)", json.at("wilson"));
    print_share("all (Clopper-Pearson)", json.at("clopper_pearson"));
    if (!json.at("stratified").is_null()) {
      print_share("weighed by flags", json.at("stratified"));
    }
    std::printf("  at most %.1f %%, one-sided\n", percent(json.at("at_most")));
    for (const Json& one : json.at("strata")) {
      std::printf("  %-28s %lld of %lld looked at are wrong, of %lld captions\n",
                  one.at("name").get<std::string>().c_str(),
                  static_cast<long long>(one.at("wrong").get<std::int64_t>()),
                  static_cast<long long>(one.at("looked_at").get<std::int64_t>()),
                  static_cast<long long>(one.at("captions").get<std::int64_t>()));
    }
  }
  std::printf("\nfor %.1f points on either side: %lld looked at, %lld more\n",
              percent(json.at("half_width")), number("looks_needed"), number("looks_left"));
  for (const auto& [name, reviewer] : json.at("reviewers").items()) {
    std::printf("%s: %lld decisions, %lld more about texts that the set no longer has\n",
                name.c_str(), static_cast<long long>(reviewer.at("decisions").get<std::int64_t>()),
                static_cast<long long>(reviewer.at("about_other_texts").get<std::int64_t>()));
  }
  print_score(json.at("score"));
  print_agreement(json.at("agreement"));
  print_pairs(json.at("pairs"));
}

}  // namespace

int audit_captions(const Words& arguments) {
  const po::options_description options = audit_options();
  po::options_description all;
  all.add(options).add_options()("set", po::value<Words>()->default_value({}, ""));
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("set", -1));
  if (given.count("help") > 0) return print_audit_help(options), 0;
  const auto& sets = given["set"].as<Words>();
  const double half_width = given["half-width"].as<double>();
  if (sets.size() != 1) wrong_option("SET", "one caption set", std::to_string(sets.size()));
  if (!(half_width >= 0.001 && half_width <= 0.5)) {
    wrong_option("half-width", "0.001 to 0.5", std::to_string(half_width));
  }
  const auto folder = decisions_folder(given, sets[0]);
  ReviewInput input = read_review_input(sets[0], folder);
  const Review review(std::move(input.items), 0.0, std::move(input.measure));
  const Json json = audit_json(review, views_in(folder, review.items()), half_width);
  if (given.count("json") > 0) {
    std::cout << json.dump(1) << "\n";
  } else {
    print_audit(json, sets[0]);
  }
  return 0;
}

}  // namespace espalier::cli
