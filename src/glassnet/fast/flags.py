"""What every C compiler is told, here or for a wheel. The build hook reads this file, so it imports nothing.

Not -ffast-math: NaN must stay NaN, and linking with it would change the arithmetic of the whole process.
-O3 takes twice as long to compile, and gains nothing measurable.
"""

FLAGS: list[str] = [
    "-std=gnu11",
    "-O2",
    "-ftree-vectorize",
    "-ffp-contract=fast",  # a * b + c is rounded once, where the processor can; said, because clang's default differs
    "-fno-math-errno",
    "-fno-trapping-math",
    "-shared",
    "-fPIC",
    "-pthread",
]
GCC: list[str] = ["-fvect-cost-model=dynamic"]  # saves 5 to 13% of the time on small tables; clang refuses it
CLANG_X86: list[str] = ["-mprefer-vector-width=512"]  # as the sources say: otherwise it halves the widest vectors
