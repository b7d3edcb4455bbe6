#include "sensors/watch.h"

void imu_watch_init(imu_watch *watch) {
    *watch = (imu_watch){.status = IMU_MISSING, .deadline_us = imu_boot_us};
}

imu_event imu_watch_sample(imu_watch *watch, uint64_t now_us) {
    const bool back = watch->trouble_told;
    watch->status = IMU_RUNNING;
    watch->deadline_us = now_us + IMU_MUTE_US;
    watch->trouble_told = false;
    return back ? IMU_CAME_BACK : IMU_NOTHING_NEW;
}

static imu_event look(imu_watch *watch, tl_ring *ring, uint64_t now_us) {
    if (imu_probe() && imu_start(ring)) {
        if (watch->status == IMU_MISSING) {
            watch->status = IMU_RUNNING; /* a mute one stays mute until its first sample */
        }
        watch->deadline_us = now_us + imu_settle_us;
        return IMU_NOTHING_NEW;
    }
    watch->faults++;
    const bool told = watch->trouble_told && watch->status == IMU_MISSING;
    watch->status = IMU_MISSING;
    watch->deadline_us = now_us + IMU_RETRY_US;
    watch->trouble_told = true;
    return told ? IMU_NOTHING_NEW : IMU_WENT_MISSING;
}

imu_event imu_watch_poll(imu_watch *watch, tl_ring *ring, uint64_t now_us) {
    if (now_us < watch->deadline_us) {
        return IMU_NOTHING_NEW;
    }
    if (watch->status == IMU_MISSING) {
        return look(watch, ring, now_us);
    }
    const bool new_silence = watch->status == IMU_RUNNING;
    watch->faults++;
    watch->restarts++;
    watch->status = IMU_MUTE;
    watch->trouble_told = true;
    imu_stop();
    const imu_event event = look(watch, ring, now_us);
    return event == IMU_NOTHING_NEW && new_silence ? IMU_WENT_MUTE : event;
}
