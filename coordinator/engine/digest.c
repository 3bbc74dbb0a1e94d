/* digest.c -- SHA-256 through OpenSSL, cut to 16 bytes.
 *
 * The algorithm is fetched once.  EVP_sha256() is looked up anew at every digest, under a lock that all
 * threads share, and costs more than hashing a branch. */
#include "engine/digest.h"

#include <openssl/evp.h>
#include <string.h>
#include <threads.h>

#include "base/assert.h"
#include "base/bytes.h"

static EVP_MD *fetched; /* until the process ends */

static void fetch(void)
{
    fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
    tercet_assert(fetched != NULL);
}

static const EVP_MD *algorithm(void)
{
    static once_flag once = ONCE_FLAG_INIT;
    call_once(&once, fetch);
    return fetched;
}

/* A context of the library, fed with length-prefixed parts. */
static EVP_MD_CTX *hash_begin(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    tercet_assert(context != NULL);
    tercet_assert(EVP_DigestInit_ex(context, algorithm(), NULL) == 1);
    return context;
}

static void hash_raw(EVP_MD_CTX *context, const void *data, size_t size)
{
    tercet_assert(EVP_DigestUpdate(context, data, size) == 1);
}

static void hash_u32(EVP_MD_CTX *context, uint32_t value)
{
    uint8_t bytes[4];
    store_be32(bytes, value);
    hash_raw(context, bytes, sizeof bytes);
}

static void hash_part(EVP_MD_CTX *context, const void *data, size_t size)
{
    tercet_assert(size <= UINT32_MAX);
    hash_u32(context, (uint32_t)size);
    hash_raw(context, data, size);
}

static struct digest16 hash_end(EVP_MD_CTX *context)
{
    uint8_t whole[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    tercet_assert(EVP_DigestFinal_ex(context, whole, &size) == 1 && size == 32);
    EVP_MD_CTX_free(context);
    struct digest16 digest;
    memcpy(digest.bytes, whole, sizeof digest.bytes);
    return digest;
}

struct digest16 digest_of_branch(const struct digest_branch *branch)
{
    EVP_MD_CTX *context = hash_begin();
    hash_part(context, branch->participant, strlen(branch->participant));
    hash_part(context, branch->action, strlen(branch->action));
    hash_part(context, branch->payload.data, branch->payload.size);
    hash_u32(context, branch->stage);
    hash_u32(context, branch->flags);
    return hash_end(context);
}

struct digest16 digest_of_content(const char *gid, const struct digest16 *branches, size_t count)
{
    EVP_MD_CTX *context = hash_begin();
    hash_part(context, gid, strlen(gid));
    for (size_t i = 0; i < count; i++) {
        hash_raw(context, branches[i].bytes, sizeof branches[i].bytes);
    }
    return hash_end(context);
}

bool digest16_equal(const struct digest16 *a, const struct digest16 *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool digest16_is_zero(const struct digest16 *digest)
{
    static const struct digest16 zero;
    return digest16_equal(digest, &zero);
}
