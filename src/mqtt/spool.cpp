// SPDX-License-Identifier: MIT
// A record: kind (1 = a message, 2 = forgotten), id (8), and for a message QoS and the flag of
// retained ones (1), hops (1), lengths of topic and payload (4 each), topic, payload; then its
// fingerprint (8). Numbers are little endian.
#include "mqtt/spool.hpp"

#include "mqtt/fingerprint.hpp"
#include "mqtt/topic.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meterbridge::mqtt {
namespace {

constexpr std::string_view magic = "meterbridge spool 1\n";
constexpr char message_kind = 1;
constexpr char forgotten_kind = 2;
constexpr std::uint64_t qos_bits = 3;
constexpr std::uint64_t retain_bit = 16;
constexpr std::size_t forgotten_bytes = 1 + 8 + 8;
// The file is written anew when so much of it is past, and that is more than what is left.
constexpr std::uint64_t past_allowed = 256UL << 10;

void add_number(std::string& to, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i)
    to += static_cast<char>(number >> (8 * i) & 0xff);
}

// Bounds-checked, front to back.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}

  std::uint64_t number(std::size_t bytes) {
    std::uint64_t number = 0;
    const std::string_view digits = text(bytes);
    for (std::size_t i = 0; i < digits.size(); ++i)
      number |= std::uint64_t{static_cast<unsigned char>(digits[i])} << (8 * i);
    return number;
  }

  std::string_view text(std::size_t bytes) {
    if (bytes > rest_.size()) good_ = false;
    if (!good_) return {};
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

  [[nodiscard]] bool good() const noexcept { return good_; }

  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

 private:
  std::string_view rest_;
  bool good_ = true;
};

std::string sealed(std::string record) {
  add_number(record, fingerprint(record), 8);
  return record;
}

std::string record_of(std::uint64_t id, const Message& message) {
  std::string record(1, message_kind);
  record.reserve(message.topic.size() + message.payload.size() + 40);
  add_number(record, id, 8);
  add_number(record, static_cast<std::uint64_t>(message.qos) | (message.retain ? retain_bit : 0),
             1);
  add_number(record, std::min(message.hops, 255U), 1);
  add_number(record, message.topic.size(), 4);
  add_number(record, message.payload.size(), 4);
  return sealed(record + message.topic + message.payload);
}

struct Record {
  std::uint64_t id = 0;
  std::optional<Message> message;  // nothing = forgotten
  std::size_t length = 0;
};

std::optional<Record> first_record(std::string_view text) {
  Fields fields(text);
  Record record;
  const std::uint64_t kind = fields.number(1);
  record.id = fields.number(8);
  if (kind == message_kind) {
    Message message;
    const std::uint64_t flags = fields.number(1);
    message.qos = static_cast<int>(flags & qos_bits);
    message.retain = (flags & retain_bit) != 0;
    message.hops = static_cast<unsigned>(fields.number(1));
    const auto topic = static_cast<std::size_t>(fields.number(4));
    const auto payload = static_cast<std::size_t>(fields.number(4));
    message.topic = fields.text(topic);
    message.payload = fields.text(payload);
    record.message = std::move(message);
  } else if (kind != forgotten_kind) {
    return std::nullopt;
  }
  if (!fields.good()) return std::nullopt;
  const std::string_view body = text.substr(0, text.size() - fields.rest().size());
  if (fields.number(8) != fingerprint(body) || !fields.good()) return std::nullopt;
  record.length = text.size() - fields.rest().size();
  return record;
}

std::string cause() {
  return std::generic_category().message(errno);
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::optional<std::string> read_range(int file, std::uint64_t offset, std::uint64_t length) {
  std::string text(static_cast<std::size_t>(length), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t count =
        ::pread(file, text.data() + have, text.size() - have, static_cast<off_t>(offset + have));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    have += static_cast<std::size_t>(count);
  }
  return text;
}

}  // namespace

Spool::Spool(std::string path, Notice notice)
    : path_(std::move(path)), notice_(std::move(notice)) {}

