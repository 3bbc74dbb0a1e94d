/* mutant.c -- see mutant.h. */
#include "mutants/mutant.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order of their numbers, from 1; written by mutate.py when this build was configured. */
static const char *const names[] = {
#include "mutant_names.inc"
};

static int chosen;

__attribute__((__constructor__)) static void choose(void)
{
    const char *const name = getenv("TERCET_MUTANT");
    const int count = (int)(sizeof names / sizeof names[0]);
    if (name == NULL) {
        return;
    }
    for (int i = 0; i < count; i++) {
        chosen = strcmp(names[i], name) == 0 ? i + 1 : chosen;
    }
    if (chosen == 0) {
        (void)fprintf(stderr, "TERCET_MUTANT: this build has no mutant \"%s\"\n", name);
        exit(64);
    }
}

bool mutant_on(int number)
{
    return chosen == number;
}
