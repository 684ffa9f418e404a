/* What the engine says of itself and of its statuses. */
#include "intgold.h"

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

const char *intgold_version(void) {
    return TEXT(INTGOLD_VERSION_MAJOR) "." TEXT(INTGOLD_VERSION_MINOR) "." TEXT(
        INTGOLD_VERSION_PATCH);
}

int32_t intgold_abi(void) { return INTGOLD_ABI; }

/* In the order of enum intgold_status. */
static const char *const status_texts[] = {
    "no error",
    "a null pointer or a negative count",
    "an op kind that this engine does not know",
    "a variant that this build or this CPU does not have",
    "the buffer is too small",
    "sizes that this machine or SPEC 6.2 does not allow",
    "an array of the model is NULL",
    "a wrong number of tensors, ops, inputs, outputs or array entries",
    "a wrong index of a tensor",
    "a tensor of the wrong dtype",
    "extents that do not fit each other or the size of a tensor",
    "a tensor that is not aligned, not in the activations, or overwritten while it is needed",
    "an unknown rounding form",
    "a number out of its range",
    "an accumulator that could leave int32",
};

const char *intgold_status_text(intgold_status status) {
    const size_t number = (size_t)status;
    return number < sizeof status_texts / sizeof *status_texts ? status_texts[number]
                                                               : "an unknown status";
}
