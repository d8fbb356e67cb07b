#include "driver/digests/buckets.h"

#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

/// One side's sums of the buckets of one range.
class BucketReader {
  public:
    BucketReader(Side side, const DivergentRange& range, const std::string& sums, int buckets, int width)
        : side_(side), range_(range), sums_(sums), bytes_(static_cast<std::size_t>(width) / 8), width_(width) {
        if (sums.size() != bytes_ * static_cast<std::size_t>(buckets))
            throw_contradiction(fmt::format("{} sent another number of buckets of range {} than was asked for",
                                            side_name(side), range.range_no));
    }
    HashTotal next() {
        HashTotal sum;
        sum.add(std::string_view(sums_).substr(at_, bytes_));
        at_ += bytes_;
        sum.rows = 0;
        total_.add(sum, width_);
        return sum;
    }
    /// Only at the end.
    void check() const {
        if (total_.sum != range_.total[side_].sum)
            throw_contradiction(fmt::format("the buckets of range {} on {} do not add up to its digest",
                                            range_.range_no, side_name(side_)));
    }

  private:
    Side side_;
    const DivergentRange& range_;
    const std::string& sums_;
    std::size_t bytes_;
    int width_;
    std::size_t at_ = 0;
    HashTotal total_;
};

}  // namespace

std::vector<DivergentRange> differing_buckets(const std::vector<DivergentRange>& divergent,
                                              const Both<BucketSums>& all_sums, int buckets, int width) {
    if (all_sums.source.size() != divergent.size() || all_sums.target.size() != divergent.size())
        throw_contradiction("a server sent the buckets of other ranges than were asked for");
    std::vector<DivergentRange> differing;
    for (std::size_t i = 0; i < divergent.size(); ++i) {
        BucketReader source(Side::kSource, divergent[i], all_sums.source[i], buckets, width);
        BucketReader target(Side::kTarget, divergent[i], all_sums.target[i], buckets, width);
        const std::size_t before = differing.size();
        for (int number = 1; number <= buckets; ++number) {
            const Both<HashTotal> sums{source.next(), target.next()};
            if (sums.source == sums.target) continue;
            DivergentRange& bucket = differing.emplace_back();
            bucket.range_no = bucket_number(divergent[i].range_no, number, buckets);
            bucket.total = sums;
            bucket.row_differs = true;
        }
        source.check();
        target.check();
        if (differing.size() == before)
            throw_contradiction(fmt::format("range {} is divergent, but its buckets are equal", divergent[i].range_no));
    }
    return differing;
}

}  // namespace parity::driver
