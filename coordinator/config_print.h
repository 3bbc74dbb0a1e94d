/* config_print.h -- the table and the values, for people. */
#ifndef COORDINATOR_CONFIG_PRINT_H
#define COORDINATOR_CONFIG_PRINT_H

#include <stdio.h>

#include "config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Every value in effect as a file that says the same, each with its origin as a comment. */
void config_print(const struct config *config, FILE *to);

/* Every flag with its default and meaning, for --help. */
void config_print_flags(FILE *to);

/* The tables of docs/configuration.md. */
void config_print_table(FILE *to);

#ifdef __cplusplus
}
#endif

#endif
