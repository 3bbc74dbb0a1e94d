/* screen.h -- what gRPC core reads from strangers is looked at before core sees it.
 *
 * Debian's gRPC (1.51) has no answer to a peer that opens and resets streams (CVE-2023-44487), that
 * continues one header block for ever (CVE-2023-33953), or that takes every file descriptor
 * (CVE-2023-4785): each needs one connection and seconds to make a process of gigabytes that serves
 * nobody, and no channel argument prevents it.  Core has no seam to stand in either.  It calls the C
 * library's accept4(), recvmsg(), sendmsg() and close() like everybody; a program's own definitions come before
 * the library's (as with malloc()), so this module defines them.  They do what the library does, and
 *
 *   accept4()  refuses connections above the limit, and those that one address makes faster than it
 *              may: twenty a second when one of its connections was cut less than ten seconds ago; and
 *              never tells core EMFILE, upon which it would accept nothing any more;
 *   recvmsg()  follows the frames of accepted connections by their nine-byte heads.  What core pays
 *              for dearly (resets, pings, header blocks above 8 KiB) takes a token of its peer's
 *              address; without tokens, or with a header block above 64 KiB, the connection is cut:
 *              what was read is dropped, core sees its end.  So with a connection that opens many streams
 *              and has not acknowledged the settings that were sent to it: core's bound of streams holds
 *              from then on only, and without it one connection took gigabytes within seconds;
 *   sendmsg()  notes that something was sent, so that no acknowledgement is taken that came before.
 *
 * Well-behaved peers on the same address go on: only who resets streams while there are no tokens is
 * cut.  But new ones share the connections of a second with who comes again and again.  Connections that
 * this process opened itself are never looked at.
 *
 * Not for TLS: there the frames could not be read here.
 *
 * Thread: any; one mutex, never held across a system call that may wait. */
#ifndef COORDINATOR_SCREEN_H
#define COORDINATOR_SCREEN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct screen_options {
    uint32_t connections_max;        /* less when the process may not have so many descriptors */
    uint32_t connections_per_second; /* of one address; one second's worth may come at once */
    uint32_t resets_per_second;      /* of one address; ten seconds' worth may come at once */
    uint32_t streams_unsettled_max;  /* of a connection that has not acknowledged our settings */
};

struct screen_stats {
    uint64_t open;    /* accepted connections that are open now */
    uint64_t refused; /* connections: above the limit, or too many from one address */
    uint64_t cut;     /* connections ended for what they sent */
};

/* Until then everything passes.  Again: other numbers, new tokens. */
void screen_configure(const struct screen_options *options);

void screen_read_stats(struct screen_stats *stats_out);

#ifdef __cplusplus
}
#endif

#endif
