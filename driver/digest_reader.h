#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/connection.h"
#include "driver/engine.h"
#include "driver/model.h"

namespace parity::driver {

/// Reads `digest[]` as it is sent in binary into `digests`. Throws Error{kInternal} unless it is an array of one
/// dimension (or an empty one) of digests of this format version without NULLs.
void decode_digest_array(std::string_view wire, std::vector<core::Digest>& digests);

/// Reads one `digest` as it is sent in binary. Throws Error{kInternal} where it is none of this format version.
core::Digest decode_digest(std::string_view wire);

/// Reads the rows of range_digests and insists on their being exactly the ranges that were asked for, in ascending
/// order.
class DigestReader : public RangeSource {
  public:
    /// `ranges` are what was asked for.
    DigestReader(Side side, RowStream stream, const RangeList& ranges);

    bool next(RangeDigests& range) override;

    const std::string& path() const override { return path_; }

  private:
    Side side_;
    RowStream stream_;
    std::vector<int> expected_;
    bool totals_only_;
    std::size_t position_ = 0;
    std::string path_;
};

}  // namespace parity::driver
