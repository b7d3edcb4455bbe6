/* A program whose stack is known: every function fills an array, so that all of it is used. Built for the Cortex-M4 with
 * the firmware's flags, bounded from its call graph, and run on an emulated core. */
#include <stdint.h>

void Reset_Handler(void);

static void fill(volatile uint8_t *bytes, unsigned size) {
    for (unsigned i = 0; i < size; ++i) {
        bytes[i] = 0x11;
    }
}

static __attribute__((noinline)) void deep(void) {
    volatile uint8_t bytes[400];
    fill(bytes, sizeof bytes);
}

static __attribute__((noinline)) void middle(void) {
    volatile uint8_t bytes[200];
    fill(bytes, sizeof bytes);
    deep();
    fill(bytes, sizeof bytes);
}

static __attribute__((noinline)) void reached_by_pointer(void) {
    volatile uint8_t bytes[120];
    fill(bytes, sizeof bytes);
    middle();
    fill(bytes, sizeof bytes);
}

/* Not const: the compiler must not see through it. */
void (*volatile pointer)(void) = reached_by_pointer;

static __attribute__((noinline)) void shallow(void) {
    volatile uint8_t bytes[40];
    fill(bytes, sizeof bytes);
}

#ifdef RECURSION
static void again(void);
void (*volatile second)(void) = again;
static __attribute__((noinline)) void again(void) {
    volatile uint8_t bytes[8];
    fill(bytes, sizeof bytes);
    second();
    fill(bytes, sizeof bytes);
}
#endif

void Reset_Handler(void) {
    shallow();
    reached_by_pointer(); /* by name too: that must not hide it from pointers */
    pointer();
#ifdef RECURSION
    second();
#endif
    for (;;) {
    }
}
