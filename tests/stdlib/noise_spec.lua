local noise = require "moonboot.noise"

describe("noise", function()
  local BEFORE = {
    taken_ns = 0, own_ns = 50000000, guest_ns = 100000000, pressure_us = 1000, steal_ticks = 5, busy_ticks = 1000,
    frequency_khz = 2000000,
  }

  -- A second look, a second later: QEMU had 900 ms of CPU time and moonboot 10, unless told otherwise.
  local function after(changes)
    local seen = {
      taken_ns = 1000000000, own_ns = 60000000, guest_ns = 1000000000, pressure_us = 1000, steal_ticks = 5,
      busy_ticks = 1091, frequency_khz = 2000000,
    }
    for name, value in pairs(changes or {}) do seen[name] = value end
    return seen
  end

  local function judge(changes, how)
    return noise.judge(noise.between(BEFORE, after(changes)), how or { alone = true })
  end

  it("leaves a quiet boot alone", function()
    assert.same({ pressure_share = 0, steal_share = 0, other_load_share = 0, frequency_change = 0 },
      noise.between(BEFORE, after()))
    assert.same({}, judge())
    assert.same({}, judge({}, { crowded = true, alone = true, clock_step_ns = noise.CLOCK_STEP_NS }))
  end)

  it("names each disturbance with its figure", function()
    assert.same({ "pressure: tasks waited for a CPU during 12.5 % of the boot" }, judge { pressure_us = 126000 })
    assert.same({ "steal: the hypervisor took 8.0 % of a core away during the boot" }, judge { steal_ticks = 13 })
    assert.same({ "frequency: the cores' clock rate changed by -20.0 % during the boot" },
      judge { frequency_khz = 1600000 })
    assert.same({ "frequency: the cores' clock rate changed by +10.0 % during the boot" },
      judge { frequency_khz = 2200000 })
    assert.same({ "clock: the host's clock was stepped by 3600000.0 ms during the boot" },
      judge({}, { clock_step_ns = 3600000000000 }))
    assert.equal(3, #judge { pressure_us = 126000, steal_ticks = 13, frequency_khz = 1600000 })
  end)

  it("calls a disturbance what exceeds the limit, not what reaches it", function()
    assert.same({}, judge { pressure_us = 1000 + noise.LIMIT * 1e6, steal_ticks = 10, frequency_khz = 1900000 })
  end)

  it("does not blame others for the guest's own threads", function()
    local changes = { pressure_us = 900000 }
    assert.same({}, judge(changes, { crowded = true, alone = true }))
    changes.busy_ticks = 1191
    assert.same({ "load: other processes had 100.0 % of a core during the boot" },
      judge(changes, { crowded = true, alone = true }))
    assert.same({}, judge(changes, { crowded = true, alone = false }))
  end)

  it("does not take the rounding of a counter for a disturbance", function()
    local short = { taken_ns = 50000000, steal_ticks = 6 }
    assert.equal(0, noise.between(BEFORE, after(short)).steal_share)
    short.steal_ticks = 7
    assert.equal(0.4, noise.between(BEFORE, after(short)).steal_share)
  end)

  it("leaves unknown what the host does not say", function()
    assert.same({}, noise.between({ taken_ns = 0, own_ns = 0 }, { taken_ns = 10, own_ns = 5 }))
    assert.same({}, noise.judge({}, { crowded = true, alone = true }))
    -- QEMU could not be asked at the beginning.
    assert.is_nil(noise.between({ taken_ns = 0, own_ns = 0, busy_ticks = 1 }, after()).other_load_share)
  end)

  it("knows the kind of a reason", function()
    assert.equal("pressure", noise.kind(judge({ pressure_us = 126000 })[1]))
  end)

  it("looks at this host", function()
    local seen = noise.look(require("luv").os_getpid())
    assert.is_true(seen.taken_ns > 0)
    assert.is_true(seen.own_ns >= 0)
    -- This process is its own guest here: both figures are CPU time of the same one, in different units.
    assert.is_true(math.abs(seen.own_ns - seen.guest_ns) < 1000000000)
    assert.is_nil(noise.look(0).guest_ns)
  end)
end)
