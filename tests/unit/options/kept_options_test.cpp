#include "driver/options/kept_options.h"

#include <gtest/gtest.h>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

Options given(const GivenOptions& values) {
    Options options;
    for (const OptionSpec& spec : resume_options()) {
        const auto value = values.find(spec.name);
        if (value == values.end()) continue;
        spec.apply(options, value->second);
        options.given.insert(*value);
    }
    return options;
}

Options continued(const GivenOptions& now, const GivenOptions& began) {
    return continued_options(resume_options(), given(now), began, {});
}

std::string refusal(const GivenOptions& now, const GivenOptions& began) {
    try {
        continued(now, began);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kUsage);
        return error.what();
    }
    return "";
}

TEST(NamesDatabase, TellsConnectionStringsFromFiles) {
    for (const char* place : {"postgresql://db1/shop", "postgres://", "service=monitor", "host=/tmp dbname=shop"})
        EXPECT_TRUE(names_database(place)) << place;
    for (const char* place : {"", "run.state", "run", "/tmp/a=b", "./a=b", "../a=b", ".state=x", "http://db1/shop"})
        EXPECT_FALSE(names_database(place)) << place;
}

TEST(SemanticOptions, AreThoseThatTheAnswerDependsOn) {
    const Options options = given({{"table", {"a"}}, {"jobs", {"3"}}, {"where", {"id > 1"}}, {"format", {"json"}}});
    EXPECT_EQ(semantic_options(compare_options(), options), (GivenOptions{{"table", {"a"}}, {"where", {"id > 1"}}}));
}

TEST(ContinuedOptions, AreThoseThatTheRunBeganWith) {
    const Options options = continued({{"jobs", {"3"}}}, {{"where", {"id > 1"}}, {"width", {"128"}}});
    EXPECT_EQ(options.jobs, 3);
    EXPECT_EQ(options.where, "id > 1");
    EXPECT_EQ(options.width, 128);
    EXPECT_EQ(refusal({{"where", {"id > 1"}}}, {{"where", {"id > 1"}}}), "") << "the same may be given again";
}

TEST(ContinuedOptions, NamesTheFirstThatDiffers) {
    EXPECT_EQ(refusal({{"where", {"id > 2"}}}, {{"where", {"id > 1"}}}),
              "the run began with --where \"id > 1\", and cannot go on with --where \"id > 2\"");
    EXPECT_EQ(refusal({{"where", {"id > 2"}}}, {}),
              "the run began without --where, and cannot go on with --where \"id > 2\"");
    EXPECT_EQ(refusal({{"table", {"a", "b"}}}, {{"table", {"a"}}}),
              "the run began with --table \"a\", and cannot go on with --table \"a\", \"b\"");
}

}  // namespace
}  // namespace parity::driver
