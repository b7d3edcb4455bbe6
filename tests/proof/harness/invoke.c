/* What the compiler made of a small .tflite (toolchain/compiler; the tests generate net.h, net.c and ports.h).
 *
 * Proven: for all inputs, whatever the arena held, net_invoke touches nothing outside its inputs, outputs, arena and
 * constants, overflows nothing and shifts by no wrong number; net_init takes the arena that the header declares.
 * Bounds: the model's own weights and shapes; every loop is unrolled to its end (unwinding assertions).
 * Assumed: what contracts.h says of the functions that have a stand-in. */
#include "net.h"
#include "ports.h"
#include "proof.h"

void proof_invoke(void) {
    NET_IN_ARRAYS
    NET_OUT_ARRAYS
    net_arena arena;
    net_context net;
    prove(net_init(&net, &arena, sizeof arena), "the arena of the header is enough");
    const net_inputs in = {NET_IN};
    const net_outputs out = {NET_OUT};
    net_invoke(&net, &in, &out);
    reached();
}
