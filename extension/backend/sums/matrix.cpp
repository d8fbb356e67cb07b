#include "backend/sums/matrix.h"

#include <algorithm>

#include "backend/memory.h"
#include "backend/settings.h"

namespace parity::backend {
namespace {

/// Adds sums that lie one after the other, of the matrix's width.
void add_sums(core::u64* sums, const core::u64* part, std::size_t words, std::uint32_t sum_words) {
    for (std::size_t at = 0; at < words; at += sum_words) {
        if (sum_words == 1) {
            sums[at] += part[at];
            continue;
        }
        core::u128 sum = core::join_halves(sums[at], sums[at + 1]) + core::join_halves(part[at], part[at + 1]);
        sums[at] = core::low_half(sum);
        sums[at + 1] = core::high_half(sum);
    }
}

}  // namespace

DigestMatrix shape_matrix(const DigestSpec& spec) {
    std::uint32_t sum_words = spec.wide ? 2 : 1;
    std::size_t totals = 1 + sum_words * std::size_t{2};
    std::size_t columns = sum_words * spec.column_forms.size();
    if (spec.totals_only) return {nullptr, spec.ranges(), sum_words, totals, columns, spec.buckets};
    return {nullptr, spec.ranges(), sum_words, totals + columns, 0, spec.buckets};
}

DigestMatrix make_matrix(const DigestSpec& spec, MemoryContext context) {
    DigestMatrix matrix = shape_matrix(spec);
    matrix.words = static_cast<core::u64*>(allocate_large(context, matrix.bytes()));
    return matrix;
}

void add_chunk(const DigestMatrix& total, std::size_t offset, std::size_t words, const core::u64* part) {
    core::u64* sums = total.words + offset;
    if (sums >= total.bucket(0)) return add_sums(sums, part, words, total.sum_words);
    for (std::size_t at = 0; at < words; at += total.stride) {
        sums[at] += part[at];
        add_sums(sums + at + 1, part + at + 1, total.stride - 1, total.sum_words);
    }
}

void add_matrix(const DigestMatrix& total, const core::u64* part) {
    for_each_chunk(total,
                   [&](std::size_t offset, std::size_t words) { add_chunk(total, offset, words, part + offset); });
}

DigestMaker::DigestMaker(const DigestSpec& spec, const DigestMatrix& matrix, MemoryContext context)
    : spec_(spec), matrix_(matrix), column_tags_(allocate_array<std::uint32_t>(context, spec.column_forms.size() + 1)) {
    core::ByteSink scratch = make_sink(context);
    auto tag = [&](core::SliceKind kind, std::string_view form) {
        return core::slice_tag(kind, spec.key_form_names, spec.column_form_names, form, spec.seed, scratch);
    };
    key_tag_ = tag(core::SliceKind::kKey, {});
    row_tag_ = tag(core::SliceKind::kRow, {});
    for (std::size_t i = 0; i < spec.column_forms.size(); ++i)
        column_tags_[i] = tag(core::SliceKind::kColumn, spec.column_form_names[i]);
}

core::Digest DigestMaker::make(std::uint32_t range, std::size_t at, core::Form form, std::uint32_t tag) const {
    const core::u64* sums = matrix_.range(range);
    return {core::kFormatVersion,
            static_cast<std::uint8_t>(spec_.width()),
            form,
            core::kFormRevision,
            tag,
            sums[0],
            sums[at],
            spec_.wide ? sums[at + 1] : 0};
}

core::Digest DigestMaker::key(std::uint32_t range) const {
    return make(range, key_sum_at(matrix_), core::Form::kKey, key_tag_);
}

core::Digest DigestMaker::row(std::uint32_t range) const {
    return make(range, row_sum_at(matrix_), core::Form::kRow, row_tag_);
}

core::Digest DigestMaker::column(std::uint32_t range, std::size_t column) const {
    return make(range, column_sum_at(matrix_, column), spec_.column_forms[column], column_tags_[column]);
}

void DigestMaker::columns(std::uint32_t range, core::Digest* to) const {
    for (std::size_t i = 0; i < columns(); ++i) to[i] = column(range, i);
}

void fit_buckets(DigestSpec& spec, int participants) {
    const std::size_t limit = static_cast<std::size_t>(max_digest_memory_kb) * 1024;
    // They are kept once more when the processes have ended. The aggregate hands a matrix over as one value.
    const std::size_t most =
        std::min(limit / (static_cast<std::size_t>(participants) + 1), std::size_t{MaxAllocSize} / 2);
    if (shape_matrix(spec).bytes() > most) spec.buckets = 1;
}

void check_digest_memory(const DigestSpec& spec, int participants) {
    DigestMatrix shape = shape_matrix(spec);
    std::size_t limit = static_cast<std::size_t>(max_digest_memory_kb) * 1024;
    std::size_t words = shape.stride + shape.bucket_words() / shape.ranges;
    std::size_t per_range = words * sizeof(core::u64) * static_cast<std::size_t>(participants);
    if (per_range * shape.ranges <= limit) return;
    std::size_t fitting = limit / per_range;
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("the digests of %u ranges need more than parity.max_digest_memory", shape.ranges),
                    errdetail("%zu columns in %u ranges take %zu kB in %d processes; the limit is %d kB.",
                              spec.column_forms.size(), shape.ranges, per_range * shape.ranges / 1024, participants,
                              max_digest_memory_kb),
                    fitting > 0 ? errhint("Use at most %zu ranges, or raise parity.max_digest_memory.", fitting)
                                : errhint("Use fewer columns, or raise parity.max_digest_memory.")));
}

Datum digest_array(const DigestMaker& maker, std::uint32_t range, Oid digest_type) {
    ArrayType* array = make_array(digest_type, 2 + maker.columns(), sizeof(core::Digest));
    auto* digests = reinterpret_cast<core::Digest*>(ARR_DATA_PTR(array));
    digests[0] = maker.key(range);
    digests[1] = maker.row(range);
    maker.columns(range, digests + 2);
    return PointerGetDatum(array);
}

}  // namespace parity::backend
