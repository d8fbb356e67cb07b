#pragma once

#include <cstdint>

#include "driver/digests/merge.h"
#include "driver/state/findings.h"

namespace parity::driver {

/// Where the findings of one table go.
class FindingSink {
  public:
    virtual ~FindingSink() = default;

    virtual void take(const RowFinding& finding) = 0;

    /// What was taken so far does not count.
    virtual void restart() = 0;

    /// Every finding has been taken.
    virtual void commit() {}

    /// How many rows the findings that are listed stand for, and how many of them are mismatches, whose values are to
    /// be read.
    virtual std::uint64_t listed_rows() const { return 0; }
    virtual std::uint64_t listed_mismatches() const { return 0; }
};

/// Findings that go into the store: the first `cap` of them (0: all).
class StoreSink : public FindingSink {
  public:
    StoreSink(FindingStore& findings, int table_no, std::int64_t cap)
        : findings_(findings), table_no_(table_no), cap_(cap) {}

    void take(const RowFinding& finding) override;
    void restart() override;
    void commit() override { findings_.commit(table_no_); }
    std::uint64_t listed_rows() const override { return listed_rows_; }
    std::uint64_t listed_mismatches() const override { return listed_mismatches_; }

  private:
    FindingStore& findings_;
    const int table_no_;
    const std::int64_t cap_;
    std::int64_t listed_ = 0;
    std::uint64_t listed_rows_ = 0;
    std::uint64_t listed_mismatches_ = 0;
};

}  // namespace parity::driver
