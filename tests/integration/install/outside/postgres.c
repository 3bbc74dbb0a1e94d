/* postgres.c -- a stranger's program with a store in a library of its own; there is no server. */
#include <stdio.h>
#include <tercet/store_postgres.h>

int main(void)
{
    const struct tercet_postgres_options options = {.size = sizeof options,
                                                    .conninfo = "host=/nobody/here"};
    struct tercet_store *store = NULL;
    struct tercet_error error = {0};
    const bool ok = tercet_postgres_open(&options, &store, &error) == TERCET_UNAVAILABLE &&
                    tercet_postgres_open(NULL, &store, NULL) == TERCET_INVALID_ARGUMENT;

    printf("%s 127.0.0.1: %s\n", ok ? "ok" : "failed", error.text);
    return ok ? 0 : 1;
}
