/* screen.c -- see screen.h. */
#include "screen.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/failpoint.h"

enum {
    DESCRIPTOR_COUNT_MAX = 65536, /* higher ones are not accepted */
    DESCRIPTORS_KEPT = 128,       /* for journal, participants, log */
    ADDRESS_COUNT = 1024,         /* addresses that hash to one place share their tokens */
    BURST_S = 10,
    DISGRACE_MS = 10000,       /* of an address after one of its connections was cut */
    DISGRACED_PER_SECOND = 20, /* connections that such an address may make */
    REFUSALS_MAX = 256,        /* in one turn */
    PREFACE_BYTES = 24,
    HEAD_BYTES = 9,
    BLOCK_BYTES_FREE = 8 << 10, /* of one header block: what peers of gRPC take by default */
    BLOCK_BYTES_MAX = 64 << 10, /* core takes 16 KiB */
    FREE_FRAMES = 16            /* settings and pings that a connection may begin with */
};

enum { FRAME_DATA, FRAME_HEADERS, FRAME_PRIORITY, FRAME_RESET, FRAME_SETTINGS };
enum { FRAME_PING = 6, FRAME_CONTINUATION = 9, FLAG_END_STREAM = 1, FLAG_ACK = 1 };

struct connection {
    bool accepted;
    uint8_t head_size; /* of `head`, so far */
    uint8_t head[HEAD_BYTES];
    uint32_t skip; /* bytes until the next head */
    uint32_t block_bytes;
    uint32_t free_frames;
    uint32_t address;
    uint32_t opened; /* streams, while it is not settled */
    bool settled;    /* it has acknowledged our settings: core bounds its streams from then on */
};

struct tokens {
    uint64_t since_ms;
    uint64_t thousandths;
};

struct address {
    struct tokens frames;
    struct tokens connections;
    struct tokens returns; /* connections while it is in disgrace */
    uint64_t disgraced_until_ms;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* all below */
static struct screen_options limits;                      /* zero: everything passes */
static struct screen_stats stats;
static struct connection connections[DESCRIPTOR_COUNT_MAX];
static atomic_bool
    spoken[DESCRIPTOR_COUNT_MAX]; /* something was sent: first our settings.  Not the mutex's */
static struct address addresses[ADDRESS_COUNT];

void screen_configure(const struct screen_options *options)
{
    struct rlimit files;
    uint32_t possible = DESCRIPTOR_COUNT_MAX;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < possible) {
        possible = (uint32_t)files.rlim_cur;
    }
    possible = possible > 2 * DESCRIPTORS_KEPT ? possible - DESCRIPTORS_KEPT : possible / 2;
    (void)pthread_mutex_lock(&mutex);
    limits = *options;
    if (limits.connections_max > possible) {
        limits.connections_max = possible;
    }
    memset(addresses, 0, sizeof addresses);
    (void)pthread_mutex_unlock(&mutex);
}

void screen_read_stats(struct screen_stats *stats_out)
{
    (void)pthread_mutex_lock(&mutex);
    *stats_out = stats;
    (void)pthread_mutex_unlock(&mutex);
}

/* ---- Tokens ------------------------------------------------------------------------------------ */

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* At most so many a second, and those of `burst_s` seconds at once. */
static bool take_token(struct tokens *tokens, uint32_t per_second, uint32_t burst_s)
{
    const uint64_t most = (uint64_t)per_second * burst_s * 1000;
    const uint64_t now = now_ms();
    const uint64_t passed_ms = now - tokens->since_ms; /* at first as long as the machine runs */
    tokens->since_ms = now;
    tokens->thousandths =
        passed_ms >= (uint64_t)burst_s * 1000 ? most : tokens->thousandths + passed_ms * per_second;
    if (tokens->thousandths > most) {
        tokens->thousandths = most;
    }
    if (tokens->thousandths < 1000) {
        return false;
    }
    tokens->thousandths -= 1000;
    return true;
}

