#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/form.h"
#include "driver/digests/ranges.h"
#include "driver/engine/value_reader.h"

namespace parity::driver {

/// How the columns of one table and side are read. Shared by all threads.
struct StreamColumns {
    std::vector<std::shared_ptr<const ValueReader>> key;  ///< empty: keyless
    std::vector<std::shared_ptr<const ValueReader>> columns;
    /// What errors about values of the key's and the others' are explained with; may be shorter.
    struct Label {
        std::string message;  ///< source: a value of column "v" cannot be digested as "uuid"
        std::string hint;
    };
    std::vector<Label> labels;

    std::vector<core::Form> key_forms() const;
    std::size_t fields() const { return key.size() + columns.size(); }
};

/// Which hashes are wanted. Shared by all threads.
/// Requires: the columns and the list outlive it.
class StreamSpec {
  public:
    /// Checks the bounds.
    /// Throws: Error{kInternal} where they are malformed.
    StreamSpec(const StreamColumns& columns, const DigestSettings& settings, const RangeList& ranges);
    StreamSpec(const StreamSpec&) = delete;
    StreamSpec& operator=(const StreamSpec&) = delete;

    std::size_t ranges() const { return bounds.size() + 1; }
    bool keeps(std::uint32_t range) const { return kept.empty() || kept[range] != 0; }
    /// How many columns' sums are kept.
    std::size_t summed_columns() const { return totals_only ? 0 : columns.columns.size(); }

    const StreamColumns& columns;
    const std::uint64_t seed;
    const bool wide;         ///< a width of 128
    const bool totals_only;  ///< columns are hashed, but their sums not kept
    const std::vector<core::Form> key_forms;
    std::vector<core::ByteView> bounds;

  private:
    std::vector<std::uint8_t> kept;  ///< one a range; empty: all
};

/// The full names of the readers' forms.
std::vector<std::string_view> form_names(const std::vector<std::shared_ptr<const ValueReader>>& readers);

}  // namespace parity::driver
