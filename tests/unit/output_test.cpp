#include "driver/output.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "driver/error.h"

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
