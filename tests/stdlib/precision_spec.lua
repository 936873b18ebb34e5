local precision = require "moonboot.precision"

describe("precision", function()
  local NARROW = { 100, 100.5, 101, 100.2, 100.8, 100.4 }

  it("is reached when the interval of the median is narrow enough", function()
    local judged = precision.of(NARROW, 0.02, true)
    assert.is_true(judged.met)
    assert.is_false(judged.gave_up)
    assert.equal("precise enough after 6 samples: the 95 % interval of the median is within 0.55 % of it, wanted 2 %",
      precision.sentence(judged))
  end)

  it("says when a run gave up", function()
    local judged = precision.of(NARROW, 0.001, true)
    assert.is_false(judged.met)
    assert.is_true(judged.gave_up)
    assert.equal("gave up after 6 samples: the 95 % interval of the median is within 0.55 % of it, wanted 0.1 %",
      precision.sentence(judged))
    assert.matches("^not yet precise enough after 6", precision.sentence(precision.of(NARROW, 0.001, false)))
  end)

  it("does not claim to know what too few samples cannot tell", function()
    local judged = precision.of({ 100 }, 0.02, true)
    assert.is_nil(judged.reached)
    assert.is_true(judged.gave_up)
    assert.equal("gave up after 1 sample: the 95 % interval of the median is unknown (too few samples are ok), "
      .. "wanted 2 %", precision.sentence(judged))
  end)
end)
