/* gid.c -- names for transactions whose initiator has no business key. */
#include "base/gid.h"

#include "src/moment.h"

void tercet_gid_make(char *gid_out)
{
    gid_make(moment_unix_ms(), gid_out);
}
