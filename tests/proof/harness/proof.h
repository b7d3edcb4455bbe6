/* What the harnesses share. CBMC gives a variable that is not initialized any value of its type, and tries all. */
#ifndef TL_PROOF_H
#define TL_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define assume(condition) __CPROVER_assume(condition)
/* Ends every proof. With PROOF_END it is false, so that a proof whose assumptions contradict each other, or that never
 * comes back from what it calls, is found out: it would still hold. Nothing else is looked at then. */
#ifdef PROOF_END
#define prove(condition, text) ((void)(condition))
#define reached() __CPROVER_assert(false, "the end is reached")
#else
#define prove(condition, text) __CPROVER_assert(condition, text)
#define reached() ((void)0)
#endif

/* An object of exactly `size` bytes of any content: an access one byte beyond it is found. */
static inline void *any_bytes(size_t size) {
    void *object = malloc(size);
    assume(object != NULL);
    return object;
}

#endif
