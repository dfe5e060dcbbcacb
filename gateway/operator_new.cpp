// operator new of the program, over mimalloc. mimalloc's own ends the process where there is no memory: here the
// request that asked for it ends, and no other. Its operator delete fits both.
// [threats O09; docs/decisions/005-allocator.md]

#include <mimalloc.h>

#include <new>

namespace {

void* or_throw(void* memory) {
  if (!memory) throw std::bad_alloc();
  return memory;
}

void* aligned(std::size_t size, std::align_val_t alignment) {
  return or_throw(mi_malloc_aligned(size, static_cast<std::size_t>(alignment)));
}

}  // namespace

void* operator new(std::size_t size) { return or_throw(mi_malloc(size)); }
void* operator new[](std::size_t size) { return or_throw(mi_malloc(size)); }
void* operator new(std::size_t size, std::align_val_t alignment) { return aligned(size, alignment); }
void* operator new[](std::size_t size, std::align_val_t alignment) { return aligned(size, alignment); }
