// trace.cc -- see trace.h.
#include "simulation/trace.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace simulation
{

void Trace::Print(int64_t at_us, const char *name, int64_t a, int64_t b, int64_t c, int64_t d) const
{
    const int64_t numbers[] = {a, b, c, d};
    const char *at = strchr(name, ':');
    const int length = at == nullptr ? static_cast<int>(strlen(name)) : static_cast<int>(at - name);
    printf("%6" PRId64 ".%06" PRId64 "  %-22.*s", at_us / 1000000, at_us % 1000000, length, name);
    for (size_t i = 0; i < 4 && at != nullptr && at[0] != '\0'; i++) {
        const char *label = at + 2;
        at = strchr(label, ' ');
        const size_t size = at == nullptr ? strlen(label) : static_cast<size_t>(at - label);
        printf("  %.*s %" PRId64, static_cast<int>(size), label, numbers[i]);
        at = at == nullptr ? nullptr : at - 1;
    }
    printf("\n");
}

} // namespace simulation
