#include "rpc/rpc_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

enum { LOCK_PATH_SIZE = RPC_UNIX_PATH_BYTES_MAX + sizeof ".lock" };

static enum tercet_status in_use(const struct rpc_address *address, struct tercet_error *error_out)
{
    return error_set(
        error_out, TERCET_UNAVAILABLE,
        "address \"%.100s\" is in use by another server; stop that one, or take another address",
        address->text);
}

static enum tercet_status cannot_bind(const struct rpc_address *address, const char *reason,
                                      struct tercet_error *error_out)
{
    return error_set(error_out, TERCET_UNAVAILABLE, "cannot listen on \"%.100s\": %s",
                     address->text, reason);
}

/* The errno of a connect: 0 when somebody accepts. */
static int probe_unix(const char *path)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return errno;
    }
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    memcpy(name.sun_path, path, strlen(path) + 1);
    const int error =
        connect(fd, (const struct sockaddr *)&name, (socklen_t)sizeof name) == 0 ? 0 : errno;
    (void)close(fd);
    return error;
}

static enum tercet_status clear_stale(const struct rpc_address *address,
                                      struct tercet_error *error_out)
{
    struct stat found;
    if (lstat(address->unix_path, &found) != 0) {
        return errno == ENOENT ? TERCET_OK : cannot_bind(address, strerror(errno), error_out);
    }
    if (!S_ISSOCK(found.st_mode)) {
        return cannot_bind(address, "the file exists and is not a socket", error_out);
    }
    const int error = probe_unix(address->unix_path);
    if (error == 0 || error == EAGAIN || error == EINPROGRESS) {
        return in_use(address, error_out); /* EAGAIN: alive, with a full backlog */
    }
    if (error != ECONNREFUSED) {
        return cannot_bind(address, strerror(error), error_out);
    }
    if (unlink(address->unix_path) != 0 && errno != ENOENT) {
        return cannot_bind(address, strerror(errno), error_out);
    }
    return TERCET_OK;
}

static enum tercet_status lock_path(const struct rpc_address *address, int *fd_out,
                                    struct tercet_error *error_out)
{
    char path[LOCK_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s.lock", address->unix_path);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return cannot_bind(address, strerror(errno), error_out);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        (void)close(fd);
        return error == EWOULDBLOCK ? in_use(address, error_out)
                                    : cannot_bind(address, strerror(error), error_out);
    }
    *fd_out = fd;
    return TERCET_OK;
}

/* Core says only that it could not; binding once more ourselves tells why. */
static enum tercet_status explain(const struct rpc_address *address, struct tercet_error *error_out)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    const int name_error = getaddrinfo(address->host, NULL, &hints, &found);
    if (name_error != 0) {
        return cannot_bind(address, gai_strerror(name_error), error_out);
    }
    const int port = htons(address->port);
    if (found->ai_family == AF_INET6) {
        ((struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_port = (in_port_t)port;
    } else {
        ((struct sockaddr_in *)(void *)found->ai_addr)->sin_port = (in_port_t)port;
    }
    int error = 0;
    const int on = 1;
    const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 1) != 0) {
        error = errno;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    freeaddrinfo(found);
    if (error == EADDRINUSE) {
        return in_use(address, error_out);
    }
    return cannot_bind(address, error != 0 ? strerror(error) : "it was in use a moment ago",
                       error_out);
}

enum tercet_status rpc_listen(grpc_server *server, const struct rpc_address *address,
                              struct rpc_listener *listener_out, struct tercet_error *error_out)
{
    const bool is_unix = address->unix_path[0] != '\0';
    struct rpc_listener listener = {.port = 0, .lock_fd = -1};
    char name[RPC_ADDRESS_BYTES_MAX + sizeof "unix:"];
    enum tercet_status status = TERCET_OK;
    if (is_unix) {
        status = lock_path(address, &listener.lock_fd, error_out);
        if (status != TERCET_OK) {
            goto out;
        }
        status = clear_stale(address, error_out);
        if (status != TERCET_OK) {
            goto out;
        }
        (void)snprintf(name, sizeof name, "unix:%s", address->unix_path);
    } else {
        (void)snprintf(name, sizeof name, "%s", address->text);
    }

    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
    const int port = grpc_server_add_http2_port(server, name, credentials);
    grpc_server_credentials_release(credentials);
    if (port <= 0) {
        status = is_unix ? cannot_bind(address, "the socket cannot be created", error_out)
                         : explain(address, error_out);
        goto out;
    }
    if (!is_unix) {
        listener.port = (uint16_t)port;
    }
    *listener_out = listener;
    listener.lock_fd = -1; /* handed over */
out:
    rpc_listener_close(&listener);
    return status;
}

void rpc_listener_close(struct rpc_listener *listener)
{
    if (listener->lock_fd >= 0) {
        (void)close(listener->lock_fd);
        listener->lock_fd = -1;
    }
}
