-- Made by: python3 tests/stdlib/reference/stats.py > tests/stdlib/reference/stats_scipy.lua
-- SciPy 1.10.1, NumPy 1.24.2
-- luacheck: no max line length
return {
  -- BCa intervals at 0.95 from 400,000 resamples.
  bca = {
    { name = "mean", xs = { 63.0, 70.2, 65.1, 64.9, 66.8, 65.0, 64.2 }, low = 64.4, high = 67.828571429 },
    { name = "mean", xs = { 1.2, 1.9, 2.2, 2.3, 2.9, 3.1, 3.3, 4.0, 4.6, 5.8, 7.7, 12.4 }, low = 3.033333333, high = 6.75 },
    { name = "stdev", xs = { 1.2, 1.9, 2.2, 2.3, 2.9, 3.1, 3.3, 4.0, 4.6, 5.8, 7.7, 12.4 }, low = 1.633433825, high = 5.067557126483451 },
  },
  -- Mann-Whitney with ties: the whole permutation distribution, p twice the smaller tail.
  tied = {
    { x = { 10.0, 11.0, 11.0, 12.0, 12.0, 12.0, 13.0 }, y = { 11.0, 12.0, 13.0, 13.0, 14.0, 14.0 }, u = 8.5, p = 0.10023310023310024 },
    { x = { 3.0, 3.0, 3.0, 4.0 }, y = { 3.0, 4.0, 4.0, 4.0, 5.0, 5.0, 6.0 }, u = 4.0, p = 0.10303030303030303 },
  },
}
