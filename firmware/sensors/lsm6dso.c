/* LSM6DSO on SPI or I2C. ST data sheet DS12140: identity in 9.11, SPI protocol in 5.1. */
#define LSM6DS_WHO_AM_I 0x6Cu

#include "sensors/lsm6ds.h"
