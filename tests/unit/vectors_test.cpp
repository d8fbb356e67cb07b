#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/bounds.h"
#include "core/decimal.h"
#include "core/digest.h"
#include "core/order.h"
#include "driver/digests/division.h"
#include "driver/postgres/connection/connection.h"
#include "driver/text/show.h"
#include "tests/support/core_bytes.h"

/// The golden vectors through the core: its hashes, frames, sums, tags, order and bounds must be the reference's.
namespace parity::core {
namespace {

using nlohmann::json;
using test::Bytes;
using test::from_hex;
using test::to_hex;
using test::view;

using Row = std::map<std::string, std::string>;

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts(1);
    for (char c : text) {
        if (c == separator)
            parts.emplace_back();
        else
            parts.back().push_back(c);
    }
    return parts;
}

std::vector<Row> read_vectors(const std::string& name) {
    std::ifstream file(std::string(PARITY_SOURCE_DIR) + "/tests/vectors/" + name);
    EXPECT_TRUE(file) << name;
    std::vector<std::string> names;
    std::vector<Row> rows;
    for (std::string line; std::getline(file, line);) {
        if (names.empty() && line.starts_with('#')) continue;
        std::vector<std::string> fields = split(line, '\t');
        if (names.empty()) {
            names = fields;
            continue;
        }
        EXPECT_EQ(fields.size(), names.size()) << line;
        Row& row = rows.emplace_back();
        for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = fields[i];
    }
    return rows;
}

std::string shown(const Row& row) {
    std::string text;
    for (const auto& [name, value] : row) text += name + "=" + value.substr(0, 200) + " ";
    return text;
}

Form form_named(const std::string& name) {
    std::optional<Form> form = form_by_name(name);
    EXPECT_TRUE(form) << name;
    return form.value_or(Form::kNone);
}

std::vector<Form> forms_named(const std::string& names) {
    std::vector<Form> forms;
    if (!names.empty())
        for (const std::string& name : split(names, ',')) forms.push_back(form_named(name));
    return forms;
}

u64 seed_of(const Row& row) { return static_cast<u64>(std::stoll(row.at("seed"))); }

std::string hash_text(u64 hash) {
    Bytes bytes(8, '\0');
    store_be(reinterpret_cast<std::uint8_t*>(bytes.data()), hash);
    return to_hex(bytes);
}
std::string hash_text(u128 hash) { return hash_text(high_half(hash)) + hash_text(low_half(hash)); }

void append_value(ByteSink& sink, Form form, const std::optional<Bytes>& canonical) {
    if (canonical)
        EXPECT_TRUE(append_frame(sink, form, view(*canonical)));
    else
        append_null_frame(sink);
}

template <typename H>
H cell_hash(const std::optional<Bytes>& canonical, u64 cell_seed) {
    return canonical ? hash_bytes<H>(view(*canonical), cell_seed) : null_cell_hash<H>(cell_seed);
}

template <typename H>
void expect_cell(const Row& row, const std::string& width) {
    std::int64_t key = std::stoll(row.at("key"));
    Bytes framed = test::appended([&](ByteSink& sink) { append_value(sink, Form::kInt, test::le(key)); });
    std::optional<Bytes> canonical;
    if (row.at("canonical") != "\\N") canonical = from_hex(row.at("canonical"));
    H key_hash = hash_bytes<H>(view(framed), seed_of(row));
    EXPECT_EQ(hash_text(key_hash), row.at("key_hash" + width)) << shown(row);
    EXPECT_EQ(hash_text(cell_hash<H>(canonical, low_half(key_hash))), row.at("cell_hash" + width)) << shown(row);
    if (canonical) {
        EXPECT_TRUE(is_canonical(form_named(row.at("form")), view(*canonical))) << shown(row);
    }
}

TEST(Vectors, Cells) {
    std::vector<Row> rows = read_vectors("cells.tsv");
    ASSERT_GT(rows.size(), 500u);
    for (const Row& row : rows) {
        expect_cell<u64>(row, "64");
        expect_cell<u128>(row, "128");
    }
}

TEST(Vectors, IntegersAsDecimals) {
    int checked = 0;
    for (const Row& row : read_vectors("cells.tsv")) {
        const std::string& type = row.at("sql_type");
        bool integer = type == "smallint" || type == "integer" || type == "bigint" || type == "oid";
        if (!integer || row.at("form") != "decimal" || row.at("canonical") == "\\N") continue;
        Bytes bytes =
            test::appended([&](ByteSink& sink) { append_decimal(sink, std::int64_t{std::stoll(row.at("literal"))}); });
        EXPECT_EQ(to_hex(bytes), row.at("canonical")) << shown(row);
        ++checked;
    }
    EXPECT_GT(checked, 10);
}

TEST(Vectors, Keys) {
    std::vector<Row> rows = read_vectors("keys.tsv");
    ASSERT_GT(rows.size(), 50u);
    for (const Row& row : rows) {
        std::vector<Form> forms = forms_named(row.at("forms"));
        Bytes framed = from_hex(row.at("framed_key"));
        EXPECT_EQ(hash_text(hash_bytes<u64>(view(framed), seed_of(row))), row.at("key_hash64")) << shown(row);
        EXPECT_EQ(hash_text(hash_bytes<u128>(view(framed), seed_of(row))), row.at("key_hash128")) << shown(row);
        EXPECT_EQ(check_bound(view("k" + framed), forms), BoundStatus::kOk) << shown(row);
        FrameReader reader(view(framed));
        Bytes again = test::appended([&](ByteSink& sink) {
            for (Form form : forms) {
                std::optional<FramedValue> value = reader.next(form);
                ASSERT_TRUE(value);
                append_value(sink, form, value->null ? std::nullopt : std::optional(test::bytes_of(value->bytes)));
            }
        });
        EXPECT_TRUE(reader.at_end());
        EXPECT_EQ(again, framed) << shown(row);
    }
}

// ---- digests ----------------------------------------------------------------------------------------------------

struct Column {
    std::string name;
    Form form;
    std::string form_name;  ///< in full
    std::size_t position;   ///< in a row
};

/// A row of digests.tsv.
struct Table {
    std::vector<Column> key;
    std::vector<Column> columns;  ///< in the agreed order
    std::vector<std::vector<std::optional<Bytes>>> rows;
    std::vector<Bytes> bounds;
    u64 seed;

