#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/digests/ranges.h"
#include "driver/engine/table_reader.h"
#include "driver/model/sides.h"
#include "driver/postgres/connection/connection.h"

namespace parity::driver {

/// Reads `digest[]` as it is sent in binary into `digests`.
/// Throws: Error{kInternal} unless it is an array of one dimension (or an empty one) of digests of this format version
/// without NULLs.
void decode_digest_array(std::string_view wire, std::vector<core::Digest>& digests);

/// Reads `integer[]` or `bigint[]`.
/// Throws: Error{kInternal} for anything else.
void decode_integer_array(std::string_view wire, std::vector<std::int64_t>& numbers);

/// Reads one `digest` as it is sent in binary.
/// Throws: Error{kInternal} where it is none of this format version.
core::Digest decode_digest(std::string_view wire);

/// Checks that ranges are exactly those that were asked for, in ascending order.
class RangeCheck {
  public:
    RangeCheck(Side side, const RangeList& asked);

    /// Takes the number and the row count of the next range as they came.
    /// Throws: Error{kInternal} where they are not those of the next range.
    void take(int range_no, std::int64_t rows, RangeDigests& range);

    /// Checks that all ranges came.
    /// Throws: Error{kInternal} where ranges are missing.
    void finish() const;

  private:
    Side side_;
    std::vector<int> expected_;
    std::size_t position_ = 0;
};

/// Reads the rows of range_digests.
class DigestReader : public RangeSource {
  public:
    /// `ranges` are what was asked for.
    DigestReader(Side side, RowStream stream, const RangeList& ranges);

    bool next(RangeDigests& range) override;

    const std::string& path() const override { return path_; }
    ReadingEnd reading_end() const override { return {stream_.answered_at(), {}}; }

  private:
    RowStream stream_;
    RangeCheck check_;
    std::string path_;
};

/// Reads the rows of range_totals, of several ranges each.
class TotalsReader : public RangeSource {
  public:
    TotalsReader(Side side, RowStream stream, const RangeList& ranges);

    bool next(RangeDigests& range) override;

    const std::string& path() const override { return path_; }

  private:
    bool next_bundle();

    RowStream stream_;
    RangeCheck check_;
    std::vector<std::int64_t> numbers_, rows_;
    std::vector<core::Digest> keys_, hashes_;
    std::size_t at_ = 0;  ///< in the bundle
    std::string path_;
};

}  // namespace parity::driver
