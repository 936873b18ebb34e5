/* engine.resample: the seeded generator, bootstrap replicates, and what else statistics needs that Lua leaves out or
** is slow at: two functions of the C library's mathematics, and sorting. */

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "binding.h"
#include "resample.h"

#define RNG "moonboot.rng"

/* A generator holds nothing that needs closing, so that it is a value like any other. */
static int rng_new (lua_State *L) {
  lua_Integer seed = luaL_checkinteger(L, 1);
  struct mb_rng *rng = lua_newuserdatauv(L, sizeof *rng, 0);
  mb_rng_seed(rng, (uint64_t)seed);
  luaL_setmetatable(L, RNG);
  return 1;
}

static int rng_integer (lua_State *L) {
  struct mb_rng *rng = luaL_checkudata(L, 1, RNG);
  lua_Integer n = luaL_checkinteger(L, 2);
  luaL_argcheck(L, n >= 1, 2, "must be at least 1");
  lua_pushinteger(L, 1 + (lua_Integer)mb_rng_below(rng, (uint64_t)n));
  return 1;
}

static int rng_number (lua_State *L) {
  struct mb_rng *rng = luaL_checkudata(L, 1, RNG);
  lua_pushnumber(L, mb_rng_unit(rng));
  return 1;
}

static int rng_tostring (lua_State *L) {
  lua_pushfstring(L, "%s: %p", RNG, luaL_checkudata(L, 1, RNG));
  return 1;
}

/* The list at `arg` as an array that Lua collects. */
static double *checknumbers (lua_State *L, int arg, size_t *n) {
  luaL_checktype(L, arg, LUA_TTABLE);
  *n = lua_rawlen(L, arg);
  luaL_argcheck(L, *n <= UINT32_MAX, arg, "too many values");
  double *xs = lua_newuserdatauv(L, (*n + 1) * sizeof *xs, 0);
  for (size_t i = 0; i < *n; i++) {
    int isnum;
    lua_rawgeti(L, arg, (lua_Integer)i + 1);
    xs[i] = lua_tonumberx(L, -1, &isnum);
    if (!isnum || lua_type(L, -1) != LUA_TNUMBER || !isfinite(xs[i])) {
      luaL_argerror(L, arg, lua_pushfstring(L, "value %d is not a finite number", (int)i + 1));
    }
    lua_pop(L, 1);
  }
  return xs;
}

static int replicates (lua_State *L) {
  static const char *const names[] = {"mean", "median", "stdev", NULL};
  size_t n;
  double *xs = checknumbers(L, 1, &n);
  enum mb_statistic statistic = (enum mb_statistic)luaL_checkoption(L, 2, NULL, names);
  lua_Integer resamples = luaL_checkinteger(L, 3);
  luaL_argcheck(L, resamples >= 1 && resamples <= INT_MAX / 2, 3, "must be 1 or more");
  struct mb_rng rng;
  mb_rng_seed(&rng, (uint64_t)luaL_checkinteger(L, 4));
  double *out = lua_newuserdatauv(L, (size_t)resamples * sizeof *out, 0);
  if (mb_resample(statistic, xs, n, out, (size_t)resamples, &rng) < 0) {
    int code = errno;
    if (code == EINVAL) return luaL_argerror(L, 1, "too few values for this statistic");
    return luaL_error(L, "resampling %d values: %s", (int)n, strerror(code));
  }
  lua_createtable(L, (int)resamples, 0);
  for (lua_Integer i = 0; i < resamples; i++) {
    lua_pushnumber(L, out[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* sorted(list of floats) -> a new list; nil if any is something else, such as an integer, which may have more digits
** than a double holds. */
static int sorted (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  size_t n = lua_rawlen(L, 1);
  luaL_argcheck(L, n <= INT_MAX, 1, "too many values");
  double *xs = lua_newuserdatauv(L, (2 * n + 1) * sizeof *xs, 0);
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i + 1);
    if (lua_type(L, -1) != LUA_TNUMBER || lua_isinteger(L, -1)) return 0;
    xs[i] = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
  mb_sort(xs, n, xs + n);
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    lua_pushnumber(L, xs[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int math_erfc (lua_State *L) {
  lua_pushnumber(L, erfc(luaL_checknumber(L, 1)));
  return 1;
}

static int math_lgamma (lua_State *L) {
  lua_Number x = luaL_checknumber(L, 1);
  luaL_argcheck(L, x > 0, 1, "must be above 0");
  int sign; /* of gamma(x), always 1 here; lgamma() would write it to a global */
  lua_pushnumber(L, lgamma_r(x, &sign));
  return 1;
}

static const luaL_Reg rng_methods[] = {
    {"integer", rng_integer},
    {"number", rng_number},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"random", rng_new}, {"replicates", replicates}, {"sorted", sorted},
    {"erfc", math_erfc}, {"lgamma", math_lgamma},    {NULL, NULL},
};

int luaopen_moonboot_resample (lua_State *L) {
  luaL_newmetatable(L, RNG);
  lua_pushcfunction(L, rng_tostring);
  lua_setfield(L, -2, "__tostring");
  luaL_newlib(L, rng_methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
