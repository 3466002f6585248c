//go:build amd64 && !generic

package kilic

// The library has assembly for amd64, with and without the ADX instructions,
// unless built with the tag generic.
const implementation = "Go+asm"
