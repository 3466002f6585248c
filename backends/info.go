package backends

import "runtime/debug"

// ConstantTime is a library's own standing on secret-dependent timing.
type ConstantTime string

const (
	// ConstantTimeNo: the library is variable-time on secret scalars and does
	// not claim otherwise.
	ConstantTimeNo ConstantTime = "no"
	// ConstantTimeClaimed: the library's authors mean scalar multiplication
	// to be constant-time. A claim, not a proof.
	ConstantTimeClaimed ConstantTime = "claimed"
)

// Info describes a backend.
type Info struct {
	// ID is "<short library name>/<curve>", for example "gnark/bls12-381".
	ID string
	// Library is the library's full name, for example "gnark-crypto".
	Library string
	Curve   Curve
	// Version is the module version from the build information.
	Version string
	// Implementation tells what the library is written in and, where it has
	// several, which implementation runs here: "Go+asm", "Go", "C+asm".
	Implementation string
	ConstantTime   ConstantTime
	// ConstantTimeSource says where ConstantTime was read.
	ConstantTimeSource string
}

// Entry is a backend as listed: built in and running, or not, and why.
type Entry struct {
	Info Info
	// Backend is nil where the backend cannot run here.
	Backend Backend
	// Reason says why Backend is nil, and is empty where it is not.
	Reason string
}

// Available makes the Entry of a backend that runs here.
func Available(b Backend) Entry { return Entry{Info: b.Info(), Backend: b} }

// ModuleVersion returns the version of the module at path that this binary was
// built with, "(devel)" for the main module, or "unknown" without build
// information.
func ModuleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if info.Main.Path == path {
		return "(devel)"
	}
	for _, d := range info.Deps {
		if d.Path == path {
			if d.Replace != nil {
				return d.Replace.Version
			}
			return d.Version
		}
	}
	return "unknown"
}
