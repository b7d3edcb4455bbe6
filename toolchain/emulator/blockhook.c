/* The block hook of the virtual board in C: counts cycles, instructions and block runs, checks guards, and stops the
 * core when something is due. Same results as PythonHook in blockhook.py; that file declares the same structures.
 * Compiled on first use with: cc -O2 -shared -fPIC blockhook.c */
#include <stdint.h>
#include <string.h>

#define BLOCK_BITS 15
#define BLOCKS (1u << BLOCK_BITS)
#define MAX_CHECKS 32768u

enum { FLAG_FPU = 1, FLAG_SEND_EVENT = 2, FLAG_CHECK_AFTER = 4 };
enum { CHECK_BEFORE = 0, CHECK_AFTER = 1 };

typedef struct {
    uint32_t address, end; /* end == 0: empty */
    uint32_t cycles, refill, instructions, flags;
    uint32_t first_check, checks;
    uint64_t runs, taken;
} tl_block;

typedef struct {
    uint32_t when, mask, addend;
    int32_t reg;
} tl_check;

typedef struct {
    uint64_t cycles, instructions, due;
    uint32_t attention, masked;
    int32_t masked_priority;
    uint32_t fpu_off, lazy, divide_trap, event;
    uint32_t current, current_cycles;
    uint32_t stopped, failed;
    uint32_t used, last;
    int32_t primask, basepri, faultmask;
    int (*stop)(void *uc);
    int (*reg_read)(void *uc, int reg, void *value);
    int (*look)(void);                                           /* fires events; 1: stop here */
    int (*meet)(uint32_t address, uint32_t size, tl_block *out); /* describes a new block; 1: stop here */
    tl_block block[BLOCKS];
    tl_check check[MAX_CHECKS];
} tl_state;

/* A check at one instruction, for a Unicorn code hook. */
typedef struct {
    tl_state *state;
    tl_check check;
    uint32_t number; /* what `failed` becomes */
} tl_exact;

uint32_t tl_state_size(void) {
    return (uint32_t)sizeof(tl_state);
}

static int breaks(const tl_state *s, void *uc, const tl_check *c) {
    uint32_t value = 0;
    if (c->mask == 0 && !s->divide_trap) {
        return 0;
    }
    s->reg_read(uc, c->reg, &value);
    value += c->addend;
    return c->mask == 0 ? value == 0 : (value & c->mask) != 0;
}

static int fails(tl_state *s, void *uc, const tl_block *b, uint32_t when) {
    for (uint32_t i = b->first_check; i < b->first_check + b->checks; i++) {
        if (s->check[i].when == when && breaks(s, uc, &s->check[i])) {
            s->failed = i + 1;
            return 1;
        }
    }
    return 0;
}

void tl_exact_hook(void *uc, uint64_t address, uint32_t size, void *user) {
    const tl_exact *exact = user;
    (void)address;
    (void)size;
    if (!exact->state->stopped && breaks(exact->state, uc, &exact->check)) {
        exact->state->failed = exact->number;
        exact->state->stopped = 1;
        exact->state->stop(uc);
    }
}

/* The block that ran is over and the core is at `address`. */
int tl_settle(tl_state *s, void *uc, uint32_t address) {
    if (s->last == 0) {
        return 0;
    }
    tl_block *b = &s->block[s->last - 1];
    s->last = 0;
    if (b->end != address) {
        s->cycles += b->refill;
        b->taken++;
    }
    return (b->flags & FLAG_CHECK_AFTER) && fails(s, uc, b, CHECK_AFTER);
}

static int unmasked(tl_state *s, void *uc) {
    uint32_t primask = 0, basepri = 0, faultmask = 0;
    s->reg_read(uc, s->primask, &primask);
    s->reg_read(uc, s->basepri, &basepri);
    s->reg_read(uc, s->faultmask, &faultmask);
    return !(primask & 1) && !(faultmask & 1) && (basepri == 0 || s->masked_priority < (int32_t)basepri);
}

static tl_block *find(tl_state *s, uint32_t address) {
    uint32_t i = (address >> 1) * 2654435761u >> (32 - BLOCK_BITS);
    while (s->block[i].end != 0 && s->block[i].address != address) {
        i = (i + 1) & (BLOCKS - 1);
    }
    return &s->block[i];
}

void tl_block_hook(void *uc, uint64_t address64, uint32_t size, void *user) {
    tl_state *s = user;
    uint32_t address = (uint32_t)address64;
    if (s->stopped) {
        return;
    }
    if (tl_settle(s, uc, address) ||
        ((s->cycles >= s->due || s->attention || (s->masked && unmasked(s, uc))) && s->look())) {
        s->stopped = 1;
        s->stop(uc);
        return;
    }
    tl_block *b = find(s, address);
    if (b->end == 0) {
        tl_block made;
        memset(&made, 0, sizeof made);
        if (s->used >= BLOCKS - BLOCKS / 4 || s->meet(address, size, &made)) {
            s->stopped = 1;
            s->stop(uc);
            return;
        }
        *b = made;
        s->used++;
    }
    if ((b->flags & FLAG_FPU) && (s->fpu_off || s->lazy)) {
        if (s->fpu_off) {
            s->stopped = 1;
            s->stop(uc);
            return;
        }
        s->cycles += s->lazy;
        s->lazy = 0;
    }
    if (b->checks && fails(s, uc, b, CHECK_BEFORE)) {
        s->stopped = 1;
        s->stop(uc);
        return;
    }
    if (b->flags & FLAG_SEND_EVENT) {
        s->event = 1;
    }
    s->current = address;
    s->current_cycles = b->cycles;
    s->cycles += b->cycles;
    s->instructions += b->instructions;
    b->runs++;
    s->last = (uint32_t)(b - s->block) + 1;
}
