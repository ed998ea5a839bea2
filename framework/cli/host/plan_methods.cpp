#include "plan_methods.hpp"

#include <algorithm>
#include <cstdio>
#include <espalier/core/units.hpp>
#include <string>
#include <utility>
#include <vector>

namespace espalier::cli {
namespace {

std::string place_of(const TowerCut& cut) {
  if (cut.cut == -1) return cut.tower == "image" ? "pixels" : "token ids";
  if (cut.cut == cut.layers) return "the head";
  if (cut.cut > cut.layers) return "the feature";
  return "layer " + std::to_string(cut.cut + 1) + " of " + std::to_string(cut.layers);
}

std::string name_of(const Plan& plan, std::size_t trial, const char* kind) {
  return std::string(kind) + "/" + plan.config(trial).at(kind).at("use").get<std::string>();
}

// Trials that differ in nothing but how many pictures they look at.
struct CutLine {
  std::string text;
  std::int64_t bytes = 0;  // of a picture
  std::int64_t fewest = 0;
  std::int64_t most = 0;
};

std::string least_to_most(std::string least, std::string most) {
  return least == most ? most : std::move(least) + " to " + most;
}

std::string kept(const CutLine& line, std::int64_t limit) {
  const std::int64_t most = line.bytes * line.most;
  return "    what enters it: " + bytes_text(line.bytes) + " a picture, " +
         least_to_most(bytes_text(line.bytes * line.fewest), bytes_text(most)) + " for the " +
         least_to_most(std::to_string(line.fewest), std::to_string(line.most)) + " of a trial, " +
         (most <= limit ? "stored once"
                        : "computed in every epoch where it is over --activation-limit");
}

// 491520 as 491,520.
std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::int64_t place = std::ssize(text) - 3; place > 0; place -= 3) {
    text.insert(static_cast<std::size_t>(place), ",");
  }
  return text;
}

std::vector<CutLine> lines_of(const Plan& plan) {
  std::vector<CutLine> lines;
  for (const PlannedCut& planned : plan.cuts()) {
    const bool half = plan.config(planned.trial).at("train").at("activations") == "float16";
    CutLine line{.text = name_of(plan, planned.trial, "peft") + " in " +
                         name_of(plan, planned.trial, "encoder") + " trains " +
                         grouped(planned.cut.trainable) + " parameters, the " + planned.cut.tower +
                         " tower from " + place_of(planned.cut) + " up",
                 .bytes = planned.cut.bytes / (half ? 2 : 1),
                 .fewest = planned.looks,
                 .most = planned.looks};
    const auto same = std::ranges::find_if(lines, [&](const CutLine& other) {
      return other.text == line.text && other.bytes == line.bytes;
    });
    if (same == lines.end()) {
      lines.push_back(std::move(line));
    } else {
      same->fewest = std::min(same->fewest, line.fewest);
      same->most = std::max(same->most, line.most);
    }
  }
  return lines;
}

}  // namespace

void print_sizes(const Plan& plan) {
  if (!plan.sizes().empty()) std::puts("\nbudgets");
  for (const PlannedSize& size : plan.sizes()) {
    const double off = 100.0 * static_cast<double>(size.trainable - size.budget) /
                       static_cast<double>(size.budget);
    const std::string set =
        size.key.empty() ? "has no size to set" : size.key + ": " + std::to_string(size.value);
    std::printf("  %s in encoder/%s, %s, trains %s of %s parameters, %+.1f %%\n",
                size.method.c_str(), size.encoder.c_str(), set.c_str(),
                grouped(size.trainable).c_str(), grouped(size.budget).c_str(), off);
  }
}

void print_cuts(const Plan& plan, std::int64_t limit) {
  const std::vector<CutLine> lines = lines_of(plan);
  if (!lines.empty()) std::puts("\nmethods inside encoders");
  for (const CutLine& line : lines) {
    std::printf("  %s\n", line.text.c_str());
    if (line.bytes > 0) std::printf("%s\n", kept(line, limit).c_str());
  }
}

}  // namespace espalier::cli