    explicit Table(const Row& row) : seed(seed_of(row)) {
        std::size_t position = 0;
        for (const json& column : json::parse(row.at("key")))
            key.push_back({column[0], form_named(column[2]), column[2], position++});
        for (const json& column : json::parse(row.at("columns")))
            columns.push_back({column[0], form_named(column[2]), column[2], position++});
        if (row.at("order") == "names")
            std::stable_sort(columns.begin(), columns.end(),
                             [](const Column& a, const Column& b) { return a.name < b.name; });
        for (const json& canonical : json::parse(row.at("canonical_rows"))) {
            auto& values = rows.emplace_back();
            for (const json& hex : canonical)
                values.push_back(hex.is_null() ? std::nullopt : std::optional(from_hex(hex.get<std::string>())));
        }
        for (const json& bound : json::parse(row.at("bounds"))) bounds.push_back(from_hex(bound.get<std::string>()));
    }
};

std::vector<Form> forms_of(const std::vector<Column>& columns) {
    std::vector<Form> forms;
    for (const Column& column : columns) forms.push_back(column.form);
    return forms;
}

/// Sums of one range or of all.
template <typename H>
struct Sums {
    u64 count = 0;
    H key = 0;
    H row = 0;
    std::vector<H> columns;
};

std::vector<std::string_view> names_of(const std::vector<Column>& columns) {
    std::vector<std::string_view> names;
    for (const Column& column : columns) names.push_back(column.form_name);
    return names;
}

template <typename H>
class TableDigester {
  public:
    TableDigester(const Row& row, const Table& table)
        : table_(table),
          key_forms_(forms_of(table.key)),
          column_forms_(forms_of(table.columns)),
          numbers_(table.bounds.size() + 1) {
        hashed_ = json::parse(row.at("hashed_rows"));
        for (const Bytes& bound : table.bounds) bounds_.push_back(view(bound));
        check_bounds();
        finder_ = RangeFinder(bounds_, key_forms_, numbers_.data());
        all_.columns.resize(table.columns.size());
        ranges_.resize(table.bounds.size() + 1, all_);
        for (std::size_t i = 0; i < table.rows.size(); ++i) add(table.rows[i], hashed_[i]);
    }

