// protos.h -- the generated messages, in which a field has a name that C++ keeps for itself.
#pragma once

#define try try_phase
#include "tercet/v1/participant.pb-c.h"
#include "tercet/v1/record.pb-c.h"
#undef try
