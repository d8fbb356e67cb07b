#include "driver/compare/salvage.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/digest.h"
#include "driver/digests/division.h"
#include "driver/digests/partial_row.h"
#include "driver/digests/tiling.h"
#include "driver/engine/row_sorter.h"
#include "driver/model/sqlstates.h"
#include "driver/text/display_name.h"
#include "driver/text/show.h"
#include "driver/waiting/retry.h"

namespace parity::driver {
namespace {

/// Of a range of keys nobody knows how many rows it has.
constexpr std::uint64_t kNobodyKnows = std::uint64_t{1} << 40;

/// The table with these of its columns.
TablePlan with_some_columns(TablePlan table, const std::vector<int>& columns) {
    std::vector<ColumnPlan> some;
    for (const int column : columns) some.push_back(table.columns[static_cast<std::size_t>(column)]);
    table.columns = std::move(some);
    return table;
}

HeapPlace blocks_at(std::size_t part, std::int64_t first, std::int64_t end) { return {part, first, end, false, {}}; }

HeapPlace lines_at(std::size_t part, std::int64_t block, std::vector<int> lines) {
    return {part, block, block + 1, true, std::move(lines)};
}

std::vector<int> numbers_from(int first, int end) {
    std::vector<int> numbers;
    for (int number = first; number < end; ++number) numbers.push_back(number);
    return numbers;
}

void add_digest(core::Digest& to, const core::Digest& more) {
    const core::DigestStatus status = core::add(to, more);
    if (status != core::DigestStatus::kOk)
        throw_contradiction(fmt::format("digests of two parts of a table cannot be added: {}", core::describe(status)));
}

/// Adds a part's digests to those of the whole: both are of the same ranges.
void add_digests(std::vector<RangeDigests>& to, const std::vector<RangeDigests>& more) {
    if (to.size() != more.size()) throw_contradiction("parts of a table have different numbers of ranges");
    for (std::size_t i = 0; i < to.size(); ++i) {
        if (to[i].range_no != more[i].range_no || to[i].columns.size() != more[i].columns.size())
            throw_contradiction("parts of a table have different ranges");
        to[i].rows += more[i].rows;
        add_digest(to[i].key, more[i].key);
        add_digest(to[i].row, more[i].row);
        for (std::size_t column = 0; column < to[i].columns.size(); ++column)
            add_digest(to[i].columns[column], more[i].columns[column]);
    }
}

/// A server's message begins with the side, which an entry tells already.
std::string without_prefix(std::string message, Side side) {
    const std::string prefix = std::string(side_name(side)) + ": ";
    return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

/// Digests that are there already.
class KnownRanges : public RangeSource {
  public:
    KnownRanges(std::function<std::vector<RangeDigests>()> make, const std::string& path)
        : make_(std::move(make)), path_(path) {}

    bool next(RangeDigests& range) override {
        if (!made_) ranges_ = make_();
        made_ = true;
        if (next_ == ranges_.size()) return false;
        range = std::move(ranges_[next_++]);
        return true;
    }
    const std::string& path() const override { return path_; }

  private:
    const std::function<std::vector<RangeDigests>()> make_;
    const std::string& path_;
    std::vector<RangeDigests> ranges_;
    std::size_t next_ = 0;
    bool made_ = false;
};

/// Rows that are read when the first one is asked for.
class LaterRows : public RowSource {
  public:
    explicit LaterRows(std::function<std::unique_ptr<RowSource>()> make) : make_(std::move(make)) {}
    bool next(RowDigest& row) override {
        if (!rows_) rows_ = make_();
        return rows_->next(row);
    }

  private:
    const std::function<std::unique_ptr<RowSource>()> make_;
    std::unique_ptr<RowSource> rows_;
};

}  // namespace

bool is_dead_letter(const Error& error) { return remedy_for(error) == Remedy::kDeadLetter; }

/// What TableAttempt reads in the place of the table. Failures of the other side end no wait of this one, which is for
/// a part of the table at most.
class SalvageReader : public TableReader {
  public:
    explicit SalvageReader(Salvage& salvage) : salvage_(salvage) {}

