#include <algorithm>
#include <chrono>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <espalier/plugin/encoder.hpp>
#include <map>

#include "results/feature_file.hpp"

#include "encode_internal.hpp"

namespace espalier::cli {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 30;

// One a line, an empty line too.
std::vector<std::string> read_texts(const std::string& file) {
  const std::string bytes = read_file(file, largest_file);
  std::vector<std::string> texts;
  for (std::size_t start = 0; start < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', start), bytes.size());
    texts.push_back(bytes.substr(start, end - start));
    if (texts.back().ends_with('\r')) texts.back().pop_back();
    start = end + 1;
  }
  if (!texts.empty()) return texts;
  throw Error({.what = "there are no texts",
               .where = file,
               .expected = "a text a line",
               .found = "an empty file",
               .fix = {}});
}

std::vector<std::string> places_of(const std::string& file, std::size_t count) {
  std::vector<std::string> places;
  for (std::size_t i = 1; i <= count; ++i) places.push_back(file + ":" + std::to_string(i));
  return places;
}

void write(const std::string& path, const at::Tensor& rows, const std::vector<std::string>& texts,
           const Json& attributes) {
  if (path.ends_with(".h5")) {
    const auto count = static_cast<std::size_t>(rows.numel());
    write_text_features(path, {.features = {{rows.data_ptr<float>(), count}, rows.size(1)},
                               .texts = texts,
                               .attributes = attributes});
  } else if (path.ends_with(".safetensors")) {
    std::map<std::string, std::string> metadata = {{"texts", Json(texts).dump()}};
    for (const auto& [name, value] : attributes.items()) metadata[name] = value;
    write_tensors(path, {{"text_features", rows}}, metadata);
  }
}

}  // namespace

void encode_texts(const Json& request) {
  using Clock = std::chrono::steady_clock;
  const std::string file = request.at("texts");
  const std::vector<std::string> texts = read_texts(file);
  EncodeComponents components(request);
  const auto encoder = components.make<Encoder>(request.at("encoder"));
  const auto begin = Clock::now();
  const at::Tensor rows = encoder->encode_texts(texts).cpu().contiguous();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  require_finite(rows, places_of(file, texts.size()), "text");
  const std::string path = request.at("out");
  write(path, rows, texts,
        {{"encoder", request.at("encoder").dump()}, {"espalier", ESPALIER_VERSION}});
  std::printf("%zu texts, %lld numbers each, in %.1f s%s%s\n", texts.size(),
              static_cast<long long>(rows.size(1)), seconds, path.empty() ? "" : ": ",
              path.c_str());
}

}  // namespace espalier::cli
