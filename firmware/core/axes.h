/* Do accelerometer and gyroscope turn together? When a wrist turns, gravity turns the other way in the sensor's frame:
 * da/dt = -w x a. In a frame that is mirrored (two axes of both sensors exchanged, one axis reversed, the gyroscope's
 * sign wrong) it turns the wrong way. Slow turns count only, while the accelerometer measures about gravity.
 *
 * What this cannot see: anything at rest; a turn of the whole frame, which is a sensor worn another way; an exchange in
 * one sensor that movements about the forearm hardly show. It finds nothing in a swinging arm, on which gravity seems
 * to rest.
 */
#ifndef TL_CORE_AXES_H
#define TL_CORE_AXES_H

#include <stdbool.h>
#include <stdint.h>

#define TL_AXES_CHANNELS 6u
#define TL_AXES_BLOCK_US 80000u /* codes are averaged over this long */

typedef struct {
    float acc_unit;  /* g per code */
    float gyro_unit; /* rad/s per code */
    int32_t sum[TL_AXES_CHANNELS];
    uint32_t count;
    uint32_t block_us;
    float mean[TL_AXES_CHANNELS]; /* of the block before: g, rad/s */
    uint32_t mean_us;             /* its length; 0: there is none */
    float along;                  /* evidence: how far gravity moved the way that it should, g^2 */
    float turned;                 /* how far it should have moved, g^2 */
    uint32_t against;             /* portions of evidence in a row that it moved the wrong way */
    bool odd;
    uint32_t found; /* how often the frame was found mirrored */
} tl_axes;

/* `acc_lsb`: m/s^2 per code; `gyro_lsb`: rad/s per code. */
void tl_axes_init(tl_axes *axes, float acc_lsb, float gyro_lsb);

/* Forgets the block under way: before a sample that does not follow the one before it. */
void tl_axes_restart(tl_axes *axes);

/* One sample, `delta_us` after the one before it. */
void tl_axes_sample(tl_axes *axes, const int16_t code[TL_AXES_CHANNELS], uint32_t delta_us);

#endif