    std::vector<std::string> split(int ranges) override { return salvage_.split(ranges); }
    void set_failure(SharedFailure* /*failure*/) override {}
    std::unique_ptr<RangeSource> digest(const RangeList& ranges) override {
        return std::make_unique<KnownRanges>([this, ranges] { return salvage_.digest(ranges); }, salvage_.path_);
    }
    std::unique_ptr<RowSource> rows(const RangeList& ranges) override {
        return std::make_unique<LaterRows>([this, ranges] { return salvage_.rows(ranges); });
    }
    void values(const std::vector<std::string>& keys, const TakeValues& take) override { salvage_.values(keys, take); }
    void set_savepoint() override {}
    void return_to_savepoint() override {}
    /// Indexes are not used as it is.
    void avoid_indexes() override {}

  private:
    Salvage& salvage_;
};

// ---- the first pass ------------------------------------------------------------------------------------------

/// Finds out what can be read, and adds up its digests.
class Salvage::Survey {
  public:
    Survey(Salvage& salvage, const RangeList& ranges) : salvage_(salvage), ranges_(ranges) {}

    /// What cannot be read at all is no matter of places.
    std::vector<RangeDigests> run() {
        if (salvage_.heap_->parts().empty()) {
            read_ranges();
        } else {
            const HeapPlace nowhere = lines_at(0, 0, {});
            total_ = salvage_.digest_at(&nowhere, ranges_);
            for (std::size_t part = 0; part < salvage_.heap_->parts().size(); ++part) read_part(part);
        }
        if (!read_any_ && first_failure_) throw *first_failure_;
        return std::move(total_);
    }

  private:
    // ---- blocks ----

    void read_part(std::size_t part) {
        const HeapPart& heap = salvage_.heap_->parts()[part];
        const auto lines = static_cast<std::uint64_t>(salvage_.heap_->lines_per_block());
        Tiling tiling(fmt::format("rows of {}", exact_name(heap.name)),
                      static_cast<std::uint64_t>(heap.blocks) * lines);
        tiling_ = &tiling;
        if (heap.blocks == 0) salvage_.heap_->visit(lines_at(part, 0, {kNoLine}));  // its file may be missing
        const std::int64_t step = salvage_.heap_->most_blocks();
        for (std::int64_t first = 0; first < heap.blocks; first += step)
            read_blocks(part, first, std::min(heap.blocks, first + step));
        tiling.require_whole();
    }

    void read_blocks(std::size_t part, std::int64_t first, std::int64_t end) {
        const HeapPlace place = blocks_at(part, first, end);
        if (read(place)) {
            cover(first, 1, end, 1);
            return add_readable(place);
        }
        if (end - first == 1) return read_block(part, first);
        const std::int64_t middle = first + (end - first) / 2;
        read_blocks(part, first, middle);
        read_blocks(part, middle, end);
    }

    void read_block(std::size_t part, std::int64_t block) {
        const int lines = salvage_.heap_->lines_per_block();
        try {
            salvage_.heap_->visit(lines_at(part, block, {kNoLine}));
        } catch (const Error& error) {
            require_ours(error);
            cover(block, 1, block + 1, 1);
            salvage_.unknown_ += static_cast<std::uint64_t>(lines);
            return salvage_.add_letter(letter_at(part, block, 0), error);
        }
        std::vector<int> readable;
        read_lines(part, block, 1, lines + 1, readable);
        if (!readable.empty()) salvage_.places_.push_back(lines_at(part, block, std::move(readable)));
    }

    void read_lines(std::size_t part, std::int64_t block, int first, int end, std::vector<int>& readable) {
        const HeapPlace place = lines_at(part, block, numbers_from(first, end));
        std::optional<Error> failure;
        if (read(place, &failure)) {
            cover(block, first, block, end);
            readable.insert(readable.end(), place.lines.begin(), place.lines.end());
            return;
        }
        if (end - first == 1) {
            cover(block, first, block, end);
            return read_row(place, *failure);
        }
        const int middle = first + (end - first) / 2;
        read_lines(part, block, first, middle, readable);
        read_lines(part, block, middle, end, readable);
    }

    /// Lines count from 1.
    void cover(std::int64_t block, int line, std::int64_t end_block, int end_line) {
        const auto lines = static_cast<std::uint64_t>(salvage_.heap_->lines_per_block());
        const auto at = [&](std::int64_t b, int l) {
            return static_cast<std::uint64_t>(b) * lines + static_cast<std::uint64_t>(l - 1);
        };
        tiling_->add(at(block, line), at(end_block, end_line));
    }

