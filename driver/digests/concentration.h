#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/form.h"
#include "driver/digests/merge.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Keys of differing rows, framed: all, or always the same ones of many.
struct DifferingKeys {
    Both<std::vector<std::string>> keys{};  ///< of the rows that the side has
    std::uint64_t number = 0;               ///< of keys, whichever side has their rows
    bool sampled = false;                   ///< there are more
};

/// Where most differing rows of a table are: an interval of keys, and a set of columns. Counts every finding, whether
/// it is listed or not.
///
/// An interval is that of the fewest ranges of the first pass next to each other that hold 99 % of the differing rows,
/// from the first to the last key that was found there. It is told only if it is a fifth of the ranges or less: rows
/// that differ here and there are not in so few.
/// A set of columns is told if 95 % of the mismatches differ in exactly these columns, and other columns are compared.
/// Below 10 differing rows, or mismatches, nothing is told.
/// Which partitions rows are in, only a server knows. It is asked with a sample of the keys.
class ConcentrationCounter {
  public:
    /// `ranges` is how many ranges the first pass compared, and `in_key_order` whether they follow each other as keys
    /// of these forms do. Without `samples_keys` no keys are kept for differing_keys(): without a key of its own, a
    /// row is its key, however long it is.
    ConcentrationCounter(std::vector<core::Form> key_forms, std::size_t columns, std::uint64_t ranges,
                         bool in_key_order, bool samples_keys);

    /// `range_no` is the range of the first pass that the finding is in.
    void add(const RowFinding& finding, std::int32_t range_no);

    Concentration result() const;

    /// A thousand keys, or all if there are fewer. Which ones follows from the keys alone, and not from their order.
    /// Returns: no key where none were to be sampled, or they have more than 4 MB.
    DifferingKeys differing_keys() const;

  private:
    /// The differing rows of one range, and the first and the last of their keys.
    struct RangeCount {
        std::uint64_t rows = 0;
        std::string first_key;
        std::string last_key;
    };
    /// A key of the sample, and the sides that have a row of it.
    struct SampledKey {
        std::string key;
        Both<bool> on{false, false};
    };
    void sample(const RowFinding& finding);
    void find_interval(Concentration& found) const;
    void find_columns(Concentration& found) const;

    const std::vector<core::Form> key_forms_;
    const std::size_t columns_;
    const std::uint64_t ranges_;
    const bool in_key_order_;
    bool samples_keys_;
    std::map<std::int32_t, RangeCount> by_range_;
    std::map<std::vector<int>, std::uint64_t> by_columns_;
    std::map<std::uint64_t, SampledKey> sample_;  ///< by the hash of the key
    std::size_t sampled_bytes_ = 0;
    bool sample_is_all_ = true;
    std::uint64_t rows_ = 0;
    std::uint64_t mismatches_ = 0;
};

/// Whether so many rows are enough to tell where most of them are.
bool may_be_concentrated(std::uint64_t rows);

/// Whether rows are 95 % of all, which is most of them.
bool are_most(std::uint64_t rows, std::uint64_t all);

/// A partition is told if most of the rows that were asked for are in it, but at most half of the table's data.
/// `fullest` is the partition with most of them, `asked` how many there were.
bool is_concentrated(const PartitionRows& fullest, std::uint64_t asked);

}  // namespace parity::driver
