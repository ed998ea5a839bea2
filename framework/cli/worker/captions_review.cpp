#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <poll.h>

#include "review/review_file.hpp"
#include "review/review_scores.hpp"
#include "review/review_server.hpp"
#include "run/stop_signals.hpp"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <espalier/caption/agreement.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/core/process.hpp>
#include <espalier/image/png.hpp>
#include <espalier/image/resize.hpp>
#include <map>
#include <thread>

#include "caption_check.hpp"
#include "captions_internal.hpp"

namespace espalier::cli {
namespace {

constexpr std::int64_t longest_side = 1000;
constexpr std::size_t most_named = 5;

void require_pictures_of_all(const CaptionCheck& check, const std::string& file) {
  const std::vector<std::string>& unknown = check.unknown();
  if (unknown.empty()) return;
  std::string named;
  for (std::size_t i = 0; i < std::min(unknown.size(), most_named); ++i) {
    named += (i == 0 ? "" : ", ") + unknown[i];
  }
  throw Error({.what = std::to_string(unknown.size()) + " of " +
                       std::to_string(check.set().records().size()) +
                       " captions are of pictures that the dataset does not have",
               .where = file,
               .expected = "the dataset that was captioned",
               .found = named + (unknown.size() > most_named ? ", ..." : ""),
               .fix = "an id is the path of a photo below the root of the dataset"});
}

// How far each caption agrees with those of the same picture in other sets; NaN where they have no
// words to compare.
std::vector<double> agreement_with(const CaptionCheck& check, const Json& files) {
  std::vector<double> agreement;
  for (const auto& texts : check.samples_with(files)) {
    agreement.push_back(self_consistency({&texts, 1}));
  }
  return agreement;
}

// Measures what the request asks for and keeps it beside the decisions.
void keep_scores(const CaptionCheck& check, const Json& request) {
  const bool by_samples = !request.at("samples").empty();
  if (check.scores.empty() && !by_samples) return;
  const std::vector<double> values =
      by_samples ? agreement_with(check, request.at("samples")) : check.scores;
  ReviewScores scores{.measure = by_samples ? "self_consistency" : "clip_score",
                      .by = by_samples ? request.at("samples") : request.at("encoder"),
                      .set = check.set().digest(),
                      .scores = {}};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) scores.scores.emplace(check.records[i]->id, values[i]);
  }
  write_scores(scores, request.at("decisions").get<std::string>());
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
  const c10::AutoGradMode without_gradients(false);
  at::set_num_threads(usable_cores());
  const CaptionCheck check(request);
  const std::filesystem::path file = request.at("set").get<std::string>();
  require_pictures_of_all(check, file.string());
  keep_scores(check, request);

  ReviewInput input = read_review_input(file, request.at("decisions").get<std::string>());
  std::map<std::string_view, std::size_t> samples;
  for (std::size_t i = 0; i < check.records.size(); ++i) {
    samples.emplace(check.records[i]->id, check.samples[i]);
  }
  for (ReviewItem& item : input.items) {
    item.label = check.dataset().samples()[samples.at(item.id)].label;
  }
  const Review review(std::move(input.items), request.at("overlap"), std::move(input.measure));
  ReviewServer server(review,
                      {.name = file.filename().string(),
                       .classes = check.dataset().class_names(),
                       .photo =
                           [&](std::size_t item) {
                             const Image image =
                                 check.dataset().image(samples.at(review.items()[item].id));
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
