/*
 * What a service manager wants to hear (sd_notify); nothing happens where there is none.
 */
#ifndef GF_BASE_SERVICE_H
#define GF_BASE_SERVICE_H

void gf_service_ready(void);
void gf_service_watchdog(void);
void gf_service_stopping(void);

#endif
