// See micro/micro_interpreter.h beside this.
#ifndef TFLM_STUB_SCHEMA_GENERATED_H
#define TFLM_STUB_SCHEMA_GENERATED_H

#include <cstdint>

#define TFLITE_SCHEMA_VERSION (3)

namespace tflite {

struct Model {
    uint32_t version() const;
};

const Model *GetModel(const void *buffer);
bool ModelBufferHasIdentifier(const void *buffer);

} // namespace tflite

#endif
