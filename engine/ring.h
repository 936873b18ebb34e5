/* A ring of stamped chunks between one writing and one reading thread, without locks.
** A full ring refuses a chunk: the writer never waits. Chunks of up to 4 bytes, the common case,
** take 16 bytes of the ring; n bytes take 12 + n, rounded up to 16. */
#ifndef MB_RING_H
#define MB_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MB_RING_CHUNK_MAX = 4096, MB_RING_SIZE_MIN = 4 * (MB_RING_CHUNK_MAX + 16) };

struct mb_ring;

struct mb_chunk {
  int64_t t_ns;
  const char *data; /* inside the ring */
  size_t n;
};

/* `size_bytes` is rounded up to a power of two. NULL and errno when there is no memory. */
struct mb_ring *mb_ring_new (size_t size_bytes);
void mb_ring_free (struct mb_ring *ring); /* NULL is fine */

/* Writer. False: no room now (or n is over MB_RING_CHUNK_MAX), nothing was stored. */
bool mb_ring_push (struct mb_ring *ring, int64_t t_ns, const char *data, size_t n);

/* Reader. mb_ring_next() steps to the next chunk; false: there is none now. What it showed stays
** valid until mb_ring_release(), which gives all of it back to the writer: release once per batch.
*/
bool mb_ring_next (struct mb_ring *ring, struct mb_chunk *chunk);
void mb_ring_release (struct mb_ring *ring);

#endif
