#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <c10/core/GradMode.h>
#include <dlfcn.h>
#include <torch/version.h>
#include <unistd.h>

#include "train/machine.hpp"
#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <espalier/core/process.hpp>
#include <espalier/nn/pretrained.hpp>
#include <fstream>
#include <sstream>

namespace espalier {
namespace {

constexpr std::array instructions_that_matter = {
    "avx2", "fma", "avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16", "asimd", "sve", "bf16"};

std::string text_of(const char* file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string cpu_field(const std::string& cpuinfo, const std::string& name) {
  std::istringstream lines(cpuinfo);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with(name) && colon != std::string::npos) return line.substr(colon + 2);
  }
  return {};
}

std::vector<std::string> instructions_in(const std::string& cpuinfo) {
  const std::string flags = cpu_field(cpuinfo, "flags") + cpu_field(cpuinfo, "Features");
  std::vector<std::string> found;
  std::istringstream words(flags);
  for (std::string word; words >> word;) {
    if (std::ranges::find(instructions_that_matter, word) != instructions_that_matter.end())
      found.push_back(word);
  }
  return found;
}

// The mapped file whose path holds `part`.
std::string mapped_file(std::string_view maps, std::string_view part) {
  std::istringstream lines{std::string(maps)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t slash = line.find('/');
    if (slash != std::string::npos && line.find(part, slash) != std::string::npos)
      return line.substr(slash);
  }
  return {};
}

// Seconds that programs have run on any core, since the system started.
double seconds_run_by_all() {
  std::istringstream line(text_of("/proc/stat"));
  std::string name;
  line >> name;
  double ticks = 0;
  double value = 0;
  for (int field = 0; field < 8 && line >> value; ++field) {
    const bool idle = field == 3 || field == 4;
    if (!idle) ticks += value;
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double seconds_run_by_us() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// How much of the machine others took since it was made.
class OthersWatch {
 public:
  [[nodiscard]] double share() const {
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start_;
    const double others = seconds_run_by_all() - all_ - (seconds_run_by_us() - us_);
    const auto cores = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
    return std::clamp(others / (wall.count() * cores), 0.0, 1.0);
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double all_ = seconds_run_by_all();
  double us_ = seconds_run_by_us();
};

// The best of the products that fit into a fifth of a second.
double matmul_rate(at::ScalarType type, int threads) {
  using Clock = std::chrono::steady_clock;
  constexpr std::int64_t side = 768;
  at::set_num_threads(threads);
  const at::Tensor a = at::ones({side, side}, at::TensorOptions().dtype(type));
  static_cast<void>(at::mm(a, a));
  double best = 0;
  const auto end = Clock::now() + std::chrono::milliseconds(200);
  for (auto start = Clock::now(); start < end; start = Clock::now()) {
    static_cast<void>(at::mm(a, a));
    const std::chrono::duration<double> seconds = Clock::now() - start;
    best = std::max(best, 2e-9 * side * side * side / seconds.count());
  }
  return best;
}

MatmulRates matmul_rates(at::ScalarType type, std::int64_t cores) {
  return {.one_thread = matmul_rate(type, 1),
          .all_threads = matmul_rate(type, static_cast<int>(cores))};
}

}  // namespace

std::string_view to_string(BlasFlavour flavour) {
  switch (flavour) {
    case BlasFlavour::openblas_openmp:
      return "OpenBLAS, OpenMP build";
    case BlasFlavour::openblas_threads:
      return "OpenBLAS, pthread build";
    case BlasFlavour::openblas_serial:
      return "OpenBLAS, serial build";
    case BlasFlavour::reference:
      return "reference BLAS";
    case BlasFlavour::mkl:
      return "MKL";
    case BlasFlavour::other:
      break;
  }
  return "another BLAS";
}

Blas blas_of(std::string_view maps, bool mkl_inside) {
  struct Sign {
    std::string_view part;
    BlasFlavour flavour;
  };
  // The first that is mapped answers for libblas.so.3; Debian puts each build in its own folder.
  constexpr std::array signs = {Sign{"openblas-pthread/", BlasFlavour::openblas_threads},
                                Sign{"openblas-openmp/", BlasFlavour::openblas_openmp},
                                Sign{"openblas-serial/", BlasFlavour::openblas_serial},
                                Sign{"libmkl_", BlasFlavour::mkl},
                                Sign{"/blas/libblas", BlasFlavour::reference},
                                Sign{"libopenblas", BlasFlavour::other},
                                Sign{"libblas", BlasFlavour::other}};
  if (mkl_inside && mapped_file(maps, "libmkl_").empty()) return {BlasFlavour::mkl, {}, {}};
  for (const Sign& sign : signs) {
    const std::string file = mapped_file(maps, sign.part);
    if (!file.empty()) return {sign.flavour, file, {}};
  }
  return {};
}

std::string openblas_core() {
  using CoreName = const char* (*)();
  const auto name = reinterpret_cast<CoreName>(::dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return name == nullptr ? "" : name();
}

Machine inspect_machine() {
  const c10::NoGradGuard no_grad;
  const std::string cpuinfo = text_of("/proc/cpuinfo");
  Machine machine;
  machine.cpu = cpu_field(cpuinfo, "model name");
  machine.cores = usable_cores();
  machine.instructions = instructions_in(cpuinfo);
  machine.libtorch = TORCH_VERSION;
  machine.libtorch_threads = at::get_num_threads();
  machine.gpus = static_cast<std::int64_t>(at::globalContext().hasCUDA() ? at::getNumGPUs() : 0);
  machine.native_bfloat16 = precision_of("auto", at::kCPU) == at::kBFloat16;
  const OthersWatch others;
  machine.float32 = matmul_rates(at::kFloat, machine.cores);
  machine.bfloat16 = matmul_rates(at::kBFloat16, machine.cores);
  machine.busy = others.share();
  at::set_num_threads(static_cast<int>(machine.libtorch_threads));
  const std::string maps = text_of("/proc/self/maps");
  machine.libtorch_file = mapped_file(maps, "libtorch_cpu.so");
  machine.blas = blas_of(maps, at::hasMKL());
  machine.blas.kernels = openblas_core();
  return machine;
}

std::vector<Problem> machine_problems(const Machine& machine) {
  constexpr const char* openblas =
      "apt install libopenblas0-openmp, and apt remove libopenblas0-pthread libopenblas0-serial";
  const std::string blas = std::string(to_string(machine.blas.flavour)) + " " + machine.blas.file;
  std::vector<Problem> problems;
  if (machine.blas.flavour == BlasFlavour::reference) {
    problems.push_back(
        {.what = "matrix products run on the reference BLAS, 20 to 80 times too slow",
         .where = "LibTorch",
         .expected = "OpenBLAS, OpenMP build",
         .found = blas,
         .fix = openblas});
  }
  if (machine.blas.flavour == BlasFlavour::openblas_threads ||
      machine.blas.flavour == BlasFlavour::openblas_serial) {
    problems.push_back(
        {.what = "this OpenBLAS does not obey the number of threads that it is given",
         .where = "LibTorch",
         .expected = "OpenBLAS, OpenMP build",
         .found = blas,
         .fix = openblas});
  }
  if (machine.busy > 0.2) return problems;  // the rates say nothing
  if (machine.cores > 1 && machine.float32.all_threads < 1.2 * machine.float32.one_thread) {
    problems.push_back(
        {.what = "more threads do not make matrix products faster",
         .where = "float32 on " + std::to_string(machine.cores) + " cores",
         .expected = "close to " + std::to_string(machine.cores) + " times the rate of one thread",
         .found = "less than 1.2 times",
         .fix = "look for OMP_THREAD_LIMIT and limits of the container; until then run trials side "
                "by side with --workers"});
  }
  if (machine.native_bfloat16 && machine.bfloat16.one_thread < machine.float32.one_thread) {
    problems.push_back({.what = "the CPU has bfloat16, and this LibTorch is slower in it",
                        .where = "precision: auto",
                        .expected = "about twice the rate of float32",
                        .found = "less than float32",
                        .fix = "precision: float32, or a newer LibTorch"});
  }
  return problems;
}

}  // namespace espalier
