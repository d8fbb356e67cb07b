#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/form.h"

namespace parity::driver {

/// What of one side could not be read, as far as it matters to the rows of the other side: where a row without a
/// counterpart may have one all the same, and which values of rows are not known.
class UnreadRows {
  public:
    explicit UnreadRows(std::vector<core::Form> key_forms = {}) : forms_(std::move(key_forms)) {}

    /// Rows of unknown keys, so many at most, may have any key.
    void add_anywhere(std::uint64_t most_rows);
    /// Rows of unknown keys are in ranges that were added by add_interval(), so many at most.
    void add_rows(std::uint64_t most_rows) { most_rows_ += most_rows; }
    /// Such rows may be in [lower, upper): key bounds; empty: no bound there.
    void add_interval(std::string lower, std::string upper);
    /// Of the row with this framed key these columns, ascending, are not known.
    void add_row(const std::string& key, const std::vector<int>& columns);

    /// Whether a row with this framed key may be among what could not be read.
    bool may_hold(std::string_view key) const;
    /// Whether some row of an unknown key may be.
    bool holds_unknown_keys() const { return anywhere_ || !intervals_.empty(); }
    /// Which columns of the row with this key are not known; none: nullptr.
    const std::vector<int>* unknown_columns(std::string_view key) const;
    /// How many rows of unknown keys there are at most.
    std::uint64_t most_rows() const { return most_rows_; }

  private:
    struct Interval {
        std::string lower, upper;
    };

    std::vector<core::Form> forms_;
    bool anywhere_ = false;
    std::uint64_t most_rows_ = 0;
    std::vector<Interval> intervals_;
    std::map<std::string, std::vector<int>, std::less<>> rows_;
};

}  // namespace parity::driver
