// tally.cc -- see tally.h.
#include "integrity/tally.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace tercet
{
namespace
{

constexpr auto kClasses = static_cast<size_t>(Class::kCount);

// Why it was refused, without what differs from case to case.
std::string ReasonOf(const Result &result)
{
    std::string text = result.text;
    const size_t begin = text.find("not opened: ");
    const size_t field = text.find("\"text\":");
    text = begin != std::string::npos   ? text.substr(begin + 12)
           : field != std::string::npos ? text.substr(field + 7)
                                        : text;
    std::string reason;
    for (size_t i = 0; i < text.size() && text[i] != ';' && text[i] != '\n'; i++) {
        if (text[i] == '/' && text.compare(i, 5, "/dev/") == 0) {
            i = text.find("/j/", i) == std::string::npos ? i : text.find("/j/", i) + 2;
        }
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (!digit) {
            reason += text[i];
        } else if (reason.empty() || reason.back() != 'N') {
            reason += 'N';
        }
    }
    return reason;
}

void PrintRow(const std::string &name, const std::vector<int64_t> &counts,
              const std::vector<int64_t> &sums)
{
    printf("%-44s", name.c_str());
    for (size_t i = 0; i < kClasses; i++) {
        if (sums[i] > 0 || i == static_cast<size_t>(Class::kSilent)) {
            printf(" %13lld", static_cast<long long>(counts[i]));
        }
    }
    printf("\n");
}

// As a JSON name: lower case, no spaces.
std::string FieldName(Class of)
{
    std::string name = ClassName(of);
    for (char &c : name) {
        c = c == ' ' ? '_' : static_cast<char>(tolower(c));
    }
    return name;
}

} // namespace

void Tally::Add(const Result &result)
{
    std::vector<int64_t> &row = table_[result.kind];
    row.resize(kClasses);
    row[static_cast<size_t>(result.of)]++;
    cases_++;
    failures_ += IsFailure(result.of) ? 1 : 0;
    if (result.of == Class::kRefused || result.of == Class::kRefusedLater ||
        result.of == Class::kForEver) {
        reasons_[std::string(ClassName(result.of)) + ": " + ReasonOf(result)]++;
    }
}

std::vector<int64_t> Tally::Sums() const
{
    std::vector<int64_t> sums(kClasses);
    for (const auto &row : table_) {
        for (size_t i = 0; i < kClasses; i++) {
            sums[i] += row.second[i];
        }
    }
    return sums;
}

void Tally::PrintReasons(int64_t reasons_max) const
{
    std::vector<std::pair<int64_t, std::string>> most;
    for (const auto &reason : reasons_) {
        most.emplace_back(-reason.second, reason.first);
    }
    std::sort(most.begin(), most.end());
    for (size_t i = 0; i < most.size() && static_cast<int64_t>(i) < reasons_max; i++) {
        printf("%8lld %s\n", static_cast<long long>(-most[i].first), most[i].second.c_str());
    }
}

void Tally::Print(const std::vector<std::string> &rows, int64_t reasons_max) const
{
    const std::vector<int64_t> sums = Sums();
    PrintReasons(reasons_max);
    printf("%-44s", "");
    for (size_t i = 0; i < kClasses; i++) {
        if (sums[i] > 0 || i == static_cast<size_t>(Class::kSilent)) {
            printf(" %13s", ClassName(static_cast<Class>(i)));
        }
    }
    printf("\n");
    for (const auto &row : table_) {
        PrintRow(rows[row.first], row.second, sums);
    }
    PrintRow("all", sums, sums);
}

void Tally::PrintJson(const std::string &name, uint64_t seed, double seconds) const
{
    const std::vector<int64_t> sums = Sums();
    printf("{\"sweep\": \"%s\", \"cases\": %lld, \"failures\": %lld, \"seconds\": %.1f, "
           "\"seed\": %llu",
           name.c_str(), static_cast<long long>(cases_), static_cast<long long>(failures_), seconds,
           static_cast<unsigned long long>(seed));
    for (size_t i = static_cast<size_t>(Class::kComplete); i < kClasses; i++) {
        printf(", \"%s\": %lld", FieldName(static_cast<Class>(i)).c_str(),
               static_cast<long long>(sums[i]));
    }
    printf("}\n");
}

} // namespace tercet
