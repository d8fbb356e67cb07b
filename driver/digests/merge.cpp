#include "driver/digests/merge.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "core/hash.h"

namespace parity::driver {
namespace {

using Emit = std::function<void(const RowFinding&)>;

/// Reads one side's rows, checks their shape and order and adds them up range by range.
class Cursor {
  public:
    Cursor(Side side, RowSource& rows, const MergeSpec& spec, const std::vector<DivergentRange>& ranges)
        : side_(side), rows_(rows), spec_(spec), ranges_(ranges), totals_(ranges.size()) {
        advance();
    }

    bool at_end() const { return at_end_; }
    const RowDigest& row() const { return row_; }
    std::size_t range_index() const { return range_index_; }

    void advance() {
        std::swap(row_, previous_);
        at_end_ = !rows_.next(row_);
        if (at_end_) return;
        check_shape();
        if (started_) check_order();
        started_ = true;
        find_range();
        if (!spec_.exact && in_buckets())
            add_key();
        else if (!spec_.exact)
            totals_[range_index_].add({1, hash_of_key()}, spec_.width);
        else if (spec_.digested_columns.empty())
            totals_[range_index_].add(row_.row_hash);
        else
            totals_[range_index_].add({1, hash_of_digested()}, spec_.width);
    }

    bool in_group(std::size_t range_index, std::string_view key) const {
        return !at_end_ && range_index_ == range_index && row_.key == key;
    }

    /// Only at the end.
    void check_totals() const {
        if (in_buckets() && rows_.keys_read().seen != spec_.keys[side_])
            fail_totals(fmt::format("the rows that were read on {} for divergent buckets are not all of their ranges",
                                    side_name(side_)));
        if (in_buckets() && !spec_.exact) {
            if (rows_.keys_read().chosen != keys_)
                fail_totals(fmt::format("rows of divergent buckets got lost on the way from {}", side_name(side_)));
            return;
        }
        for (std::size_t i = 0; i < ranges_.size(); ++i) {
            const HashTotal& expected = (spec_.exact ? ranges_[i].total : ranges_[i].keys)[side_];
            if (totals_[i].sum == expected.sum && (in_buckets() || totals_[i].rows == expected.rows)) continue;
            fail_totals(fmt::format("rows of {} on {} do not add up to its digest", spec_.part(ranges_[i].range_no),
                                    side_name(side_)));
        }
    }

  private:
    [[noreturn]] void fail_totals(const std::string& what) const {
        throw TotalsError(ErrorKind::kInternal, what, {}, std::string(side_name(side_)), {});
    }
    bool in_buckets() const { return spec_.buckets > 1; }
    /// Where nothing else tells that a row is of its bucket, and that none is lost.
    void add_key() {
        const core::u128 hash = hash_of_key();
        keys_.add({1, hash}, spec_.width);
        const auto buckets = static_cast<core::u64>(spec_.buckets);
        if ((core::low_half(hash) & (buckets - 1)) != static_cast<core::u64>(row_.range_no - 1) % buckets)
            throw_contradiction(
                fmt::format("{} sent a row of another bucket than {}", side_name(side_), row_.range_no));
    }
    core::u128 hash_of_key() const {
        const core::ByteView key = core::as_bytes(row_.key);
        return spec_.width == 128 ? core::hash_bytes<core::u128>(key, spec_.seed)
                                  : core::hash_bytes<core::u64>(key, spec_.seed);
    }
    /// The row's hash, were the digested columns all that it has.
    core::u128 hash_of_digested() const {
        return spec_.width == 128 ? fold_digested<core::u128>() : fold_digested<core::u64>();
    }
    template <typename H>
    H fold_digested() const {
        core::RowFold<H> fold(static_cast<H>(hash_of_key()));
        for (int column : spec_.digested_columns) fold.add(cell<H>(static_cast<std::size_t>(column)));
        return fold.result();
    }
    template <typename H>
    H cell(std::size_t column) const {
        const std::uint8_t* bytes = core::as_bytes(row_.cell_hashes).data() + column * sizeof(H);
        if constexpr (sizeof(H) == sizeof(core::u64))
            return core::load_be<core::u64>(bytes);
        else
            return core::join_halves(core::load_be<core::u64>(bytes + 8), core::load_be<core::u64>(bytes));
    }
    void check_shape() const {
        const std::size_t hash_bytes = static_cast<std::size_t>(spec_.width) / 8;
        if (row_.row_hash.size() != hash_bytes || row_.cell_hashes.size() != hash_bytes * spec_.columns)
            throw_contradiction(fmt::format(
                "{} sent a row with hashes of {} and {} bytes where {} and {} were expected", side_name(side_),
                row_.row_hash.size(), row_.cell_hashes.size(), hash_bytes, hash_bytes * spec_.columns));
    }

