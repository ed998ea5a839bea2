#include <espalier/core/failure.hpp>

#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <espalier/core/units.hpp>
#include <new>
#include <optional>

namespace espalier {
namespace {

std::optional<rlim_t> limit_of(decltype(RLIMIT_AS) resource) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

// The limit that a failure of this kind comes from, where one is set.
std::string limit_behind(int error) {
  if (error == EMFILE) {
    const auto files = limit_of(RLIMIT_NOFILE);
    return files ? ": this process may have " + std::to_string(*files) + " (ulimit -n)" : "";
  }
  if (error == ENOMEM) {
    const auto bytes = limit_of(RLIMIT_AS);
    return bytes ? ": this process may have addresses of " +
                       bytes_text(static_cast<std::int64_t>(*bytes)) + " (ulimit -v)"
                 : "";
  }
  if (error == EFBIG) {
    const auto bytes = limit_of(RLIMIT_FSIZE);
    return bytes ? ": a file may have " + bytes_text(static_cast<std::int64_t>(*bytes)) +
                       " (ulimit -f)"
                 : "";
  }
  return {};
}

std::string without_backtrace(const std::string& text) {
  return text.substr(0, text.find("\nException raised from "));
}

}  // namespace

std::string system_error(int error) { return std::strerror(error) + limit_behind(error); }

std::string message_of(const std::exception_ptr& failure) try {
  std::rethrow_exception(failure);
} catch (const std::bad_alloc&) {
  return "out of memory" + limit_behind(ENOMEM);
} catch (const std::exception& error) {
  const std::string text = without_backtrace(error.what());
  // LibTorch's allocator throws an exception of its own.
  const bool of_memory = text.find(std::strerror(ENOMEM)) != std::string::npos;
  return of_memory ? text + limit_behind(ENOMEM) : text;
} catch (...) {
  return "something was thrown that is no std::exception";
}

}  // namespace espalier
