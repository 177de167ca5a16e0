// SPDX-License-Identifier: MIT
// A simulated Modbus meter: its registers are those of the table, and nothing else.
#pragma once

#include "protocol/modbus/face.hpp"
#include "protocol/modbus/options.hpp"
#include "protocol/modbus/planner.hpp"
#include "protocol/responder.hpp"

#include <map>
#include <memory>
#include <set>

namespace meterbridge::protocol::modbus {

class ModbusResponder final : public Responder {
 public:
  explicit ModbusResponder(Options options);

  void show(const MeterFace& face) override;

  void misbehave(const Mischief& mischief) override { mischief_ = mischief; }

  std::vector<Bytes> received(ByteView bytes) override;

  Bytes push() override { return {}; }

 private:
  [[nodiscard]] Bytes answer(const Request& request) const;
  [[nodiscard]] Bytes read(const ReadRequest& request) const;
  void lay_out_models();
  void put(const Register& value, const Decimal& number);
  void put_text(const Register& value);
  void put_word(int function, std::uint32_t address, std::uint16_t word, std::uint16_t bits);

  Options options_;
  Framing framing_;
  std::vector<Register> registers_;  // with the addresses of the device
  std::map<Place, std::uint16_t> image_;
  std::map<Function, std::pair<std::uint32_t, std::uint32_t>> extent_;  // begin and end
  Bytes arrived_;
  Mischief mischief_;
};

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings);

}  // namespace meterbridge::protocol::modbus
