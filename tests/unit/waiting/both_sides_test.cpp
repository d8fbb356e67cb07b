#include "driver/waiting/both_sides.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <stdexcept>
#include <string>

#include "driver/waiting/event.h"

namespace parity::driver {
namespace {

constexpr int kForever = -1;

void await(int fd) {
    pollfd polled{fd, POLLIN, 0};
    poll(&polled, 1, kForever);
}

/// The message of what `work` makes on_both_sides() throw; nothing thrown: empty.
std::string thrown(const std::function<void(Side, const SharedFailure*)>& work) {
    try {
        on_both_sides(work);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "";
}

TEST(BothSides, WorkAtTheSameTime) {
    Both<Event> begun;
    Both<bool> done{false, false};
    on_both_sides([&](Side side, const SharedFailure*) {
        begun[side].set();
        await(begun[side == Side::kSource ? Side::kTarget : Side::kSource].fd());
        done[side] = true;
    });
    EXPECT_TRUE(done.source);
    EXPECT_TRUE(done.target);
}

TEST(BothSides, SourcesErrorIsThrownThoughTheTargetsCameFirst) {
    Event target_fails;
    EXPECT_EQ(thrown([&](Side side, const SharedFailure*) {
                  if (side == Side::kTarget) target_fails.set();
                  await(target_fails.fd());
                  throw std::runtime_error(side == Side::kSource ? "source" : "target");
              }),
              "source");
}

TEST(BothSides, TargetsErrorIsThrownOnceTheSourceIsDone) {
    bool source_done = false;
    EXPECT_EQ(thrown([&](Side side, const SharedFailure* failure) {
                  if (side == Side::kTarget) throw std::runtime_error("target");
                  EXPECT_EQ(failure, nullptr);
                  source_done = true;
              }),
              "target");
    EXPECT_TRUE(source_done);
}

TEST(BothSides, SourcesFailureEndsWhatTheTargetWaitsFor) {
    EXPECT_EQ(thrown([&](Side side, const SharedFailure* failure) {
                  if (side == Side::kSource) throw std::runtime_error("source");
                  await(failure->fd());
                  failure->rethrow();
              }),
              "source");
}

}  // namespace
}  // namespace parity::driver
