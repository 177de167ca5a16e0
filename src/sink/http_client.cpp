// SPDX-License-Identifier: MIT
#include "sink/http_client.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <span>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <openssl/evp.h>
#include <zlib.h>

namespace meterbridge::sink {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;

constexpr std::size_t max_body = std::size_t{1024} * 1024;
constexpr std::uint32_t max_header = 16 * 1024;
// What the parser leaves over is a part of a head or of a chunk's first line.
constexpr std::size_t max_pending = std::size_t{2} * max_header;
constexpr int most_interim = 8;  // answers 100 ... 199 before the one that counts
constexpr std::size_t block_size = 4096;
// For a server that means no time at all: asked again after this time.
constexpr Milliseconds unclear_pause = std::chrono::seconds(60);
constexpr std::int64_t shortest_pause = 1;    // seconds
constexpr std::int64_t longest_pause = 3600;  // seconds

// Seconds of Unix from "Sun, 06 Nov 1994 08:49:37 GMT", the one form that servers may send.
std::optional<std::int64_t> http_date(std::string_view text) {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::string_view shape = "aaa, 00 aaa 0000 00:00:00 GMT";
  if (text.size() != shape.size()) return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == '0' ? !digit : shape[i] != 'a' && text[i] != shape[i]) return std::nullopt;
  }
  const auto number = [text](std::size_t at, std::size_t length) {
    std::int64_t value = 0;
    std::from_chars(text.data() + at, text.data() + at + length, value);
    return value;
  };
  const auto month = months.find(text.substr(8, 3));
  if (month % 3 != 0) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(number(12, 4))),
                                         std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                         std::chrono::day(static_cast<unsigned>(number(5, 2))));
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch();
  return std::chrono::seconds(days).count() + number(17, 2) * 3600 + number(20, 2) * 60 +
         number(23, 2);
}

// Retry-After: seconds, or a date, which is compared with the server's own clock where it tells it.
std::optional<Milliseconds> pause_of(std::string_view text, std::string_view server_time) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (parsed.ec == std::errc::result_out_of_range) seconds = longest_pause;
  if (parsed.ec == std::errc::invalid_argument || parsed.ptr != text.data() + text.size()) {
    const auto then = http_date(text);
    if (!then) return unclear_pause;
    const auto here = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    seconds = *then - http_date(trimmed(server_time)).value_or(here.time_since_epoch().count());
  }
  return std::chrono::seconds(std::clamp(seconds, shortest_pause, longest_pause));
}

HttpAnswer answer_of(const Parser& parser) {
  const auto& message = parser.get();
  const auto field = [&message](http::field name) {
    const auto found = message[name];
    return std::string_view(found.data(), found.size());
  };
  HttpAnswer answer;
  answer.status = message.result_int();
  answer.body = message.body();
  answer.content_type = lower(field(http::field::content_type));
  answer.location = sanitised(field(http::field::location));
  answer.retry_after = pause_of(field(http::field::retry_after), field(http::field::date));
  return answer;
}

}  // namespace

HttpClient::HttpClient(const asio::any_io_executor& executor, const Url& url, io::TlsOptions tls,
                       Milliseconds timeout)
    : host_(url.host_header()),
      timeout_(timeout),
      link_(io::make_tcp(executor, url.host, url.port, false, {"server", "server"})) {
  if (url.tls) link_ = io::make_tls(std::move(link_), url.host, std::move(tls));
}

HttpClient::~HttpClient() = default;

void HttpClient::close() noexcept {
  link_->close();
}

asio::awaitable<Result<HttpAnswer>> HttpClient::ask(const HttpRequest& request) {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::string bytes =
      std::string(request.method) + " " + request.target + " HTTP/1.1\r\nHost: " + host_ +
      "\r\nUser-Agent: meterbridge/" METERBRIDGE_VERSION "\r\nAccept: application/json\r\n" +
      request.headers + "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n";
  bytes += request.body;
  for (;;) {
    const bool kept = link_->is_open();
    if (!kept) {
      auto opened = co_await link_->open();
      if (!opened) {
        link_->close();
        co_return opened.error();
      }
    }
    auto answer = co_await exchange(bytes);
    if (answer) co_return answer;
    link_->close();
    // The server closed what was kept open, as it may at any time.
    if (!kept || answered_ || answer.error().code() != Errc::io) co_return answer;
  }
}

asio::awaitable<Result<HttpAnswer>> HttpClient::exchange(const std::string& bytes) {
  answered_ = false;
  const io::Deadline deadline = std::chrono::steady_clock::now() + timeout_;
  const ByteView view = std::as_bytes(std::span(bytes));
  auto sent = co_await link_->write(view, deadline);
  if (!sent) co_return sent.error();
  std::string pending;
  for (int interim = 0; interim <= most_interim; ++interim) {
    Parser parser;
    parser.eager(true);
    parser.header_limit(max_header);
    parser.body_limit(max_body);
    auto received = co_await receive(parser, pending, deadline);
    if (!received) co_return received.error();
    // 1xx (a proxy's "early hints") only announces the answer.
    if (parser.get().result_int() / 100 == 1) continue;
    HttpAnswer answer = answer_of(parser);
    if (!parser.get().keep_alive() || !pending.empty()) link_->close();
    co_return answer;
  }
  co_return Error(Errc::malformed, name() + " announces an answer again and again");
}

// `pending` is what came and belongs to the next answer.
template <class Parser>
asio::awaitable<Result<>> HttpClient::receive(Parser& parser, std::string& pending,
                                              io::Deadline deadline) {
  std::array<std::byte, block_size> block;
  bool waiting = pending.empty();
  while (!parser.is_done()) {
    boost::system::error_code failure;
    if (waiting) {
      auto count = co_await link_->read_some(block, deadline);
      if (!count && count.error().code() == Errc::timeout) {
        co_return Error(Errc::timeout,
                        name() + " did not answer within " + duration_text(timeout_));
      }
      if (!count) {
        // The end of the connection may be the end of the answer.
        if (answered_ && count.error().code() == Errc::io) parser.put_eof(failure);
        if (!answered_ || failure || !parser.is_done()) co_return count.error();
        break;
      }
      answered_ = true;
      pending += to_text(ByteView(block).first(*count));
    }
    waiting = true;
    pending.erase(0, parser.put(asio::buffer(pending), failure));
    // A chunk's first line has no limit of its own in the parser.
    if (failure == http::error::need_more && pending.size() > max_pending)
      failure = http::error::header_limit;
    if (failure && failure != http::error::need_more) {
      co_return Error(Errc::malformed,
                      name() + " does not answer in HTTP as expected: " + failure.message());
    }
  }
  co_return Result<>();
}

std::string basic_authorization(std::string_view user, std::string_view password) {
  const std::string plain = std::string(user) + ":" + std::string(password);
  std::string coded(4 * ((plain.size() + 2) / 3) + 1, '\0');
  const Bytes bytes = to_bytes(plain);
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(coded.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  coded.resize(static_cast<std::size_t>(length));
  return "Authorization: Basic " + coded + "\r\n";
}

Result<std::string> gzipped(std::string_view text) {
  constexpr int gzip_format = 15 + 16;  // the largest window, gzip's own header and trailer
  constexpr int memory_level = 8;
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_format, memory_level,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return Error(Errc::bug, "zlib has no memory to compress with");
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  std::string in(text);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int ended = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END) return Error(Errc::bug, "zlib did not come to its end");
  return out;
}

}  // namespace meterbridge::sink
