#include "pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The address sanitizer is told which bytes are Lua's, so that it sees every use of others. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(block, size) ((void)(block), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(block, size) ((void)(block), (void)(size))
#endif

#define GRAIN 16 /* sizes are multiples of it, and it is what blocks are aligned to */
#define BLOCK_MAX 512
#define SIZES (BLOCK_MAX / GRAIN)

#define HUGE_PAGE ((size_t)2 << 20)
#define PIECE_MIN ((size_t)64 << 10)
#define PIECE_MAX ((size_t)16 << 20)

/* What is in a block, or at the beginning of a piece, while Lua does not use it. */
struct link {
  struct link *next;
};

struct mb_pool {
  struct link *free[SIZES];
  struct link *pieces;
  char *next, *end; /* of the last piece, what was never used */
  size_t size;      /* of all pieces */
};

static size_t index_of (size_t size) {
  return (size - 1) / GRAIN;
}

static size_t rounded (size_t size) {
  return (index_of(size) + 1) * GRAIN;
}

static bool is_small (size_t size) {
  return size <= BLOCK_MAX;
}

static void push (struct link **list, void *block) {
  struct link *link = block;
  link->next = *list;
  *list = link;
}

static void *pop (struct link **list) {
  struct link *link = *list;
  ASAN_UNPOISON_MEMORY_REGION(link, sizeof *link);
  *list = link->next;
  return link;
}

struct mb_pool *mb_pool_new (void) {
  return calloc(1, sizeof(struct mb_pool));
}

void mb_pool_free (struct mb_pool *pool) {
  while (pool->pieces != NULL) free(pop(&pool->pieces));
  free(pool);
}

/* The larger the pool, the larger its next piece: a fifth of it at most was never used. */
static bool add_piece (struct mb_pool *pool) {
  size_t size = pool->size / 4 / PIECE_MIN * PIECE_MIN;
  if (size < PIECE_MIN) size = PIECE_MIN;
  if (size > PIECE_MAX) size = PIECE_MAX;
  bool huge = size >= 2 * HUGE_PAGE;
  if (huge) size = size / HUGE_PAGE * HUGE_PAGE;
  char *piece = aligned_alloc(huge ? HUGE_PAGE : GRAIN, size);
  if (piece == NULL) return false;
  if (huge)
    madvise(piece, size, MADV_HUGEPAGE); /* a kernel that has none goes on with small ones */
  push(&pool->pieces, piece);            /* what is left of the last one is too little to matter */
  pool->next = piece + GRAIN;
  pool->end = piece + size;
  pool->size += size;
  ASAN_POISON_MEMORY_REGION(pool->next, size - GRAIN);
  return true;
}

static void *take (struct mb_pool *pool, size_t size) {
  if (!is_small(size)) return malloc(size);
  struct link **list = &pool->free[index_of(size)];
  char *block = NULL;
  if (*list != NULL) {
    block = pop(list);
  } else {
    if ((size_t)(pool->end - pool->next) < rounded(size) && !add_piece(pool)) return NULL;
    block = pool->next;
    pool->next += rounded(size);
  }
  ASAN_UNPOISON_MEMORY_REGION(block, size);
  return block;
}

static void give_back (struct mb_pool *pool, void *block, size_t size) {
  if (!is_small(size)) {
    free(block);
    return;
  }
  ASAN_UNPOISON_MEMORY_REGION(block, rounded(size));
  push(&pool->free[index_of(size)], block);
  ASAN_POISON_MEMORY_REGION(block, rounded(size));
}

void *mb_pool_resize (void *state, void *block, size_t old_size, size_t size) {
  struct mb_pool *pool = state;
  if (block == NULL) return size > 0 ? take(pool, size) : NULL;
  if (size == 0) {
    give_back(pool, block, old_size);
    return NULL;
  }
  if (!is_small(old_size) && !is_small(size)) return realloc(block, size);
  if (is_small(old_size) && is_small(size) && rounded(old_size) == rounded(size)) {
    ASAN_POISON_MEMORY_REGION(block, rounded(size));
    ASAN_UNPOISON_MEMORY_REGION(block, size);
    return block;
  }
  void *moved = take(pool, size);
  if (moved == NULL) return NULL;
  memcpy(moved, block, size < old_size ? size : old_size);
  give_back(pool, block, old_size);
  return moved;
}
