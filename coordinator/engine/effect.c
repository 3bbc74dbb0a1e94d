/* effect.c -- see effect.h. */
#include "engine/effect.h"

#include <stdlib.h>

#include "base/memory.h"

enum { EFFECTS_FIRST_CAPACITY = 64 };

void effects_init(struct effects *effects)
{
    *effects = (struct effects){0};
}

void effects_deinit(struct effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        effect_release(&effects->items[i]);
    }
    free(effects->items);
    *effects = (struct effects){0};
}

struct effect *effects_add(struct effects *effects, enum effect_kind kind)
{
    if (effects->count == effects->capacity) {
        effects->capacity = effects->capacity == 0 ? EFFECTS_FIRST_CAPACITY : 2 * effects->capacity;
        effects->items = xrealloc(effects->items, effects->capacity * sizeof effects->items[0]);
    }
    struct effect *effect = &effects->items[effects->count];
    effects->count++;
    *effect = (struct effect){.kind = kind};
    return effect;
}

static void reply_release(struct effect_reply *reply)
{
    free(reply->text);
    view_destroy(reply->view);
    for (uint32_t i = 0; i < reply->list_count; i++) {
        view_destroy(reply->list[i]);
    }
    free(reply->list);
    *reply = (struct effect_reply){0};
}

void effect_release(struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_CALL:
        branch_unref(effect->u.call.branch);
        effect->u.call.branch = NULL;
        break;
    case EFFECT_REPLY:
        reply_release(&effect->u.reply);
        break;
    case EFFECT_HOLD:
        free(effect->u.hold.text);
        effect->u.hold.text = NULL;
        break;
    case EFFECT_RECORD:
    case EFFECT_LOOKUP:
    case EFFECT_INSPECT:
        break;
    }
}
