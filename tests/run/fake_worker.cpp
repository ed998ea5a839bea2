// A worker that speaks the real protocol and trains nothing, so that the scheduler can be tested
// against workers that crash, hang and grow. What a trial does is the `act` of its dataset.
#include <spdlog/logger.h>

#include "run/worker.hpp"
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace espalier {
namespace {

void sleep_ms(std::int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

[[noreturn]] void allocate_without_end() {
  std::vector<std::vector<char>> kept;
  for (;;) {
    kept.emplace_back(std::size_t{4} << 20, 'x');
    sleep_ms(2);
  }
}

[[noreturn]] void spin() {
  for (volatile std::uint64_t turns = 0;;) turns = turns + 1;
}

void ask_for_too_much() {
  const std::vector<char> all(std::size_t{1} << 62);
  std::printf("%zu\n", all.size());
}

void misbehave(const std::string& act, const std::filesystem::path& folder) {
  if (act == "throw") throw std::runtime_error("the fake component gave up");
  if (act == "throw_number") throw 42;
  if (act == "print") std::puts("{\"say\":\"complete\"} is not for you");
  if (act == "crash") std::raise(SIGSEGV);
  if (act == "abort") {
    std::fputs("fake: assertion failed\n", stderr);
    std::abort();
  }
  if (act == "exit") std::exit(5);
  if (act == "sleep") sleep_ms(3'600'000);
  if (act == "spin") spin();
  if (act == "ask_for_too_much") ask_for_too_much();
  if (act == "allocate") allocate_without_end();
  if (act == "fill") {
    std::ofstream out(folder / "filler");
    const std::string block(1 << 16, 'x');
    while (out.write(block.data(), static_cast<std::streamsize>(block.size())) && out.flush()) {
    }
  }
}

// A curve that depends on the seed and the epoch alone.
double accuracy(std::int64_t seed, std::int64_t epoch) {
  const auto e = static_cast<double>(epoch);
  return 1.0 - 1.0 / (2.0 + e + 0.1 * static_cast<double>(seed));
}

std::int64_t resume_at(const std::filesystem::path& checkpoint) {
  std::int64_t epoch = 0;
  std::ifstream(checkpoint) >> epoch;
  return epoch;
}

std::optional<TrialResult> train(const TrialRequest& request, const TrialHooks& hooks) {
  const Json& fake = request.config.at("dataset");
  const auto seed = request.config.at("seed").get<std::int64_t>();
  const auto epochs = fake.value("epochs", std::int64_t{3});
  const std::filesystem::path checkpoint = request.folder / "checkpoint";
  hooks.log->info("trial of seed {}", seed);
  hooks.stage("features");
  misbehave(fake.value("act", ""), request.folder);
  if (fake.value("act", "") == "overwrite") {
    std::ofstream(fake.at("root").get<std::string>()) << "other photos";
  }

  const std::int64_t first = resume_at(checkpoint);
  for (std::int64_t epoch = 0; epoch <= epochs; ++epoch) {
    const auto number = static_cast<std::int32_t>(epoch);
    if (epoch >= first) sleep_ms(fake.value("ms", std::int64_t{0}));
    if (epoch >= first) {
      hooks.epoch({number, epoch, "train", 0.5, 1.0, 0.1, 0.0});
      if (fake.value("validates", true)) {
        hooks.epoch({number, epoch, "val", 1.0, accuracy(seed, epoch), 0.1, 0.0});
      }
    }
    if (*hooks.stop && epoch < epochs) {
      write_file(checkpoint, std::to_string(epoch + 1));
      return std::nullopt;
    }
  }
  TrialResult result;
  result.trial_id = request.trial_id;
  result.combo_id = request.combo_id;
  result.config = request.config;
  result.seed = seed;
  result.attempt = request.attempt;
  result.epochs = epochs;
  result.best_epoch = epochs;
  result.val_top1 = accuracy(seed, epochs);
  result.test_top1 = accuracy(seed, epochs) - 0.01;
  result.class_names = {"a", "b"};
  for (std::int64_t epoch = 0; epoch <= epochs; ++epoch) {
    result.metrics.push_back({static_cast<std::int32_t>(epoch), epoch, "val", 1.0,
                              accuracy(seed, epoch), 0.1, static_cast<double>(epoch)});
  }
  result.environment = {{"resumed_at", first}, {"threads", std::getenv("OMP_NUM_THREADS") ? 1 : 0}};
  if (const std::string build = fake.value("build", ""); !build.empty()) {
    result.environment["builds"] = {{"dataset/fake", build}};
  }
  std::filesystem::remove(checkpoint);
  return result;
}

}  // namespace
}  // namespace espalier

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "refuse") == 0) {
    std::fputs("error: this worker never starts\n", stderr);
    return 2;
  }
  espalier::WorkerOptions options;
  options.out = espalier::begin_worker();
  options.environment = {{"host", "fake"}};
  espalier::serve_trials(options, espalier::train);
  return 0;
}
