-- Runs busted inside moonboot itself, so that a sanitizer build tests the library too.
require "luv" -- before busted, which unloads what a test file loads: the program must find it to close what is open
require "busted.runner" { standalone = false }
