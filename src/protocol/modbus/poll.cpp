// SPDX-License-Identifier: MIT
#include "protocol/modbus/poll.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace meterbridge::protocol::modbus {
namespace {

namespace exception {
constexpr std::uint8_t illegal_function = 1;
constexpr std::uint8_t illegal_address = 2;
constexpr std::uint8_t illegal_value = 3;
constexpr std::uint8_t no_path = 0x0A;
constexpr std::uint8_t no_target = 0x0B;
}  // namespace exception

constexpr int most_identity_parts = 8;
constexpr int silences_that_count = 2;

ExchangeList::Timing timing_of(const Options& options, Framing framing, bool unsettled,
                               std::optional<int> first_attempts) {
  ExchangeList::Timing timing = options.pace.timing(unsettled, first_attempts);
  timing.numbered = framing == Framing::tcp && options.check_transaction;
  return timing;
}

std::string block_text(const ReadRequest& request) {
  const int function = static_cast<int>(request.function);
  if (request.count == 1) return "register " + address_text(function, request.address);
  const std::uint32_t last = std::uint32_t{request.address} + request.count - 1;
  return "registers " + address_text(function, request.address) + " to " +
         address_text(function, last).substr(2);
}

std::string object_of(const Identity& identity, std::uint8_t object) {
  const auto found = identity.objects.find(object);
  return found == identity.objects.end() ? std::string() : found->second;
}

}  // namespace

Poll::Poll(const Options& options, std::shared_ptr<Kind> kind, Memory& memory,
           std::optional<int> first_attempts)
    : options_(options),
      kind_(std::move(kind)),
      memory_(memory),
      framing_(options.framing.value_or(Framing::rtu)),
      list_(timing_of(options, framing_, memory.unsettled, first_attempts),
            [this] { return finish(); }) {
  memory_.remark.clear();
  ++memory_.polls;
  if (memory_.polls % ModbusDriver::constants_every == 0) memory_.constants.clear();
  if (memory_.polls % ModbusDriver::refused_every == 0) memory_.lessons = Lessons();
  const RegisterTable& table = kind_->table();
  if (!memory_.registers && !needs_sunspec(table.registers))
    memory_.registers = std::shared_ptr<const std::vector<Register>>(kind_, &table.registers);
  if (memory_.registers) {
    plan_blocks();
  } else {
    models_ = SunSpecSearch(table.sunspec_bases);
    search_models();
  }
}

Poll::~Poll() {
  memory_.unsettled = list_.unsettled();
  for (const Search& search : searches_) {
    // Once the guilty register is known, the rest may well be read in one again.
    if (!search.guilty) memory_.lessons.cuts.insert(search.cuts.begin(), search.cuts.end());
  }
  if (finished_ || heard_) return;
  // It may be another meter when it answers again: nothing that was learnt is taken for granted.
  memory_.constants.clear();
  memory_.identity.reset();
  memory_.lessons = Lessons();
  memory_.plan.reset();
  if (needs_sunspec(kind_->table().registers)) memory_.registers.reset();
}

void Poll::ask(Question question) {
  const auto pdu = encode(question.request);
  if (!pdu) return;  // the planner keeps the limits; a test asks for every block of every profile
  Awaited awaited;
  awaited.framing = framing_;
  awaited.unit = options_.unit;
  awaited.function = function_code(question.request);
  awaited.transaction = ++memory_.transaction;
  Frame frame;
  frame.transaction = awaited.transaction;
  frame.unit = awaited.unit;
  frame.pdu = *pdu;
  awaited.request = wrap(framing_, frame);
  // Shared by the functions below.
  const auto asked = std::make_shared<const Question>(std::move(question));
  Exchange exchange;
  exchange.what = asked->what;
  exchange.request = awaited.request;
  exchange.framer = [awaited](ByteView arrived) { return find_reply(awaited, arrived); };
  exchange.on_reply = [this, asked, awaited](ByteView wire) {
    return judge(*asked, awaited, wire);
  };
  exchange.on_lost = [this, asked](const Error& why) -> Result<> {
    if (!asked->on_lost) return with_hint(why);
    return asked->on_lost(why);
  };
  list_.add(std::move(exchange));
}

Result<Verdict> Poll::judge(const Question& question, const Awaited& awaited, ByteView wire) {
  const auto frame = unwrap(framing_, wire);
  if (!frame) return Verdict::ignored(frame.error().detail());
  if (framing_ == Framing::tcp && options_.check_transaction &&
      frame->transaction != awaited.transaction) {
    return Verdict::ignored("only an answer to the request " + std::to_string(frame->transaction) +
                            ", asked was " + std::to_string(awaited.transaction));
  }
  if (frame->unit != awaited.unit)
    return Verdict::ignored("only an answer of the unit " + std::to_string(frame->unit));
  const auto reply = parse_reply(question.request, frame->pdu);
  if (!reply) return Verdict::ignored("only " + reply.error().detail());
  memory_.heard = true;
  if (const auto* refusal = std::get_if<Refusal>(&*reply)) return refused(question, refusal->code);
  heard_ = true;
  away_ = false;
  return question.on_reply(*reply);
}

