// SPDX-License-Identifier: MIT
// Codes one by one, or in groups.
#include "protocol/iec62056_21/answer.hpp"
#include "protocol/iec62056_21/poll.hpp"
#include "protocol/iec62056_21/readout.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::iec62056_21 {
namespace {

constexpr std::size_t longest_group = 160;

}  // namespace

void Poll::plan_codes() {
  for (const CodeRow& row : table_) {
    const bool known = std::ranges::any_of(
        memory_.constant, [&](const Reading& reading) { return reading.key == row.key; });
    if (row.once && known) continue;
    if (!row.instead_of.empty() && !memory_.unsupported.contains(row.instead_of)) continue;
    if (memory_.unsupported.contains(row.code) || memory_.mute.contains(row.code)) continue;
    if (std::ranges::count(wanted_, row.code) == 0) wanted_.push_back(row.code);
  }
}

void Poll::ask_codes() {
  if (!std::exchange(planned_, true)) plan_codes();
  std::vector<std::string> group;
  for (const std::string& code : wanted_) {
    if (!fits_group(code)) {
      ask_code(code);
      continue;
    }
    group.push_back(code);
    if (group_request(group).size() <= longest_group) continue;
    group.pop_back();
    ask_group(std::exchange(group, {code}));
  }
  if (!group.empty()) ask_group(std::move(group));
}

// The request of a code, or of a group; without a session it comes behind the sign-on.
Bytes Poll::read_bytes(std::string_view code, std::string_view arguments) const {
  if (options_.fast) return fast_read_request(options_.address, code, arguments, rule());
  return read_request(options_.command, code, arguments, rule());
}

Exchange Poll::read_exchange(const std::string& what, const Bytes& request) const {
  constexpr std::size_t longest_answer = 4096;
  Exchange read = exchange(what, request);
  read.longest = longest_answer;
  if (options_.fast && options_.speed == Speed::announced)
    read.before.emplace_back(step::Retune(options_.line(options_.start_baud)));
  return read;
}

// Archives have arguments, and what is doubted is asked alone.
bool Poll::fits_group(const std::string& code) const {
  if (!options_.group || memory_.no_group) return false;
  return std::ranges::none_of(table_, [&](const CodeRow& row) {
    return row.code == code && (!row.arguments.empty() || row.doubt_zero);
  });
}

Bytes Poll::group_request(const std::vector<std::string>& codes) const {
  std::string names;
  for (const std::string& code : codes)
    names.append(code).append("()");
  return read_bytes(group_code, names);
}

void Poll::ask_group(std::vector<std::string> codes) {
  if (codes.size() == 1) {
    ask_code(codes.front());
    return;
  }
  Exchange read = read_exchange("the group of " + codes.front(), group_request(codes));
  read.on_lost = [this](const Error& why) { return lost_group(why); };
  read.on_reply = [this, codes = std::move(codes)](ByteView frame) {
    return on_group(codes, frame);
  };
  list_.add(std::move(read));
}

Result<Verdict> Poll::on_group(const std::vector<std::string>& codes, ByteView frame) {
  const Data data = data_block(frame);
  if (!data.block) return data.verdict;
  auto entries = entries_for(*data.block, {});
  if (!entries && entries.error().code() != Errc::exception)
    return Verdict::ignored(entries.error().detail());
  if (!entries) {
    // One that it does not know spoils all, and nobody says which.
    memory_.no_group = true;
    for (const std::string& code : codes)
      ask_code(code);
    return Verdict::taken();
  }
  const auto asked = [&](const Entry& one) { return std::ranges::count(codes, one.code) != 0; };
  if (!std::ranges::all_of(*entries, asked))
    return Verdict::ignored("a group that nobody asked for");
  for (const Entry& one : joined(*std::move(entries), table_))
    settle(one);
  for (const std::string& code : codes) {
    if (std::ranges::count(wanted_, code) != 0) ask_code(code);
  }
  return Verdict::taken();
}

Result<> Poll::lost_group(const Error& why) {
  if (identification_ || !telegram_.items.empty()) memory_.no_group = true;
  if (sessions_ < sessions_allowed) return lost(why);
  if (telegram_.items.empty()) return why;
  list_.clear();
  return {};
}

