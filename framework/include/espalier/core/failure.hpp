// What the system and libraries say when they fail, as a person reads it, with the limit behind it.
#pragma once

#include <exception>
#include <string>

namespace espalier {

// The text of an errno. Where a limit of this process is the cause, names it:
// `Too many open files: this process may have 64 (ulimit -n)`.
[[nodiscard]] std::string system_error(int error);

// What an exception says, without the list of calls that LibTorch adds; `out of memory` for
// std::bad_alloc.
[[nodiscard]] std::string message_of(const std::exception_ptr& failure);

}  // namespace espalier
