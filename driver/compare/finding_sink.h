#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/form.h"
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

/// Findings that go into the store: the first `cap` of them in the order of their keys (0: all), in whatever order they
/// come. So which of too many are listed does not depend on the seed.
class StoreSink : public FindingSink {
  public:
    /// `forms` are those of the findings' keys.
    StoreSink(FindingStore& findings, int table_no, std::int64_t cap, std::vector<core::Form> forms)
        : findings_(findings), table_no_(table_no), cap_(cap), forms_(std::move(forms)) {}

    void take(const RowFinding& finding) override;
    void restart() override;
    void commit() override { findings_.commit(table_no_); }
    std::uint64_t listed_rows() const override { return listed_rows_; }
    std::uint64_t listed_mismatches() const override { return listed_mismatches_; }

  private:
    void count(const Finding& finding, bool listed);
    bool make_room(const std::string& place);

    FindingStore& findings_;
    const int table_no_;
    const std::int64_t cap_;
    const std::vector<core::Form> forms_;
    std::optional<FindingPlace> last_;  ///< of those that are listed, once they are `cap` many
    std::int64_t listed_ = 0;
    std::uint64_t listed_rows_ = 0;
    std::uint64_t listed_mismatches_ = 0;
};

}  // namespace parity::driver
