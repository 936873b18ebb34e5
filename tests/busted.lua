-- Runs busted inside moonboot itself, so that a sanitizer build tests the library too.
require "busted.runner" { standalone = false }
