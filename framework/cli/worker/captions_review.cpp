#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "review/review_file.hpp"
#include "review/review_server.hpp"
#include "run/stop_signals.hpp"
#include <algorithm>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/image/png.hpp>
#include <espalier/image/resize.hpp>
#include <espalier/plugin/loader_context.hpp>
#include <map>
#include <thread>

#include "captions_internal.hpp"

namespace espalier::cli {
namespace {

constexpr std::int64_t longest_side = 1000;
constexpr std::size_t most_named = 5;

// Where the pictures of captions are in a dataset, whose classes they get. Throws Error that names
// those that are not there.
std::map<std::string, std::size_t> samples_of(std::vector<ReviewItem>& items,
                                              const Dataset& dataset, const std::string& file) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < dataset.samples().size(); ++i) {
    places.emplace(dataset.samples()[i].id, i);
  }
  std::string missing;
  std::size_t count = 0;
  for (ReviewItem& item : items) {
    const auto found = places.find(item.id);
    if (found != places.end()) {
      item.label = dataset.samples()[found->second].label;
    } else if (++count <= most_named) {
      missing += (missing.empty() ? "" : ", ") + item.id;
    }
  }
  if (count == 0) return places;
  throw Error({.what = std::to_string(count) + " of " + std::to_string(items.size()) +
                       " captions are of pictures that the dataset does not have",
               .where = file,
               .expected = "the dataset that was captioned",
               .found = missing + (count > most_named ? ", ..." : ""),
               .fix = "an id is the path of a photo below the root of the dataset"});
}

Image fitted(const Image& image) {
  const std::int64_t longer = std::max(image.width, image.height);
  if (longer <= longest_side) return image;
  const auto scaled = [&](std::int64_t side) {
    return std::max<std::int64_t>(1, side * longest_side / longer);
  };
  return resize(image, scaled(image.width), scaled(image.height), Filter::bilinear);
}

void wait_for_a_signal(StopSignals& signals) {
  for (;;) {
    pollfd readable{.fd = signals.descriptor(), .events = POLLIN, .revents = 0};
    ::poll(&readable, 1, -1);
    if (signals.take()) return;
  }
}

}  // namespace

int review_captions(const Json& request) {
  StopSignals signals;  // before a component starts a thread
  const Catalog catalog = Catalog::installed(request.at("plugins").get<std::vector<std::string>>());
  Loader loader(catalog);
  spdlog::logger log("captions", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  const LoaderContext context(loader, log);
  const auto dataset = loader.make<Dataset>(request.at("dataset"), context);
  const std::filesystem::path file = request.at("set").get<std::string>();
  std::vector<ReviewItem> items = read_review_items(file);
  const auto samples = samples_of(items, *dataset, file.string());

  const Review review(std::move(items), request.at("overlap"));
  ReviewServer server(review,
                      {.name = file.filename().string(),
                       .classes = dataset->class_names(),
                       .photo =
                           [&](std::size_t item) {
                             const Image image =
                                 dataset->image(samples.at(review.items()[item].id));
                             return ReviewPhoto{encode_png(fitted(image)), "image/png"};
                           },
                       .decisions = request.at("decisions").get<std::string>()},
                      request.at("reviewer"), request.at("port"));
  std::printf(
      "%zu captions, reviewer %s. Open\n\n  %s\n\nCtrl-C ends it; every decision is kept.\n",
      review.items().size(), request.at("reviewer").get<std::string>().c_str(),
      server.link().c_str());
  std::fflush(stdout);
  std::thread serving([&] { server.run(); });
  wait_for_a_signal(signals);
  server.stop();
  serving.join();
  std::printf("%zu decisions in %s\n", server.made(),
              printable(request.at("decisions").get<std::string>()).c_str());
  return 0;
}

}  // namespace espalier::cli
