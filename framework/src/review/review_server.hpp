// The review's page and what it asks, on 127.0.0.1.
//
// Whoever may use it holds the token of its link: it is asked for what the page itself is made of
// without, for all else only with it in a header, which no other page can send. Requests that name
// another host, as pages do whose name was bound to this machine, or come from another origin are
// refused.
#pragma once

#include "review/review.hpp"
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace espalier {

struct ReviewPhoto {
  std::string bytes;
  std::string type;  // image/...
};

struct ReviewPage {
  std::string name;                                    // of the set, for the title
  std::vector<std::string> classes;                    // empty: there are none
  std::function<ReviewPhoto(std::size_t item)> photo;  // from several threads; may throw Error
  std::filesystem::path decisions;                     // folder of the logs
};

class ReviewServer {
 public:
  // Holds the log of that reviewer. `port` 0 is any that is free. Throws Error where it cannot
  // listen.
  ReviewServer(const Review& review, ReviewPage page, std::string reviewer, int port = 0);
  ReviewServer(const ReviewServer&) = delete;
  ReviewServer& operator=(const ReviewServer&) = delete;
  ~ReviewServer();

  [[nodiscard]] int port() const noexcept;
  [[nodiscard]] const std::string& token() const noexcept;
  // http://127.0.0.1:PORT/#TOKEN
  [[nodiscard]] std::string link() const;
  // Until stop(), which another thread calls.
  void run();
  void stop();
  // Decisions that were made through it.
  [[nodiscard]] std::size_t made() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace espalier
