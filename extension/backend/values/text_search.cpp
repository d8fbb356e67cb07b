#include "backend/values/text_search.h"

#include <algorithm>

#include "backend/memory.h"
#include "backend/values/text.h"

namespace parity::backend {
namespace {

struct Lexeme {
    core::ByteView text;
    WordEntry* entry;
};

void append_text(core::ByteSink& sink, core::ByteView text) {
    core::append_le(sink, static_cast<std::uint32_t>(text.size()));
    sink.append(text);
}

void append_positions(core::ByteSink& sink, TSVector vector, WordEntry* entry) {
    std::uint32_t count = static_cast<std::uint32_t>(POSDATALEN(vector, entry));
    core::append_le(sink, count);
    const WordEntryPos* positions = POSDATAPTR(vector, entry);
    for (std::uint32_t i = 0; i < count; ++i) core::append_le(sink, std::uint16_t{positions[i]});
}

/// A query's nodes lie in an array: an operator, its right operand right behind it, its left one at a distance.
class QueryWriter {
  public:
    QueryWriter(TSQuery query, core::ByteSink& sink) : query_(query), sink_(sink) {}

    void append(const QueryItem* item) {
        check_stack_depth();
        if (item->type == QI_VAL)
            append_lexeme(item->qoperand);
        else
            append_operator(item);
    }

  private:
    void append_lexeme(const QueryOperand& operand) {
        sink_.append_u8('v');
        sink_.append_u8(static_cast<std::uint8_t>(operand.weight));
        sink_.append_u8(operand.prefix ? 1 : 0);
        const auto* start = reinterpret_cast<const std::uint8_t*>(GETOPERAND(query_) + operand.distance);
        append_text(sink_, server_text_to_utf8({start, operand.length}));
    }
    void append_operator(const QueryItem* item) {
        const QueryOperator& node = item->qoperator;
        switch (node.oper) {
            case OP_NOT:
                sink_.append_u8('!');
                return append(item + 1);
            case OP_AND:
                sink_.append_u8('&');
                break;
            case OP_OR:
                sink_.append_u8('|');
                break;
            case OP_PHRASE:
                sink_.append_u8('<');
                core::append_le(sink_, static_cast<std::uint16_t>(node.distance));
                break;
            default:
                elog(ERROR, "unexpected tsquery operator %d", node.oper);
        }
        append(item + node.left);
        append(item + 1);
    }

    TSQuery query_;
    core::ByteSink& sink_;
};

}  // namespace

void append_tsvector(TSVector vector, core::ByteSink& sink) {
    int count = vector->size;
    auto* lexemes =
        static_cast<Lexeme*>(palloc_extended(sizeof(Lexeme) * (static_cast<std::size_t>(count) + 1), MCXT_ALLOC_HUGE));
    WordEntry* entries = ARRPTR(vector);
    for (int i = 0; i < count; ++i) {
        const auto* start = reinterpret_cast<const std::uint8_t*>(STRPTR(vector) + entries[i].pos);
        lexemes[i] = {server_text_to_utf8({start, entries[i].len}), &entries[i]};
    }
    std::sort(lexemes, lexemes + count, [](const Lexeme& a, const Lexeme& b) {
        return std::lexicographical_compare(a.text.begin(), a.text.end(), b.text.begin(), b.text.end());
    });
    core::append_le(sink, static_cast<std::uint32_t>(count));
    for (int i = 0; i < count; ++i) {
        CHECK_FOR_INTERRUPTS();
        append_text(sink, lexemes[i].text);
        append_positions(sink, vector, lexemes[i].entry);
    }
}

void append_tsquery(TSQuery query, core::ByteSink& sink) {
    if (query->size > 0) QueryWriter(query, sink).append(GETQUERY(query));
}

}  // namespace parity::backend