Spool::~Spool() {
  if (file_ >= 0) ::close(file_);
}

void Spool::complain(const std::string& what) {
  if (!std::exchange(complained_, true))
    notice_(path_ + ": " + what +
            "; waiting messages of this bridge are in memory only, and lost when the program ends");
}

bool Spool::open() {
  if (file_ >= 0) return true;
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (file_ < 0) {
    complain("opening: " + cause());
    return false;
  }

  struct stat facts {};

  size_ = ::fstat(file_, &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
  return size_ > 0 || append(std::string(magic));
}

// What was written in part only would hide all that follows: it is taken off again.
bool Spool::append(const std::string& record) {
  if (write_all(file_, record)) {
    size_ += record.size();
    return true;
  }
  complain("writing: " + cause());
  (void)!::ftruncate(file_, static_cast<off_t>(size_));
  return false;
}

std::map<std::uint64_t, Message> Spool::load() {
  std::map<std::uint64_t, Message> messages;
  if (!open()) return messages;
  const auto text = read_range(file_, 0, size_);
  if (!text) {
    complain("reading: " + cause());
    return messages;
  }
  std::uint64_t at = text->starts_with(magic) ? magic.size() : 0;
  while (at > 0 && at < text->size()) {
    auto record = first_record(std::string_view(*text).substr(static_cast<std::size_t>(at)));
    if (!record) break;
    if (record->message) {
      kept_[record->id] = {at, record->length};
      alive_ += record->length;
      messages[record->id] = *std::move(record->message);
    } else if (const auto gone = kept_.find(record->id); gone != kept_.end()) {
      alive_ -= gone->second.length;
      kept_.erase(gone);
      messages.erase(record->id);
    }
    next_ = std::max(next_, record->id + 1);
    at += record->length;
  }
  if (at < text->size()) {
    notice_(path_ + ": the last " + std::to_string(text->size() - at) +
            " bytes are damaged and were cut off; " + std::to_string(messages.size()) +
            " messages before them are sent");
    (void)!::ftruncate(file_, static_cast<off_t>(at));
    size_ = at;
    if (at == 0) append(std::string(magic));
  }
  return messages;
}

std::uint64_t Spool::keep(const Message& message) {
  if (!open()) return 0;
  const std::string record = record_of(next_, message);
  const std::uint64_t at = size_;
  if (!append(record)) return 0;
  kept_[next_] = {at, record.size()};
  alive_ += record.size();
  return next_++;
}

void Spool::forget(std::uint64_t id) {
  const auto found = kept_.find(id);
  if (found == kept_.end()) return;
  alive_ -= found->second.length;
  kept_.erase(found);
  std::string record(1, forgotten_kind);
  record.reserve(forgotten_bytes);
  add_number(record, id, 8);
  append(sealed(std::move(record)));
  shorten();
}

void Spool::shorten() {
  if (size_ - alive_ < past_allowed || size_ - alive_ < alive_) return;
  if (auto written = rewrite(); !written) complain(written.error().detail());
}

// Into a new file that takes the old one's place: whoever is interrupted has one of the two.
Result<> Spool::rewrite() {
  const std::string fresh = path_ + ".new";
  const int file = ::open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
  const auto failed = [&] {
    Error error(Errc::io, "writing it anew: " + cause());
    if (file >= 0) ::close(file);
    ::unlink(fresh.c_str());
    return error;
  };
  if (file < 0 || !write_all(file, magic)) return failed();
  std::map<std::uint64_t, Kept> moved;
  std::uint64_t at = magic.size();
  for (const auto& [id, place] : kept_) {
    const auto record = read_range(file_, place.offset, place.length);
    if (!record || !write_all(file, *record)) return failed();
    moved[id] = {at, place.length};
    at += place.length;
  }
  if (::rename(fresh.c_str(), path_.c_str()) != 0) return failed();
  ::close(file_);
  file_ = file;
  size_ = at;
  kept_ = std::move(moved);
  return {};
}

}  // namespace meterbridge::mqtt
