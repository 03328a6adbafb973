// Carries the precompiled header of the tests, which needs a translation unit to belong to.
