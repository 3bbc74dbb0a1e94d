/* tercet.h -- what every part of the Tercet SDK shares: status, bytes, verdicts, limits.
 *
 * Tercet carries out one business act on several services, each with its own database: all of them,
 * or none.  Whoever starts such an act includes client.h; a service that takes part includes
 * participant.h and the store of its database (store_sqlite.h, store_leveldb.h, store_postgres.h,
 * store_mariadb.h); fence.h is for whoever writes a store.  These headers are the manual.
 *
 * Rules that hold in all of them, said once:
 *
 *   1. Ownership.  A pointer that you pass is borrowed for the call and not kept, unless the
 *      function says "kept" or "copied".  A pointer that you get belongs to the object it came
 *      from.  Only what a _create or _open made is yours to _destroy or _close; these take NULL and
 *      do nothing.
 *   2. Outputs come last, end in _out and are written only on success.  `error_out` is the
 *      exception: it is written only on failure.  It may be NULL.
 *   3. Zero is the default.  In every struct that you fill, a field left zero (or NULL) means its
 *      documented default, so designated initialisers name only what differs.
 *   4. Growth.  A struct that you fill begins with `size`, which you set to its sizeof; fields are
 *      only ever added at its end.  An older library accepts a newer struct as long as the fields
 *      that it does not know are zero, and refuses it with TERCET_INVALID_ARGUMENT otherwise: an
 *      option is never silently ignored.  Structs that you put into arrays have `reserved` slots
 *      instead, which must be zero.  Structs that the library fills may grow at their end and are
 *      reached by pointer only.
 *   5. Threads.  Every function may be called from any thread at any time, unless it says
 *      otherwise.  An object may be destroyed only when no other thread uses it.
 *   6. Time.  Durations are in milliseconds and measured by a clock that does not jump; names end
 *      in _ms.  Instants are milliseconds since 1970-01-01 UTC; names end in _unix_ms.
 *   7. Text.  Strings are UTF-8, end in NUL and are never NULL when the library hands them out (""
 *      when there is none).
 *   8. Memory.  The library allocates with malloc.  A failed allocation ends the process, as it does
 *      in gRPC core beneath it: what was promised lies in the database and in the coordinator's
 *      journal, so a restart loses nothing.  NULL where a pointer is required is
 *      TERCET_INVALID_ARGUMENT.
 *   9. Processes.  Do not fork after the first _create; spawn helpers by posix_spawn.  The SDK's
 *      own threads block all signals; it installs no signal handler, except as
 *      tercet_participant_serve() says. */
#ifndef TERCET_TERCET_H
#define TERCET_TERCET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#define TERCET_BEGIN_DECLS extern "C" {
#define TERCET_END_DECLS   }
#else
#define TERCET_BEGIN_DECLS
#define TERCET_END_DECLS
#endif

#if defined(__GNUC__)
#define TERCET_API              __attribute__((__visibility__("default")))
#define TERCET_MUST_CHECK       __attribute__((__warn_unused_result__))
#define TERCET_PRINTF(at, rest) __attribute__((__format__(__printf__, at, rest)))
#else
#define TERCET_API
#define TERCET_MUST_CHECK
#define TERCET_PRINTF(at, rest)
#endif

TERCET_BEGIN_DECLS

/* ---- Version --------------------------------------------------------------------------------- */

/* The version of these headers.  Before 1.0 a minor version may break; from 1.0 on only a major
 * one. */
#define TERCET_VERSION_MAJOR 0
#define TERCET_VERSION_MINOR 1
#define TERCET_VERSION_PATCH 0

/* The version of the library that is linked, such as "0.1.0".  Static storage. */
TERCET_API const char *tercet_version(void);

/* ---- Limits ---------------------------------------------------------------------------------- */

/* Over any of these the answer is TERCET_INVALID_ARGUMENT with a text that names the field, the
 * limit and the value.  A coordinator may be configured lower, never higher. */
enum {
    /* A gid: printable ASCII without space, 0x21 to 0x7e; at least 1 byte. */
    TERCET_GID_BYTES_MAX = 128,
    /* A participant's or an action's name: A-Z a-z 0-9 _ . - ; at least 1 byte. */
    TERCET_NAME_BYTES_MAX = 64,
    TERCET_BRANCH_COUNT_MAX = 64,        /* branches of one transaction */
    TERCET_STAGE_MAX = 63,               /* the highest stage of a branch */
    TERCET_PAYLOAD_BYTES_MAX = 65536,    /* what the initiator sends to one branch */
    TERCET_PAYLOADS_BYTES_MAX = 1048576, /* all payloads of one transaction together */
    /* What a try returns; smaller than a payload because it is kept as long as the outcome and
     * in the participant's database. */
    TERCET_RESULT_BYTES_MAX = 1024,
    TERCET_REASON_CODE_BYTES_MAX = 63,  /* A-Z 0-9 _ */
    TERCET_REASON_TEXT_BYTES_MAX = 255, /* cut at a character's border when longer */
    TERCET_TRY_TIMEOUT_MS_MAX = 3600000,
    TERCET_CALL_TIMEOUT_MS_MIN = 10, /* of a branch's own call timeout */
    TERCET_CALL_TIMEOUT_MS_MAX = 600000
};

