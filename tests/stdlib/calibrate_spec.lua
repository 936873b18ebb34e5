local calibrate = require "moonboot.calibrate"
local calibration = require "moonboot.calibration"
local files = require "moonboot.files"
local host = require "moonboot.host"
local to_text = require "moonboot.calibrate.text"
local uv = require "luv"

describe("calibrate", function()
  it("gives the distribution of the errors", function()
    local errors_ns = {}
    for i = 1, 1000 do errors_ns[i] = i * 1000 end
    local figures = calibrate.figures(errors_ns, 24)
    assert.equal(1024, figures.bytes)
    assert.equal(24, figures.lost)
    assert.equal(500.5, figures.p50_us)
    assert.equal(1000, figures.max_us)
    assert.is_true(figures.p90_us > 899 and figures.p90_us < 902)
    assert.is_true(figures.p99_us < figures.p999_us and figures.p999_us < figures.max_us)
  end)

  it("has no figures where nothing arrived", function()
    assert.same({ bytes = 5, lost = 5, histogram = {} }, calibrate.figures({}, 5))
  end)

  it("counts in bins that double", function()
    assert.same({
      { to_us = 1, count = 3 }, { from_us = 1, to_us = 2, count = 2 }, { from_us = 2, to_us = 4, count = 1 },
      { from_us = 4, to_us = 8, count = 0 }, { from_us = 8, to_us = 16, count = 1 },
    }, calibrate.histogram { 0.9, 0, -3, 1, 1.9, 2, 8 })
    assert.same({ { from_us = 4, to_us = 8, count = 2 } }, calibrate.histogram { 4, 7.9 })
    local total = 0
    for _, bin in ipairs(calibrate.histogram { 1 << 20, 3 }) do total = total + bin.count end
    assert.equal(2, total)
  end)

  local function result(changes)
    local t = calibrate.figures({ 3000, 4000, 9000 }, 0)
    for name, value in pairs {
      strange = 0, clock_source = "kernel", transport = "kernel", scheduling = "fifo", sndbuf_bytes = 1 << 25,
      clock_step_ns = 20, load = 0, taken_at = "2026-11-24T15:00:00.000000Z", duration_s = 2, accelerator = "tcg",
      hostname = host.name(), kernel = host.kernel(), qemu_version = "7.2.22", schema = calibrate.SCHEMA,
    } do t[name] = value end
    for name, value in pairs(changes or {}) do t[name] = value end
    return t
  end

  it("says what the host did not grant", function()
    local quiet = to_text(result())
    assert.matches("p50 +p90 +p99 +p99.9 +max", quiet)
    assert.matches("4 to 8 us +1  ####", quiet)
    for _, word in ipairs { "SCHED_FIFO", "send buffer", "stepped", "cannot stamp" } do
      assert.is_nil(quiet:find(word, 1, true))
    end
    local poor = to_text(result {
      clock_source = "read", scheduling = "other", sndbuf_bytes = 425984, clock_step_ns = 5000000, strange = 2,
      load = 3,
    })
    assert.matches("cannot stamp a console here: bytes were stamped when they were read", poor)
    assert.matches("No right to SCHED_FIFO: the drain thread is scheduled like any other", poor)
    assert.matches("A send buffer of 416.0 KiB is all", poor)
    assert.matches("stepped by 5.0 ms", poor)
    assert.matches("2 bytes arrived that the guest did not send", poor)
    assert.matches("beside 3 busy loops", poor)
  end)

  describe("on record", function()
    local dir, former

    before_each(function()
      dir, former = assert(files.make_temp_dir "/tmp/moonboot-spec-"), os.getenv "MOONBOOT_CACHE"
      uv.os_setenv("MOONBOOT_CACHE", dir .. "/cache")
    end)

    after_each(function()
      if former then uv.os_setenv("MOONBOOT_CACHE", former) else uv.os_unsetenv "MOONBOOT_CACHE" end
      files.remove(dir)
    end)

    it("is the newest of this host and transport", function()
      assert.is_nil(calibration.latest())
      assert(calibration.keep(result { max_us = 1 }))
      assert(calibration.keep(result { max_us = 2 }))
      assert(calibration.keep(result { max_us = 3, transport = "read" }))
      assert(calibration.keep(result { max_us = 4, hostname = "elsewhere" }))
      assert.equal(2, calibration.latest().max_us)
      assert.equal(3, calibration.latest("read").max_us)
      assert.is_nil(calibration.latest().histogram)
    end)

    it("is unknown when the file is damaged", function()
      assert(files.make_dir(dir .. "/cache"))
      for _, content in ipairs { "", "{", "[1]", '{"vm":3}', ('{"%s":{"kernel":7}}'):format(host.name()) } do
        assert(files.write(dir .. "/cache/calibrations.json", content))
        assert.is_nil(calibration.latest())
      end
      assert(calibration.keep(result()))
      assert.is_table(calibration.latest())
    end)

    it("says why it cannot be kept", function()
      assert(files.write(dir .. "/cache", "a file"))
      local kept, message = calibration.keep(result())
      assert.is_nil(kept)
      assert.matches("cache is a file, not a directory", message)
    end)
  end)

  it("is stated by reports, with what has changed since", function()
    assert.matches("^no calibration of this host is on record", calibration.sentence {})
    local sentence = calibration.sentence {
      calibration = result { load = 3, lost = 1 }, qemu_version = "9.0.0", kernel = host.kernel(), accelerator = "tcg",
    }
    assert.equal("stamp error of this host by its latest calibration (2026-11-24T15:00:00.000000Z, "
      .. "beside 3 busy loops, transport kernel): p50 4.0 us, p99 8.9 us, p99.9 9.0 us, max 9.0 us; "
      .. "1 of 3 bytes lost; then QEMU was 7.2.22", sentence)
  end)
end)
