#include <espalier/core/failure.hpp>
#include <espalier/core/hash.hpp>

#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <memory>

namespace espalier {
namespace {

EVP_MD_CTX* as_context(void* context) { return static_cast<EVP_MD_CTX*>(context); }

// Fetched once: EVP_sha256() is looked up anew at every use.
const EVP_MD* algorithm() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched != nullptr ? fetched : EVP_sha256();
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  ESPALIER_ASSERT(context_ != nullptr, "OpenSSL gave no digest context");
  EVP_DigestInit_ex(as_context(context_), algorithm(), nullptr);
}

Sha256::~Sha256() { EVP_MD_CTX_free(as_context(context_)); }

void Sha256::update(std::string_view bytes) {
  EVP_DigestUpdate(as_context(context_), bytes.data(), bytes.size());
}

Digest Sha256::finish() {
  Digest digest{};
  EVP_DigestFinal_ex(as_context(context_), digest.data(), nullptr);
  EVP_DigestInit_ex(as_context(context_), algorithm(), nullptr);
  return digest;
}

Digest sha256(std::string_view bytes) {
  Digest digest{};
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, algorithm(), nullptr);
  return digest;
}

std::string hex(const Digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(2 * digest.size(), '0');
  for (std::size_t i = 0; i < digest.size(); ++i) {
    text[2 * i] = digits[digest[i] >> 4];
    text[2 * i + 1] = digits[digest[i] & 15];
  }
  return text;
}

Digest sha256_file(const std::filesystem::path& file) {
  constexpr std::size_t block_size = std::size_t{1} << 18;
  const Descriptor in = open_input(file);
  const auto block = std::make_unique_for_overwrite<char[]>(block_size);
  Sha256 hash;
  for (;;) {
    const ssize_t got = ::read(in.get(), block.get(), block_size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error({.what = "cannot read a file",
                   .where = file.string(),
                   .expected = {},
                   .found = system_error(errno),
                   .fix = {}});
    }
    if (got == 0) return hash.finish();
    hash.update({block.get(), static_cast<std::size_t>(got)});
  }
}

}  // namespace espalier