Result<Verdict> Poll::refused(const Question& question, std::uint8_t code) {
  const Error why(Errc::exception, question.what + ": " + exception_text(code));
  switch (code) {
    case exception::illegal_function:
    case exception::illegal_address:
    case exception::illegal_value:
      memory_.last_refusal = why.detail();
      heard_ = true;
      return question.on_refusal(code);
    case exception::no_path:
      return why;
    default:  // busy, failed, or the gateway did not reach the meter: perhaps the next time
      away_ = code == exception::no_target;
      memory_.last_refusal = why.detail();
      return Verdict::repeat(Error(Errc::exception, exception_text(code)));
  }
}

void Poll::search_models() {
  const auto request = models_.question();
  if (!request) {
    memory_.registers = std::make_shared<const std::vector<Register>>(
        located(kind_->table().registers, models_.models()));
    memory_.plan.reset();
    plan_blocks();
    return;
  }
  Question question;
  question.what = "the SunSpec models at " + std::to_string(request->address);
  question.request = *request;
  question.on_reply = [this](const Reply& reply) {
    models_.answered(std::get<Words>(reply).words);
    search_models();
    return Verdict::taken();
  };
  question.on_refusal = [this](std::uint8_t) {
    models_.refused();
    search_models();
    return Verdict::taken();
  };
  // Some devices keep silent instead of refusing.
  question.on_lost = [this](const Error& why) -> Result<> {
    if (!heard_) return with_hint(why);
    models_.refused();
    search_models();
    return {};
  };
  ask(std::move(question));
}

std::vector<bool> Poll::wanted() const {
  const std::vector<Register>& registers = *memory_.registers;
  std::vector<bool> wanted(registers.size());
  for (std::size_t i = 0; i < registers.size(); ++i)
    wanted[i] = !registers[i].once || !memory_.constants.contains(i);
  // Something must be asked, or nobody would know that the meter is there.
  if (std::ranges::none_of(wanted, std::identity())) wanted.assign(wanted.size(), true);
  return wanted;
}

std::vector<std::shared_ptr<const Block>> Poll::blocks() {
  const std::vector<Register>& registers = *memory_.registers;
  auto these = wanted();
  if (!memory_.plan || memory_.plan->wanted != these) {
    const bool located = &registers != &kind_->table().registers;
    memory_.plan =
        located ? std::make_shared<const ReadPlan>(registers, std::move(these), kind_->reach())
                : kind_->plan(these);
  }
  Lessons& lessons = memory_.lessons;
  if (lessons.refused.empty() && lessons.cuts.empty()) return memory_.plan->blocks;
  auto taught = plan(memory_.plan->atoms, kind_->reach(), lessons);
  // A meter that refused everything is asked for something all the same.
  if (taught.empty() && !lessons.refused.empty()) {
    lessons.refused.erase(lessons.refused.begin());
    taught = plan(memory_.plan->atoms, kind_->reach(), lessons);
  }
  return shared_blocks(std::move(taught));
}

void Poll::plan_blocks() {
  const auto all = blocks();
  // One that was not answered the last time must not keep the others from being read.
  for (const bool silent : {false, true}) {
    for (const auto& block : all) {
      if (memory_.silent.contains(block->atoms.front().begin) != silent) continue;
      searches_.emplace_back();
      ask_block(block, searches_.size() - 1);
    }
  }
  if (options_.identify && !memory_.identity) ask_identity(0, 1);
}

void Poll::ask_block(std::shared_ptr<const Block> block, std::size_t search) {
  const ReadRequest request = block->request();
  Question question;
  question.what = block_text(request);
  question.request = request;
  question.on_reply = [this, request, place = block->atoms.front().begin](const Reply& reply) {
    image_.add(request, std::get<Words>(reply).words);
    memory_.silent.erase(place);
    return Verdict::taken();
  };
  question.on_refusal = [this, block, search](std::uint8_t code) {
    return block_refused(*block, search, code);
  };
  question.on_lost = [this, block = std::move(block)](const Error& why) {
    return block_lost(*block, why);
  };
  ask(std::move(question));
}

