#include "driver/compare/object_bytes.h"

#include <algorithm>
#include <limits>
#include <string>

#include <fmt/core.h>

#include "driver/model/error.h"
#include "driver/model/sqlstates.h"

namespace parity::driver {
namespace {

constexpr std::uint64_t kNowhere = std::numeric_limits<std::uint64_t>::max();

/// Where a text first holds anything but zeros.
std::optional<std::uint64_t> first_nonzero(std::string_view bytes) {
    const std::size_t at = bytes.find_first_not_of('\0');
    return at == std::string_view::npos ? std::nullopt : std::optional<std::uint64_t>(at);
}

/// Where two texts first differ; an empty one stands for as many zeros as the other has bytes.
std::optional<std::uint64_t> first_difference(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty()) return first_nonzero(a.empty() ? b : a);
    const auto [at, other] = std::mismatch(a.begin(), a.end(), b.begin());
    return at == a.end() ? std::nullopt : std::optional<std::uint64_t>(at - a.begin());
}

/// One side's pages, of which the current one is held.
class PageCursor {
  public:
    PageCursor(LargeObjectPages& pages, std::int64_t page_bytes, Side side)
        : pages_(pages), page_bytes_(static_cast<std::uint64_t>(page_bytes)), side_(side) {
        advance();
    }

    bool at_end() const { return !there_; }
    std::uint32_t object() const { return page_.object; }
    void enter(std::uint32_t object) {
        entered_ = object;
        length_ = 0;
    }

    /// Whether the current page is one of the entered object.
    bool inside() const { return there_ && page_.object == entered_; }
    std::int32_t number() const { return page_.number; }
    std::string_view stored() const { return page_.bytes; }
    std::uint64_t begin() const { return static_cast<std::uint64_t>(page_.number) * page_bytes_; }
    std::uint64_t end() const { return begin() + page_.bytes.size(); }
    /// Of the pages of the entered object that were left.
    std::uint64_t length() const { return length_; }
    bool counted = false;

    /// Up to where from `position` on there is data only, or there are zeros only.
    std::uint64_t uniform_until(std::uint64_t position) const {
        if (!inside()) return kNowhere;
        return position < begin() ? begin() : end();
    }
    /// The data from `position` to `until`; empty: zeros.
    std::string_view data(std::uint64_t position, std::uint64_t until) const {
        if (!inside() || position < begin()) return {};
        return page_.bytes.substr(position - begin(), until - position);
    }
    bool can_leave(std::uint64_t position) const { return inside() && end() <= position; }
    void leave() {
        length_ = end();
        advance();
    }

  private:
    void advance() {
        const LargeObjectPage before{page_.object, page_.number, {}};
        const bool first = !there_;
        there_ = pages_.next(page_);
        counted = false;
        if (!there_) return;
        const bool ascends =
            first || page_.object > before.object || (page_.object == before.object && page_.number > before.number);
        if (page_.number < 0 || page_.bytes.size() > page_bytes_ || !ascends) raise_invalid();
    }

    [[noreturn]] void raise_invalid() const {
        throw Error(ErrorKind::kServer,
                    fmt::format("page {} of large object {} on the {} is invalid or stored twice", page_.number,
                                page_.object, side_name(side_)),
                    "pg_largeobject or its index is corrupt there", std::string(side_name(side_)),
                    std::string(kDataCorrupted));
    }

    LargeObjectPages& pages_;
    const std::uint64_t page_bytes_;
    const Side side_;
    LargeObjectPage page_;
    bool there_ = false;
    std::uint32_t entered_ = 0;
    std::uint64_t length_ = 0;
};

/// Compares one object, at whose first pages both cursors are.
class ObjectComparison {
  public:
    ObjectComparison(PageCursor& source, PageCursor& target, std::uint32_t object) : source_(source), target_(target) {
        found_.object = object;
        source_.enter(object);
        target_.enter(object);
    }

    LargeObjectComparison run() {
        std::uint64_t position = 0;
        while (leave_pages(position)) {
            const std::uint64_t until = std::min(source_.uniform_until(position), target_.uniform_until(position));
            compare(position, until);
            position = until;
        }
        found_.length = {source_.length(), target_.length()};
        store_end();
        return found_;
    }

  private:
    /// Leaves what ends at or before `position`, a lower page before a higher one, so that pages of one number are seen
    /// together. False once no page is left.
    bool leave_pages(std::uint64_t position) {
        while (source_.inside() || target_.inside()) {
            count_stored();
            PageCursor* cursor = next_to_leave(position);
            if (!cursor) return true;
            cursor->leave();
        }
        return false;
    }

    PageCursor* next_to_leave(std::uint64_t position) {
        const bool both = source_.inside() && target_.inside();
        const bool source_first = both ? source_.number() <= target_.number() : source_.inside();
        const bool target_first = both ? target_.number() <= source_.number() : target_.inside();
        if (source_first && source_.can_leave(position)) return &source_;
        if (target_first && target_.can_leave(position)) return &target_;
        // where the sides' pages differ in size, a higher one may end first
        if (source_.can_leave(position)) return &source_;
        return target_.can_leave(position) ? &target_ : nullptr;
    }

    void count_stored() {
        const bool both = source_.inside() && target_.inside();
        if (both && source_.number() == target_.number()) {
            if (!source_.counted && !target_.counted) found_.stored.mismatch += source_.stored() != target_.stored();
            source_.counted = target_.counted = true;
            return;
        }
        const bool of_source = both ? source_.number() < target_.number() : source_.inside();
        PageCursor& lone = of_source ? source_ : target_;
        if (lone.counted) return;
        lone.counted = true;
        ++(of_source ? found_.stored.missing_on_target : found_.stored.missing_on_source);
    }

    void compare(std::uint64_t position, std::uint64_t until) {
        if (found_.first_difference) return;
        const auto at = first_difference(source_.data(position, until), target_.data(position, until));
        if (at) found_.first_difference = position + *at;
    }

    /// Where one object ends the other one differs at the latest.
    void store_end() {
        if (found_.length.source == found_.length.target) return;
        const std::uint64_t end = std::min(found_.length.source, found_.length.target);
        found_.first_difference = std::min(found_.first_difference.value_or(end), end);
    }

    PageCursor& source_;
    PageCursor& target_;
    LargeObjectComparison found_;
};

}  // namespace

void compare_large_object_bytes(Both<LargeObjectPages*> pages, Both<std::int64_t> page_bytes,
                                const std::function<void(const LargeObjectComparison&)>& take) {
    PageCursor source(*pages.source, page_bytes.source, Side::kSource);
    PageCursor target(*pages.target, page_bytes.target, Side::kTarget);
    while (!source.at_end() || !target.at_end()) {
        const std::uint32_t object = source.at_end()   ? target.object()
                                     : target.at_end() ? source.object()
                                                       : std::min(source.object(), target.object());
        take(ObjectComparison(source, target, object).run());
    }
}

}  // namespace parity::driver