    /// Blocks that follow one another are one place.
    void add_readable(const HeapPlace& place) {
        std::vector<HeapPlace>& places = salvage_.places_;
        const bool joins = !places.empty() && !places.back().by_line && places.back().part == place.part &&
                           places.back().end_block == place.first_block &&
                           place.end_block - places.back().first_block <= salvage_.heap_->most_blocks();
        if (joins)
            places.back().end_block = place.end_block;
        else
            places.push_back(place);
    }

    // ---- a row ----

    void read_row(const HeapPlace& place, const Error& failure) {
        DeadLetter letter = letter_at(place.part, place.first_block, place.lines.front());
        if (salvage_.table_.key.empty()) return lose_row(place, std::move(letter), failure);
        std::optional<RowDigest> row;
        try {
            row = only_row(with_some_columns(salvage_.table_, {}), place);
        } catch (const Error& error) {
            require_ours(error);
            return lose_row(place, std::move(letter), error);
        }
        if (!row) throw_contradiction("a row that cannot be read is not there without its columns");
        letter.has_key = true;
        letter.key_bytes = row->key;
        find_columns(place, *row, letter);
    }

    /// A row whose key is not known. An index tells it unless the row is there, and only its key is not.
    void lose_row(const HeapPlace& place, DeadLetter letter, const Error& error) {
        bool is_there = true;
        try {
            salvage_.heap_->visit(place);
        } catch (const Error& failure) {
            require_ours(failure);
            is_there = false;
        }
        ++(is_there ? salvage_.unindexed_ : salvage_.unknown_);
        if (is_there) letter.column = name_key_column(place);
        salvage_.add_letter(std::move(letter), error);
    }

    std::string name_key_column(const HeapPlace& place) {
        if (salvage_.table_.key.empty()) return {};
        if (salvage_.table_.key.size() == 1) return salvage_.table_.key.front().name.source;
        std::vector<std::string> unreadable;
        for (const ColumnPlan& column : salvage_.table_.key) {
            TablePlan table = with_some_columns(salvage_.table_, {});
            table.key = {column};
            try {
                only_row(table, place);
            } catch (const Error& error) {
                require_ours(error);
                unreadable.push_back(column.name.source);
            }
        }
        return unreadable.size() == 1 ? unreadable.front() : std::string();
    }

    /// Halves the columns.
    void find_columns(const HeapPlace& place, const RowDigest& row, const DeadLetter& letter) {
        std::vector<int> unreadable;
        const std::vector<int> all = numbers_from(0, static_cast<int>(salvage_.table_.columns.size()));
        find_columns(place, all, letter, unreadable);
        if (unreadable.empty()) throw_contradiction("a row cannot be read although each of its columns can");
        PartialRow partial{place, {}};
        std::set_difference(all.begin(), all.end(), unreadable.begin(), unreadable.end(),
                            std::back_inserter(partial.read));
        salvage_.unread_.add_row(row.key, unreadable);
        salvage_.partials_.push_back(std::move(partial));
        read_any_ = true;
        salvage_.partial_rows(salvage_.partials_.size() - 1, ranges_, [&](const RowDigest& read) {
            const auto range = std::find_if(total_.begin(), total_.end(),
                                            [&](const RangeDigests& each) { return each.range_no == read.range_no; });
            if (range != total_.end()) add_row(*range, read, salvage_.settings_.digest);
        });
    }

    void find_columns(const HeapPlace& place, const std::vector<int>& columns, const DeadLetter& letter,
                      std::vector<int>& unreadable) {
        if (columns.empty()) return;
        try {
            only_row(with_some_columns(salvage_.table_, columns), place);
        } catch (const Error& error) {
            require_ours(error);
            if (columns.size() > 1) {
                const auto middle = columns.begin() + static_cast<std::ptrdiff_t>(columns.size() / 2);
                find_columns(place, {columns.begin(), middle}, letter, unreadable);
                return find_columns(place, {middle, columns.end()}, letter, unreadable);
            }
            unreadable.push_back(columns.front());
            DeadLetter of_column = letter;
            of_column.column = salvage_.table_.columns[static_cast<std::size_t>(columns.front())].name.source;
            salvage_.add_letter(std::move(of_column), error);
        }
    }

    /// The row at a place, if it is there.
    std::optional<RowDigest> only_row(const TablePlan& table, const HeapPlace& place) {
        std::optional<RowDigest> row;
        salvage_.rows_at(table, &place, {}, [&](const RowDigest& read) { row = read; });
        return row;
    }

