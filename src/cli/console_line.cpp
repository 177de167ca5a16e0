// SPDX-License-Identifier: MIT
#include "cli/console_line.hpp"

#include "app/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace meterbridge::cli {

namespace asio = boost::asio;

namespace {

constexpr std::size_t most_bytes = 65536;  // of one poll are kept for the eye
constexpr int enough_wrong = 3;            // telegrams in a row that were no good
constexpr std::size_t shortest_form = 3;   // of a password: fewer bytes are found anywhere

// A password as protocols send it: as characters, as numbers instead of digits, as the bytes that
// hex digits stand for, as one number.
std::vector<Bytes> forms_of(const std::string& password) {
  std::vector<Bytes> forms{to_bytes(password), to_bytes(password)};
  for (std::byte& digit : forms.back())
    digit &= std::byte{0x0F};
  if (auto bytes = from_hex(password)) forms.push_back(*std::move(bytes));
  std::uint32_t number = 0;
  std::from_chars(password.data(), password.data() + password.size(), number);
  if (number == 0) return forms;
  Bytes& little = forms.emplace_back();
  for (const unsigned shift : {0U, 8U, 16U, 24U})
    little.push_back(static_cast<std::byte>((number >> shift) & 0xFFU));
  return forms;
}

}  // namespace

Recording::~Recording() {
  end();
}

Result<> Recording::begin(const std::string& file, const std::string& title, bool bytes_only) {
  end();
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  file_ = descriptor < 0 ? nullptr : ::fdopen(descriptor, "wb");
  if (file_ == nullptr) {
    const int why = errno;
    if (descriptor >= 0) ::close(descriptor);
    return Error{Errc::io, file + ": " + std::generic_category().message(why)};
  }
  name_ = file;
  bytes_only_ = bytes_only;
  written_ = 0;
  if (!bytes_only) std::fprintf(file_, "# %s\n", title.c_str());
  return {};
}

void Recording::add(bool sent, ByteView bytes) {
  if (file_ == nullptr) return;
  written_ += bytes.size();
  if (bytes_only_) {
    if (!sent) std::fwrite(bytes.data(), 1, bytes.size(), file_);
    return;
  }
  if (!sent) {
    answer_.insert(answer_.end(), bytes.begin(), bytes.end());
    return;
  }
  flush_answer();
  std::fprintf(file_, "> %s\n", to_hex(bytes).c_str());
}

void Recording::leave_out(const std::string& what) {
  if (file_ == nullptr || bytes_only_) return;
  flush_answer();
  std::fprintf(file_, "# %s\n", what.c_str());
}

void Recording::flush_answer() {
  if (file_ != nullptr && !answer_.empty()) std::fprintf(file_, "< %s\n", to_hex(answer_).c_str());
  answer_.clear();
}

std::size_t Recording::end() {
  if (file_ == nullptr) return 0;
  flush_answer();
  std::fclose(std::exchange(file_, nullptr));
  return std::exchange(written_, 0);
}

ConsoleLine::ConsoleLine(std::unique_ptr<io::Transport> transport,
                         std::optional<LineSettings> settled)
    : transport_(std::move(transport)), speed_(settled), settled_(settled.has_value()) {}

asio::awaitable<Result<>> ConsoleLine::open() {
  if (transport_->is_open()) co_return Result<>();
  dialogue_.reset();
  auto opened = co_await transport_->open();
  // A port opens with the speed that it was made with.
  if (opened && speed_) (void)transport_->retune(*speed_);
  co_return opened;
}

Result<> ConsoleLine::retune(const LineSettings& line) {
  if (auto tuned = transport_->retune(line); !tuned) return tuned;
  speed_ = line;
  settled_ = true;
  dialogue_.reset();
  return {};
}

Result<> ConsoleLine::choose(const config::MeterSettings& settings, const meter::Profile& profile) {
  auto made = meter::Meter::make(settings, profile);
  if (!made) return made.error();
  dialogue_.reset();
  meter_.emplace(*std::move(made));
  exchanges_.clear();
  // A gateway has its own speed, and says so; that is no error here.
  if (!settled_ && transport_->is_open() && transport_->retune(profile.line)) speed_ = profile.line;
  return {};
}

bool ConsoleLine::carries_password(ByteView sent) const {
  const auto forms = forms_of(meter_->settings().protocol.secret("password").reveal());
  return std::ranges::any_of(forms, [sent](const Bytes& form) {
    // Perhaps with a parity bit that this program added.
    const auto same = [](std::byte a, std::byte b) { return ((a ^ b) << 1U) == std::byte{0}; };
    return form.size() >= shortest_form &&
           std::search(sent.begin(), sent.end(), form.begin(), form.end(), same) != sent.end();
  });
}

