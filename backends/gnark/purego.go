//go:build purego

package gnark

const purego = true
