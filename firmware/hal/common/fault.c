/* The fault record: kept over the reset in RAM that start-up does not touch, told once, then forgotten. */
#include "hal/common/common.h"
#include "hal/common/core.h"

#include "hal/hal.h"

#define RECORD_VALID 0x544C4657u
#define EXCEPTION_BITS 0x1FFu
#define FRAME_BYTES 32u

typedef struct {
    uint32_t valid;
    uint32_t exception; /* number: 3 hard, 4 memory management, 5 bus, 6 usage, 16 + n interrupt n */
    uint32_t pc;
    uint32_t lr;
    uint32_t cfsr;
    uint32_t hfsr;
    uint32_t address; /* of the bad access, when cfsr says that it is known */
    uint32_t check;   /* sum of the others: RAM is random after power-on */
} fault;

__attribute__((section(".noinit"))) static fault record;

static uint32_t check_of(const fault *one) {
    return one->valid + one->exception + one->pc + one->lr + one->cfsr + one->hfsr + one->address;
}

_Noreturn void fault_record(const uint32_t *frame, uint32_t exc_return) {
    uint32_t ipsr;
    __asm volatile("mrs %0, ipsr" : "=r"(ipsr));
    /* r0 r1 r2 r3 r12 lr pc xpsr (DDI 0403E, B1.5.7); only if it was really stacked inside the stack. */
    const uintptr_t at = (uintptr_t)frame;
    const bool stacked = at >= (uintptr_t)tl_link_stack_bottom && at + FRAME_BYTES <= (uintptr_t)tl_link_stack_top;
    record.valid = RECORD_VALID;
    record.exception = ipsr & EXCEPTION_BITS;
    record.pc = stacked ? frame[6] : 0u;
    record.lr = stacked ? frame[5] : exc_return;
    record.cfsr = REG(SCB_CFSR);
    record.hfsr = REG(SCB_HFSR);
    record.address = (record.cfsr & BIT(15)) != 0u ? REG(SCB_BFAR) : (record.cfsr & BIT(7)) != 0u ? REG(SCB_MMFAR) : 0u;
    record.check = check_of(&record);
    __asm volatile("dsb" ::: "memory");
    REG(SCB_AIRCR) = SCB_AIRCR_RESET;
    for (;;) {
    }
}

static uint32_t put_text(char *text, uint32_t at, uint32_t capacity, const char *word) {
    while (*word != '\0' && at < capacity) {
        text[at++] = *word++;
    }
    return at;
}

static uint32_t put_hex(char *text, uint32_t at, uint32_t capacity, const char *name, uint32_t value) {
    at = put_text(text, at, capacity, name);
    for (int shift = 28; shift >= 0 && at < capacity; shift -= 4) {
        text[at++] = "0123456789abcdef"[(value >> shift) & 0xFu];
    }
    return at;
}

uint32_t hal_fault_take(char *text, uint32_t capacity) {
    if (record.valid != RECORD_VALID || record.check != check_of(&record)) {
        return 0u;
    }
    uint32_t n = put_text(text, 0u, capacity, "The firmware stopped on a fault and was reset:");
    n = put_hex(text, n, capacity, " exception 0x", record.exception);
    n = put_hex(text, n, capacity, " pc 0x", record.pc);
    n = put_hex(text, n, capacity, " lr 0x", record.lr);
    n = put_hex(text, n, capacity, " cfsr 0x", record.cfsr);
    n = put_hex(text, n, capacity, " hfsr 0x", record.hfsr);
    n = put_hex(text, n, capacity, " address 0x", record.address);
    record.valid = 0u;
    return n;
}
