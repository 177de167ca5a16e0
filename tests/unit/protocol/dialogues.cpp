// SPDX-License-Identifier: MIT
// Plays the scripts of tests/dialogues against the driver of their protocol.
//
//   protocol ce102      which driver
//   set KEY VALUE       a setting, before the first poll
//   row TABLE KEY=VALUE...  a row of a table of settings
//   > HEX               the dialogue must send exactly this
//   < HEX               the meter says this, while the dialogue listens
//   silence             the time runs out
//   speed 9600          the dialogue must change the speed to this
//   = KEY VALUE [UNIT]  the poll is over, with this reading (or item, by its address); several may
//   follow = absent KEY        ... without this reading ! KIND [WORDS]      the poll ends with this
//   error, and these words are in its text
// After `=` or `!` the next poll of the same driver begins. Pauses and drains take no line.
#include "bytes_of.hpp"
#include "core/text.hpp"
#include "protocol/registry.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace meterbridge::protocol {
namespace {

struct Line {
  std::size_t number = 0;
  std::string word;  // the first
  std::string rest;
};

std::vector<Line> read_script(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::vector<Line> lines;
  std::string text;
  for (std::size_t number = 1; std::getline(stream, text); ++number) {
    const std::string_view content = trimmed(text);
    if (content.empty() || content.front() == '#') continue;
    Line line;
    line.number = number;
    const std::size_t blank = std::min(content.find(' '), content.size());
    line.word = content.substr(0, blank);
    line.rest = trimmed(content.substr(blank));
    lines.push_back(line);
  }
  return lines;
}

class Player {
 public:
  explicit Player(const std::filesystem::path& file) : lines_(read_script(file)) {}

  void play() {
    if (!configure()) return;
    const auto driver = protocol_->driver(settings_);
    ASSERT_TRUE(driver) << driver.error().detail();
    std::unique_ptr<Dialogue> dialogue;
    while (at_ < lines_.size() && !testing::Test::HasFailure()) {
      if (!dialogue || !protocol_->pushes) dialogue = (*driver)->begin();
      play_poll(*dialogue);
    }
  }

 private:
  bool configure() {
    for (; at_ < lines_.size(); ++at_) {
      const Line& line = lines_[at_];
      if (line.word == "protocol") {
        protocol_ = find_protocol(line.rest);
        EXPECT_NE(protocol_, nullptr) << line.rest;
        if (protocol_ == nullptr) return false;
        settings_ = default_settings(protocol_->settings);
      } else if (line.word == "set" && protocol_ != nullptr) {
        set(line);
      } else if (line.word == "row" && protocol_ != nullptr) {
        add_row(line);
      } else {
        break;
      }
    }
    EXPECT_NE(protocol_, nullptr) << "the script names no protocol";
    return protocol_ != nullptr;
  }

  void set(const Line& line) {
    const std::size_t blank = line.rest.find(' ');
    const std::string name = line.rest.substr(0, blank);
    const auto spec = std::ranges::find(protocol_->settings, name, &SettingSpec::name);
    ASSERT_NE(spec, protocol_->settings.end()) << "line " << line.number;
    const auto value = parse_setting(*spec, line.rest.substr(blank + 1));
    ASSERT_TRUE(value) << "line " << line.number << ": " << value.error().detail();
    settings_.set(name, *value);
  }

  void add_row(const Line& line) {
    std::istringstream words(line.rest);
    std::string word;
    words >> word;
    const auto table = std::ranges::find(protocol_->tables, word, &TableSpec::name);
    ASSERT_NE(table, protocol_->tables.end()) << "line " << line.number;
    SettingValues row = default_settings(table->columns);
    while (words >> word) {
      const std::size_t equals = std::min(word.find('='), word.size() - 1);
      const std::string name = word.substr(0, equals);
      const auto column = std::ranges::find(table->columns, name, &SettingSpec::name);
      ASSERT_NE(column, table->columns.end()) << "line " << line.number << ": " << word;
      const auto value = parse_setting(*column, word.substr(equals + 1));
      ASSERT_TRUE(value) << "line " << line.number << ": " << value.error().detail();
      row.set(name, *value);
    }
    settings_.add_rows(*table, std::span(&row, 1));
  }