/* A connection costs core more than what it is cut for, so who is cut and comes again at once would win;
 * and ten thousand that come together would hold up those that are there. */
static bool may_connect(struct address *address)
{
    if (now_ms() < address->disgraced_until_ms) {
        return take_token(&address->returns, DISGRACED_PER_SECOND, 1);
    }
    return take_token(&address->connections, limits.connections_per_second, 1);
}

/* Whoever cannot be told apart shares one place. */
static uint32_t address_of(const struct sockaddr_storage *name)
{
    uint64_t hash = 0;
    if (name->ss_family == AF_INET) {
        hash = ((const struct sockaddr_in *)(const void *)name)->sin_addr.s_addr;
    } else if (name->ss_family == AF_INET6) {
        /* The network's half: the rest is the peer's to choose. */
        memcpy(&hash, &((const struct sockaddr_in6 *)(const void *)name)->sin6_addr, sizeof hash);
    }
    return (uint32_t)((hash * UINT64_C(0x9E3779B97F4A7C15)) >> 54);
}

/* ---- Frames ------------------------------------------------------------------------------------ */

static bool take_frame_token(const struct connection *connection)
{
    return take_token(&addresses[connection->address].frames, limits.resets_per_second, BURST_S);
}

static bool take_block_bytes(struct connection *connection, uint32_t size)
{
    connection->block_bytes += size;
    return connection->block_bytes <= BLOCK_BYTES_FREE ||
           (connection->block_bytes <= BLOCK_BYTES_MAX && take_frame_token(connection));
}

static bool has_spoken(const struct connection *connection)
{
    return atomic_load(&spoken[connection - connections]);
}

/* Whether the connection may go on after this head of a frame. */
static bool take_frame(struct connection *connection)
{
    const uint8_t *head = connection->head;
    const uint32_t size = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
    const uint8_t flags = head[4];
    connection->skip = size;
    switch (head[3]) {
    case FRAME_HEADERS:
        connection->block_bytes = 0;
        connection->opened += connection->settled ? 0 : 1;
        return connection->opened <= limits.streams_unsettled_max &&
               take_block_bytes(connection, size);
    case FRAME_CONTINUATION:
        return take_block_bytes(connection, size + HEAD_BYTES); /* empty ones count too */
    case FRAME_DATA:
        return size > 0 || (flags & FLAG_END_STREAM) != 0 || take_frame_token(connection);
    case FRAME_SETTINGS:
    case FRAME_PING:
    case FRAME_PRIORITY:
        if ((flags & FLAG_ACK) != 0 && head[3] != FRAME_PRIORITY) {
            /* An answer to ours; or a lie, when we have sent none. */
            connection->settled |= head[3] == FRAME_SETTINGS && has_spoken(connection);
            return true;
        }
        if (connection->free_frames > 0) {
            connection->free_frames--;
            return true;
        }
        return take_frame_token(connection);
    case FRAME_RESET:
        return take_frame_token(connection);
    default: /* no enum: a byte of the peer's.  Core knows what to do */
        return true;
    }
}

static bool take_bytes(struct connection *connection, const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    while (at < size) {
        if (connection->skip > 0) {
            const size_t left = size - at;
            const size_t step = connection->skip < left ? connection->skip : left;
            connection->skip -= (uint32_t)step;
            at += step;
            continue;
        }
        connection->head[connection->head_size++] = bytes[at++];
        if (connection->head_size == HEAD_BYTES) {
            connection->head_size = 0;
            if (!take_frame(connection)) {
                return false;
            }
        }
    }
    return true;
}

/* Whether what was just read may be handed on. */
static bool take_message(int fd, const struct msghdr *message, size_t size)
{
    bool ok = true;
    (void)pthread_mutex_lock(&mutex);
    struct connection *connection = &connections[fd];
    for (size_t i = 0; connection->accepted && ok && size > 0 && i < message->msg_iovlen; i++) {
        const struct iovec *part = &message->msg_iov[i];
        const size_t here = part->iov_len < size ? part->iov_len : size;
        ok = take_bytes(connection, part->iov_base, here);
        size -= here;
    }
    if (!ok) {
        stats.cut++;
        addresses[connection->address].disgraced_until_ms = now_ms() + DISGRACE_MS;
    }
    (void)pthread_mutex_unlock(&mutex);
    return ok;
}