    Digest digest(SliceKind kind, Form form, std::string_view name, u64 count, H sum) const {
        ByteSink scratch = test::make_sink();
        const std::uint32_t tag =
            slice_tag(kind, names_of(table_.key), names_of(table_.columns), name, table_.seed, scratch);
        std::free(scratch.data);
        return {kFormatVersion, sizeof(H) * 8, form, kFormRevision, tag, count, low_half(sum), high_half(sum)};
    }
    /// Key, row, columns.
    std::vector<Digest> digests(const Sums<H>& sums) const {
        std::vector<Digest> list{digest(SliceKind::kKey, Form::kKey, {}, sums.count, sums.key),
                                 digest(SliceKind::kRow, Form::kRow, {}, sums.count, sums.row)};
        for (std::size_t i = 0; i < sums.columns.size(); ++i)
            list.push_back(
                digest(SliceKind::kColumn, column_forms_[i], table_.columns[i].form_name, sums.count, sums.columns[i]));
        return list;
    }
    const Sums<H>& all() const { return all_; }
    const std::vector<Sums<H>>& ranges() const { return ranges_; }

  private:
    void check_bounds() {
        for (std::size_t i = 0; i < bounds_.size(); ++i) {
            EXPECT_EQ(check_bound(bounds_[i], key_forms_), BoundStatus::kOk);
            if (i > 0) {
                EXPECT_EQ(check_succession(bounds_[i - 1], bounds_[i], key_forms_), BoundStatus::kOk);
            }
        }
    }
    void add(const std::vector<std::optional<Bytes>>& values, const json& expected) {
        const std::vector<Column>& keyed = table_.key.empty() ? table_.columns : table_.key;
        Bytes framed = test::appended([&](ByteSink& sink) {
            for (const Column& column : keyed) append_value(sink, column.form, values[column.position]);
        });
        H key_hash = hash_bytes<H>(view(framed), table_.seed);
        u64 cell_seed = table_.key.empty() ? table_.seed : low_half(key_hash);
        RowFold<H> fold(key_hash);
        Sums<H> row{1, key_hash, 0, {}};
        json cells = json::array();
        for (const Column& column : table_.columns) {
            H cell = cell_hash<H>(values[column.position], cell_seed);
            fold.add(cell);
            row.columns.push_back(cell);
            cells.push_back(hash_text(cell));
        }
        row.row = fold.result();
        EXPECT_EQ(json::array({to_hex(framed), hash_text(key_hash), hash_text(row.row), cells}), expected);
        sum_up(all_, row);
        sum_up(ranges_[finder_.find(view(framed), low_half(key_hash))], row);
    }
    static void sum_up(Sums<H>& total, const Sums<H>& row) {
        total.count += row.count;
        total.key += row.key;
        total.row += row.row;
        for (std::size_t i = 0; i < row.columns.size(); ++i) total.columns[i] += row.columns[i];
    }

