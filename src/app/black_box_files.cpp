// SPDX-License-Identifier: MIT
#include "app/black_box_files.hpp"

#include "app/plan.hpp"
#include "app/version.hpp"
#include "core/text.hpp"
#include "io/state_file.hpp"

#include <algorithm>
#include <filesystem>
#include <thread>

namespace meterbridge::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".txt";
constexpr std::string_view stamp_form = "-20261121T172846Z";

std::string wanted_path(const std::string& folder) {
  return folder + "/wanted";
}

std::string answer_path(const std::string& folder) {
  return folder + "/now.txt";
}

std::string stamp_of(Instant now) {
  std::string stamp = iso_utc(std::chrono::floor<std::chrono::seconds>(now));
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  return stamp;
}

bool is_case(const std::string& name) {
  return name.ends_with(ending) && name.size() > stamp_form.size() + ending.size() &&
         name[name.size() - ending.size() - stamp_form.size()] == '-';
}

// The stamp orders them, whatever the meter is called.
std::string stamp_in(const std::string& path) {
  const std::size_t tail = stamp_form.size() + ending.size();
  return path.size() < tail ? path : path.substr(path.size() - tail);
}

std::vector<std::string> all_cases(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (is_case(entry->path().filename().string())) found.push_back(entry->path().string());
  }
  std::ranges::sort(found, {}, stamp_in);
  return found;
}

std::string link_words(const config::LinkSettings& link) {
  switch (link.kind) {
    case config::LinkKind::tcp:
      return "tcp";
    case config::LinkKind::mqtt:
      return "mqtt";
    case config::LinkKind::replay:
      return "replay";
    case config::LinkKind::serial:
      break;
  }
  return "serial";
}

}  // namespace

std::string black_box_folder(const config::Settings& settings) {
  return settings.state_directory + "/black-box";
}

protocol::Capture capture_of(const config::Settings& settings, const meter::Meter& meter,
                             std::vector<protocol::CaptureEntry> entries) {
  protocol::Capture capture;
  const config::LinkSettings* const link = find_link(settings, meter.settings().link);
  capture.facts.emplace_back("version", std::string(version));
  capture.facts.emplace_back("meter", meter.settings().id);
  capture.facts.emplace_back("profile", meter.profile().id);
  capture.facts.emplace_back("protocol", std::string(meter.profile().protocol->name));
  if (link != nullptr) {
    capture.facts.emplace_back("link", link_words(*link));
    capture.facts.emplace_back("line", link->line.value_or(meter.profile().line).text());
  }
  capture.entries = std::move(entries);
  return capture;
}

Result<std::string> keep_case(const std::string& folder, std::string_view meter, Instant now,
                              const std::string& text, std::size_t most) {
  std::string path = folder + "/" + std::string(meter) + "-" + stamp_of(now);
  path += ending;
  if (auto made = io::make_folder(folder); !made) return made.error();
  if (auto written = io::write_atomically(path, text); !written) return written.error();
  const auto all = all_cases(folder);
  std::error_code ignored;
  for (std::size_t i = 0; i + most < all.size(); ++i)
    fs::remove(all[i], ignored);
  return path;
}

std::vector<std::string> cases_of(const std::string& folder, std::string_view meter) {
  auto found = all_cases(folder);
  std::erase_if(found, [meter](const std::string& path) {
    const std::string name = fs::path(path).filename().string();
    return name.substr(0, name.size() - stamp_form.size() - ending.size()) != meter;
  });
  return found;
}

std::string wanted_meter(const std::string& folder) {
  std::error_code failed;
  if (!fs::exists(wanted_path(folder), failed)) return {};
  const auto text = io::read_whole(wanted_path(folder));
  const std::string meter = text ? std::string(trimmed(sanitised(*text))) : std::string();
  // A file that is empty was only just made: it has its content the next time.
  return meter;
}

Result<> answer_wanted(const std::string& folder, const std::string& text) {
  auto written = io::write_atomically(answer_path(folder), text);
  std::error_code ignored;
  fs::remove(wanted_path(folder), ignored);
  return written;
}

Result<std::string> ask_service(const std::string& folder, const std::string& meter,
                                Milliseconds patience) {
  std::error_code failed;
  if (!fs::is_directory(folder, failed))
    return Error(Errc::not_found, folder + ": there is no such folder, so no service keeps one");
  // Root may ask, and the service is another user.
  constexpr unsigned readable = 0644;
  if (auto asked = io::write_atomically(wanted_path(folder), meter + "\n", readable); !asked)
    return asked.error();
  const auto until = std::chrono::steady_clock::now() + patience;
  while (fs::exists(wanted_path(folder), failed)) {
    if (std::chrono::steady_clock::now() > until) {
      fs::remove(wanted_path(folder), failed);
      return Error(Errc::not_found, "no running service answered within " +
                                        duration_text(patience) + " (looked in " + folder + ")");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  auto answer = io::read_whole(answer_path(folder));
  // It holds serial numbers, and nobody else awaits it.
  fs::remove(answer_path(folder), failed);
  return answer;
}

}  // namespace meterbridge::app
