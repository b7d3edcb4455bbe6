/* Received bytes between the UART's interrupt and the main loop. */
#include "hal/common/common.h"

#include <stdatomic.h>

#include "hal/hal.h"

#define RECEIVED_BYTES 1024u /* a power of two; 10 ms of the line: the main loop looks once a sample */

static uint8_t received[RECEIVED_BYTES];
static _Atomic uint32_t received_written, received_taken, receive_errors;

void received_error(void) {
    atomic_fetch_add_explicit(&receive_errors, 1u, memory_order_relaxed);
}

void received_put(uint8_t byte) {
    const uint32_t written = atomic_load_explicit(&received_written, memory_order_relaxed);
    if (written - atomic_load_explicit(&received_taken, memory_order_acquire) >= RECEIVED_BYTES) {
        received_error();
        return;
    }
    received[written % RECEIVED_BYTES] = byte;
    atomic_store_explicit(&received_written, written + 1u, memory_order_release);
}

bool hal_uart_received(void) {
    return atomic_load_explicit(&received_written, memory_order_acquire) !=
           atomic_load_explicit(&received_taken, memory_order_relaxed);
}

bool hal_uart_receive(uint8_t *byte) {
    if (!hal_uart_received()) {
        return false;
    }
    const uint32_t taken = atomic_load_explicit(&received_taken, memory_order_relaxed);
    *byte = received[taken % RECEIVED_BYTES];
    atomic_store_explicit(&received_taken, taken + 1u, memory_order_release);
    return true;
}

uint32_t hal_uart_receive_errors(void) {
    return atomic_load_explicit(&receive_errors, memory_order_relaxed);
}