    const Table& table_;
    std::vector<Form> key_forms_;
    std::vector<Form> column_forms_;
    std::vector<ByteView> bounds_;
    std::vector<std::int64_t> numbers_;
    RangeFinder finder_;
    json hashed_;
    Sums<H> all_;
    std::vector<Sums<H>> ranges_;
};

std::string text_of(const Digest& digest) {
    char text[kMaxDigestText];
    return std::string(text, write_digest_text(digest, text));
}

std::string wire_of(const Digest& digest) {
    std::uint8_t wire[kDigestBytes];
    write_digest_wire(digest, wire);
    return to_hex(test::bytes_of(wire));
}

template <typename H>
void expect_digests(const Row& row) {
    Table table(row);
    TableDigester<H> digester(row, table);
    std::vector<Digest> digests = digester.digests(digester.all());
    json columns = json::parse(row.at("column_digests"));
    json wire = json::parse(row.at("wire"));
    ASSERT_EQ(digests.size(), columns.size() + 2);
    EXPECT_EQ(text_of(digests[0]), row.at("key_digest"));
    EXPECT_EQ(text_of(digests[1]), row.at("row_digest"));
    for (std::size_t i = 0; i < columns.size(); ++i) {
        EXPECT_EQ(table.columns[i].name, columns[i][0]);
        EXPECT_EQ(text_of(digests[i + 2]), columns[i][1]);
    }
    for (std::size_t i = 0; i < digests.size(); ++i) EXPECT_EQ(wire_of(digests[i]), wire[i]);

    Digest merged = digester.digests(digester.ranges()[0])[1];
    json counts = json::parse(row.at("range_counts"));
    json range_digests = json::parse(row.at("range_row_digests"));
    ASSERT_EQ(digester.ranges().size(), counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
        Digest part = digester.digests(digester.ranges()[i])[1];
        EXPECT_EQ(part.count, counts[i].get<u64>());
        EXPECT_EQ(text_of(part), range_digests[i]);
        if (i > 0) {
            EXPECT_EQ(add(merged, part), DigestStatus::kOk);
        }
    }
    EXPECT_EQ(text_of(merged), row.at("row_digest")) << "the ranges add up to the table";
}

TEST(Vectors, Digests) {
    std::vector<Row> rows = read_vectors("digests.tsv");
    ASSERT_GT(rows.size(), 40u);
    for (const Row& row : rows) {
        SCOPED_TRACE(row.at("name"));
        if (row.at("width") == "64")
            expect_digests<u64>(row);
        else
            expect_digests<u128>(row);
    }
}

// ---- order ------------------------------------------------------------------------------------------------------

/// A value and NULL are compared as keys of one column.
int compare_cells(Form form, const std::string& a, const std::string& b) {
    auto framed = [form](const std::string& hex) {
        return test::appended([&](ByteSink& sink) {
            append_value(sink, form, hex == "\\N" ? std::nullopt : std::optional(from_hex(hex)));
        });
    };
    if (a != "\\N" && b != "\\N") return compare_values(form, view(from_hex(a)), view(from_hex(b)));
    return compare_keys(std::vector{form}, view(framed(a)), view(framed(b)));
}

bool is_below(const std::vector<Form>& forms, const Bytes& bound, const Bytes& key, u64 hash) {
    std::int64_t number;
    ByteView bounds[] = {view(bound)};
    EXPECT_EQ(check_bound(bounds[0], forms), BoundStatus::kOk);
    return RangeFinder(bounds, forms, &number).find(view(key), hash) == 0;
}

int compare_as_vector(const Row& row) {
    const std::string& kind = row.at("kind");
    std::vector<Form> forms = forms_named(row.at("forms"));
    if (kind == "value") return compare_cells(forms[0], row.at("a"), row.at("b"));
    Bytes a = from_hex(row.at("a"));
    Bytes b = from_hex(row.at("b"));
    if (kind == "bound") return is_below(forms, a, b, 0);
    if (kind == "bounds") return compare_bounds(view(a), view(b), forms);
    EXPECT_EQ(kind, "hash");
    return is_below({}, a, "", load_be<u64>(view(b).data()));
}

TEST(Vectors, Order) {
    std::vector<Row> rows = read_vectors("order.tsv");
    ASSERT_GT(rows.size(), 700u);
    for (const Row& row : rows) {
        if (row.at("kind") == "even") {
            std::uint8_t bound[kHashBoundBytes];
            write_hash_bound(static_cast<std::uint32_t>(std::stoul(row.at("b"))),
                             static_cast<std::uint32_t>(std::stoul(row.at("a"))), bound);
            EXPECT_EQ(to_hex(test::bytes_of(bound)), row.at("expected")) << shown(row);
        } else {
            EXPECT_EQ(compare_as_vector(row), std::stoi(row.at("expected"))) << shown(row);
        }
    }
}

}  // namespace
}  // namespace parity::core
