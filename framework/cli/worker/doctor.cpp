#include "results/hdf5_version.hpp"
#include "train/machine.hpp"
#include <array>
#include <cmath>
#include <cstdio>
#include <espalier/core/words.hpp>
#include <espalier/plugin/catalog.hpp>

#include "described_catalog.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace fs = std::filesystem;

void line(const char* name, const std::string& text) {
  std::printf("  %-10s %s\n", name, text.c_str());
}

std::string in_parentheses(const std::string& text) {
  return text.empty() ? "" : " (" + text + ")";
}

std::string told(const Blas& blas) {
  const std::string kernels = blas.kernels.empty() ? "" : ", kernels for " + blas.kernels;
  return std::string(to_string(blas.flavour)) + kernels + in_parentheses(blas.file);
}

std::string rates(const MatmulRates& rates, std::int64_t cores) {
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%.0f GFLOP/s on 1 thread, %.0f on %d", rates.one_thread,
                rates.all_threads, static_cast<int>(cores));
  return text.data();
}

void print_machine(const Machine& machine) {
  line("CPU", machine.cpu + ", " + std::to_string(machine.cores) +
                  " cores to use: " + joined(machine.instructions, " "));
  line("GPU", machine.gpus == 0 ? "none that LibTorch can use" : std::to_string(machine.gpus));
  line("LibTorch", machine.libtorch + in_parentheses(machine.libtorch_file));
  line("BLAS", told(machine.blas));
  line("threads", "LibTorch starts with " + std::to_string(machine.libtorch_threads) +
                      "; espalier run --threads N decides");
  line("float32", rates(machine.float32, machine.cores));
  line("bfloat16",
       rates(machine.bfloat16, machine.cores) +
           (machine.native_bfloat16 ? ", native" : ", not native: precision auto is float32"));
  if (machine.busy > 0.2) {
    line("busy", "other programs took " + std::to_string(std::lround(100 * machine.busy)) +
                     " % of the machine meanwhile: the rates are too low");
  }
}

std::int64_t components_in(const Catalog& catalog, const fs::path& folder) {
  std::int64_t count = 0;
  for (const ComponentInfo& component : catalog.all())
    count += component.file.parent_path() == folder;
  return count;
}

void print_plugins(const Catalog& catalog) {
  for (const fs::path& folder : catalog.searched()) {
    line("plugins",
         folder.string() + ": " + std::to_string(components_in(catalog, folder)) + " components");
  }
  if (catalog.searched().empty()) line("plugins", "no folder");
}

std::vector<std::string> folders_in(const std::vector<std::string>& arguments) {
  std::vector<std::string> folders;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    if (arguments[i] != "--plugins" || i + 1 == arguments.size()) {
      throw Error({.what = "unknown argument",
                   .where = "command line of espalier doctor",
                   .expected = "--plugins DIR",
                   .found = arguments[i],
                   .fix = "espalier doctor --help"});
    }
    folders.push_back(arguments[i + 1]);
  }
  return folders;
}

}  // namespace

int doctor(const std::vector<std::string>& arguments) {
  const std::vector<std::string> folders = folders_in(arguments);
  const Catalog catalog = described_catalog(folders);
  const Machine machine = inspect_machine();
  std::puts("espalier " ESPALIER_VERSION);
  print_machine(machine);
  line("HDF5", hdf5_version());
  print_plugins(catalog);

  std::vector<Problem> problems = machine_problems(machine);
  for (const RejectedPlugin& plugin : catalog.rejected()) problems.push_back(plugin.problem);
  for (const Problem& problem : problems)
    std::printf("\nproblem: %s\n", to_string(problem).c_str());
  if (problems.empty()) std::puts("\nNothing wrong was found.");
  return problems.empty() ? 0 : 1;
}

}  // namespace espalier::cli