    // ---- ranges of keys, where rows have no places ----

    void read_ranges() {
        const std::vector<std::int32_t> numbers = requested_ranges(ranges_);
        read_ranges(numbers, 0, numbers.size());
        if (total_.empty()) return;
        const RangeDigests none = emptied(total_.front());
        for (const std::int32_t number : salvage_.lost_ranges_) {
            total_.push_back(none);
            total_.back().range_no = number;
        }
        std::sort(total_.begin(), total_.end(),
                  [](const RangeDigests& a, const RangeDigests& b) { return a.range_no < b.range_no; });
        Tiling tiling("ranges", numbers.size());
        for (std::size_t i = 0; i < total_.size(); ++i)
            if (i < numbers.size() && total_[i].range_no == numbers[i]) tiling.add(i, i + 1);
        tiling.require_whole();
    }

    void read_ranges(const std::vector<std::int32_t>& numbers, std::size_t first, std::size_t end) {
        RangeList part = ranges_;
        part.only.assign(numbers.begin() + static_cast<std::ptrdiff_t>(first),
                         numbers.begin() + static_cast<std::ptrdiff_t>(end));
        try {
            const std::vector<RangeDigests> read = salvage_.digest_at(nullptr, part);
            total_.insert(total_.end(), read.begin(), read.end());
            read_any_ = true;
            return;
        } catch (const Error& error) {
            require_ours(error);
            if (end - first == 1) return lose_range(numbers[first], error);
        }
        const std::size_t middle = first + (end - first) / 2;
        read_ranges(numbers, first, middle);
        read_ranges(numbers, middle, end);
    }

    void lose_range(std::int32_t number, const Error& error) {
        const auto at = static_cast<std::size_t>(number - 1);
        DeadLetter letter;
        letter.side = salvage_.session_.side();
        letter.has_range = true;
        if (at > 0) letter.lower = ranges_.bounds[at - 1];
        if (at < ranges_.bounds.size()) letter.upper = ranges_.bounds[at];
        salvage_.lost_ranges_.insert(number);
        const bool in_key_order = !ranges_.bounds.empty() && !are_hash_bounds(ranges_.bounds);
        if (in_key_order)
            salvage_.unread_.add_interval(letter.lower, letter.upper);
        else
            salvage_.unread_.add_anywhere(0);
        salvage_.unread_.add_rows(kNobodyKnows);
        salvage_.add_letter(std::move(letter), error);
    }

    static RangeDigests emptied(RangeDigests range) {
        const auto empty = [](core::Digest& digest) { digest.count = digest.sum_low = digest.sum_high = 0; };
        range.rows = 0;
        empty(range.key);
        empty(range.row);
        for (core::Digest& column : range.columns) empty(column);
        return range;
    }

    // ---- what is read ----

    bool read(const HeapPlace& place, std::optional<Error>* failure = nullptr) {
        try {
            const std::vector<RangeDigests> read = salvage_.digest_at(&place, ranges_);
            add_digests(total_, read);
            read_any_ = read_any_ ||
                        std::any_of(read.begin(), read.end(), [](const RangeDigests& range) { return range.rows > 0; });
            return true;
        } catch (const Error& error) {
            require_ours(error);
            if (failure) *failure = error;
            return false;
        }
    }

    void require_ours(const Error& error) {
        if (!salvage_.is_ours(error)) throw;
        if (!first_failure_) first_failure_ = error;
    }

    DeadLetter letter_at(std::size_t part, std::int64_t block, int line) const {
        const HeapPart& heap = salvage_.heap_->parts()[part];
        DeadLetter letter;
        letter.side = salvage_.session_.side();
        if (heap.oid != salvage_.table_.oid[letter.side]) letter.relation = exact_name(heap.name);
        letter.block = block;
        letter.line = line;
        return letter;
    }

