/* Failures on request: the switches of README.md. */

#ifndef FAULTS_H
#define FAULTS_H

/* Called as each phase begins; does not return if this is where the guest has to fail. */
void faults_at (const char *phase);

/* Bytes that are no text, if they are asked for. */
void faults_garbage (void);

#endif