Result<Verdict> Poll::block_refused(const Block& block, std::size_t search, std::uint8_t code) {
  memory_.silent.erase(block.atoms.front().begin);
  if (code == exception::illegal_function || block.atoms.size() == 1) {
    for (const Atom& atom : block.atoms)
      memory_.lessons.refused[atom.begin] = atom.end;
    searches_[search].guilty = true;
    memory_.remark = memory_.last_refusal + "; from now on it is left out";
    return Verdict::taken();
  }
  auto [front, back] = split(block);
  searches_[search].cuts.push_back(back.atoms.front().begin);
  ask_block(std::make_shared<const Block>(std::move(front)), search);
  ask_block(std::make_shared<const Block>(std::move(back)), search);
  return Verdict::taken();
}

// A meter that is there but does not answer one question is asked for less of it each time, until
// the register is known that it does not answer.
Result<> Poll::block_lost(const Block& block, const Error& why) {
  const bool refused = why.code() == Errc::exception && !away_;
  const Place place = block.atoms.front().begin;
  if (!heard_ && !refused) {
    begin_with_another(place);
    return with_hint(why);
  }
  memory_.remark = why.detail();
  if (refused) return {};
  if (!away_ && ++memory_.silent[place] >= silences_that_count) {
    memory_.silent.erase(place);
    if (block.atoms.size() > 1) {
      memory_.lessons.cuts.insert(split(block).second.atoms.front().begin);
    } else {
      memory_.lessons.refused[place] = block.atoms.front().end;
    }
  }
  // Not the rest too: if the meter went away in the middle of the poll, each question costs all its
  // attempts.
  list_.clear();
  return {};
}

// Perhaps the meter is there, and is only silent to the question that happens to be the first: the
// next poll begins with another one. Where all were tried in vain it begins anew.
void Poll::begin_with_another(const Place& place) {
  if (memory_.silent.contains(place)) memory_.silent.clear();
  memory_.silent.try_emplace(place, 0);
}

void Poll::ask_identity(std::uint8_t first, int part) {
  IdentityRequest request;
  request.first = first;
  Question question;
  question.what = "the identification";
  question.request = request;
  question.on_reply = [this, part](const Reply& reply) {
    const auto& identity = std::get<Identity>(reply);
    identity_.objects.insert(identity.objects.begin(), identity.objects.end());
    if (identity.next && part < most_identity_parts) {
      ask_identity(*identity.next, part + 1);
      return Verdict::taken();
    }
    MeterIdentity known;
    known.manufacturer = object_of(identity_, 0);
    known.model = object_of(identity_, 1);
    known.firmware = object_of(identity_, 2);
    memory_.identity = std::move(known);
    return Verdict::taken();
  };
  question.on_refusal = [this](std::uint8_t) {
    memory_.identity.emplace();
    return Verdict::taken();
  };
  question.on_lost = [this](const Error& why) -> Result<> {
    if (!heard_) return why;
    memory_.identity.emplace();
    return {};
  };
  ask(std::move(question));
}

Result<Telegram> Poll::finish() {
  if (memory_.registers && memory_.registers->empty()) {
    memory_.registers.reset();
    const std::string models = model_list(models_.models());
    if (!models_.found())
      return Error(Errc::unsupported, "no SunSpec device: \"SunS\" is not at any known place");
    return Error(Errc::unsupported, "the device has the SunSpec models " +
                                        (models.empty() ? std::string("none") : models) +
                                        ", and none that the profile knows");
  }
  if (image_.empty()) {
    return Error(Errc::exception, memory_.last_refusal.empty() ? std::string("nothing was answered")
                                                               : memory_.last_refusal);
  }
  finished_ = true;
  Telegram telegram;
  telegram.protocol = "modbus";
  telegram.readings.emplace_back();
  if (memory_.identity) telegram.meter = *memory_.identity;
  put_values(telegram);
  return telegram;
}

void Poll::put_values(Telegram& telegram) {
  const std::vector<Register>& registers = *memory_.registers;
  telegram.items.reserve(registers.size());
  telegram.readings.front().readings.reserve(registers.size());
  for (std::size_t i = 0; i < registers.size(); ++i) {
    auto found = understand(registers[i], image_);
    if (!found) {
      memory_.remark = found.error().detail();
      continue;
    }
    const auto constant = memory_.constants.find(i);
    if (!*found && constant != memory_.constants.end()) *found = constant->second;
    if (!*found) continue;
    if (registers[i].once) memory_.constants[i] = **found;
    put(telegram, std::move(**found));
  }
  put_totals(telegram, registers);
}

Error Poll::with_hint(const Error& why) const {
  if (memory_.heard || framing_ != Framing::tcp || why.code() != Errc::timeout) return why;
  return {why.code(),
          why.detail() + "; a serial gateway may speak RTU inside TCP: then set `framing: rtu`"};
}

}  // namespace meterbridge::protocol::modbus
