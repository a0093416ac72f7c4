//! Models for tests: one migration at 20 %, and what can befall it.
