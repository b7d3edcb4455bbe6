/* What TensorFlow Lite Micro's library asks of the system: somewhere to print, and a way to die.
 *
 * Built without BUILD_TYPE=release, the library prints reasons and checks conditions. The engine's status already tells
 * what failed, and newlib's printf and assert would bring a heap and a file system with them. */
#include <assert.h>
#include <stdarg.h>
#include <stddef.h>

/* tensorflow/lite/micro/debug_log.h. Both must stand here: one missing, and the library's own object is linked too. */
void DebugLog(const char *format, va_list arguments);
int DebugVsnprintf(char *text, size_t size, const char *format, va_list arguments);

void DebugLog(const char *format, va_list arguments) {
    (void)format;
    (void)arguments;
}

int DebugVsnprintf(char *text, size_t size, const char *format, va_list arguments) {
    (void)format;
    (void)arguments;
    if (size != 0u) {
        text[0] = '\0';
    }
    return 0;
}

/* A broken assertion is a fault like any other: recorded, told after the reset. */
void __assert_func(const char *file, int line, const char *function, const char *condition) {
    (void)file;
    (void)line;
    (void)function;
    (void)condition;
    __builtin_trap();
}