    Salvage& salvage_;
    const RangeList& ranges_;
    std::vector<RangeDigests> total_;
    Tiling* tiling_ = nullptr;  ///< of the part that is being read
    bool read_any_ = false;
    std::optional<Error> first_failure_;
};

// ---- Salvage -------------------------------------------------------------------------------------------------

Salvage::Salvage(ServerSession& session, const TablePlan& table, const TableReaderSettings& settings,
                 DeadLetterCount& count)
    : session_(session),
      table_(table),
      settings_(settings),
      count_(count),
      heap_(session.read_heap(table, settings)),
      unread_(forms_of(table.key)) {}

Salvage::~Salvage() { count_.remove(letters_.size()); }

std::unique_ptr<TableReader> Salvage::reader() { return std::make_unique<SalvageReader>(*this); }

std::vector<DeadLetter> Salvage::take_letters() { return std::exchange(letters_, {}); }

/// The peer's failure comes out of this side's wait, too.
bool Salvage::is_ours(const Error& error) const {
    return is_dead_letter(error) && (error.server().empty() || error.server() == side_name(session_.side()));
}

void Salvage::add_letter(DeadLetter letter, const Error& error) {
    letter.sqlstate = error.sqlstate();
    letter.message = without_prefix(error.what(), session_.side());
    if (!error.hint().empty()) letter.message += "; hint: " + error.hint();
    letters_.push_back(std::move(letter));
    const bool within_run = count_.add();
    if (within_run && letters_.size() <= kMostDeadLettersOfTable) return;
    throw Error(ErrorKind::kResources,
                within_run ? fmt::format("more than {} places of {} cannot be read on the {}; the last one: {}",
                                         kMostDeadLettersOfTable, display_name(table_.name[session_.side()]),
                                         side_name(session_.side()), error.what())
                           : fmt::format("more than {} places cannot be read in all tables together; the last one: {}",
                                         kMostDeadLettersOfRun, error.what()),
                {}, std::string(side_name(session_.side())), error.sqlstate());
}

/// Bounds need not be this side's.
std::vector<std::string> Salvage::split(int ranges) {
    try {
        return heap_->split(table_, ranges);
    } catch (const Error& error) {
        if (!is_ours(error)) throw;
        if (error.sqlstate() == kIndexCorrupted)
            notes_.insert(fmt::format("an index of the key is damaged on {}: {}; the table was read without it",
                                      side_name(session_.side()), error.what()));
        return {};
    }
}

std::vector<RangeDigests> Salvage::digest(const RangeList& ranges) {
    if (!surveyed_) {
        std::vector<RangeDigests> total = Survey(*this, ranges).run();
        surveyed_ = true;
        return total;
    }
    if (heap_->parts().empty()) {
        forget();
        return Survey(*this, ranges).run();
    }
    const HeapPlace nowhere = lines_at(0, 0, {});
    std::vector<RangeDigests> total = digest_at(&nowhere, ranges);
    for (const HeapPlace& place : places_) add_digests(total, digest_at(&place, ranges));
    for (std::size_t number = 0; number < partials_.size(); ++number)
        partial_rows(number, ranges, [&](const RowDigest& row) {
            for (RangeDigests& range : total)
                if (range.range_no == row.range_no) add_row(range, row, settings_.digest);
        });
    return total;
}

/// Ranges that are divided anew are looked at anew.
void Salvage::forget() {
    count_.remove(letters_.size());
    letters_.clear();
    lost_ranges_.clear();
    unread_ = UnreadRows(forms_of(table_.key));
}

std::vector<RangeDigests> Salvage::digest_at(const HeapPlace* place, const RangeList& ranges) {
    std::vector<RangeDigests> digests;
    heap_->read(table_, place, [&](TableReader& reader) {
        const std::unique_ptr<RangeSource> source = reader.digest(ranges);
        RangeDigests range;
        while (source->next(range)) digests.push_back(range);
        if (path_.empty()) path_ = source->path();
        for (std::string& note : reader.notes()) notes_.insert(std::move(note));
    });
    return digests;
}

template <typename Take>
void Salvage::rows_at(const TablePlan& table, const HeapPlace* place, const RangeList& ranges, Take take) {
    heap_->read(table, place, [&](TableReader& reader) {
        const std::unique_ptr<RowSource> source = reader.rows(ranges);
        RowDigest row;
        while (source->next(row)) take(row);
    });
}

template <typename Take>
void Salvage::partial_rows(std::size_t number, const RangeList& ranges, Take take) {
    const PartialRow& partial = partials_[number];
    rows_at(with_some_columns(table_, partial.read), &partial.place, ranges, [&](const RowDigest& row) {
        take(complete_row(row, partial.read, table_.columns.size(), settings_.digest));
    });
}

RangeList Salvage::without_lost_ranges(const RangeList& ranges) const {
    RangeList left = ranges;
    left.only.clear();
    for (const std::int32_t number : requested_ranges(ranges))
        if (!lost_ranges_.contains(number)) left.only.push_back(number);
    return left;
}

/// Rows remember which place they came from.
std::unique_ptr<RowSource> Salvage::rows(const RangeList& ranges) {
    sorter_ = std::make_unique<RowSorter>(kSorterBytes);
    sorted_ranges_ = ranges;
    if (heap_->parts().empty()) {
        const RangeList left = without_lost_ranges(ranges);
        if (!left.only.empty())
            rows_at(table_, nullptr, left, [&](const RowDigest& row) { sorter_->add(row, {0, {}}); });
        return sorter_->sorted();
    }
    std::uint32_t number = 0;
    for (const HeapPlace& place : places_) {
        rows_at(table_, &place, ranges, [&](const RowDigest& row) { sorter_->add(row, {number, {}}); });
        ++number;
    }
    for (std::size_t partial = 0; partial < partials_.size(); ++partial, ++number)
        partial_rows(partial, ranges, [&](const RowDigest& row) { sorter_->add(row, {number, {}}); });
    return sorter_->sorted();
}

void Salvage::values(const std::vector<std::string>& keys, const TakeValues& take) {
    std::map<std::uint32_t, std::vector<std::string>> wanted;
    for (const std::string& key : keys)
        sorter_->find(std::vector<std::string>{key}, [&](const RowLocation& location) {
            std::vector<std::string>& of_place = wanted[location.part];
            if (of_place.empty() || of_place.back() != key) of_place.push_back(key);
        });
    const RangeList ranges = heap_->parts().empty() ? without_lost_ranges(sorted_ranges_) : sorted_ranges_;
    for (const auto& [number, of_place] : wanted) {
        const bool whole = number < places_.size() || heap_->parts().empty();
        const PartialRow* partial = whole ? nullptr : &partials_[number - places_.size()];
        const HeapPlace* place = heap_->parts().empty() ? nullptr : whole ? &places_[number] : &partial->place;
        const TablePlan table = whole ? table_ : with_some_columns(table_, partial->read);
        heap_->read(table, place, [&, &asked = of_place](TableReader& reader) {
            RowDigest row, read;
            {
                const std::unique_ptr<RowSource> rows = reader.rows(ranges);
                while (rows->next(read)) row = read;
            }
            reader.values(asked, [&](std::string_view key, std::string_view row_hash, const ShownValues& values) {
                if (whole) return take(key, row_hash, values);
                const RowDigest known = complete_row(row, partial->read, table_.columns.size(), settings_.digest);
                ShownValues all(table_.columns.size());
                for (std::size_t i = 0; i < partial->read.size(); ++i)
                    all[static_cast<std::size_t>(partial->read[i])] = values[i];
                take(key, known.row_hash, all);
            });
        });
    }
}

// ---- where it may be -----------------------------------------------------------------------------------------

/// What no index can be asked about may be anywhere.
void Salvage::narrow(const std::vector<std::string>& bounds, const std::vector<DivergentRange>& divergent) {
    if (unindexed_ > 0) unread_.add_anywhere(unindexed_);
    if (unknown_ == 0) return;
    unread_.add_rows(unknown_);
    const bool in_key_order = !table_.key.empty() && !bounds.empty() && !are_hash_bounds(bounds);
    if (!in_key_order) return unread_.add_anywhere(0);
    if (!divergent.empty()) narrow(bounds, divergent, 0, divergent.size());
}

/// Halves the divergent ranges: neighbours are asked for together.
void Salvage::narrow(const std::vector<std::string>& bounds, const std::vector<DivergentRange>& divergent,
                     std::size_t first, std::size_t end) {
    const auto number = [&](std::size_t i) { return static_cast<std::size_t>(divergent[i].range_no); };
    const auto bound = [&](std::size_t at) { return at == 0 || at > bounds.size() ? std::string() : bounds[at - 1]; };
    const std::string lower = bound(number(first) - 1), upper = bound(number(end - 1));
    try {
        if (heap_->visit_keys(lower, upper)) return;
    } catch (const Error& error) {
        if (!is_ours(error)) throw;
    }
    if (end - first == 1) return unread_.add_interval(lower, upper);
    const std::size_t middle = first + (end - first) / 2;
    narrow(bounds, divergent, first, middle);
    narrow(bounds, divergent, middle, end);
}

}  // namespace parity::driver
