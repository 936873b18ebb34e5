TEST_PACKAGES += asciinema