    void check_order() const {
        int order = previous_.range_no < row_.range_no ? -1 : previous_.range_no > row_.range_no;
        if (order == 0) order = previous_.key.compare(row_.key);
        if (order == 0) order = previous_.row_hash.compare(row_.row_hash);
        if (order > 0)
            throw_contradiction(
                fmt::format("{} sent rows of {} out of order", side_name(side_), spec_.part(row_.range_no)));
    }

    void find_range() {
        while (range_index_ < ranges_.size() && ranges_[range_index_].range_no < row_.range_no) ++range_index_;
        if (range_index_ == ranges_.size() || ranges_[range_index_].range_no != row_.range_no)
            throw_contradiction(fmt::format("{} sent a row of {}, which was not asked for", side_name(side_),
                                            spec_.part(row_.range_no)));
    }

    Side side_;
    RowSource& rows_;
    const MergeSpec& spec_;
    const std::vector<DivergentRange>& ranges_;
    std::vector<HashTotal> totals_;
    HashTotal keys_;  ///< of rows of buckets, where they are not exact
    RowDigest row_;
    RowDigest previous_;
    std::size_t range_index_ = 0;
    bool started_ = false;
    bool at_end_ = false;
};

/// One side's rows under one key that found no equal row on the other side.
class Leftovers {
  public:
    struct KeptRow {
        std::string row_hash;
        std::string cell_hashes;
    };

    void clear() {
        kept_.clear();
        bytes_ = 0;
        total_ = 0;
    }

    void add(const RowDigest& row, const MergeSpec& spec) {
        ++total_;
        if (spec.keyless || kept_.size() >= spec.max_kept_rows || bytes_ >= spec.max_kept_bytes) return;
        kept_.push_back({row.row_hash, row.cell_hashes});
        bytes_ += row.row_hash.size() + row.cell_hashes.size();
    }

    const std::vector<KeptRow>& kept() const { return kept_; }
    std::uint64_t total() const { return total_; }
    bool all_kept() const { return kept_.size() == total_; }

  private:
    std::vector<KeptRow> kept_;
    std::size_t bytes_ = 0;
    std::uint64_t total_ = 0;
};

bool cell_differs(std::size_t hash_bytes, std::size_t column, const std::string& a, const std::string& b) {
    return std::memcmp(&a[column * hash_bytes], &b[column * hash_bytes], hash_bytes) != 0;
}

std::vector<int> differing_columns(const MergeSpec& spec, const std::string& a, const std::string& b) {
    const std::size_t hash_bytes = static_cast<std::size_t>(spec.width) / 8;
    std::vector<int> columns;
    for (std::size_t i = 0; i < spec.columns; ++i)
        if (cell_differs(hash_bytes, i, a, b)) columns.push_back(static_cast<int>(i));
    return columns;
}

std::uint16_t count_differing_columns(const MergeSpec& spec, const std::string& a, const std::string& b) {
    const std::size_t hash_bytes = static_cast<std::size_t>(spec.width) / 8;
    std::uint16_t count = 0;
    for (std::size_t i = 0; i < spec.columns; ++i)
        count = static_cast<std::uint16_t>(count + cell_differs(hash_bytes, i, a, b));
    return count;
}

/// The hash of a NULL in the row of a key, as a server sends it.
std::string null_hash(const MergeSpec& spec, std::string_view key) {
    const core::ByteView bytes = core::as_bytes(key);
    std::uint8_t hash[2 * sizeof(core::u64)];
    if (spec.width != 128) {
        core::store_be(hash, core::null_cell_hash<core::u64>(core::hash_bytes<core::u64>(bytes, spec.seed)));
        return std::string(reinterpret_cast<const char*>(hash), sizeof(core::u64));
    }
    const core::u128 key_hash = core::hash_bytes<core::u128>(bytes, spec.seed);
    const core::u128 null = core::null_cell_hash<core::u128>(core::low_half(key_hash));
    core::store_be(hash, static_cast<core::u64>(null >> 64));
    core::store_be(hash + sizeof(core::u64), core::low_half(null));
    return std::string(reinterpret_cast<const char*>(hash), sizeof hash);
}

struct Pair {
    std::size_t source;
    std::size_t target;
};

/// Pairs rows greedily, fewest differing columns first; ties go to the earlier rows. Every row of the shorter list gets
/// a partner.
std::vector<Pair> pair_by_likeness(const MergeSpec& spec, const std::vector<Leftovers::KeptRow>& source,
                                   const std::vector<Leftovers::KeptRow>& target) {
    const std::size_t wanted = std::min(source.size(), target.size());
    std::vector<std::uint16_t> distance(source.size() * target.size());
    std::vector<bool> occurs(spec.columns + 1);
    for (std::size_t i = 0; i < source.size(); ++i) {
        for (std::size_t j = 0; j < target.size(); ++j) {
            const std::uint16_t d = count_differing_columns(spec, source[i].cell_hashes, target[j].cell_hashes);
            distance[i * target.size() + j] = d;
            occurs[d] = true;
        }
    }
    std::vector<Pair> pairs;
    std::vector<bool> source_taken(source.size());
    std::vector<bool> target_taken(target.size());
    for (std::size_t d = 0; d <= spec.columns && pairs.size() < wanted; ++d) {
        if (!occurs[d]) continue;
        for (std::size_t i = 0; i < source.size(); ++i) {
            for (std::size_t j = 0; j < target.size() && !source_taken[i]; ++j) {
                if (target_taken[j] || distance[i * target.size() + j] != d) continue;
                source_taken[i] = target_taken[j] = true;
                pairs.push_back({i, j});
            }
        }
    }
    return pairs;
}

class Merger {
  public:
    Merger(const MergeSpec& spec, const std::vector<DivergentRange>& ranges, Both<RowSource*> rows, const Emit& emit)
        : spec_(spec),
          ranges_(ranges),
          emit_(emit),
          source_(Side::kSource, *rows.source, spec, ranges),
          target_(Side::kTarget, *rows.target, spec, ranges),
          differs_(ranges.size()),
          unknown_(ranges.size()) {
        report_.column_divergent.resize(spec.columns);
        report_.column_counts.resize(spec.columns);
    }

