// Package pages gives memory its pages before it is written.
//
// The first write to each 4 KB of new memory stops the program until the system has found a page for it. Reading 538 MB from the
// system's file cache into new memory on two threads takes 0.20 s that way, and 0.16 s where the pages of each megabyte are asked
// for at once.
package pages

// Populate gives b its pages, which changes no byte of it. The whole of b is to be written soon after: memory that is not wanted
// would be taken as well. It does nothing on systems other than Linux, and on a Linux before 5.14.
func Populate(b []byte) { populate(b) }