void ConsoleLine::heard(bool sent, ByteView bytes) {
  if (sent && carries_password(bytes)) {
    recording.leave_out("the password was sent: that exchange is not recorded");
    exchanges_.emplace_back();
    exchanges_.back().sent = true;
    exchanges_.back().secret = true;
    return;
  }
  if (!sent && !exchanges_.empty() && exchanges_.back().secret) return;
  recording.add(sent, bytes);
  // Documents and values are recorded one a line.
  const auto* around = sent ? nullptr : transport_->envelope();
  const bool lines = meter_ && meter_->profile().protocol->name == "json";
  if (lines && around != nullptr && around->last) recording.add(false, to_bytes("\n"));
  if (exchanged_ + bytes.size() > most_bytes) return;
  exchanged_ += bytes.size();
  const protocol::Envelope* envelope = sent ? nullptr : transport_->envelope();
  if (exchanges_.empty() || sent || exchanges_.back().sent || exchanges_.back().complete) {
    exchanges_.emplace_back();
    exchanges_.back().sent = sent;
    if (envelope != nullptr) exchanges_.back().topic = envelope->topic;
  }
  Bytes& into = exchanges_.back().bytes;
  into.insert(into.end(), bytes.begin(), bytes.end());
  exchanges_.back().complete = envelope != nullptr && envelope->last;
}

asio::awaitable<Result<std::vector<Sample>>> ConsoleLine::poll() {
  exchanges_.clear();
  exchanged_ = 0;
  auto opened = co_await open();
  if (!opened) co_return opened.error();
  auto got = co_await talk();
  if (!got) {
    if (app::is_transport_error(got.error().code())) transport_->close();
    co_return got.error();
  }
  const SystemClock clock;
  auto samples = meter_->understand(*got, clock.now());
  co_return samples;
}

asio::awaitable<Result<protocol::Telegram>> ConsoleLine::talk() {
  const Milliseconds limit = app::longest_conversation(*meter_);
  if (!meter_->profile().protocol->pushes) {
    const auto dialogue = meter_->driver().begin();
    io::Tap tap = [this](bool sent, ByteView bytes) { heard(sent, bytes); };
    auto got = co_await io::under_watchdog(io::converse(*transport_, *dialogue, tap), limit);
    co_return got;
  }
  if (!dialogue_) dialogue_ = meter_->driver().begin();
  auto got = co_await io::under_watchdog(listen(*dialogue_), limit);
  if (!got && got.error().code() == Errc::watchdog) {
    const std::string span = duration_text(limit);
    if (exchanged_ == 0)
      co_return Error(Errc::timeout, transport_->name() + ": not one byte for " + span);
    co_return Error(Errc::no_frame, transport_->name() + ": " + std::to_string(exchanged_) +
                                        " bytes in " + span + ", but no telegram among them");
  }
  co_return got;
}

// It may be heard in the middle of a telegram: the first ones that are no good say little.
asio::awaitable<Result<protocol::Telegram>> ConsoleLine::listen(protocol::Dialogue& dialogue) {
  io::Tap tap = [this](bool sent, ByteView bytes) { heard(sent, bytes); };
  for (int wrong = 0;;) {
    auto got = co_await io::converse(*transport_, dialogue, tap);
    if (got) {
      const bool leftover = app::is_leftover(*transport_, &*got, SystemClock().now(),
                                             app::longest_conversation(*meter_));
      if (leftover) continue;
      co_return got;
    }
    const Errc code = got.error().code();
    if (app::is_transport_error(code) || code == Errc::cancelled || code == Errc::timeout)
      co_return got;
    if (++wrong == enough_wrong) co_return got;
  }
}

std::vector<protocol::Decoded> ConsoleLine::meaning() const {
  if (!meter_) return {};
  const protocol::Protocol& protocol = *meter_->profile().protocol;
  const SettingValues& settings = meter_->settings().protocol;
  if (protocol.decode_transcript != nullptr) {
    std::vector<protocol::TranscriptLine> lines;
    for (const Exchange& exchange : exchanges_) {
      if (exchange.secret) continue;
      protocol::TranscriptLine& line = lines.emplace_back();
      line.sent = exchange.sent;
      line.bytes = exchange.bytes;
      line.line = lines.size();
    }
    return protocol.decode_transcript(lines, settings);
  }
  Bytes bytes;
  std::vector<protocol::Decoded> found;
  for (const Exchange& exchange : exchanges_) {
    if (exchange.sent) continue;
    if (!exchange.topic.empty() && protocol.name == "json") {
      // A document is a message; what it means may depend on its topic.
      SettingValues of_topic = settings;
      of_topic.set("topic", exchange.topic);
      for (protocol::Decoded& decoded : protocol.decode(exchange.bytes, of_topic))
        found.push_back(std::move(decoded));
      continue;
    }
    bytes.insert(bytes.end(), exchange.bytes.begin(), exchange.bytes.end());
  }
  if (!bytes.empty()) found = protocol.decode(bytes, settings);
  return found;
}

}  // namespace meterbridge::cli
