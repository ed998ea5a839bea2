#include <algorithm>
#include <cmath>
#include <cstdio>
#include <espalier/core/printable.hpp>
#include <espalier/graph/layout.hpp>
#include <espalier/image/png.hpp>
#include <espalier/image/resize.hpp>
#include <map>

#include "graph_internal.hpp"

namespace espalier::cli {
namespace {

constexpr double picture_side = 1200, picture_margin = 50, heading_height = 70;
constexpr std::int64_t thumbnail_pixels = 56;  // pixels, drawn at about half of that

std::string base64(const std::string& bytes) {
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t b = 0; b < 3; ++b) {
      three = (three << 8) | (b < count ? static_cast<unsigned char>(bytes[i + b]) : 0U);
    }
    for (std::size_t d = 0; d < 4; ++d) {
      text += d <= count ? digits[(three >> (18 - 6 * d)) & 63U] : '=';
    }
  }
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

template <class... Numbers>
std::string format(const char* pattern, Numbers... numbers) {
  char text[512];
  std::snprintf(text, sizeof text, pattern, numbers...);
  return text;
}

// Hues a golden angle apart: neighbouring classes differ most.
std::string colour_of(std::int64_t label) {
  if (label < 0) return "#777";
  const double hue = static_cast<double>(label) * 137.508;
  return format("hsl(%.0f,65%%,45%%)",
                hue - 360 * static_cast<double>(static_cast<int>(hue / 360)));
}

// The middle square, small.
Image small(const Image& image) {
  const std::int64_t narrow = std::min(image.width, image.height);
  const Image square =
      crop(image, (image.width - narrow) / 2, (image.height - narrow) / 2, narrow, narrow);
  return resize(square, thumbnail_pixels, thumbnail_pixels, Filter::bicubic);
}

std::vector<std::size_t> evenly(std::size_t count, std::size_t most) {
  std::vector<std::size_t> chosen;
  const std::size_t shown = std::min(count, most);
  for (std::size_t i = 0; i < shown; ++i) chosen.push_back(i * count / shown);
  return chosen;
}

CsrGraph part_of(const CsrGraph& graph, const std::vector<std::size_t>& chosen) {
  std::map<std::int64_t, std::int64_t> place;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    place[static_cast<std::int64_t>(chosen[i])] = static_cast<std::int64_t>(i);
  }
  std::vector<Edge> edges;
  for (const Edge& edge : edges_of(graph)) {
    const auto target = place.find(edge.target), source = place.find(edge.source);
    if (target == place.end() || source == place.end()) continue;
    edges.push_back({target->second, source->second, edge.weight});
  }
  const auto n = std::ssize(chosen);
  return graph_from_edges(n, n, std::move(edges));
}

class Picture {
 public:
  Picture(const CsrGraph& graph, const GraphNodes& nodes, std::size_t shown)
      : nodes_(nodes), chosen_(evenly(static_cast<std::size_t>(graph.targets), shown)) {
    part_ = part_of(graph, chosen_);
    at::Tensor rows = nodes.features;
    if (chosen_.size() < static_cast<std::size_t>(graph.targets)) {
      at::Tensor places = rows.new_zeros({std::ssize(chosen_)}, at::kLong);
      std::copy(chosen_.begin(), chosen_.end(), places.data_ptr<std::int64_t>());
      rows = rows.index_select(0, places);
    }
    for (const auto& [x, y] : force_layout(part_, rows)) {
      places_.emplace_back(
          picture_margin + x * (picture_side - 2 * picture_margin),
          heading_height + picture_margin + y * (picture_side - 2 * picture_margin));
    }
    radius_ = std::clamp(260.0 / std::sqrt(static_cast<double>(chosen_.size()) + 1), 5.0, 30.0);
  }

