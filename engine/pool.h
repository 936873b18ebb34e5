/* Memory for Lua: small blocks of a few sizes, cut out of large pieces, for one thread.
** A report keeps a million small blocks and goes through all of them again and again. Here they lie close together,
** without headers, and once there are many of them on huge pages, so that far fewer addresses have to be translated.
** Large blocks are malloc's. Pieces are given back all at once, when the pool is. */
#ifndef MB_POOL_H
#define MB_POOL_H

#include <stddef.h>

struct mb_pool;

/* NULL: out of memory. */
struct mb_pool *mb_pool_new (void);

void mb_pool_free (struct mb_pool *pool);

/* A lua_Alloc: makes a block (`block` is NULL; `old_size` does not matter), changes its size, or frees it (`size` is 0).
** NULL: freed, or out of memory; then the block is what it was. */
void *mb_pool_resize (void *pool, void *block, size_t old_size, size_t size);

#endif
