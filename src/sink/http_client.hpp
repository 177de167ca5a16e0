// SPDX-License-Identifier: MIT
// A small HTTP/1.1 client for sinks: one connection that is kept open, one request at a time, a
// limit on every step. Beast reads the answers, and shows nowhere in this header.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "io/links.hpp"
#include "sink/url.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace meterbridge::sink {

struct HttpRequest {
  HttpRequest() = default;
  std::string_view method = "POST";
  std::string target;   // path and query, encoded
  std::string headers;  // whole lines with their ends, for example "Content-Encoding: gzip\r\n"
  std::string body;
};

struct HttpAnswer {
  HttpAnswer() = default;
  unsigned status = 0;
  std::string body;          // 1 MiB at most; a longer one is no answer
  std::string content_type;  // lower case
  std::string location;
  std::optional<Milliseconds> retry_after;
};

class HttpClient {
 public:
  // `timeout` is for sending a request and receiving its answer; finding and greeting the server
  // has ten seconds each.
  HttpClient(const boost::asio::any_io_executor& executor, const Url& url, io::TlsOptions tls,
             Milliseconds timeout);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Errors: what make_tcp and make_tls say; timeout; io when the connection broke; malformed when
  // what came is not HTTP; cancelled. Whatever the status is, it is an answer. Requests are sent
  // again when a kept connection turns out to be closed, so they must bear repetition.
  boost::asio::awaitable<Result<HttpAnswer>> ask(const HttpRequest& request);
  void close() noexcept;

  [[nodiscard]] const std::string& name() const noexcept { return link_->name(); }

 private:
  boost::asio::awaitable<Result<HttpAnswer>> exchange(const std::string& bytes);
  template <class Parser>
  boost::asio::awaitable<Result<>> receive(Parser& parser, std::string& pending,
                                           io::Deadline deadline);

  std::string host_;
  Milliseconds timeout_;
  std::unique_ptr<io::Transport> link_;
  bool answered_ = false;  // bytes of the present answer have come
};

// "Authorization: Basic ..." as a whole line.
[[nodiscard]] std::string basic_authorization(std::string_view user, std::string_view password);
// Error: bug, when zlib refuses.
Result<std::string> gzipped(std::string_view text);

}  // namespace meterbridge::sink
