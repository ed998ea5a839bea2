#include "data_report.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <espalier/core/printable.hpp>
#include <espalier/core/words.hpp>

#include "padded.hpp"

namespace espalier::cli {
namespace {

constexpr std::size_t most_listed = 20;
constexpr std::array splits{Split::none, Split::train, Split::val, Split::test};

std::int64_t total(const DatasetCheck& check, std::size_t split) {
  std::int64_t sum = 0;
  for (const auto& row : check.counts) sum += row[split];
  return sum;
}

// The splits that have samples.
std::vector<std::size_t> used_splits(const DatasetCheck& check) {
  std::vector<std::size_t> used;
  for (std::size_t s = 0; s < splits.size(); ++s) {
    if (total(check, s) > 0) used.push_back(s);
  }
  return used;
}

bool has_pictures(const DataReport& report) { return report.dataset.features() == nullptr; }

std::string noun(const DataReport& report) { return has_pictures(report) ? "pictures" : "samples"; }

std::string split_name(const DataReport& report, std::size_t split) {
  if (splits[split] != Split::none) return std::string(to_string(splits[split]));
  return has_pictures(report) ? "photos" : "samples";
}

std::string right(std::int64_t number) {
  const std::string text = std::to_string(number);
  return std::string(8 - std::min<std::size_t>(text.size(), 8), ' ') + text;
}

std::string class_table(const DataReport& report) {
  const auto used = used_splits(report.check);
  std::size_t width = 12;
  for (const std::string& name : report.dataset.class_names())
    width = std::max(width, unicode::cells(printable(name)));
  std::string text = padded("class", width);
  for (const std::size_t s : used) {
    const std::string name = split_name(report, s);
    text += std::string(8 - std::min<std::size_t>(name.size(), 8), ' ') + name;
  }
  for (std::size_t c = 0; c < report.check.counts.size(); ++c) {
    text += "\n" + padded(printable(report.dataset.class_names()[c]), width);
    for (const std::size_t s : used) text += right(report.check.counts[c][s]);
  }
  return text + "\n";
}

std::string sample_text(const DataReport& report, std::size_t index) {
  const Sample& sample = report.dataset.samples()[index];
  const auto label = static_cast<std::size_t>(sample.label);
  const std::string split =
      sample.split == Split::none ? "" : std::string(to_string(sample.split)) + ", ";
  return printable(sample.id + " (" + split + report.dataset.class_names()[label] + ")");
}

std::string group_text(const DataReport& report, const std::vector<std::size_t>& group) {
  std::string text;
  for (const std::size_t index : group) {
    text += (text.empty() ? "  " : " = ") + sample_text(report, index);
  }
  return text + "\n";
}

std::string rest(std::size_t count) {
  return count > most_listed ? "  and " + std::to_string(count - most_listed) + " more\n" : "";
}

std::string duplicates_text(const DataReport& report) {
  const auto& groups = report.check.duplicates;
  if (groups.empty()) return "duplicates   none\n";
  std::string text =
      "duplicates   " + std::to_string(groups.size()) +
      (groups.size() == 1 ? " group" : " groups") + " of " + noun(report) +
      (has_pictures(report) ? " with the same pixels, " : " with the same features, ") +
      std::to_string(report.check.leaks(report.dataset).size()) +
      " of them in more than one split, " +
      std::to_string(report.check.conflicts(report.dataset).size()) + " in more than one class\n";
  for (std::size_t g = 0; g < std::min(groups.size(), most_listed); ++g) {
    text += group_text(report, groups[g]);
  }
  return text + rest(groups.size());
}

std::string alike_text(const DataReport& report) {
  if (!report.check.near_duplicates) return {};
  const auto& pairs = *report.check.near_duplicates;
  if (pairs.empty()) return "look alike   none in different splits\n";
  std::string text =
      "look alike   " + std::to_string(pairs.size()) + " pairs of different splits\n";
  for (std::size_t p = 0; p < std::min(pairs.size(), most_listed); ++p) {
    text += group_text(report, {pairs[p].first, pairs[p].second});
  }
  return text + rest(pairs.size());
}

std::string lines_of(const std::vector<std::string>& messages) {
  std::string text;
  for (const std::string& message : messages) text += printable_lines(message) + "\n";
  return text;
}

std::string unreadable_text(const DataReport& report) {
  const auto& list = report.check.unreadable;
  if (list.empty() && report.said.errors.empty()) return "unreadable   none\n";
  std::string text = "unreadable   ";
  if (!list.empty()) text += std::to_string(list.size()) + " " + noun(report) + "\n";
  for (std::size_t i = 0; i < std::min(list.size(), most_listed); ++i) {
    text += "  " + printable(report.dataset.samples()[list[i].first].id) + ": " +
            printable(list[i].second.substr(0, list[i].second.find('\n'))) + "\n";
  }
  return text + rest(list.size()) + lines_of(report.said.errors);
}

std::string left_out_text(const DataReport& report) {
  const auto& warnings = report.said.warnings;
  return warnings.empty() ? "" : "left out     " + lines_of(warnings);
}

// Largest and smallest class in what is learnt from.
std::array<std::int64_t, 2> class_sizes(const DatasetCheck& check) {
  const std::size_t split = total(check, 1) > 0 ? 1 : 0;
  std::array<std::int64_t, 2> sizes{};
  for (std::size_t c = 0; c < check.counts.size(); ++c) {
    const std::int64_t count = check.counts[c][split];
    sizes = {std::max(sizes[0], count), c == 0 ? count : std::min(sizes[1], count)};
  }
  return sizes;
}

std::string range_text(const std::array<std::int64_t, 3>& range) {
  return std::to_string(range[0]) + " to " + std::to_string(range[2]) + ", median " +
         std::to_string(range[1]);
}

std::string sizes_text(const DataReport& report) {
  const GivenFeatures* const features = report.dataset.features();
  if (features == nullptr) {
    return "width        " + range_text(report.check.widths) + "\nheight       " +
           range_text(report.check.heights) + "\n";
  }
  std::vector<std::string> parts;
  for (const auto& [name, rows] :
       {std::pair("image", &features->images), std::pair("text", &features->texts),
        std::pair("class", &features->classes)}) {
    if (rows->width > 0) parts.push_back(std::string(name) + " " + std::to_string(rows->width));
  }
  return "features     " + joined(parts) + " numbers wide\n";
}

Json widths_json(const GivenFeatures& features) {
  return {{"image", features.images.width},
          {"text", features.texts.width},
          {"class", features.classes.width},
          {"logit_scale", features.logit_scale}};
}

}  // namespace

std::string report_text(const DataReport& report) {
  const DatasetCheck& check = report.check;
  const auto [largest, smallest] = class_sizes(check);
  std::string text = class_table(report) + "\ndataset      " + report.name + ": " +
                     std::to_string(report.dataset.class_names().size()) + " classes, " +
                     std::to_string(report.dataset.samples().size()) + " " + noun(report) + "\n";
  text += "splits      ";
  for (const std::size_t s : used_splits(check)) {
    text += " " + split_name(report, s) + " " + std::to_string(total(check, s));
  }
  text += "\nbalance      " + std::to_string(smallest) + " to " + std::to_string(largest) + " " +
          noun(report) + " a class" + (total(check, 1) > 0 ? " in train" : "") + "\n";
  return text + sizes_text(report) + duplicates_text(report) + alike_text(report) +
         unreadable_text(report) + left_out_text(report);
}

Json report_json(const DataReport& report) {
  const auto& samples = report.dataset.samples();
  Json classes = Json::array();
  for (std::size_t c = 0; c < report.check.counts.size(); ++c) {
    Json row{{"name", report.dataset.class_names()[c]}};
    for (std::size_t s = 0; s < splits.size(); ++s) {
      row[std::string(to_string(splits[s]))] = report.check.counts[c][s];
    }
    classes.push_back(std::move(row));
  }
  const auto ids = [&](const std::vector<std::size_t>& group) {
    Json list = Json::array();
    for (const std::size_t index : group) list.push_back(samples[index].id);
    return list;
  };
  Json out{{"dataset", report.name},           {"pictures", samples.size()},
           {"classes", std::move(classes)},    {"width", report.check.widths},
           {"height", report.check.heights},   {"duplicates", Json::array()},
           {"near_duplicates", nullptr},       {"unreadable", Json::object()},
           {"left_out", report.said.warnings}, {"not_read", report.said.errors}};
  if (!has_pictures(report)) out["features"] = widths_json(*report.dataset.features());
  for (const auto& group : report.check.duplicates) out["duplicates"].push_back(ids(group));
  if (report.check.near_duplicates) {
    Json& pairs = out["near_duplicates"] = Json::array();
    for (const auto& [a, b] : *report.check.near_duplicates) pairs.push_back(ids({a, b}));
  }
  for (const auto& [index, error] : report.check.unreadable) {
    out["unreadable"][samples[index].id] = error;
  }
  return out;
}

bool is_clean(const DataReport& report) {
  return report.check.unreadable.empty() && report.said.errors.empty() &&
         report.check.leaks(report.dataset).empty() &&
         report.check.conflicts(report.dataset).empty();
}

std::function<void(std::size_t, std::size_t)> picture_progress() {
  if (::isatty(STDERR_FILENO) != 1) return {};
  return [](std::size_t done, std::size_t total) {
    if (done == total) {
      std::fputs("\r\x1b[K", stderr);
    } else {
      std::fprintf(stderr, "\rlooking at pictures: %zu of %zu\x1b[K", done, total);
    }
  };
}

}  // namespace espalier::cli
