#include "driver/digests/suspect_objects.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

TEST(SuspectObjects, EachObjectOnceInOrder) {
    SuspectObjects suspects(100);
    suspects.add(9, FindingKind::kMismatch, 1);
    suspects.add(4, FindingKind::kMissingOnTarget, 2);
    suspects.add(9, FindingKind::kMissingOnSource, 1);
    suspects.add(9, FindingKind::kMismatch, 1);
    ASSERT_EQ(suspects.list().size(), 2U);
    EXPECT_EQ(suspects.list()[0].object, 4U);
    EXPECT_EQ(suspects.list()[0].pages, (FindingCounts{0, 2, 0}));
    EXPECT_EQ(suspects.list()[1].object, 9U);
    EXPECT_EQ(suspects.list()[1].pages, (FindingCounts{2, 0, 1}));
}

TEST(SuspectObjects, ManyPagesOfFewObjectsAreNotTooMany) {
    SuspectObjects suspects(10);
    for (std::uint32_t i = 0; i < 100000; ++i) suspects.add(1 + i % 10, FindingKind::kMismatch, 1);
    EXPECT_FALSE(suspects.overflowed());
    ASSERT_EQ(suspects.list().size(), 10U);
    EXPECT_EQ(suspects.list()[3].pages.mismatch, 10000U);
}

TEST(SuspectObjects, TooManyObjectsAreNotKept) {
    SuspectObjects suspects(1000);
    for (std::uint32_t i = 0; i < 5000; ++i) suspects.add(i, FindingKind::kMismatch, 1);
    suspects.list();
    EXPECT_TRUE(suspects.overflowed());
    EXPECT_TRUE(suspects.list().empty());
    suspects.clear();
    suspects.add(5, FindingKind::kMismatch, 1);
    EXPECT_FALSE(suspects.overflowed());
    EXPECT_EQ(suspects.list().size(), 1U);
}

}  // namespace
}  // namespace parity::driver