/* A timeout that never passes. */
#define TERCET_FOREVER UINT32_MAX

/* ---- Status and error ------------------------------------------------------------------------ */

/* How a call of the SDK ended.  The numbers are gRPC's, so that a status from the wire is the same
 * status here.  A status never says whether a transaction was confirmed: enum tercet_outcome does
 * (client.h). */
enum tercet_status {
    TERCET_OK = 0,
    /* The call was given up, by its caller or because the server stopped; repeat it.  Not to be
     * confused with a transaction that was cancelled. */
    TERCET_CALL_CANCELLED = 1,
    /* It was sent and the answer was lost; it may or may not have happened. */
    TERCET_UNKNOWN = 2,
    /* Malformed or over a limit; the text names field, limit and value. */
    TERCET_INVALID_ARGUMENT = 3,
    /* Not finished in the time allowed; it may still finish. */
    TERCET_DEADLINE_EXCEEDED = 4,
    /* No such transaction, or its outcome's retention time has passed. */
    TERCET_NOT_FOUND = 5,
    /* This gid, or this branch of it, was used before with other content. */
    TERCET_ALREADY_EXISTS = 6,
    TERCET_PERMISSION_DENIED = 7, /* kept for TLS; Tercet does not say it yet */
    /* A bound is reached (memory, queue, open transactions); try again later. */
    TERCET_RESOURCE_EXHAUSTED = 8,
    /* Not in this state: unknown participant, decided already, a blocking call from a
     * callback, an object that is stopped. */
    TERCET_FAILED_PRECONDITION = 9,
    /* Lost against a concurrent change (deadlock, serialization); run it again. */
    TERCET_ABORTED = 10,
    TERCET_OUT_OF_RANGE = 11, /* not used */
    /* The other side is older and does not know this call or this option. */
    TERCET_UNIMPLEMENTED = 12,
    /* A bug, here or on the other side; please report it with the text. */
    TERCET_INTERNAL = 13,
    TERCET_UNAVAILABLE = 14,    /* not reachable, or starting or stopping; ask again */
    TERCET_DATA_LOSS = 15,      /* stored data does not add up; nothing was opened or changed */
    TERCET_UNAUTHENTICATED = 16 /* kept for TLS; Tercet does not say it yet */
};

/* The status's name, such as "UNAVAILABLE"; "?" for a number that this version does not know.
 * Static storage. */
TERCET_API const char *tercet_status_name(enum tercet_status status);

/* A failure for a human.  Yours, usually on the stack; a function that fails fills it. */
struct tercet_error {
    enum tercet_status status; /* the same as the function returned */
    /* One sentence without newline: what is wrong, and where known what to do. */
    char text[256];
};

/* ---- Bytes and reasons ----------------------------------------------------------------------- */

/* A borrowed run of bytes; owns nothing.  `data` may be NULL when `size` is 0.  Where the library
 * hands one out, `data` is never NULL and one zero byte follows the last (not counted), so that text
 * payloads can be read as strings. */
struct tercet_bytes {
    const void *data;
    size_t size;
};

static inline struct tercet_bytes tercet_bytes_of(const void *data, size_t size)
{
    struct tercet_bytes bytes;
    bytes.data = data;
    bytes.size = size;
    return bytes;
}

/* The bytes of a string without its NUL. */
static inline struct tercet_bytes tercet_bytes_of_text(const char *text)
{
    return tercet_bytes_of(text, strlen(text));
}

/* Why something was refused or put off: `code` for programs (stable, such as "BALANCE_TOO_LOW"),
 * `text` for people.  Codes that begin with TERCET_ are the SDK's and the coordinator's own;
 * fence.h lists the fence's. */
struct tercet_reason {
    const char *code;
    const char *text;
};

/* ---- The protocol's words -------------------------------------------------------------------- */

/* What a participant is asked to do for a branch.  Numbers as on the wire; 0 is never a phase. */
enum tercet_phase {
    TERCET_PHASE_TRY = 1,     /* check and reserve; may be refused */
    TERCET_PHASE_CONFIRM = 2, /* use what was reserved; must succeed in the end */
    TERCET_PHASE_CANCEL = 3   /* release what was reserved; must succeed in the end */
};

