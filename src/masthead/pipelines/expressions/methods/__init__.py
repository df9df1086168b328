"""What can be called on values: Java's methods, one table a type, and the types of ``T(…)`` and ``new``."""
