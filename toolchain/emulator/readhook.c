/* Counts the words that data reads fetch from flash, under the basic block that makes them
 * (toolchain/emulator/reads.py). Compiled on first use with: cc -O2 -shared -fPIC readhook.c */
#include <stdint.h>

#define IT_STATE 0x0600FC00u
#define UC_MEM_READ 16

typedef struct {
    uint32_t first, bytes;   /* the flash */
    const uint32_t *current; /* address of the block that runs */
    uint64_t *words;         /* one counter for each halfword of the flash, where a block can start */
    int (*reg_read)(void *uc, int reg, void *value);
    int (*reg_write)(void *uc, int reg, const void *value);
    int32_t xpsr;
} tl_reads;

/* For loads and stores. Unicorn 2.1.4 writes the IT state back before a hooked access and forgets it there, so that the
 * next block would start inside an IT block that is over: it is cleared here, where nothing reads it any more. */
void tl_read_hook(void *uc, int type, uint64_t address64, int size, int64_t value, void *user) {
    tl_reads *reads = user;
    uint32_t address = (uint32_t)address64, xpsr = 0;
    (void)value;
    reads->reg_read(uc, reads->xpsr, &xpsr);
    if (xpsr & IT_STATE) {
        xpsr &= ~IT_STATE;
        reads->reg_write(uc, reads->xpsr, &xpsr);
    }
    if (type == UC_MEM_READ && address - reads->first < reads->bytes && *reads->current - reads->first < reads->bytes) {
        reads->words[(*reads->current - reads->first) / 2] +=
            ((address + (uint32_t)size - 1) >> 2) - (address >> 2) + 1;
    }
}
