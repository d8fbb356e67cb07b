#include "driver/report/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

namespace fs = std::filesystem;

class OutputTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "output_test-XXXXXX").string();
        directory_ = mkdtemp(name.data());
    }
    void TearDown() override { fs::remove_all(directory_); }

    std::string file(const std::string& name) const { return (directory_ / name).string(); }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()));
    }

    static std::string content(const std::string& path) {
        std::stringstream text;
        text << std::ifstream(path).rdbuf();
        return text.str();
    }
    static void expect_error(const std::string& names, const std::function<void()>& action) {
        try {
            action();
            ADD_FAILURE() << "no error";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::kOutput);
            EXPECT_NE(std::string(error.what()).find(names), std::string::npos) << error.what();
        }
    }

    fs::path directory_;
};

TEST_F(OutputTest, PutsTheFileInItsPlaceOnlyWhenFinished) {
    std::ofstream(file("report")) << "old";
    Output output(file("report"));
    output.write("new");
    EXPECT_EQ(content(file("report")), "old");
    output.finish();
    EXPECT_EQ(content(file("report")), "new");
    EXPECT_EQ(files(), 1U);
}

TEST_F(OutputTest, LeavesNothingBehindUnlessFinished) {
    { Output(file("report")).write("half"); }
    EXPECT_EQ(files(), 0U);
}

TEST_F(OutputTest, FollowsNoLinkThatSomeonePutInTheWay) {
    std::ofstream(file("precious")) << "old";
    fs::create_symlink(file("precious"), fmt::format("{}.{}.part", file("report"), getpid()));
    Output output(file("report"));
    output.write("new");
    output.finish();
    EXPECT_EQ(content(file("precious")), "old");
    EXPECT_EQ(content(file("report")), "new");
}

/// A child that has ended and was waited for: no process has its number.
pid_t dead_process() {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
    return child;
}

TEST_F(OutputTest, RemovesWhatKilledProcessesLeft) {
    const auto part = [&](pid_t process) { return fmt::format("{}.{}.part", file("report"), process); };
    std::ofstream(part(dead_process())) << "half";
    Output(file("report")).finish();
    EXPECT_EQ(files(), 1U);
    EXPECT_TRUE(fs::exists(file("report")));
}

TEST_F(OutputTest, LeavesWhatIsWrittenAndWhatIsOthers) {
    const pid_t dead = dead_process();
    const auto name = [&](const std::string& middle) { return file("report") + middle; };
    const std::vector<std::string> kept = {name(fmt::format(".{}.part", getppid())),
                                           name(fmt::format(".0{}.part", dead)),
                                           name(fmt::format(".{}.part2", dead)),
                                           name(fmt::format(".-{}.part", dead)),
                                           name(".part"),
                                           name("2") + fmt::format(".{}.part", dead)};
    for (const std::string& path : kept) std::ofstream(path) << "kept";
    const std::string locked = name(fmt::format(".{}.part", dead));  // as of a process of another container
    const int descriptor = open(locked.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_EQ(flock(descriptor, LOCK_EX | LOCK_NB), 0);
    Output(name("")).finish();
    for (const std::string& path : kept) EXPECT_TRUE(fs::exists(path)) << path;
    EXPECT_TRUE(fs::exists(locked));
    close(descriptor);
    Output(name("")).finish();
    EXPECT_FALSE(fs::exists(locked));
}

TEST_F(OutputTest, LocksWhatItWrites) {
    const Output output(file("report"));
    const std::string temporary = fmt::format("{}.{}.part", file("report"), getpid());
    const int descriptor = open(temporary.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_GE(descriptor, 0);
    EXPECT_NE(flock(descriptor, LOCK_EX | LOCK_NB), 0);
    close(descriptor);
}

TEST_F(OutputTest, WritesMoreThanItsBuffer) {
    Output output(file("report"));
    for (int i = 0; i < 1000; ++i) output.write(std::string(1000, 'x'));
    output.finish();
    EXPECT_EQ(fs::file_size(file("report")), 1'000'000U);
}

TEST_F(OutputTest, KeepsASymbolicLink) {
    std::ofstream(file("real")) << "old";
    fs::create_symlink("real", file("link"));
    Output output(file("link"));
    output.write("new");
    output.finish();
    EXPECT_TRUE(fs::is_symlink(file("link")));
    EXPECT_EQ(content(file("real")), "new");
}

TEST_F(OutputTest, NamesAFileThatCannotBeMade) {
    expect_error(file("nonesuch/report"), [&] { Output output(file("nonesuch/report")); });
    expect_error(directory_.string(), [&] { Output output(directory_.string()); });
}

TEST_F(OutputTest, WritesToDevicesDirectly) {
    Output output("/dev/null");
    output.write("gone");
    output.finish();
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(OutputTest, AFullDeviceIsAnError) {
    Output output("/dev/full");
    output.write("x");
    expect_error("/dev/full", [&] { output.finish(); });
}

}  // namespace
}  // namespace parity::driver
