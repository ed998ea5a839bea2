// The stamp that says what a plugin was compiled with. It is compared field by field before the
// library is loaded; every field must be equal.
//
// `torch` is the version that LibTorch's headers name where the plugin includes one of the tensor
// interfaces (plugin/tensor.hpp), else "none": a dataset or a captioner fits every LibTorch.
#pragma once

// Raise by hand whenever an interface or a type in it changes, and say in abi.cpp what did.
#define ESPALIER_ABI_VERSION 8

#define ESPALIER_ABI_TEXT_(x) #x
#define ESPALIER_ABI_TEXT(x) ESPALIER_ABI_TEXT_(x)

#if defined(__clang__)
#define ESPALIER_ABI_COMPILER "clang-" ESPALIER_ABI_TEXT(__clang_major__)
#else
#define ESPALIER_ABI_COMPILER "gcc-" ESPALIER_ABI_TEXT(__GNUC__)
#endif

#if !defined(ESPALIER_ABI_TORCH)
#define ESPALIER_ABI_TORCH "none"
#endif

#if defined(_GLIBCXX_DEBUG)
#define ESPALIER_ABI_STL "debug"
#elif defined(_GLIBCXX_ASSERTIONS)
#define ESPALIER_ABI_STL "assertions"
#else
#define ESPALIER_ABI_STL "plain"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define ESPALIER_ABI_SANITIZER "address"
#elif defined(__SANITIZE_THREAD__)
#define ESPALIER_ABI_SANITIZER "thread"
#else
#define ESPALIER_ABI_SANITIZER "none"
#endif

#define ESPALIER_ABI_JSON \
  "{\"framework\":\"" ESPALIER_ABI_TEXT(ESPALIER_ABI_VERSION)                  \
  "\",\"compiler\":\"" ESPALIER_ABI_COMPILER                                   \
  "\",\"glibcxx\":\"" ESPALIER_ABI_TEXT(_GLIBCXX_RELEASE)                      \
  "\",\"cxx11_abi\":\"" ESPALIER_ABI_TEXT(_GLIBCXX_USE_CXX11_ABI)              \
  "\",\"cplusplus\":\"" ESPALIER_ABI_TEXT(__cplusplus)                         \
  "\",\"torch\":\"" ESPALIER_ABI_TORCH "\",\"stl\":\"" ESPALIER_ABI_STL        \
  "\",\"sanitizer\":\"" ESPALIER_ABI_SANITIZER "\"}"

// A symbol named after the framework's ABI, defined in espalier_core. Loading a plugin that refers
// to another one fails at once, even where its manifest was not looked at.
#define ESPALIER_ABI_SYMBOL_(version) espalier_abi_v##version
#define ESPALIER_ABI_SYMBOL__(version) ESPALIER_ABI_SYMBOL_(version)
#define ESPALIER_ABI_SYMBOL ESPALIER_ABI_SYMBOL__(ESPALIER_ABI_VERSION)
extern "C" {
extern const int ESPALIER_ABI_SYMBOL;
}
#define ESPALIER_ABI_REFERENCE                                       \
  do {                                                               \
    [[maybe_unused]] const int* volatile abi = &ESPALIER_ABI_SYMBOL; \
  } while (false)
