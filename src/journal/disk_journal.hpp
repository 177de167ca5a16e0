// SPDX-License-Identifier: MIT
// What disk.cpp is made of; nobody else includes it.
#pragma once

#include "journal/disk.hpp"
#include "journal/flusher.hpp"
#include "journal/front.hpp"
#include "journal/ledger.hpp"
#include "journal/waiting.hpp"

namespace meterbridge::journal {

class Disk final : public Journal {
 public:
  using Steady = std::chrono::steady_clock;

  Disk(DiskOptions options, const Clock& clock)
      : options_(std::move(options)),
        clock_(clock),
        flusher_(options_.path),
        looked_for_old_(clock.steady()) {
    const auto opened = open_or_begin();
    if (!opened) (void)refused(opened.error());
  }

  ~Disk() override {
    close();
    remove_quick();
  }

  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  Result<Sequence> append(const Sample& sample) override;
  Result<> commit() override;
  Result<std::vector<Entry>> after(Sequence sequence, std::size_t limit) override;
  [[nodiscard]] Sequence committed() const override;
  [[nodiscard]] Sequence oldest() const override;
  [[nodiscard]] std::uint64_t behind(Sequence sequence) const override;
  Result<Sequence> cursor(std::string_view sink) override;
  Result<> advance(std::string_view sink, Sequence sequence) override;
  void release(std::string_view sink) override;

  [[nodiscard]] Sequence given() const override { return last_; }

  [[nodiscard]] Status status() const override;

 private:
  Result<> open();
  Result<> open_or_begin();
  Result<> reserve();
  Sequence next_number();
  Result<> write();
  // disk_front.cpp
  void recover_front();
  [[nodiscard]] bool belongs_into_front() const;
  [[nodiscard]] bool move_due() const;
  bool into_front();
  bool write_front(Front& front, std::size_t from, bool cursors);
  void flush_front();
  void next_turn();
  [[nodiscard]] std::string quick_path() const;
  void tell_of_front(const Error& error) const;
  void pop_waiting();
  void remove_quick();
  void add_waiting(std::vector<Entry>& found, Sequence sequence, std::size_t limit) const;
  // Of what waits, the first so many may be delivered.
  [[nodiscard]] std::size_t deliverable() const;
  void flush_in_time();
  Result<> write_rows(std::size_t count);
  [[nodiscard]] Limits limits() const;
  Error refused(const Error& error);
  bool move_aside(const std::string& why);
  void say(bool warning, const std::string& text) const;
  void tell_foreign() const;
  void look_after_file();
  void drop_waiting();
  void add_stored(std::vector<Entry>& found, const std::vector<Row>& rows);
  void close();
  [[nodiscard]] bool marks_due() const;

  DiskOptions options_;
  const Clock& clock_;
  Flusher flusher_;
  std::unique_ptr<Store> store_;
  Dictionary words_;
  std::uint32_t words_written_ = 0;
  Waiting waiting_;
  std::optional<Front> front_;
  std::optional<Front> quick_;    // the same in memory, until it is time to write the front
  std::size_t fronted_ = 0;       // the first so many of what waits are in one of them
  std::size_t written_ = 0;       // and so many on the disk
  std::uint64_t front_turn_ = 0;  // the last that was begun
  bool recovered_ = false;
  bool cursors_in_front_ = false;  // newer ones than in the database
  Steady::time_point moved_{};     // what waited, to the database
  std::optional<Steady::time_point> front_tried_;
  Sequence last_ = 0;  // given
  Ledger ledger_;
  bool marks_urgent_ = true;
  bool marks_changed_ = false;
  bool more_leaves_ = false, damage_told_ = false;
  bool closing_ = false;
  Steady::time_point marks_written_{};
  Steady::time_point looked_for_old_;  // first when the sinks had time to come
  Steady::time_point looked_after_file_{};
  std::optional<Steady::time_point> moved_aside_;
  std::optional<Instant> last_commit_;
  std::optional<Steady::time_point> unflushed_;  // since then something is
  std::string trouble_;
  std::uint64_t dropped_before_ = 0;  // the trouble
};

}  // namespace meterbridge::journal
