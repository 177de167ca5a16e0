// SPDX-License-Identifier: MIT
#include "hastats/websocket.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"

#include <array>
#include <chrono>
#include <random>
#include <span>

#include <boost/asio/this_coro.hpp>
#include <openssl/evp.h>

namespace meterbridge::hastats {
namespace {

namespace asio = boost::asio;

constexpr unsigned text_frame = 1;
constexpr unsigned close_frame = 8;
constexpr unsigned ping_frame = 9;
constexpr unsigned pong_frame = 10;
constexpr std::size_t longest_head = 16384;
constexpr std::size_t block_size = 65536;

std::string base64(std::string_view bytes) {
  std::string coded(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const Bytes in = to_bytes(bytes);
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(coded.data()),
                                     reinterpret_cast<const unsigned char*>(in.data()),
                                     static_cast<int>(in.size()));
  coded.resize(static_cast<std::size_t>(length));
  return coded;
}

std::string random_bytes(std::size_t count) {
  std::random_device device;
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i)
    bytes += static_cast<char>(device() & 0xFFU);
  return bytes;
}

// What a server makes of our key, so that it is known to speak WebSocket.
std::string accepted(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha1(), nullptr) != 1)
    return {};
  std::string bytes;
  for (unsigned i = 0; i < length; ++i)
    bytes += static_cast<char>(digest[i]);
  return base64(bytes);
}

std::string field_of(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && same_ignoring_case(line.substr(0, colon), name))
      return std::string(trimmed(line.substr(colon + 1)));
    head.remove_prefix(std::min(end + 2, head.size()));
  }
  return {};
}

unsigned byte_at(const std::string& text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

}  // namespace

asio::awaitable<Result<>> WebSocket::need(std::size_t count) {
  std::vector<std::byte> block(block_size);
  const io::Deadline deadline = std::chrono::steady_clock::now() + patience_;
  while (pending_.size() < count) {
    auto got = co_await link_->read_some(block, deadline);
    if (!got && got.error().code() == Errc::timeout)
      co_return Error(Errc::timeout,
                      link_->name() + " did not answer within " + duration_text(patience_));
    if (!got) co_return got.error();
    pending_ += to_text(ByteView(block).first(*got));
  }
  co_return Result<>();
}

asio::awaitable<Result<>> WebSocket::open(std::string target) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto opened = co_await link_->open();
  if (!opened) co_return opened.error();
  const std::string key = base64(random_bytes(16));
  const std::string request = "GET " + target + " HTTP/1.1\r\nHost: " + host_ +
                              "\r\nUser-Agent: meterbridge/" METERBRIDGE_VERSION
                              "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
                              key + "\r\n\r\n";
  const ByteView view = std::as_bytes(std::span(request));
  auto sent = co_await link_->write(view, std::chrono::steady_clock::now() + patience_);
  if (!sent) co_return sent.error();
  while (pending_.find("\r\n\r\n") == std::string::npos) {
    if (pending_.size() > longest_head)
      co_return Error(Errc::malformed, link_->name() + " does not answer in HTTP");
    auto more = co_await need(pending_.size() + 1);
    if (!more) co_return more.error();
  }
  const std::size_t end = pending_.find("\r\n\r\n");
  const std::string head = pending_.substr(0, end);
  pending_.erase(0, end + 4);
  const std::string first = head.substr(0, head.find("\r\n"));
  if (first.find(" 101") == std::string::npos)
    co_return Error(Errc::malformed, link_->name() + ": " + target + " is no WebSocket (it says: " +
                                         sanitised(first, 80) + "); is this Home Assistant?");
  if (field_of(head, "Sec-WebSocket-Accept") != accepted(key))
    co_return Error(Errc::malformed, link_->name() + " answers, but not as a WebSocket");
  co_return Result<>();
}

asio::awaitable<Result<>> WebSocket::put(unsigned kind, std::string body) {
  std::string bytes(1, static_cast<char>(0x80U | kind));
  const std::size_t size = body.size();
  int wide = 0;
  if (size < 126) {
    bytes += static_cast<char>(0x80U | size);
  } else {
    wide = size < 65536 ? 2 : 8;
    bytes += static_cast<char>(wide == 2 ? 0xFEU : 0xFFU);
  }
  for (int i = wide - 1; i >= 0; --i)
    bytes += static_cast<char>((static_cast<std::uint64_t>(size) >> (8 * i)) & 0xFFU);
  const std::string mask = random_bytes(4);
  bytes += mask;
  for (std::size_t i = 0; i < size; ++i)
    bytes += static_cast<char>(byte_at(body, i) ^ byte_at(mask, i % 4));
  const ByteView view = std::as_bytes(std::span(bytes));
  auto sent = co_await link_->write(view, std::chrono::steady_clock::now() + patience_);
  co_return sent;
}

asio::awaitable<Result<>> WebSocket::send(std::string text) {
  auto sent = co_await put(text_frame, std::move(text));
  co_return sent;
}

asio::awaitable<Result<WebSocket::Frame>> WebSocket::frame() {
  auto got = co_await need(2);
  if (!got) co_return got.error();
  Frame frame;
  frame.last = (byte_at(pending_, 0) & 0x80U) != 0;
  frame.kind = byte_at(pending_, 0) & 0x0FU;
  const bool plain = (byte_at(pending_, 0) & 0x70U) == 0 && (byte_at(pending_, 1) & 0x80U) == 0;
  std::uint64_t size = byte_at(pending_, 1) & 0x7FU;
  const std::size_t wide = size == 126 ? 2 : size == 127 ? 8 : 0;
  got = co_await need(2 + wide);
  if (!got) co_return got.error();
  if (wide > 0) size = 0;
  for (std::size_t i = 0; i < wide; ++i)
    size = size << 8U | byte_at(pending_, 2 + i);
  if (!plain || size > longest_message)
    co_return Error(Errc::malformed, link_->name() + " sent no WebSocket frame that we know");
  const std::size_t begin = 2 + wide;
  got = co_await need(begin + static_cast<std::size_t>(size));
  if (!got) co_return got.error();
  frame.body = pending_.substr(begin, static_cast<std::size_t>(size));
  pending_.erase(0, begin + static_cast<std::size_t>(size));
  co_return frame;
}

asio::awaitable<Result<std::string>> WebSocket::receive() {
  std::string text;
  for (;;) {
    auto got = co_await frame();
    if (!got) co_return got.error();
    if (got->kind == ping_frame) {
      auto answered = co_await put(pong_frame, std::move(got->body));
      if (!answered) co_return answered.error();
      continue;
    }
    if (got->kind == pong_frame) continue;
    if (got->kind == close_frame)
      co_return Error(Errc::io, link_->name() + " ended the connection");
    if (text.size() + got->body.size() > longest_message)
      co_return Error(Errc::malformed, link_->name() + " sends without end");
    text += got->body;
    if (got->last) co_return text;
  }
}

}  // namespace meterbridge::hastats
