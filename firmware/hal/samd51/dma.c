/* DMAC: one byte for each request of a peripheral, one block a transfer (MC 22). Descriptors lie in RAM. */
#include "hal/samd51/parts.h"
#include "hal/samd51/registers.h"

#define CHANNELS 3u

typedef struct {
    uint16_t control;
    uint16_t count;
    uint32_t source; /* of a side that counts up: the address behind its last byte */
    uint32_t destination;
    uint32_t next;
} descriptor;

static descriptor first[CHANNELS] __attribute__((aligned(16)));
static descriptor written_back[CHANNELS] __attribute__((aligned(16)));

void dma_init(void) {
    REG16(DMAC_CTRL) = 0u; /* SWRST is heard only while it is off */
    REG16(DMAC_CTRL) = DMAC_CTRL_SWRST;
    while ((REG16(DMAC_CTRL) & DMAC_CTRL_SWRST) != 0u) {
    }
    REG(DMAC_BASEADDR) = (uint32_t)(uintptr_t)first;
    REG(DMAC_WRBADDR) = (uint32_t)(uintptr_t)written_back;
    REG16(DMAC_CTRL) = DMAC_CTRL_ON;
}

static void start(dma_channel channel, uint32_t trigger, uint32_t control, uint32_t source, uint32_t destination,
                  uint32_t n) {
    volatile descriptor *one = &first[channel];
    one->control = (uint16_t)(DMAC_BTCTRL_VALID | control);
    one->count = (uint16_t)n;
    one->source = source;
    one->destination = destination;
    one->next = 0u;
    __asm volatile("dmb" ::: "memory"); /* buffer and descriptor are written before DMA reads them */
    REG8(DMAC_CHINTFLAG(channel)) = DMAC_CHINT_TCMPL;
    REG(DMAC_CHCTRLA(channel)) = DMAC_CHCTRLA_TRIGSRC(trigger) | DMAC_CHCTRLA_TRIGACT_BURST;
    REG(DMAC_CHCTRLA(channel)) |= DMAC_CHCTRLA_ENABLE;
}

void dma_from_ram(dma_channel channel, uint32_t trigger, const uint8_t *from, uint32_t data, uint32_t n) {
    start(channel, trigger, DMAC_BTCTRL_SRCINC, (uint32_t)(uintptr_t)from + n, data, n);
}

void dma_to_ram(dma_channel channel, uint32_t trigger, uint32_t data, uint8_t *to, uint32_t n) {
    start(channel, trigger, DMAC_BTCTRL_DSTINC, data, (uint32_t)(uintptr_t)to + n, n);
}

bool dma_busy(dma_channel channel) {
    return (REG(DMAC_CHCTRLA(channel)) & DMAC_CHCTRLA_ENABLE) != 0u;
}

void dma_stop(dma_channel channel) {
    REG(DMAC_CHCTRLA(channel)) = 0u;
    while (dma_busy(channel)) {
    }
}