void Poll::ask_code(const std::string& code) {
  const auto row = std::ranges::find(table_, code, &CodeRow::code);
  if (row == table_.end()) return;
  Exchange read = read_exchange(code, read_bytes(code, row->arguments));
  read.on_reply = [this, code, doubted = false](ByteView frame) mutable {
    return on_code(code, frame, doubted);
  };
  read.on_lost = [this, code](const Error& why) { return lost_code(code, why); };
  list_.add(std::move(read));
}

// What other models have in place of a code that this one refused.
void Poll::ask_instead(const std::string& code) {
  for (const CodeRow& row : table_) {
    if (row.instead_of != code || std::ranges::count(wanted_, row.code) != 0) continue;
    if (memory_.unsupported.contains(row.code) || memory_.mute.contains(row.code)) continue;
    wanted_.push_back(row.code);
    ask_code(row.code);
  }
}

// The data of an answer, or what to do without them.
Poll::Data Poll::data_block(ByteView frame) {
  Data data;
  const char first = frame.empty() ? '\0' : static_cast<char>(u8(frame.front()));
  if (first == nak) {
    data.verdict = Verdict::repeat(Error(Errc::exception, "the meter did not understand (NAK)"));
    return data;
  }
  if (first == ack) {
    data.verdict = Verdict::ignored("an acknowledgement instead of data");
    return data;
  }
  auto block = checked(frame);
  if (!block) {
    data.verdict = Verdict::repeat(block.error());
  } else if (block->command == "B0") {
    data.verdict = Verdict::repeat(Error(Errc::exception, "the meter ended the session"));
  } else {
    data.block = *std::move(block);
  }
  return data;
}

Result<Verdict> Poll::on_code(const std::string& code, ByteView frame, bool& doubted) {
  const Data data = data_block(frame);
  if (!data.block) return data.verdict;
  auto entries = entries_for(*data.block, code);
  if (!entries && entries.error().code() == Errc::exception) {
    leave_out(code, entries.error().detail());
    std::erase(wanted_, code);
    ask_instead(code);
    return Verdict::taken();
  }
  if (!entries) return Verdict::ignored(entries.error().detail());
  const auto all = joined(*std::move(entries), table_);
  const CodeRow* row = row_of(table_, all.front(), 1);
  if (!is_absent(table_, all.front()) && row != nullptr && row->doubt_zero &&
      !std::exchange(doubted, true)) {
    const auto number = number_of(*row, all.front().values.front());
    if (number && number->is_zero())
      return Verdict::repeat(Error(Errc::refused, "a zero, which is read once more"));
  }
  settle(all.front());
  return Verdict::taken();
}

// Every code is asked again from time to time: it is told once, and is among those left out.
void Poll::leave_out(const std::string& code, std::string why) {
  memory_.unsupported.insert_or_assign(code, std::move(why));
  if (memory_.told.insert(code).second) memory_.news.insert(code);
}

void Poll::settle(const Entry& entry) {
  if (is_absent(table_, entry)) leave_out(entry.code, "the meter does not have it");
  take(entry);
  memory_.unheard.erase(entry.code);
  if (!memory_.unsupported.contains(entry.code)) memory_.told.erase(entry.code);
  std::erase(wanted_, entry.code);
}

void Poll::take(const Entry& entry) {
  telegram_.items.push_back(coded_item(table_, entry));
  const CodeRow* row = row_of(table_, entry, 1);
  if (row != nullptr && row->form == Form::date) date_ = entry.values.front();
  if (row != nullptr && row->form == Form::time) time_ = entry.values.front();
  MeterReadings& meter = telegram_.readings.front();
  const std::size_t before = meter.readings.size();
  add_coded(table_, entry, meter);
  if (row == nullptr || !row->once) return;
  for (std::size_t i = before; i < meter.readings.size(); ++i)
    memory_.constant.push_back(meter.readings[i]);
  meter.readings.resize(before);  // finish() adds what is constant
}

Result<> Poll::lost_code(const std::string& code, const Error& why) {
  if (sessions_ < sessions_allowed) return lost(why);
  if (telegram_.items.empty()) return why;
  // Some meters are silent instead of refusing: what was not heard in two polls is left alone.
  if (!memory_.unheard.insert(code).second) memory_.mute.insert(code);
  if (memory_.told.insert(code).second) memory_.news.insert(code);
  list_.clear();
  return {};
}

}  // namespace meterbridge::protocol::iec62056_21
