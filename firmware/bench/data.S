/* What a bench image is fed with: the files model.bin and inputs.bin of its folder. */
    .section .model, "a"
    .balign 16
    .global bench_model_image, bench_model_image_end
bench_model_image:
    .incbin "model.bin"
bench_model_image_end:

    .section .inputs, "a"
    .balign 4
    .global bench_inputs, bench_count
bench_inputs:
    .incbin "inputs.bin"
inputs_end:
    .balign 4
    .type bench_count, %object
    .size bench_count, 4
bench_count:
    .word (inputs_end - bench_inputs) / TL_BENCH_INPUT_BYTES
