package direct

// libraries has every library that is called directly, by the backend's ID.
var libraries = map[string]library{
	"gnark/bls12-381": libGnarkBLS12381,
	"gnark/bn254":     libGnarkBN254,
	"circl/bls12-381": libCIRCL,
	"kilic/bls12-381": libKilic,
	"blst/bls12-381":  libBLST, // empty in builds without it
	"miracl/fp256bn":  libMIRACL,
	"amcl/fp256bn":    libAMCL,
}
