/* mariadb.c -- a stranger's program with a store in a library of its own; there is no server. */
#include <stdio.h>
#include <tercet/store_mariadb.h>

int main(void)
{
    const struct tercet_mariadb_options options = {
        .size = sizeof options, .unix_socket = "/nobody/here", .database = "none"};
    struct tercet_store *store = NULL;
    struct tercet_error error = {0};
    const bool ok = tercet_mariadb_open(&options, &store, &error) == TERCET_UNAVAILABLE &&
                    tercet_mariadb_open(NULL, &store, NULL) == TERCET_INVALID_ARGUMENT;

    printf("%s 127.0.0.1: %s\n", ok ? "ok" : "failed", error.text);
    return ok ? 0 : 1;
}
