local digest = require "moonboot.digest"
local files = require "moonboot.files"

-- FIPS 180-2, appendix B.1.
local ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

describe("digest", function()
  it("knows the standard's example", function()
    assert.equal(ABC, digest.text "abc")
  end)

  it("digests files with awkward names", function()
    local dir <close> = assert(files.temp_dir "moonboot-spec-")
    local path = dir.path .. "/-a\\b\nc"
    assert(files.write(path, "abc"))
    assert.equal(ABC, digest.file(path))
  end)

  it("says when a file is not there", function()
    local sum, message = digest.file "/no/such/file"
    assert.is_nil(sum)
    assert.matches("No such file", message)
  end)
end)
