#include "ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A record is a stamp (8 bytes), a length (4) and the bytes, padded so that the next one is
** aligned. Records do not wrap: when one does not fit before the end, a length of SKIP sends the
** reader back to the start. Positions count bytes since the beginning and are never reduced. */
enum { HEADER = 12, ALIGNMENT = 16, CACHE_LINE = 64 };
#define SKIP UINT32_MAX

struct mb_ring { // NOLINT(clang-analyzer-optin.performance.Padding): the padding is the point
  char *data;
  size_t size; /* a power of two */
  /* What the two threads write lies on cache lines of their own. */
  _Alignas(CACHE_LINE) _Atomic size_t head; /* the writer's position */
  size_t known_tail;                        /* the writer's last look at tail */
  _Alignas(CACHE_LINE) _Atomic size_t tail; /* what the reader has released */
  size_t known_head;                        /* the reader's last look at head */
  size_t position;                          /* the reader's, at or beyond tail */
};

struct mb_ring *mb_ring_new (size_t size_bytes) {
  size_t size = MB_RING_SIZE_MIN;
  if (size_bytes > SIZE_MAX / 4) {
    errno = ENOMEM;
    return NULL;
  }
  size_t wanted = size_bytes > size ? size_bytes : size;
  for (size = 1; size < wanted;) size *= 2;
  struct mb_ring *ring = aligned_alloc(CACHE_LINE, sizeof *ring);
  if (ring == NULL) return NULL;
  /* Pages of a mapping cost memory only once they are used: a quiet line stays small. */
  void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    free(ring);
    return NULL;
  }
  memset(ring, 0, sizeof *ring);
  ring->data = data;
  ring->size = size;
  atomic_init(&ring->head, 0);
  atomic_init(&ring->tail, 0);
  return ring;
}

void mb_ring_free (struct mb_ring *ring) {
  if (ring == NULL) return;
  munmap(ring->data, ring->size);
  free(ring);
}

static size_t record_size (size_t n) {
  return (HEADER + n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

bool mb_ring_push (struct mb_ring *ring, int64_t t_ns, const char *data, size_t n) {
  if (n > MB_RING_CHUNK_MAX) return false;
  size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
  size_t at = head & (ring->size - 1);
  size_t skipped = ring->size - at < record_size(n) ? ring->size - at : 0;
  size_t end = head + skipped + record_size(n);
  if (end - ring->known_tail > ring->size) {
    ring->known_tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (end - ring->known_tail > ring->size) return false;
  }
  if (skipped > 0) {
    uint32_t skip = SKIP;
    memcpy(ring->data + at + sizeof t_ns, &skip, sizeof skip);
    at = 0;
  }
  uint32_t length = (uint32_t)n;
  memcpy(ring->data + at, &t_ns, sizeof t_ns);
  memcpy(ring->data + at + sizeof t_ns, &length, sizeof length);
  memcpy(ring->data + at + HEADER, data, n);
  atomic_store_explicit(&ring->head, end, memory_order_release);
  return true;
}

bool mb_ring_next (struct mb_ring *ring, struct mb_chunk *chunk) {
  if (ring->position == ring->known_head) {
    ring->known_head = atomic_load_explicit(&ring->head, memory_order_acquire);
    if (ring->position == ring->known_head) return false;
  }
  size_t at = ring->position & (ring->size - 1);
  uint32_t length;
  memcpy(&length, ring->data + at + sizeof chunk->t_ns, sizeof length);
  if (length == SKIP) { /* its record follows at the start: both were published as one */
    ring->position += ring->size - at;
    at = 0;
    memcpy(&length, ring->data + sizeof chunk->t_ns, sizeof length);
  }
  memcpy(&chunk->t_ns, ring->data + at, sizeof chunk->t_ns);
  chunk->data = ring->data + at + HEADER;
  chunk->n = length;
  ring->position += record_size(length);
  return true;
}

void mb_ring_release (struct mb_ring *ring) {
  atomic_store_explicit(&ring->tail, ring->position, memory_order_release);
}
