// SPDX-License-Identifier: MIT
// Real pseudo-terminals; P01 and P08 of the user pains.
#include "core/time.hpp"
#include "fakes/loop.hpp"
#include "fakes/pty_pair.hpp"
#include "fakes/scratch.hpp"
#include "io/links.hpp"
#include "io/serial_speed.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace meterbridge::io {
namespace {

using fakes::Loop;
using fakes::PtyPair;
using testing::HasSubstr;

LineSettings line(std::uint32_t baud, std::string_view mode) {
  return *LineSettings::parse(baud, mode);
}

SerialOptions options(const std::string& port, LineSettings settings = {}, bool echo = false) {
  SerialOptions all;
  all.port = port;
  all.line = settings;
  all.echo = echo;
  return all;
}

Deadline in(int milliseconds) {
  return std::chrono::steady_clock::now() + Milliseconds(milliseconds);
}

class SerialPort : public testing::Test {
 protected:
  std::unique_ptr<Transport> opened(const SerialOptions& how) {
    auto port = make_serial(loop_.executor(), how);
    const auto result = loop_.run(port->open());
    EXPECT_TRUE(result) << result.error().detail();
    return port;
  }

  // The text that arrives in one read, or the error's name.
  std::string read(Transport& port, int milliseconds = 1000) {
    std::array<std::byte, 8192> block{};
    const auto got = loop_.run(port.read_some(block, in(milliseconds)));
    if (!got) return std::string(name(got.error().code()));
    return to_text(ByteView(block).first(*got));
  }

  // Everything until so many bytes arrived.
  std::string read_all(Transport& port, std::size_t count) {
    std::string all;
    while (all.size() < count) {
      const auto part = read(port);
      if (part == "timeout" || part == "io") return all + "<" + part + ">";
      all += part;
    }
    return all;
  }

  Loop loop_;
  PtyPair pty_;
};

TEST_F(SerialPort, CarriesEveryByteBothWaysUnchanged) {
  auto port = opened(options(pty_.path()));
  std::string all;
  for (int i = 0; i < 256; ++i)
    all.push_back(static_cast<char>(i));
  ASSERT_TRUE(pty_.write(all));
  EXPECT_EQ(read_all(*port, all.size()), all);
  ASSERT_TRUE(loop_.run(port->write(to_bytes(all), in(1000))));
  EXPECT_EQ(to_text(pty_.read(all.size())), all);
}

TEST_F(SerialPort, ReadsWholeBlocksNotBytes) {
  auto port = opened(options(pty_.path()));
  ASSERT_TRUE(pty_.write(std::string(1500, 'x')));
  EXPECT_EQ(read(*port).size(), 1500U);
}

TEST_F(SerialPort, KeepsWhatAPseudoTerminalSentBeforeItWasOpened) {
  ASSERT_TRUE(pty_.write("early"));
  auto port = opened(options(pty_.path()));
  EXPECT_EQ(read(*port), "early");
}

TEST_F(SerialPort, EndsAReadAtItsDeadline) {
  auto port = opened(options(pty_.path()));
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(read(*port, 20), "timeout");
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_GE(took, Milliseconds(19));
  EXPECT_LT(took, Milliseconds(1000));
  ASSERT_TRUE(pty_.write("later"));
  EXPECT_EQ(read(*port), "later");
}

TEST_F(SerialPort, ReportsAPastDeadlineOnlyWhenNothingIsThere) {
  auto port = opened(options(pty_.path()));
  EXPECT_EQ(read(*port, -5), "timeout");
  ASSERT_TRUE(pty_.write("there"));
  EXPECT_EQ(read(*port, -5), "there");
}

TEST_F(SerialPort, NamesAnAbsentPort) {
  auto port = make_serial(loop_.executor(), options("/dev/meterbridge-is-not-there"));
  const auto result = loop_.run(port->open());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::no_device);
  EXPECT_THAT(result.error().detail(), HasSubstr("/dev/meterbridge-is-not-there is absent"));
  EXPECT_FALSE(port->is_open());
}

TEST_F(SerialPort, RefusesAFileThatIsNoPort) {
  const fakes::Scratch scratch;
  auto port = make_serial(loop_.executor(), options(scratch.file("capture.bin", "bytes").string()));
  const auto result = loop_.run(port->open());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::no_device);
  EXPECT_THAT(result.error().detail(), HasSubstr("is not a serial port"));
}

