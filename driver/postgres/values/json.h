#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"

namespace parity::driver {

/// Reads JSON texts, as jsonb and json columns send them, into the `json` form (docs/digest-format.md, section 2.3), as
/// PostgreSQL's jsonb would hold them: of repeated keys the last one counts, numbers are numeric's. Depth costs memory
/// in proportion to the text and no stack: what a server could read is not refused for its depth.
///
/// Not safe to share between threads; kept from text to text, it allocates nothing.
class JsonReader {
  public:
    /// Appends a text's canonical bytes. What jsonb refuses only for its size (strings and arrays of 256 MB) or for
    /// what the database's encoding lacks is read.
    /// Throws: Error{kServer} where jsonb refuses the text, with jsonb's SQLSTATE: 22P02 where it is no JSON text and
    /// for half a surrogate pair, 22P05 for \u0000, 22003 for a number beyond numeric.
    void append(std::string_view text, core::ByteSink& sink);

    /// Bytes of working memory that are held.
    std::size_t capacity() const;

  private:
    /// A member as it was written: its key's bytes start behind the key's length at `start`.
    struct Member {
        std::size_t start;
        std::size_t end;
        std::size_t first_object;  ///< the number of the first object that begins in or behind it
    };
    struct Object {
        std::size_t start;  ///< of its first member
        std::size_t end;
        std::size_t first_member;  ///< its members in the form's order
        std::size_t members;
        std::size_t next;  ///< the number of the object that comes first behind it
    };
    /// An array or object that is not closed yet.
    struct OpenContainer {
        bool is_object;
        std::uint32_t count;
        std::size_t count_at;
        std::size_t object;
        std::size_t pending;  ///< its first member in pending_
    };
    /// Bytes that are being copied in the form's order.
    struct CopySpan {
        std::size_t at;
        std::size_t end;
        std::size_t next_object;
        std::size_t object;  ///< whose members are being copied
        std::size_t member;  ///< how many of them are
    };

    void read_document();
    bool begin_value();
    bool continue_container();
    bool begin_container(bool is_object);
    void close_container();
    void sort_members(const OpenContainer& open);
    void read_key();
    void read_literal(std::string_view word, std::uint8_t code);
    void read_number();
    void read_string();
    std::string_view take_plain();
    void read_escape(std::uint32_t& high_surrogate);
    void read_unicode_escape(std::uint32_t& high_surrogate);
    void append_character(std::uint32_t code_point);
    void copy_in_order();

    void skip_blanks();
    bool take(char c);
    std::string_view key_of(const Member& member) const;

    std::string_view text_;
    std::size_t at_ = 0;
    core::ByteSink* sink_ = nullptr;
    std::size_t start_ = 0;  ///< of the document in the sink
    bool in_order_ = true;
    std::vector<OpenContainer> open_;
    std::vector<Member> pending_;
    std::vector<Member> members_;
    std::vector<Object> objects_;
    std::vector<CopySpan> spans_;
    std::string written_;
};

}  // namespace parity::driver