  // The next line, if it begins with that word; else a failure.
  const Line* expect(std::string_view word, std::string_view what) {
    const bool fits = at_ < lines_.size() && lines_[at_].word == word;
    EXPECT_TRUE(fits) << (at_ < lines_.size() ? "line " + std::to_string(lines_[at_].number)
                                              : "end of the script")
                      << ": the dialogue " << what;
    return fits ? &lines_[at_++] : nullptr;
  }

  void play_poll(Dialogue& dialogue) {
    for (int steps = 0; steps < 1000; ++steps) {
      auto step = dialogue.next();
      if (!step) return check_error(step.error());
      if (const auto* finished = std::get_if<step::Finished>(&*step))
        return check(finished->telegram);
      carry_out(dialogue, *step);
      if (testing::Test::HasFailure()) return;
    }
    FAIL() << "the dialogue does not end";
  }

  void carry_out(Dialogue& dialogue, const Step& step) {
    if (const auto* send = std::get_if<step::Send>(&step)) {
      const Line* line = expect(">", "sends " + to_hex(send->bytes));
      if (line == nullptr) return;
      EXPECT_EQ(to_hex(send->bytes), to_hex(test::hex(line->rest))) << "line " << line->number;
    } else if (std::holds_alternative<step::Listen>(step)) {
      if (at_ < lines_.size() && lines_[at_].word == "silence") {
        ++at_;
        dialogue.silence();
      } else if (const Line* line = expect("<", "listens"); line != nullptr) {
        dialogue.received(test::hex(line->rest));
      }
    } else if (const auto* retune = std::get_if<step::Retune>(&step)) {
      const Line* line = expect("speed", "changes the speed to " + retune->line.text());
      if (line == nullptr) return;
      EXPECT_EQ(std::to_string(retune->line.baud), line->rest) << "line " << line->number;
    }
  }

  void check_error(const Error& error) {
    const Line* line =
        expect("!", "ends with " + std::string(name(error.code())) + ": " + error.detail());
    if (line == nullptr) return;
    const std::size_t blank = std::min(line->rest.find(' '), line->rest.size());
    EXPECT_EQ(name(error.code()), line->rest.substr(0, blank))
        << "line " << line->number << ": " << error.detail();
    const std::string words(trimmed(line->rest.substr(blank)));
    EXPECT_NE(error.detail().find(words), std::string::npos)
        << "line " << line->number << ": " << error.detail();
  }

  void check(const Telegram& telegram) {
    const Line* line = expect("=", "is finished");
    for (; line != nullptr;
         line = at_ < lines_.size() && lines_[at_].word == "=" ? &lines_[at_++] : nullptr) {
      const std::size_t blank = line->rest.find(' ');
      const std::string key = line->rest.substr(0, blank);
      const std::string value = line->rest.substr(std::min(blank, line->rest.size() - 1) + 1);
      SCOPED_TRACE("line " + std::to_string(line->number));
      if (key == "absent") {
        EXPECT_EQ(shown(telegram, value), "");
      } else {
        EXPECT_EQ(shown(telegram, key), value);
      }
    }
  }

  static std::string shown(const Telegram& telegram, const std::string& key) {
    for (const MeterReadings& meter : telegram.readings) {
      for (const Reading& r : meter.readings) {
        if (r.key.text() != key) continue;
        const std::string_view unit = symbol(r.unit);
        return test::reading(telegram, key) + (unit.empty() ? "" : " " + std::string(unit));
      }
    }
    const Item* item = telegram.find(key);
    if (item == nullptr) return {};
    if (item->value) return item->value->str() + (item->unit.empty() ? "" : " " + item->unit);
    return item->text.value_or("");
  }

  std::vector<Line> lines_;
  std::size_t at_ = 0;
  const Protocol* protocol_ = nullptr;
  SettingValues settings_;
};

std::vector<std::filesystem::path> scripts() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(METERBRIDGE_SOURCE_DIR "/tests/dialogues")) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

class Dialogues : public testing::TestWithParam<std::filesystem::path> {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};

TEST_P(Dialogues, GoAsWritten) {
  Player(GetParam()).play();
}

std::string test_name(const testing::TestParamInfo<std::filesystem::path>& info) {
  std::string name = info.param.stem().string();
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Scripts, Dialogues, testing::ValuesIn(scripts()), test_name);

}  // namespace
}  // namespace meterbridge::protocol
