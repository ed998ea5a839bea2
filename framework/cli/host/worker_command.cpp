#include "worker_command.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <espalier/core/process.hpp>
#include <filesystem>

#include "plugins_internal.hpp"

namespace espalier::cli {
namespace {

// The state of the user's own repository, where the experiment is in one.
Json provenance() {
  Json facts = {{"framework_version", ESPALIER_VERSION}};
  try {
    const auto limit = std::chrono::seconds(2);
    const ProcessResult head = run_process({"git", "rev-parse", "HEAD"}, limit);
    if (!head.ok()) return facts;
    facts["git_sha"] = head.out.substr(0, head.out.find('\n'));
    const ProcessResult changed =
        run_process({"git", "status", "--porcelain", "--untracked-files=no"}, limit);
    if (changed.ok()) facts["git_dirty"] = !changed.out.empty();
  } catch (const Error&) {
    return facts;  // no git on this machine
  }
  return facts;
}

}  // namespace

std::size_t worker_count(const std::string& text, int threads) {
  if (text == "auto") return static_cast<std::size_t>(std::max(1, usable_cores() / threads));
  const bool digits = !text.empty() && text.size() <= 4 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  const int count = digits ? std::stoi(text) : 0;
  if (count < 1) wrong_option("workers", "a number from 1 to 9999, or auto", text);
  return static_cast<std::size_t>(count);
}

WorkerCommand worker_command(const std::vector<std::string>& plugins, std::size_t workers,
                             int threads, const std::string& device) {
  const auto loaders = static_cast<std::size_t>(usable_cores()) / workers;
  WorkerCommand command;
  command.arguments = {worker_program().string(),
                       "serve",
                       "--threads",
                       std::to_string(threads),
                       "--loaders",
                       std::to_string(std::max<std::size_t>(loaders, 1)),
                       "--device",
                       device,
                       "--environment",
                       provenance().dump()};
  for (const std::string& folder : plugins) {
    command.arguments.insert(command.arguments.end(),
                             {"--plugins", std::filesystem::absolute(folder).string()});
  }
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) {
    command.environment[name] = std::to_string(threads);
  }
  // Threads that wait by turning would wait for whatever else the machine has to do.
  const char* const policy = std::getenv("OMP_WAIT_POLICY");
  command.environment["OMP_WAIT_POLICY"] = policy == nullptr ? "passive" : policy;
  return command;
}

}  // namespace espalier::cli
