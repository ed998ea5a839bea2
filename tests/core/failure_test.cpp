#include <espalier/core/failure.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <new>
#include <stdexcept>

namespace espalier {
namespace {

template <class Thrown>
std::string message_of_thrown(const Thrown& thrown) {
  return message_of(std::make_exception_ptr(thrown));
}

TEST(Failure, NamesTheLimitOfOpenFiles) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit lower = before;
  lower.rlim_cur = 77;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lower), 0);
  EXPECT_EQ(system_error(EMFILE), "Too many open files: this process may have 77 (ulimit -n)");
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(system_error(ENOENT), "No such file or directory");
}

TEST(Failure, SaysWhatWasThrown) {
  EXPECT_EQ(message_of_thrown(std::runtime_error("it broke")), "it broke");
  EXPECT_EQ(message_of_thrown(std::runtime_error("it broke\nException raised from f at g:1")),
            "it broke");
  EXPECT_EQ(message_of_thrown(std::bad_alloc()).substr(0, 13), "out of memory");
  EXPECT_EQ(message_of_thrown(42), "something was thrown that is no std::exception");
}

TEST(Failure, NamesTheLimitOfMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs more addresses than this limit leaves";
#endif
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  rlimit lower = before;
  lower.rlim_cur = rlim_t{1} << 40;
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &lower), 0);
  EXPECT_EQ(message_of_thrown(std::bad_alloc()),
            "out of memory: this process may have addresses of 1.1 TB (ulimit -v)");
  EXPECT_EQ(message_of_thrown(std::runtime_error("can't allocate: Cannot allocate memory")),
            "can't allocate: Cannot allocate memory: this process may have addresses of 1.1 TB "
            "(ulimit -v)");
  ::setrlimit(RLIMIT_AS, &before);
}

}  // namespace
}  // namespace espalier