/* What a participant answers.  Numbers as on the wire. */
enum tercet_verdict {
    /* No answer; never taken for success.  A handler that returns it has failed. */
    TERCET_VERDICT_UNSPECIFIED = 0,
    TERCET_VERDICT_DONE = 1, /* try: reserved.  Confirm, cancel: finished, now or before */
    /* Try only: a business no; the transaction will be cancelled (an optional branch is left out
     * instead). */
    TERCET_VERDICT_REFUSED = 2,
    TERCET_VERDICT_LATER = 3, /* nothing was done; ask again */
    /* Contradicts what was done before; an operator decides.  The SDK says it; only the handler
     * of an unfenced action may (participant.h). */
    TERCET_VERDICT_CONFLICT = 4
};

/* How a DONE came about.  Numbers as on the wire. */
enum tercet_how {
    TERCET_HOW_UNSPECIFIED = 0, /* not told; as RAN */
    TERCET_HOW_RAN = 1,         /* the handler was called now */
    TERCET_HOW_REPEATED = 2,    /* it had been done before; nothing was called */
    TERCET_HOW_EMPTY = 3        /* cancel: there was no try to undo */
};

/* What a request contradicts.  Numbers as on the wire. */
enum tercet_conflict {
    TERCET_CONFLICT_NONE = 0,              /* nothing, or not told */
    TERCET_CONFLICT_OTHER_TRANSACTION = 1, /* the row has another origin, number or digest */
    TERCET_CONFLICT_NOT_TRIED = 2,         /* confirm, and there is no row */
    TERCET_CONFLICT_CONFIRMED = 3,         /* cancel, and the row is CONFIRMED */
    TERCET_CONFLICT_CANCELLED = 4,         /* confirm, and the row is CANCELLED or SUSPENDED */
    TERCET_CONFLICT_FORGOTTEN = 5          /* confirm or cancel, no row, and below the mark */
};

/* "TRY", "DONE", "REPEATED", "NOT_TRIED", ...; "?" for a number that this version does not know.
 * Static storage. */
TERCET_API const char *tercet_phase_name(enum tercet_phase phase);
TERCET_API const char *tercet_verdict_name(enum tercet_verdict verdict);
TERCET_API const char *tercet_how_name(enum tercet_how how);
TERCET_API const char *tercet_conflict_name(enum tercet_conflict conflict);

/* ---- Transport security ---------------------------------------------------------------------- */

/* This version has no TLS: a function that is given this struct returns TERCET_UNIMPLEMENTED.
 * Connections are plaintext, which is accepted only on loopback (127.0.0.0/8, ::1, localhost) and
 * unix sockets; any other address is TERCET_INVALID_ARGUMENT.
 *
 * What it will mean: certificates for one side of a connection, mutual by default.  The files are PEM
 * and are read again when they change, without a restart; a change that cannot be read is logged and
 * the old one stays. */
struct tercet_tls {
    size_t size;
    const char *ca_file;          /* whom to trust.  Required */
    const char *certificate_file; /* who we are, with intermediates.  Required */
    const char *key_file;         /* its key, not encrypted.  Required */
    /* The other side's name, compared with its certificate's SAN (DNS or URI) as a whole.
     * Client: default the host of `target`.  Participant: the coordinator's name, default any
     * that ca_file vouches for. */
    const char *peer_name;
};

/* ---- Log hook -------------------------------------------------------------------------------- */

enum tercet_log_level {
    TERCET_LOG_INFO = 1, /* connected, serving, stopped */
    /* Works on, but look: connection lost, a handler failed, a store is not reachable. */
    TERCET_LOG_WARNING = 2,
    /* Needs a human: CONFLICT, a schema that does not fit, a handler that always fails. */
    TERCET_LOG_ERROR = 3
};

/* Told what no return value can tell, because it happens on the SDK's own threads.  `line` is one
 * line without newline, an event and what belongs to it as key=value (a value with anything but plain
 * characters stands in quotes); it never holds a payload, a result or a secret.  Called from any of
 * the SDK's threads, several at once; it must not block and must not call the SDK.  The same line is
 * not repeated more than once a second; the next one then carries repeated=<count>. */
typedef void (*tercet_log_fn)(enum tercet_log_level level, const char *line, void *context);

/* A ready-made hook: time, level and line to standard error, one write per line, shaped as the
 * coordinator's own log is (docs/operations.md, Log).  `context` is not used. */
TERCET_API void tercet_log_to_stderr(enum tercet_log_level level, const char *line, void *context);

/* ---- Gid ------------------------------------------------------------------------------------- */

enum { TERCET_GID_MADE_SIZE = 33 }; /* bytes that tercet_gid_make() writes, with the NUL */

/* Makes a gid for those who have no business key: 32 hexadecimal digits, 48 bits of time first and
 * 80 random ones after it.  So later ones sort later, which is cheap for the databases that keep rows by
 * them.  Store it before you use it: it is what you ask with after a crash. */
TERCET_API void tercet_gid_make(char *gid_out);

TERCET_END_DECLS

#endif
