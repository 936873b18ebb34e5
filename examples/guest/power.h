#ifndef POWER_H
#define POWER_H

_Noreturn void power_off (void);
_Noreturn void power_reset (void);

#endif
