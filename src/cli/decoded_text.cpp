// SPDX-License-Identifier: MIT
#include "cli/decoded_text.hpp"

#include "cli/command.hpp"
#include "core/text.hpp"

#include <vector>

namespace meterbridge::cli {
namespace {

std::string value_text(const protocol::Item& item) {
  if (item.value) return item.value->str();
  if (item.text) return sanitised(*item.text);
  std::string text;
  for (const std::string& group : item.groups)
    text += "(" + sanitised(group) + ")";
  return text;
}

std::string title(const protocol::Decoded& decoded) {
  std::string text = std::string(name(decoded.status)) + "  at " + std::to_string(decoded.offset) +
                     ", " + std::to_string(decoded.length) + " bytes";
  if (!decoded.ok()) return text + ": " + decoded.error + "\n";
  const MeterIdentity& meter = decoded.telegram.meter;
  for (const std::string* part :
       {&meter.manufacturer, &meter.model, &meter.serial, &meter.firmware}) {
    if (!part->empty()) text += ", " + sanitised(*part);
  }
  if (decoded.telegram.time) text += ", " + iso_utc(*decoded.telegram.time);
  return text + "\n";
}

}  // namespace

std::string decoded_text(const protocol::Decoded& decoded) {
  std::string text = title(decoded);
  std::vector<std::vector<std::string>> rows{{"ITEM", "VALUE", "UNIT", "TIME"}};
  for (const protocol::Item& item : decoded.telegram.items) {
    rows.push_back(
        {item.address, value_text(item), item.unit, item.time ? iso_utc(*item.time) : ""});
  }
  if (rows.size() > 1) text += "\n" + table(rows);
  rows = {{"READING", "VALUE", "UNIT", "METER"}};
  for (const MeterReadings& meter : decoded.telegram.readings) {
    for (const Reading& reading : meter.readings) {
      rows.push_back({reading.key.text(), value_text(reading.value),
                      std::string(symbol(reading.unit)), meter.submeter});
    }
  }
  if (rows.size() > 1) text += "\n" + table(rows);
  return text + "\n";
}

}  // namespace meterbridge::cli
