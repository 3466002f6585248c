package gnark

import (
	"runtime"

	"github.com/consensys/gnark-crypto/utils/cpu"
)

// implementation tells which code gnark-crypto runs here. It has assembly for
// amd64 and arm64 unless built with the tag purego; on amd64 without the ADX
// and BMI2 instructions its multiplication falls back to Go, and on arm64 some
// base fields have none, which arm64 tells.
func implementation(arm64 bool) string {
	asm := false
	switch runtime.GOARCH {
	case "amd64":
		asm = cpu.SupportADX // false under purego
	case "arm64":
		asm = arm64 && !purego
	}
	if asm {
		return "Go+asm"
	}
	return "Go"
}
