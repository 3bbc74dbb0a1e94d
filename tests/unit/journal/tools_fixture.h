// tools_fixture.h -- the offline tools, and what they told.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

extern "C" {
#include "journal/journal_leveldb.h"
#include "journal/tools/tools.h"
}

namespace tercet
{

struct Told {
    tercet_status status;
    std::string text;
    std::string error;
};

template <typename Function> Told Tell(Function function)
{
    char *data = nullptr;
    size_t size = 0;
    FILE *to = open_memstream(&data, &size);
    tercet_error error = {};
    Told told;
    told.status = function(to, &error);
    fclose(to);
    told.text.assign(data, size);
    told.error = error.text;
    free(data);
    return told;
}

inline Told Verify(const std::string &directory, bool json = false)
{
    return Tell([&](FILE *to, tercet_error *error) {
        return tools_verify(directory.c_str(), json, to, error);
    });
}

inline Told Restore(const std::string &from, const std::string &directory)
{
    return Tell([&](FILE *to, tercet_error *error) {
        return tools_restore(from.c_str(), directory.c_str(), to, error);
    });
}

inline Told Recover(const std::string &from, const std::string &directory, bool accept)
{
    return Tell([&](FILE *to, tercet_error *error) {
        return tools_recover(from.c_str(), directory.c_str(), accept, to, error);
    });
}

} // namespace tercet
