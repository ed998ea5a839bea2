// One server over HTTP, by libcurl. No redirect is followed, loopback is never asked through a
// proxy, nothing but http and https is spoken, and an answer has a size and a time.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace espalier::openai {

inline constexpr std::size_t largest_answer = 4 << 20;

struct HttpRequest {
  std::string url;
  std::string_view body;  // JSON to POST; empty: GET
  double timeout = 300;   // seconds
  std::function<bool()> stopped = [] { return false; };
};

enum class HttpFailure {
  none,
  unreachable,  // no such host, nobody listens, no connection in time
  untrusted,    // of its certificate
  timed_out,
  broken,  // closed before the end of the answer
  too_large,
  stopped,
};

struct HttpAnswer {
  HttpFailure failure = HttpFailure::none;
  std::string reason;  // of a failure, in libcurl's words
  long status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// Throws Error where a URL is not http(s)://HOST[:PORT][/PATH] or holds a password, which belongs
// into a variable of the environment. Without a slash at the end.
[[nodiscard]] std::string checked_url(const std::string& url);

// A connection that is kept. Not for two threads at once.
class HttpClient {
 public:
  // A key is sent as `Authorization: Bearer KEY`. Throws Error where it cannot be in a header.
  HttpClient(const std::string& key, const std::string& ca_file);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  [[nodiscard]] HttpAnswer send(const HttpRequest& request);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace espalier::openai
