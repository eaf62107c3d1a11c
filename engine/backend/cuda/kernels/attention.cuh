// What both kinds of attention kernels know of packed segments.
#pragma once
#include "common.cuh"

// A Tile is a few rows of one segment. Forward and for dQ they are queries, for dK and dV keys.
struct Tile {
  int row;    // the first row, of q or of k
  int n;      // rows
  int other;  // the segment's first row on the other side
  int len;    // how many rows the segment has there
  int at;     // the first row's place in its segment
};

// The keys that a query sees: from first up to, not including, end. i is its place in a segment of Q queries and L keys.
struct Range {
  int first, end;
};
__device__ __forceinline__ Range visible(int i, int lead, int L, int window, int full) {
  int own = lead + i;  // the key that the query stands at; lead: the keys before those of the first query
  Range r;
  r.first = window > 0 && own + 1 > window ? own + 1 - window : 0;
  r.end = !full ? own + 1 : window > 0 && own + window < L ? own + window : L;
  return r;
}

// The queries that see any key of a tile, in a segment of equal ranges.
__device__ __forceinline__ Range seeing(const Tile& tile, int window, int full) {
  Range r = {tile.at, tile.len};
  if (full) r.first = window > 0 && tile.at + 1 > window ? tile.at + 1 - window : 0;
  if (window > 0 && tile.at + tile.n - 1 + window < r.end) r.end = tile.at + tile.n - 1 + window;
  return r;
}
