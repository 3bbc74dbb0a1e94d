/* protos.h -- the generated messages in C++, where `try`, the name of a method, is a keyword. */
#ifndef TESTS_UNIT_SDK_PROTOS_H
#define TESTS_UNIT_SDK_PROTOS_H

#include <protobuf-c/protobuf-c.h>

#define try try_
#include "tercet/v1/coordinator.pb-c.h"
#include "tercet/v1/participant.pb-c.h"
#undef try

#endif