  [[nodiscard]] std::string text(const std::string& title) {
    svg_ = format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
        "viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fcfcfa\"/>\n",
        picture_side, picture_side + heading_height, picture_side, picture_side + heading_height);
    add_heading(title);
    add_edges();
    svg_ += format("<clipPath id=\"disc\"><circle r=\"%.1f\"/></clipPath>\n", radius_);
    for (std::size_t i = 0; i < chosen_.size(); ++i) add_node(i);
    return std::move(svg_) + "</svg>\n";
  }

 private:
  [[nodiscard]] std::int64_t label(std::size_t i) const {
    return nodes_.labels.empty() ? -1 : nodes_.labels[chosen_[i]];
  }

  void add_heading(const std::string& title) {
    const std::string counts =
        format("%zu nodes, %lld edges", chosen_.size(), static_cast<long long>(part_.edges())) +
        (chosen_.size() < static_cast<std::size_t>(nodes_.features.size(0))
             ? format(", of %lld nodes", static_cast<long long>(nodes_.features.size(0)))
             : std::string());
    svg_ += format("<text x=\"%.0f\" y=\"34\" font-size=\"22\" fill=\"#222\">", picture_margin) +
            escaped(title) + "</text>\n";
    svg_ += format("<text x=\"%.0f\" y=\"60\" font-size=\"15\" fill=\"#666\">", picture_margin) +
            escaped(counts);
    if (!nodes_.labels.empty()) {
      svg_ +=
          " \xC2\xB7 <tspan fill=\"#3a7d5c\">\xE2\x80\x94 same class</tspan> "
          "<tspan fill=\"#d2603a\">\xE2\x80\x94 different classes</tspan>";
    }
    svg_ += "</text>\n";
  }

  // Each pair once. Edges between classes come last, on top: they are what one looks for.
  void add_edges() {
    for (const bool different : {false, true}) {
      svg_ += std::string("<g stroke=\"") +
              (nodes_.labels.empty() ? "#7788aa"
               : different           ? "#d2603a"
                                     : "#3a7d5c") +
              "\">\n";
      for (const Edge& edge : edges_of(part_)) {
        const auto i = static_cast<std::size_t>(edge.target);
        const auto j = static_cast<std::size_t>(edge.source);
        if ((label(i) != label(j)) != different) continue;
        if (edge.target > edge.source && has(edge.source, edge.target)) continue;
        const double strength = std::clamp(static_cast<double>(edge.weight), 0.05, 1.0);
        svg_ += format(
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke-width=\"%.2f\" "
            "stroke-opacity=\"%.2f\"/>\n",
            places_[i].first, places_[i].second, places_[j].first, places_[j].second,
            0.6 + 1.4 * strength, 0.2 + 0.5 * strength);
      }
      svg_ += "</g>\n";
    }
  }

  [[nodiscard]] bool has(std::int64_t target, std::int64_t source) const {
    const auto* begin = part_.rowptr.data_ptr<std::int64_t>();
    const auto* col = part_.col.data_ptr<std::int64_t>();
    return std::binary_search(col + begin[target], col + begin[target + 1], source);
  }

  void add_node(std::size_t i) {
    const std::size_t node = chosen_[i];
    svg_ += format("<g transform=\"translate(%.1f %.1f)\"><title>", places_[i].first,
                   places_[i].second);
    svg_ += escaped(nodes_.ids.empty() ? std::to_string(node) : nodes_.ids[node]);
    if (label(i) >= 0) {
      const auto of = static_cast<std::size_t>(label(i));
      svg_ += ": " + escaped(of < nodes_.class_names.size() ? nodes_.class_names[of]
                                                            : "class " + std::to_string(of));
    }
    svg_ += "</title>";
    if (nodes_.image) {
      svg_ += format(
                  "<image x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                  "clip-path=\"url(#disc)\" href=\"data:image/png;base64,",
                  -radius_, -radius_, 2 * radius_, 2 * radius_) +
              base64(encode_png(small(nodes_.image(node)))) + "\"/>";
    }
    svg_ += format("<circle r=\"%.1f\" fill=\"%s\" stroke=\"%s\" stroke-width=\"2.5\"/></g>\n",
                   nodes_.image ? radius_ : radius_ / 2,
                   nodes_.image ? "none" : colour_of(label(i)).c_str(),
                   nodes_.image ? colour_of(label(i)).c_str() : "white");
  }

  const GraphNodes& nodes_;
  std::vector<std::size_t> chosen_;
  CsrGraph part_;
  Places places_;
  double radius_ = 0;
  std::string svg_;
};

}  // namespace

std::string graph_picture(const CsrGraph& graph, const GraphNodes& nodes, std::size_t shown,
                          const std::string& title) {
  return Picture(graph, nodes, shown).text(title);
}

}  // namespace espalier::cli
