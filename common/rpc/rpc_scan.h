/* rpc_scan.h -- looks over the bytes of a message before they are decoded.
 *
 * protobuf-c 1.4 decodes by recursion without a limit and turns two bytes into about a hundred: ten
 * thousand levels of nesting end the process, 4 MiB of empty fields take 200 MiB.  The scan walks
 * the same bytes along the same descriptors without allocating, with a stack of RPC_SCAN_DEPTH_MAX
 * levels, and says no first.  It also finds what we would silently drop: unknown fields and enum
 * values, and strings that hold a NUL, of which C would see only the beginning: a gid that is cut
 * names another transaction.
 *
 * What it does not do: it does not promise that decoding succeeds (UTF-8, wrong wire types of scalar
 * fields are left to protobuf-c). */
#ifndef COMMON_RPC_RPC_SCAN_H
#define COMMON_RPC_RPC_SCAN_H

#include <protobuf-c/protobuf-c.h>

#include "tercet/tercet.h"

TERCET_BEGIN_DECLS

enum {
    RPC_SCAN_DEPTH_MAX = 8, /* messages inside each other, the outermost counted */
    RPC_SCAN_ELEMENT_COUNT_DEFAULT = 8192,
    /* All fields, the cheap ones too, may be so many times more. */
    RPC_SCAN_FIELD_FACTOR = 8,
    RPC_SCAN_PATH_SIZE = 128
};

enum rpc_scan_verdict {
    RPC_SCAN_FINE,
    RPC_SCAN_MALFORMED, /* not a protobuf message of this type */
    RPC_SCAN_TOO_DEEP,
    RPC_SCAN_TOO_MANY,
    RPC_SCAN_NUL /* a string holds a NUL; where, stands in unknown_path */
};

struct rpc_scan_result {
    uint32_t element_count; /* sub-messages, unknown fields, repeated strings and bytes */
    bool has_unknown;
    /* The first unknown one, such as "branches.17" (a field) or "branches.kind=9" (an enum value);
     * "" when there is none.  Cut when longer.  With verdict NUL: the string. */
    char unknown_path[RPC_SCAN_PATH_SIZE];
};

/* `result_out` is written in every case, as far as the scan came. */
enum rpc_scan_verdict rpc_scan(const ProtobufCMessageDescriptor *descriptor,
                               struct tercet_bytes bytes, uint32_t element_count_max,
                               struct rpc_scan_result *result_out);

TERCET_END_DECLS

#endif
