/* balance.c -- see balance.h. */
#include "balance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/error.h"

/* popen() of this C library spawns and does not fork, so gRPC's threads do not matter to it. */
enum tercet_status balance_read(const char *command, struct reading *reading_out,
                                struct tercet_error *error_out)
{
    FILE *output = popen(command, "r"); /* NOLINT(cert-env33-c): it is the owner's own command */
    if (output == NULL) {
        return error_set(error_out, TERCET_UNAVAILABLE, "the balance command cannot be run");
    }
    struct reading reading = {.is_number = false};
    size_t size = fread(reading.text, 1, sizeof reading.text - 1, output);
    const int ended = pclose(output);
    if (ended == -1 || !WIFEXITED(ended) || WEXITSTATUS(ended) != 0) {
        return error_set(error_out, TERCET_UNAVAILABLE, "the balance command failed");
    }
    while (size > 0 && strchr(" \r\n\t", reading.text[size - 1]) != NULL) {
        size--;
    }
    reading.text[size] = '\0';
    if (size == 0) {
        return error_set(error_out, TERCET_UNAVAILABLE, "the balance command prints nothing");
    }
    char *end = NULL;
    reading.number = strtod(reading.text, &end);
    reading.is_number = *end == '\0' && isfinite(reading.number);
    *reading_out = reading;
    return TERCET_OK;
}

bool balance_equal(double a, double b)
{
    const double scale = fmax(1.0, fmax(fabs(a), fabs(b)));
    return fabs(a - b) <= 1e-9 * scale;
}
