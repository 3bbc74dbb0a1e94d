#include "rpc/rpc_address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>

#include "base/error.h"

static const char unix_scheme[] = "unix:";

static enum tercet_status not_understood(const char *text, struct tercet_error *error_out)
{
    return error_set(error_out, TERCET_INVALID_ARGUMENT,
                     "address \"%.100s\" is not understood; write host:port, [ipv6]:port or "
                     "unix:/absolute/path",
                     text);
}

static bool parse_unix(const char *text, struct rpc_address *address)
{
    const char *path = text + strlen(unix_scheme);
    if (path[0] == '/' && path[1] == '/') {
        path += 2; /* unix:///path, the other usual spelling */
    }
    const size_t size = strlen(path);
    if (path[0] != '/' || size < 2 || size > RPC_UNIX_PATH_BYTES_MAX) {
        return false;
    }
    memcpy(address->unix_path, path, size + 1);
    address->is_loopback = true;
    return true;
}

/* 0 to 65535 in digits alone. */
static bool parse_port(const char *text, uint16_t *port_out)
{
    uint32_t port = 0;
    size_t digits = 0;
    for (; digits < 5 && isdigit((unsigned char)text[digits]) != 0; digits++) {
        port = port * 10 + (uint32_t)(text[digits] - '0');
    }
    if (digits == 0 || text[digits] != '\0' || port > UINT16_MAX) {
        return false;
    }
    *port_out = (uint16_t)port;
    return true;
}

static bool host_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    if (inet_pton(AF_INET6, host, &v6) == 1) {
        return IN6_IS_ADDR_LOOPBACK(&v6);
    }
    return strcmp(host, "localhost") == 0;
}

static bool host_is_plausible(const char *host, bool bracketed)
{
    struct in6_addr v6;
    if (bracketed) {
        return inet_pton(AF_INET6, host, &v6) == 1;
    }
    for (const char *at = host; *at != '\0'; at++) {
        if (isalnum((unsigned char)*at) == 0 && *at != '.' && *at != '-' && *at != '_') {
            return false;
        }
    }
    return host[0] != '\0';
}

static bool parse_tcp(const char *text, struct rpc_address *address)
{
    const bool bracketed = text[0] == '[';
    const char *host = bracketed ? text + 1 : text;
    const char *end = strchr(host, bracketed ? ']' : ':');
    if (end == NULL) {
        return false;
    }
    const char *colon = bracketed ? end + 1 : end;
    if (*colon != ':' || !parse_port(colon + 1, &address->port)) {
        return false;
    }
    const size_t size = (size_t)(end - host);
    memcpy(address->host, host, size);
    address->host[size] = '\0';
    address->is_loopback = host_is_loopback(address->host);
    return host_is_plausible(address->host, bracketed);
}

enum tercet_status rpc_address_parse(const char *text, const struct rpc_credentials *credentials,
                                     struct rpc_address *address_out,
                                     struct tercet_error *error_out)
{
    if (text == NULL || strlen(text) > RPC_ADDRESS_BYTES_MAX) {
        return not_understood(text != NULL ? text : "", error_out);
    }
    struct rpc_address address = {0};
    memcpy(address.text, text, strlen(text) + 1);
    const bool is_unix = strncmp(text, unix_scheme, strlen(unix_scheme)) == 0;
    if (is_unix ? !parse_unix(text, &address) : !parse_tcp(text, &address)) {
        return not_understood(text, error_out);
    }
    if (credentials == NULL && !address.is_loopback) {
        return error_set(
            error_out, TERCET_INVALID_ARGUMENT,
            "address \"%.100s\" can be reached by others and this version has no TLS: "
            "only loopback and unix sockets are accepted; put a tunnel between machines",
            text);
    }
    *address_out = address;
    return TERCET_OK;
}