/* ---- In place of the C library's --------------------------------------------------------------- */

#define IN_PLACE_OF_LIBC __attribute__((visibility("default")))

/* GNU's; its own declaration in <sys/socket.h> is no ISO C. */
int accept4(int listener, struct sockaddr *restrict name_out, socklen_t *restrict name_size,
            int flags);

static bool admit(int fd, const struct sockaddr_storage *name)
{
    const uint32_t address = address_of(name);
    (void)pthread_mutex_lock(&mutex);
    const bool ok = limits.connections_max == 0 ||
                    (fd < DESCRIPTOR_COUNT_MAX && stats.open < limits.connections_max &&
                     may_connect(&addresses[address]));
    if (!ok) {
        stats.refused++;
    } else if (limits.connections_max > 0) {
        stats.open++;
        atomic_store(&spoken[fd], false);
        connections[fd] = (struct connection){.accepted = true,
                                              .skip = PREFACE_BYTES,
                                              .free_frames = FREE_FRAMES,
                                              .address = address};
    }
    (void)pthread_mutex_unlock(&mutex);
    return ok;
}

/* Core waits for the next connection upon EAGAIN; upon anything else it gives the address up for
 * good, also when others have used all descriptors up. */
IN_PLACE_OF_LIBC int accept4(int listener, struct sockaddr *restrict name_out,
                             socklen_t *restrict name_size, int flags)
{
    for (int i = 0; i < REFUSALS_MAX; i++) {
        struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
        socklen_t size = sizeof name;
        const int fd = (int)syscall(SYS_accept4, listener, &name, &size, flags);
        if (fd < 0) {
            const bool later = errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                               errno == ENOMEM || errno == ECONNABORTED;
            errno = later ? EAGAIN : errno;
            return -1;
        }
        if (!TERCET_FAILPOINT_FAILS("screen.refused") && admit(fd, &name)) {
            TERCET_FAILPOINT("screen.accepted");
            if (name_out != NULL && name_size != NULL) {
                memcpy(name_out, &name, size < *name_size ? size : *name_size);
                *name_size = size;
            }
            return fd;
        }
        (void)syscall(SYS_close, fd);
    }
    errno = EAGAIN;
    return -1;
}

IN_PLACE_OF_LIBC ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    const ssize_t size = syscall(SYS_recvmsg, fd, message, flags);
    if (size <= 0 || fd >= DESCRIPTOR_COUNT_MAX || (flags & (MSG_ERRQUEUE | MSG_PEEK)) != 0 ||
        (take_message(fd, message, (size_t)size) && !TERCET_FAILPOINT_FAILS("screen.cut"))) {
        return size;
    }
    (void)shutdown(fd, SHUT_RDWR);
    return 0; /* the end of the stream */
}

IN_PLACE_OF_LIBC ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    /* Before it is sent: the answer may be faster than we are. */
    if (fd >= 0 && fd < DESCRIPTOR_COUNT_MAX &&
        !atomic_load_explicit(&spoken[fd], memory_order_relaxed)) {
        atomic_store(&spoken[fd], true);
    }
    return syscall(SYS_sendmsg, fd, message, flags);
}

IN_PLACE_OF_LIBC int close(int fd)
{
    if (fd >= 0 && fd < DESCRIPTOR_COUNT_MAX) {
        (void)pthread_mutex_lock(&mutex);
        if (connections[fd].accepted) {
            connections[fd].accepted = false;
            stats.open--;
        }
        (void)pthread_mutex_unlock(&mutex);
    }
    return (int)syscall(SYS_close, fd);
}
