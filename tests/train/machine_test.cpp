#include <gmock/gmock.h>

#include "train/machine.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* openmp_maps =
    "7f10a000-7f10b000 r--p 00000000 fe:00 11 "
    "/usr/lib/x86_64-linux-gnu/openblas-openmp/libblas.so.3\n"
    "7f20a000-7f20b000 r--p 00000000 fe:00 12 /usr/lib/x86_64-linux-gnu/libtorch_cpu.so.1.13.0\n";
constexpr const char* reference_maps =
    "7f10a000-7f10b000 r--p 00000000 fe:00 11 /usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0\n";

Machine healthy() {
  Machine machine;
  machine.cores = 2;
  machine.blas = {BlasFlavour::openblas_openmp, "/usr/lib/openblas-openmp/libblas.so.3", "Haswell"};
  machine.float32 = {80, 155};
  machine.bfloat16 = {2, 4};
  return machine;
}

TEST(Blas, IsToldByTheFolderThatDebianPutsItIn) {
  EXPECT_EQ(blas_of(openmp_maps, false).flavour, BlasFlavour::openblas_openmp);
  EXPECT_EQ(blas_of(openmp_maps, false).file,
            "/usr/lib/x86_64-linux-gnu/openblas-openmp/libblas.so.3");
  EXPECT_EQ(blas_of(reference_maps, false).flavour, BlasFlavour::reference);
}

TEST(Blas, IsThePthreadBuildWhereBothAreMapped) {
  const std::string both =
      std::string(openmp_maps) + "7f3 r--p 0 0 1 /usr/lib/openblas-pthread/libopenblas.so.0\n";
  EXPECT_EQ(blas_of(both, false).flavour, BlasFlavour::openblas_threads);
}

TEST(Blas, MayBePartOfLibTorch) {
  EXPECT_EQ(blas_of("", true).flavour, BlasFlavour::mkl);
  EXPECT_EQ(blas_of("", true).file, "");
  EXPECT_EQ(blas_of("", false).flavour, BlasFlavour::other);
}

TEST(MachineProblems, AreNoneOnAHealthyMachine) {
  EXPECT_THAT(machine_problems(healthy()), IsEmpty());
}

TEST(MachineProblems, NameTheRepairOfASlowBlas) {
  for (const BlasFlavour flavour :
       {BlasFlavour::reference, BlasFlavour::openblas_threads, BlasFlavour::openblas_serial}) {
    Machine machine = healthy();
    machine.blas.flavour = flavour;
    const std::vector<Problem> problems = machine_problems(machine);
    ASSERT_THAT(problems, SizeIs(1)) << to_string(flavour);
    EXPECT_THAT(problems[0].fix, HasSubstr("libopenblas0-openmp"));
  }
}

TEST(MachineProblems, SeeThreadsThatDoNotHelp) {
  Machine machine = healthy();
  machine.float32 = {80, 81};
  ASSERT_THAT(machine_problems(machine), SizeIs(1));
  machine.cores = 1;
  EXPECT_THAT(machine_problems(machine), IsEmpty());
}

TEST(MachineProblems, AreNotReadFromABusyMachine) {
  Machine machine = healthy();
  machine.float32 = {80, 81};
  machine.busy = 0.5;
  EXPECT_THAT(machine_problems(machine), IsEmpty());
}

TEST(MachineProblems, SeeABfloat16ThatDoesNotPay) {
  Machine machine = healthy();
  machine.native_bfloat16 = true;
  ASSERT_THAT(machine_problems(machine), SizeIs(1));
  machine.bfloat16 = {170, 330};
  EXPECT_THAT(machine_problems(machine), IsEmpty());
}

TEST(Machine, IsInspectedWithoutChangingTheThreads) {
  const Machine first = inspect_machine();
  const Machine second = inspect_machine();
  EXPECT_GE(first.cores, 1);
  EXPECT_GT(first.float32.one_thread, 0);
  EXPECT_THAT(first.libtorch_file, HasSubstr("libtorch_cpu"));
  EXPECT_EQ(first.libtorch_threads, second.libtorch_threads);
}

}  // namespace
}  // namespace espalier
