//go:build !amd64 || generic

package kilic

const implementation = "Go"
