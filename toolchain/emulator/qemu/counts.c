/* A QEMU plugin that counts how often each translated block ran, into a file that it maps: slots of {address, bytes,
 * runs}. Debian ships QEMU without the plugin header, so the few functions of API version 1 that are needed are
 * declared here (names and types: QEMU's documentation, "QEMU TCG Plugins"). */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS 65536u

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info_t qemu_info_t;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*call)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, enum qemu_plugin_op op, void *counter,
                                              uint64_t step);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

extern int qemu_plugin_version;
__attribute__((visibility("default"))) int qemu_plugin_version = 1;

typedef struct {
    uint32_t address, bytes;
    uint64_t runs;
} slot;

static slot *slots;

/* Open addressing; a block that finds no place is not counted. */
static slot *slot_of(uint32_t address, uint32_t bytes) {
    uint32_t at = (address >> 1) * 2654435761u + bytes;
    for (uint32_t tries = 0; tries < SLOTS; tries++, at++) {
        slot *one = &slots[at % SLOTS];
        if (one->bytes == 0u) {
            one->address = address;
            one->bytes = bytes;
        }
        if (one->address == address && one->bytes == bytes) {
            return one;
        }
    }
    return NULL;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    size_t bytes = 0;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        bytes += qemu_plugin_insn_size(qemu_plugin_tb_get_insn(tb, i));
    }
    slot *one = bytes == 0u ? NULL : slot_of((uint32_t)qemu_plugin_tb_vaddr(tb), (uint32_t)bytes);
    if (one != NULL) {
        qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &one->runs, 1);
    }
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                                               char **argv) {
    (void)info;
    if (argc != 1 || strncmp(argv[0], "counts=", 7) != 0) {
        return 1;
    }
    const int file = open(argv[0] + 7, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ftruncate(file, SLOTS * sizeof(slot)) != 0) {
        return 1;
    }
    void *mapped = mmap(NULL, SLOTS * sizeof(slot), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    (void)close(file);
    if (mapped == MAP_FAILED) {
        return 1;
    }
    slots = mapped;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