TEST_F(SerialPort, TellsThatTwoLinksNameTheSamePort) {
  auto first = opened(options(pty_.path()));
  auto second = make_serial(loop_.executor(), options(pty_.path()));
  const auto result = loop_.run(second->open());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::no_device);
  EXPECT_THAT(result.error().detail(), HasSubstr("meterbridge itself holds " + pty_.path()));
  first->close();
  EXPECT_TRUE(loop_.run(second->open()));
}

TEST_F(SerialPort, P08NamesTheOtherProgramThatHoldsThePort) {
  std::array<int, 2> ready{};
  ASSERT_EQ(pipe(ready.data()), 0);
  const auto child = fork();
  if (child == 0) {
    const int port = open(pty_.path().c_str(), O_RDWR | O_NOCTTY);
    const char mark = port >= 0 && flock(port, LOCK_EX | LOCK_NB) == 0 ? 'y' : 'n';
    if (::write(ready[1], &mark, 1) != 1) _exit(1);
    for (;;)
      pause();
  }
  char mark = 'n';
  ASSERT_EQ(::read(ready[0], &mark, 1), 1);
  ASSERT_EQ(mark, 'y');
  auto port = make_serial(loop_.executor(), options(pty_.path()));
  const auto refused = loop_.run(port->open());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::no_device);
  EXPECT_EQ(refused.error().detail(),
            "another program (pid " + std::to_string(child) + ", test_io) holds " + pty_.path());
  EXPECT_TRUE(loop_.run(port->open())) << "the lock must go with its holder";
}

TEST_F(SerialPort, P01SeesThatTheAdapterWasPulledOut) {
  auto port = opened(options(pty_.path()));
  pty_.unplug();
  EXPECT_EQ(read(*port), "io");
}

TEST_F(SerialPort, P01SeesItAlsoWhileItWaits) {
  auto port = opened(options(pty_.path()));
  std::thread hand([this] { pty_.unplug(); });
  EXPECT_EQ(read(*port, 10000), "io");
  hand.join();
}

TEST_F(SerialPort, P01ComesBackUnderTheSameLinkWithAnotherDevice) {
  const fakes::Scratch scratch;
  const auto link = scratch.path() / "by-id";
  std::filesystem::create_symlink(pty_.path(), link);
  auto port = opened(options(link.string()));
  pty_.unplug();
  EXPECT_EQ(read(*port), "io");
  port->close();
  std::filesystem::remove(link);
  EXPECT_EQ(loop_.run(port->open()).error().code(), Errc::no_device);
  const PtyPair other;
  std::filesystem::create_symlink(other.path(), link);
  const auto back = loop_.run(port->open());
  ASSERT_TRUE(back) << back.error().detail();
  ASSERT_EQ(::write(other.descriptor(), "back", 4), 4);
  EXPECT_EQ(read(*port), "back");
}

TEST_F(SerialPort, DropsTheEchoOfWhatItSent) {
  auto port = opened(options(pty_.path(), {}, true));
  ASSERT_TRUE(loop_.run(port->write(to_bytes("/?!\r\n"), in(1000))));
  ASSERT_TRUE(pty_.write("/?!\r"));
  EXPECT_EQ(read(*port, 20), "timeout") << "a part of the echo is no answer";
  ASSERT_TRUE(pty_.write("\n/EKT5CE102\r\n"));
  EXPECT_EQ(read(*port), "/EKT5CE102\r\n");
}

TEST_F(SerialPort, PassesWhatIsNoEchoAfterAll) {
  auto port = opened(options(pty_.path(), {}, true));
  ASSERT_TRUE(loop_.run(port->write(to_bytes("abcdef"), in(1000))));
  ASSERT_TRUE(pty_.write("abc"));
  EXPECT_EQ(read(*port, 20), "timeout");
  ASSERT_TRUE(pty_.write("XYZ"));
  EXPECT_EQ(read(*port), "abcXYZ");
}