    MergeReport run() {
        while (!source_.at_end() || !target_.at_end()) merge_group();
        source_.check_totals();
        target_.check_totals();
        for (std::size_t i = 0; i < ranges_.size(); ++i)
            if (spec_.exact && !differs_[i] && !unknown_[i])
                throw_contradiction(
                    fmt::format("{} is divergent, but its rows are equal", spec_.part(ranges_[i].range_no)));
        report_.range_differs = std::move(differs_);
        return std::move(report_);
    }

  private:
    /// The cursor that has the next key.
    const Cursor& first() const {
        if (target_.at_end()) return source_;
        if (source_.at_end()) return target_;
        if (source_.range_index() != target_.range_index())
            return source_.range_index() < target_.range_index() ? source_ : target_;
        return source_.row().key <= target_.row().key ? source_ : target_;
    }

    void merge_group() {
        range_index_ = first().range_index();
        key_ = first().row().key;
        left_.source.clear();
        left_.target.clear();
        Both<std::uint64_t> seen{0, 0};
        while (true) {
            const bool on_source = source_.in_group(range_index_, key_);
            const bool on_target = target_.in_group(range_index_, key_);
            if (!on_source && !on_target) break;
            take_rows(on_source, on_target, seen);
        }
        count_duplicates(seen);
        emit_left();
    }

    /// Takes the lower of the two current rows, or both if their row hashes are equal.
    void take_rows(bool on_source, bool on_target, Both<std::uint64_t>& seen) {
        const int order = !on_source ? 1 : !on_target ? -1 : source_.row().row_hash.compare(target_.row().row_hash);
        const bool cancel = order == 0 && source_.row().cell_hashes == target_.row().cell_hashes;
        if (order <= 0) {
            ++seen.source;
            if (!cancel) left_.source.add(source_.row(), spec_);
            source_.advance();
        }
        if (order >= 0) {
            ++seen.target;
            if (!cancel) left_.target.add(target_.row(), spec_);
            target_.advance();
        }
    }

    void count_duplicates(const Both<std::uint64_t>& seen) {
        if (!spec_.proven || (seen.source < 2 && seen.target < 2)) return;
        if (report_.duplicate_keys.source + report_.duplicate_keys.target == 0) report_.first_duplicate_key = key_;
        report_.duplicate_keys.source += seen.source > 1;
        report_.duplicate_keys.target += seen.target > 1;
    }

    /// Turns what is left under a key into findings.
    void emit_left() {
        if (left_.source.total() == 0 && left_.target.total() == 0) return;
        const std::uint64_t paired = emit_pairs();
        emit_lone(Side::kTarget, left_.source.total() - paired);
        emit_lone(Side::kSource, left_.target.total() - paired);
    }

    std::uint64_t emit_pairs() {
        if (left_.source.total() == 0 || left_.target.total() == 0) return 0;
        if (spec_.keyless) throw_contradiction("equal rows of a table without a key have different row hashes");
        if (!left_.source.all_kept() || !left_.target.all_kept()) ++report_.crowded_keys;
        const std::vector<Pair> pairs = pair_by_likeness(spec_, left_.source.kept(), left_.target.kept());
        for (const Pair& pair : pairs) emit_pair(left_.source.kept()[pair.source], left_.target.kept()[pair.target]);
        return pairs.size();
    }

