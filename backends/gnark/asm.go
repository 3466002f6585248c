//go:build !purego

package gnark

// purego tells whether gnark-crypto was built without its assembly.
const purego = false