TEST_F(SerialPort, StripsTheParityBitOfASevenBitLine) {
  auto port = opened(options(pty_.path(), line(9600, "7E1")));
  ASSERT_TRUE(pty_.write("\xaf\x3f\xb1\x8d"));
  EXPECT_EQ(read(*port), "/?1\r");
  ASSERT_TRUE(port->retune(line(9600, "8N1")));
  ASSERT_TRUE(pty_.write("\xaf"));
  EXPECT_EQ(read(*port), "\xaf");
}

TEST_F(SerialPort, RecognisesItsEchoOnASevenBitLine) {
  auto port = opened(options(pty_.path(), line(300, "7E1"), true));
  ASSERT_TRUE(loop_.run(port->write(to_bytes("/?!\r\n"), in(1000))));
  ASSERT_TRUE(pty_.write("\xaf\x3f\x21\x8d\x0a\xaf"));
  EXPECT_EQ(read(*port), "/");
}

TEST_F(SerialPort, ChangesTheSpeedWhileOpen) {
  auto port = opened(options(pty_.path(), line(300, "7E1")));
  EXPECT_EQ(present_speed(pty_.descriptor()), 300U);
  // Repeating settings that a pseudo-terminal ignores must not fail.
  EXPECT_TRUE(port->retune(line(300, "7E1")));
  for (const auto baud : {2400U, 9600U, 115200U, 250000U, 42000U}) {
    const auto tuned = port->retune(line(baud, "7E1"));
    ASSERT_TRUE(tuned) << tuned.error().detail();
    EXPECT_EQ(present_speed(pty_.descriptor()), baud);
  }
  EXPECT_TRUE(port->retune(line(9600, "8N2")));
  port->close();
  const auto closed = port->retune(line(9600, "8N1"));
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code(), Errc::io);
}

TEST_F(SerialPort, OpensWithItsOwnSettingsAgain) {
  auto port = opened(options(pty_.path(), line(300, "7E1")));
  ASSERT_TRUE(port->retune(line(9600, "8N1")));
  port->close();
  ASSERT_TRUE(loop_.run(port->open()));
  EXPECT_EQ(present_speed(pty_.descriptor()), 300U);
}

TEST_F(SerialPort, GoesBackToItsOwnSettingsWhenItIsTold) {
  auto port = opened(options(pty_.path(), line(300, "7E1")));
  port->restore();
  ASSERT_TRUE(port->retune(line(9600, "7E1")));
  ASSERT_TRUE(port->retune(line(4800, "8N1")));
  port->restore();
  EXPECT_EQ(present_speed(pty_.descriptor()), 300U);
  ASSERT_TRUE(pty_.write("\xaf"));
  EXPECT_EQ(read(*port), "/");  // seven bits again
  port->close();
  port->restore();  // of a port that is gone: nothing
}

TEST_F(SerialPort, ThrowsAwayWhatIsOld) {
  auto port = opened(options(pty_.path()));
  ASSERT_TRUE(pty_.write("old answer"));
  port->discard_input();
  EXPECT_EQ(read(*port, 10), "timeout");
  ASSERT_TRUE(pty_.write("new"));
  EXPECT_EQ(read(*port), "new");
}

TEST_F(SerialPort, GivesUpWritingWhenNobodyTakesTheBytes) {
  auto port = opened(options(pty_.path()));
  const Bytes much(1 << 20);
  const auto written = loop_.run(port->write(much, in(20)));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), Errc::io);
}

TEST_F(SerialPort, ReportsUseBeforeOpenAndAfterClose) {
  auto port = make_serial(loop_.executor(), options(pty_.path()));
  EXPECT_EQ(read(*port), "io");
  ASSERT_TRUE(loop_.run(port->open()));
  port->close();
  port->close();
  EXPECT_EQ(read(*port), "io");
  EXPECT_EQ(loop_.run(port->write(to_bytes("x"), in(10))).error().code(), Errc::io);
}

TEST_F(SerialPort, LetsTheLoopGoWhenItIsClosed) {
  auto port = opened(options(pty_.path()));
  ASSERT_TRUE(pty_.write("x"));
  EXPECT_EQ(read(*port, 3'600'000), "x");
  const auto begun = std::chrono::steady_clock::now();
  loop_.context().restart();
  loop_.context().run();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

}  // namespace
}  // namespace meterbridge::io
