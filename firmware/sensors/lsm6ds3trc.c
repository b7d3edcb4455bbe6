/* LSM6DS3TR-C on SPI or I2C. ST data sheet DocID030071: identity in 9.12; what the driver uses of the other registers
 * is the LSM6DSO's. */
#define LSM6DS_WHO_AM_I 0x6Au

#include "sensors/lsm6ds.h"
