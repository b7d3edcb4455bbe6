/* Keeps the debug port open (PS, Debug and trace, Access port protection mechanism).
 *
 * Build codes Fxx and later lock the port at every reset, until both UICR.APPROTECT holds 0x5A (read by the hardware at
 * reset) and the firmware writes 0x5A to APPROTECT.DISABLE. A chip whose UICR was erased is locked otherwise, and only
 * a mass erase opens it. On earlier build codes erased means open and *any other value locks*, so there UICR is not
 * touched. Nothing here can lock a port: 0x5A is the only value written, and only where it means open. */
#include "hal/nrf52840/parts.h"
#include "hal/nrf52840/registers.h"

#define UICR_ERASED 0xFFFFFFFFu
#define FIRST_BUILD_WITH_SOFTWARE_LOCK 'F'

static void wait_for_flash(void) {
    while ((REG(NVMC_READY) & 1u) == 0u) {
    }
}

void approtect_keep_open(void) {
    /* Four ASCII characters, "AAF0": function variant, hardware build code, production code (PS, FICR, INFO.VARIANT).
     */
    const uint32_t variant = REG(FICR_INFO_VARIANT);
    const uint32_t build = (variant >> 8) & 0xFFu;
    if ((variant >> 16) != 0x4141u || build < FIRST_BUILD_WITH_SOFTWARE_LOCK || build > 'Z') {
        return;
    }
    if (REG(UICR_APPROTECT) == UICR_ERASED) {
        REG(NVMC_CONFIG) = NVMC_CONFIG_WRITE;
        wait_for_flash();
        REG(UICR_APPROTECT) = 0xFFFFFF00u | APPROTECT_OPEN;
        wait_for_flash();
        REG(NVMC_CONFIG) = NVMC_CONFIG_READ_ONLY;
        wait_for_flash();
    }
    REG(APPROTECT_DISABLE) = APPROTECT_OPEN;
}
