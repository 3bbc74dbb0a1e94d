/* standalone.c -- main() for fuzz targets where there is no libFuzzer: replays a corpus, then mutates.
 *
 *   fuzz_<name> [--runs N] [--seed S] [FOLDER ...]
 *
 * Every file of the folders is run once; then N inputs follow, each a corpus file (or nothing) with
 * some bytes changed, put in or taken out.  The same seed gives the same inputs; no coverage guides
 * them.  A target that does not return ends the process: that is the failure.  A folder that holds
 * no file is a failure too, so that a lost corpus is seen. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 4096, INPUTS_MAX = 1024, CHANGES_MAX = 8, PATH_BYTES = 4096 };

struct input {
    size_t size;
    uint8_t bytes[INPUT_BYTES_MAX];
};

static struct input inputs[INPUTS_MAX];
static size_t input_count;
static uint64_t random_state;

/* splitmix64 */
static size_t random_below(size_t end)
{
    random_state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t value = random_state;
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (size_t)((value ^ (value >> 31)) % end);
}

/* The target gets a block of exactly its size, so that AddressSanitizer sees a read beyond it. */
static void run(const struct input *input)
{
    uint8_t *copy = malloc(input->size > 0 ? input->size : 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, input->bytes, input->size);
    (void)LLVMFuzzerTestOneInput(copy, input->size);
    free(copy);
}

static int load(const char *folder)
{
    const size_t before = input_count;
    char path[PATH_BYTES];
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        perror(folder);
        return 1;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] == '.' || input_count == INPUTS_MAX) {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = fopen(path, "rb");
        if (file == NULL) {
            perror(path);
            closedir(dir);
            return 1;
        }
        struct input *input = &inputs[input_count++];
        input->size = fread(input->bytes, 1, sizeof input->bytes, file);
        fclose(file);
        run(input);
    }
    closedir(dir);
    if (input_count == before) {
        fprintf(stderr, "%s: holds no file\n", folder);
        return 1;
    }
    return 0;
}

static void change(struct input *input)
{
    const size_t at = random_below(input->size + 1);
    const size_t tail = input->size - at;
    switch (random_below(4)) {
    case 0: /* take out the rest */
        input->size = at;
        break;
    case 1: /* put in one */
        if (input->size < sizeof input->bytes) {
            memmove(input->bytes + at + 1, input->bytes + at, tail);
            input->bytes[at] = (uint8_t)random_below(256);
            input->size++;
        }
        break;
    case 2: /* flip a bit */
        if (tail > 0) {
            input->bytes[at] ^= (uint8_t)(1u << random_below(8));
        }
        break;
    case 3: /* set a byte */
        if (tail > 0) {
            input->bytes[at] = (uint8_t)random_below(256);
        }
        break;
    }
}

int main(int argc, char **argv)
{
    unsigned long runs = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc) {
            runs = strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            random_state = strtoull(argv[++i], NULL, 10);
        } else if (load(argv[i]) != 0) {
            return 1;
        }
    }
    for (unsigned long n = 0; n < runs; n++) {
        static struct input input;
        input.size = 0;
        if (input_count > 0) {
            input = inputs[random_below(input_count)];
        }
        for (size_t left = 1 + random_below(CHANGES_MAX); left > 0; left--) {
            change(&input);
        }
        run(&input);
    }
    printf("%zu of the corpus, %lu mutated\n", input_count, runs);
    return 0;
}