    void emit_pair(const Leftovers::KeptRow& source, const Leftovers::KeptRow& target) {
        RowFinding finding;
        finding.columns = differing_columns(spec_, source.cell_hashes, target.cell_hashes);
        if (leave_out_unknown(finding.columns, source.cell_hashes, target.cell_hashes)) return;
        if (finding.columns.empty()) {
            if (source.row_hash != target.row_hash)
                throw_contradiction("rows with equal cell hashes have different row hashes");
            return;
        }
        finding.key = key_;
        finding.row_hash = {source.row_hash, target.row_hash};
        finding.range_index = range_index_;
        count_columns(finding.columns, source.cell_hashes, target.cell_hashes);
        ++report_.counts.mismatch;
        differs_[range_index_] = true;
        emit_(finding);
    }

    /// A NULL is known by its hash, which comes of the key alone.
    class NullCells {
      public:
        explicit NullCells(std::string hash) : hash_(std::move(hash)) {}
        bool is_null(const std::string& cells, int column) const {
            const std::size_t at = static_cast<std::size_t>(column) * hash_.size();
            return std::memcmp(&cells[at], hash_.data(), hash_.size()) == 0;
        }

      private:
        const std::string hash_;
    };

    void count_columns(const std::vector<int>& columns, const std::string& source, const std::string& target) {
        const NullCells nulls(null_hash(spec_, key_));
        for (int number : columns) {
            const auto column = static_cast<std::size_t>(number);
            report_.column_divergent[column] = true;
            ColumnCounts& counts = report_.column_counts[column];
            ++counts.differing;
            counts.null_to_value += nulls.is_null(source, number);
            counts.value_to_null += nulls.is_null(target, number);
        }
    }

    /// Takes out columns whose values are not known on a side. Of rows that share a key, those that could be read have
    /// no NULL in their place.
    /// Returns: whether nothing else differs.
    bool leave_out_unknown(std::vector<int>& columns, const std::string& source, const std::string& target) {
        std::size_t taken_out = 0;
        for (Side side : kSides) {
            const std::vector<int>* unknown = spec_.unread[side] ? spec_.unread[side]->unknown_columns(key_) : nullptr;
            if (!unknown) continue;
            const NullCells nulls(null_hash(spec_, key_));
            const std::string& cells = side == Side::kSource ? source : target;
            taken_out += std::erase_if(columns, [&](int column) {
                return std::binary_search(unknown->begin(), unknown->end(), column) && nulls.is_null(cells, column);
            });
        }
        if (taken_out > 0) unknown_[range_index_] = true;
        return taken_out > 0 && columns.empty();
    }

    /// `rows` of one side have no counterpart on `side`.
    void emit_lone(Side side, std::uint64_t rows) {
        if (rows == 0) return;
        const bool on_target = side == Side::kTarget;
        FindingCounts& counts = report_.counts;
        if (spec_.unread[side] && spec_.unread[side]->may_hold(key_)) {
            unknown_[range_index_] = true;
            return emit_lone(on_target ? FindingKind::kUnresolvedOnTarget : FindingKind::kUnresolvedOnSource,
                             on_target ? counts.unresolved_on_target : counts.unresolved_on_source, rows);
        }
        differs_[range_index_] = true;
        emit_lone(on_target ? FindingKind::kMissingOnTarget : FindingKind::kMissingOnSource,
                  on_target ? counts.missing_on_target : counts.missing_on_source, rows);
    }

    void emit_lone(FindingKind kind, std::uint64_t& count, std::uint64_t rows) {
        count += rows;
        RowFinding finding;
        finding.kind = kind;
        finding.range_index = range_index_;
        finding.key = key_;
        finding.occurrences = rows;
        emit_(finding);
    }

    const MergeSpec& spec_;
    const std::vector<DivergentRange>& ranges_;
    const Emit& emit_;
    Cursor source_;
    Cursor target_;
    std::vector<bool> differs_;
    std::vector<bool> unknown_;  ///< parallel to the ranges: something that cannot be told explains a difference
    MergeReport report_;
    std::size_t range_index_ = 0;
    std::string key_;
    Both<Leftovers> left_;
};

}  // namespace

MergeReport merge_rows(const MergeSpec& spec, const std::vector<DivergentRange>& ranges, Both<RowSource*> rows,
                       const Emit& emit) {
    return Merger(spec, ranges, rows, emit).run();
}

}  // namespace parity::driver
