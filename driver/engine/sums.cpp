#include "driver/engine/sums.h"

#include <new>
#include <string_view>

#include "core/digest.h"
#include "driver/engine/value_reader.h"

namespace parity::driver {

using core::u64;

std::size_t SumMatrix::bytes(std::size_t ranges, std::size_t columns, bool wide) {
    return ranges * (1 + (columns + 2) * words_per_sum(wide)) * sizeof(u64);
}

SumMatrix::SumMatrix(std::size_t ranges, std::size_t columns, bool wide)
    : words_(bytes(ranges, columns, wide) / sizeof(u64)),
      stride_(1 + (columns + 2) * words_per_sum(wide)),
      wide_(wide) {}

std::uint64_t SumMatrix::rows() const {
    std::uint64_t rows = 0;
    for (std::size_t at = 0; at < words_.size(); at += stride_) rows += words_[at];
    return rows;
}

void SumMatrix::add(const SumMatrix& other) {
    for (std::size_t at = 0; at < words_.size(); at += stride_) {
        words_[at] += other.words_[at];
        for (std::size_t sum = at + 1; sum < at + stride_; sum += words_per_sum(wide_)) {
            if (wide_)
                core::add_to_sum(&words_[sum], core::join_halves(other.words_[sum], other.words_[sum + 1]));
            else
                core::add_to_sum(&words_[sum], other.words_[sum]);
        }
    }
}

std::vector<std::uint32_t> slice_tags(const StreamSpec& spec) {
    const std::vector<std::string_view> key = form_names(spec.columns.key);
    const std::vector<std::string_view> columns = form_names(spec.columns.columns);
    ByteBuffer scratch;
    const auto tag = [&](core::SliceKind kind, std::string_view column) {
        scratch.clear();
        return core::slice_tag(kind, key, columns, column, spec.seed, scratch.sink());
    };
    std::vector<std::uint32_t> tags{tag(core::SliceKind::kKey, {}), tag(core::SliceKind::kRow, {})};
    for (std::string_view column : columns) tags.push_back(tag(core::SliceKind::kColumn, column));
    if (scratch.sink().failed) throw std::bad_alloc();
    return tags;
}

RangeDigests digests_of_range(SumMatrix& sums, std::size_t range, const StreamSpec& spec,
                              const std::vector<std::uint32_t>& tags) {
    const u64* words = sums.range(range);
    const u64* sum = words + 1;
    std::size_t slice = 0;
    const auto next = [&](core::Form form) {
        const core::Digest digest{core::kFormatVersion,
                                  static_cast<std::uint8_t>(spec.wide ? 128 : 64),
                                  form,
                                  core::kFormRevision,
                                  tags[slice++],
                                  words[0],
                                  sum[0],
                                  spec.wide ? sum[1] : 0};
        sum += words_per_sum(spec.wide);
        return digest;
    };
    RangeDigests digests;
    digests.range_no = static_cast<int>(range) + 1;
    digests.rows = words[0];
    digests.key = next(core::Form::kKey);
    digests.row = next(core::Form::kRow);
    for (std::size_t i = 0; i < spec.summed_columns(); ++i)
        digests.columns.push_back(next(spec.columns.columns[i]->form()));
    return digests;
}

}  // namespace parity::driver
