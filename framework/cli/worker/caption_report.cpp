#include "caption_report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <espalier/core/printable.hpp>

namespace espalier::cli {
namespace {

template <class... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, 512> line{};
  std::snprintf(line.data(), line.size(), format, values...);
  return line.data();
}

std::string percent(const Json& share) {
  return share.is_null() ? "-" : formatted("%.1f %%", 100 * share.get<double>());
}

// At most `most` bytes, without half a character.
std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return printable(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  text.resize(most);
  return printable(text) + "...";
}

std::string head(const Json& report) {
  std::string answers;
  for (const auto& [answer, count] : report.at("answers").items()) {
    answers += (answers.empty() ? "" : ", ") + answer + " " + count.dump();
  }
  std::string text = printable(report.at("set").at("file").get<std::string>()) + "  " +
                     report.at("set").at("digest").get<std::string>() + "\n" +
                     report.at("captions").dump() + " captions (" + answers + "), " +
                     percent(report.at("flagged")) + " flagged\n";
  if (report.at("pictures_without") != 0) {
    text += report.at("pictures_without").dump() + " pictures of the dataset have none\n";
  }
  if (report.at("ids_of_no_picture") != 0) {
    text += report.at("ids_of_no_picture").dump() + " captions are for no picture of it: ";
    std::string ids;
    for (const Json& id : report.at("unknown")) {
      ids += (ids.empty() ? "" : ", ") + shortened(id.get<std::string>(), 80);
    }
    text += ids + (report.at("ids_of_no_picture") > 5 ? ", ...\n" : "\n");
  }
  return text;
}

std::string rules(const Json& report) {
  std::string text = "\nrules\n";
  for (const Json& rule : report.at("rules")) {
    if (rule.at("count") == 0) continue;
    text += formatted("  %-15s %6lld %8s  %s\n", rule.at("rule").get<std::string>().c_str(),
                      rule.at("count").get<long long>(), percent(rule.at("share")).c_str(),
                      rule.at("summary").get<std::string>().c_str());
    for (const Json& example : rule.at("examples")) {
      text += "      " + shortened(example.at("id").get<std::string>(), 60);
      if (example.contains("like")) {
        text += " like " + shortened(example.at("like").get<std::string>(), 60);
      }
      text += ": " + shortened(example.at("text").get<std::string>(), 90) + "\n";
    }
  }
  const std::string by = report.at("tokens_by");
  return text + (by.empty() ? "  tokens are words and marks, a lower bound; encoder... counts "
                              "them as it reads them\n"
                            : "  tokens as " + printable(by) + " counts them\n");
}

std::string leakage(const Json& report) {
  std::string text =
      "\nleakage of the class     own name  any name    other  coverage  accuracy     probe  "
      "masked    chance\n";
  for (const auto& [split, row] : report.at("leakage").items()) {
    text += formatted("  %-6s %8lld", split.c_str(), row.at("captions").get<long long>());
    for (const char* key : {"own_name", "any_name", "other_name", "coverage", "accuracy", "probe",
                            "probe_masked", "chance"}) {
      text += formatted(" %9s", percent(row.value(key, Json())).c_str());
    }
    text += "\n";
  }
  return text +
         "  coverage, accuracy: captions that name one class, and are right; probe: logistic\n"
         "  regression on the words alone; masked: without the names; chance: the commonest "
         "class\n";
}

std::string agreement(const Json& report) {
  std::string text;
  for (const Json& group : report.at("agreement")) {
    text +=
        formatted("  %-9s %6lld captions, %s\n", group.at("group").get<std::string>().c_str(),
                  group.at("captions").get<long long>(), percent(group.at("agreement")).c_str());
  }
  if (!text.empty()) text = "\nagree with the commonest word of their class\n" + text;
  const Json& facts = report.at("facts");
  if (!facts.is_null() && facts.at("mentions") != 0) {
    text += "\nagainst the facts of the dataset (" + facts.at("mentions").dump() +
            " values said word for word)\n  precision " + percent(facts.at("precision")) +
            ", recall " + percent(facts.at("recall")) + ", captions with a wrong one " +
            percent(facts.at("hallucinating")) + "\n";
  }
  const Json& consistency = report.at("self_consistency");
  if (!consistency.is_null()) {
    text += "\nself-consistency over " + consistency.at("sets").dump() +
            " sets: mean Jaccard index of attribute words " + percent(consistency.at("jaccard")) +
            "\n";
  }
  return text;
}

std::string score(const Json& report) {
  const Json& score = report.at("clip_score");
  if (score.is_null()) {
    return "\nclip_score: encoder.use=clip encoder.weights=DIR measures it\n";
  }
  constexpr std::size_t most_classes = 5;
  std::string text = formatted(
      "\nclip_score by encoder/%s: mean %.4f, median %.4f, lowest tenth "
      "below %.4f\n  lowest classes:",
      score.at("encoder").at("use").get<std::string>().c_str(), score.at("mean").get<double>(),
      score.at("median").get<double>(), score.at("lowest_tenth").get<double>());
  const Json& classes = score.at("classes");
  for (std::size_t i = 0; i < std::min(most_classes, classes.size()); ++i) {
    text += (i == 0 ? " " : ", ") + shortened(classes[i].at("class").get<std::string>(), 40) +
            formatted(" %.4f", classes[i].at("mean").get<double>());
  }
  return text + "\n";
}

}  // namespace

std::string caption_report(const Json& report) {
  return head(report) + rules(report) + leakage(report) + agreement(report) + score(report);
}

}  // namespace espalier::cli
