// marks.cc -- see marks.h.
#include "simulation/marks.h"

namespace simulation
{

const char *MarkName(Mark mark)
{
    static const char *const names[] = {
#define SIMULATION_MARK_ITEM(name) #name,
        SIMULATION_MARKS(SIMULATION_MARK_ITEM)
#undef SIMULATION_MARK_ITEM
    };
    return names[static_cast<size_t>(mark)];
}

} // namespace simulation
