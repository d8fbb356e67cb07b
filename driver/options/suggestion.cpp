#include "driver/options/suggestion.h"

#include <algorithm>

#include <fmt/format.h>

namespace parity::driver {
namespace {

/// The optimal string alignment distance: how many letters are left out, added, changed, or exchanged with their
/// neighbour.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i)
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, changed});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[a.size()][b.size()];
}

/// No word that anybody knows is longer; what is longer costs nothing then.
constexpr std::size_t kLongestWord = 64;

}  // namespace

std::optional<std::string> nearest_word(std::string_view given, const std::vector<std::string>& known) {
    if (given.size() > kLongestWord) return std::nullopt;
    std::optional<std::string> nearest;
    std::size_t least = given.size() / 3 + 1;
    for (const std::string& word : known) {
        const std::size_t away = distance(given, word);
        if (away >= least) continue;
        least = away;
        nearest = word;
    }
    return nearest;
}

std::string suggestion(std::string_view given, const std::vector<std::string>& known) {
    const std::optional<std::string> word = nearest_word(given, known);
    return word ? fmt::format("did you mean \"{}\"?", *word) : std::string();
}

}  // namespace parity::driver
