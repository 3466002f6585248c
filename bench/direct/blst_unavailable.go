//go:build !cgo || !(amd64 || arm64)

package direct

// libBLST needs cgo, and assembly for the processor.
var libBLST library
