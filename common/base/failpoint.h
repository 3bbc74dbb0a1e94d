/* failpoint.h -- named places where a test may stop, kill or fail the process.
 *
 *   TERCET_FAILPOINT("loop.after_submit");          in the code
 *   TERCET_FAILPOINTS="loop.after_submit=2*off->kill"   in the environment
 *
 * Compiled only with -DTERCET_FAILPOINTS; otherwise there is no code at all.  A specification is
 * NAME=TERM[->TERM...], several joined by ";".  A term is [COUNT*]ACTION: it applies COUNT times (for
 * ever without a count), then the next term does; after the last one the point is off.  Actions:
 * off; kill (SIGKILL to ourselves); exit:CODE; fail (TERCET_FAILPOINT_FAILS() is true);
 * pause:FILE (until FILE exists).  A specification that makes no sense ends the process with a line
 * that says where.
 *
 * TERCET_FAILPOINT_HITS=FILE in the environment: each process adds a line with the name of every
 * failpoint that it reaches, armed or not, before the action, so that a test can tell which were
 * never reached. */
#ifndef COMMON_BASE_FAILPOINT_H
#define COMMON_BASE_FAILPOINT_H

#include <stdbool.h>

#ifdef TERCET_FAILPOINTS

#ifdef __cplusplus
extern "C" {
#endif
/* True when the action is `fail`.  Any thread. */
bool failpoint_hit(const char *name);
#ifdef __cplusplus
}
#endif

#define TERCET_FAILPOINT(name)       ((void)failpoint_hit(name))
#define TERCET_FAILPOINT_FAILS(name) failpoint_hit(name)

#else

#define TERCET_FAILPOINT(name)       ((void)0)
#define TERCET_FAILPOINT_FAILS(name) false

#endif

#endif
