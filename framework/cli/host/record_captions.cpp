#include "record_captions.hpp"

#include <unistd.h>

#include "run/stop_signals.hpp"
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/core/process.hpp>
#include <filesystem>

namespace espalier::cli {
namespace {

Json recording_of(const PlannedCaptions& set, const std::vector<std::string>& plugins) {
  return {{"do", "write"},
          {"dataset", set.dataset},
          {"captioner", set.captioner},
          {"about", {{"captioner", set.asked}, {"dataset", set.dataset}}},
          {"seed", 1},
          {"out", set.file.string()},
          {"complete", true},
          {"plugins", plugins}};
}

// A signal that stops this program stops the worker, which then ends by itself.
ProcessEnd end_of(ChildProcess& worker, StopSignals& signals) {
  for (;;) {
    const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
    if (const std::optional<ProcessEnd> end = worker.wait(soon)) return *end;
    if (const std::optional<int> signal = signals.take()) ::kill(worker.pid(), *signal);
  }
}

}  // namespace

void record_captions(const std::vector<PlannedCaptions>& sets,
                     const std::vector<std::string>& plugins) {
  StopSignals signals;
  for (const PlannedCaptions& set : sets) {
    const std::string use = set.captioner.at("use");
    std::fprintf(stderr, "captions of captioner/%s for dataset/%s\n", printable(use).c_str(),
                 printable(set.dataset.at("use").get<std::string>()).c_str());
    std::filesystem::create_directories(set.file.parent_path());
    ChildProcess worker(
        {.arguments = {worker_program().string(), "captions", recording_of(set, plugins).dump()},
         .environment = {},
         .descriptors = {{STDERR_FILENO, STDOUT_FILENO}, {STDERR_FILENO, STDERR_FILENO}}});
    const ProcessEnd end = end_of(worker, signals);
    if (end.exit_code > 128) std::exit(end.exit_code);
    if (end.exit_code == 0 && end.signal == 0) continue;
    throw Error({.what = "not every picture has a caption, so no trial was run",
                 .where = set.file.string() + ".part",
                 .expected = {},
                 .found = ending(end),
                 .fix = "the same command asks for those that are missing; where a model will not "
                        "describe some, `espalier captions write` makes a set without them"});
  }
}

}  // namespace espalier::cli
