/* protos.h -- the generated messages in C++, where `try`, the name of a method, is a keyword. */
#ifndef TESTS_UNIT_SDK_PROTOS_H
#define TESTS_UNIT_SDK_PROTOS_H

#include <protobuf-c/protobuf-c.h>

#include <string>

#define try try_
#include "tercet/v1/coordinator.pb-c.h"
#include "tercet/v1/participant.pb-c.h"
#undef try

/* Borrowed from `text`. */
inline ProtobufCBinaryData Bytes(const std::string &text)
{
    ProtobufCBinaryData data = {};
    data.len = text.size();
    data.data = reinterpret_cast<uint8_t *>(const_cast<char *>(text.data()));
    return data;
}

#endif
