/* Watches over the sensor: finds it, restarts it when it goes mute, and says what happened. No clock of its own. */
#ifndef IMU_WATCH_H
#define IMU_WATCH_H

#include "sensors/imu.h"

#define IMU_MUTE_US 250000u   /* longer without data-ready: the sensor is mute, not merely late */
#define IMU_RETRY_US 1000000u /* between two tries to find a missing sensor */

typedef enum { IMU_RUNNING = 0, IMU_MISSING = 1, IMU_MUTE = 2 } imu_status; /* as the hello message carries it */

typedef enum {
    IMU_NOTHING_NEW = 0,
    IMU_WENT_MISSING = 1, /* said once, not at every try */
    IMU_WENT_MUTE = 2,
    IMU_CAME_BACK = 3
} imu_event;

typedef struct {
    imu_status status;
    uint64_t deadline_us; /* call imu_watch_poll then */
    uint32_t faults;      /* found mute, or not found */
    uint32_t restarts;
    bool trouble_told;
} imu_watch;

void imu_watch_init(imu_watch *watch);

/* A sample came. */
imu_event imu_watch_sample(imu_watch *watch, uint64_t now_us);

/* Does nothing before the deadline; else starts or restarts the sensor, which may take a few milliseconds. */
imu_event imu_watch_poll(imu_watch *watch, tl_ring *ring, uint64_t now_us);

#endif
