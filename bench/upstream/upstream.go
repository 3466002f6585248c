// Package upstream lists what was found in the libraries under M-Pin: defects,
// and traps that their documentation does or does not tell of.
//
// Each finding has a test against the pinned version that reproduces it with
// the library alone. The test fails when the library behaves otherwise, so that
// a finding that no longer holds cannot stay on the list.
package upstream

// Kind tells defects from traps.
type Kind string

const (
	// Defect: the library does not do what it says or what its standard says.
	Defect Kind = "defect"
	// Trap: it does what its authors mean it to do, and a caller who expects
	// what other libraries do is wrong.
	Trap Kind = "trap"
)

// Library is a library at a version.
type Library struct {
	Name string
	// Module is the Go module's path, or an npm package's name where NPM is set.
	Module, Version string
	NPM             bool
}

// String returns name and version.
func (l Library) String() string { return l.Name + " " + l.Version }

// The libraries at the versions that this project pins.
var (
	gnark  = Library{Name: "gnark-crypto", Module: "github.com/consensys/gnark-crypto", Version: "v0.22.0"}
	circl  = Library{Name: "circl", Module: "github.com/cloudflare/circl", Version: "v1.6.5"}
	kilic  = Library{Name: "kilic/bls12-381", Module: "github.com/kilic/bls12-381", Version: "v0.1.0"}
	blst   = Library{Name: "blst", Module: "github.com/supranational/blst", Version: "v0.3.17"}
	miracl = Library{Name: "MIRACL Core (fabric-amcl, core)", Module: "github.com/hyperledger/fabric-amcl", Version: "v0.0.0-20230602173724-9e02669dceb2"}
	amcl   = Library{Name: "AMCL 3 (fabric-amcl, amcl)", Module: "github.com/hyperledger/fabric-amcl", Version: "v0.0.0-20230602173724-9e02669dceb2"}
	js     = Library{Name: "milagro-crypto-js", Module: "milagro-crypto-js", Version: "3.3.0", NPM: true}
)

// Finding is an entry of the list.
type Finding struct {
	// ID is stable; the report's anchors are made from it.
	ID        string
	Kind      Kind
	Libraries []Library
	// What the library does, what follows for who relies on it, how it was
	// found, and what this project does about it.
	What, Consequence, Found, Here string
	// Status is what is known of it upstream.
	Status string
}

// unreported is the status of what was looked for in public issues, without a
// find. This project has not reported it either.
const unreported = "no report found in public issues"

// Findings lists what was found, by library.
func Findings() []Finding { return findings }

var findings = []Finding{
	{
		ID: "gnark-bw6-633-g1-order-3", Kind: Defect, Libraries: []Library{gnark},
		What:        "On bw6-633, G1Affine.IsInSubGroup accepts points of order 3, for example (0, 2), and the sum of one with any point of the subgroup: the identity that it tests holds for points whose order divides 3r.",
		Consequence: "SetBytes, which relies on it, decodes points outside the subgroup. The pairing does not see the difference, so that three points pass where one should.",
		Found:       "Trying a point of each small prime order that divides the cofactor on every decoder.",
		Here:        "The backend multiplies by r after the library’s test on this group.",
		Status:      unreported,
	},
	{
		ID: "gnark-bw6-761-g2-order-3", Kind: Defect, Libraries: []Library{gnark},
		What:        "On bw6-761, G2Affine.IsInSubGroup accepts points of order 3, for example (0, 2).",
		Consequence: "As on bw6-633, for public keys and server secrets in G2.",
		Found:       "Trying a point of each small prime order that divides the cofactor on every decoder.",
		Here:        "The backend multiplies by r after the library’s test on this group.",
		Status:      unreported,
	},
	{
		ID: "gnark-line-table-overwritten", Kind: Defect, Libraries: []Library{gnark},
		What:        "PairingCheckFixedQ and MillerLoopFixedQ evaluate the caller’s line table in place and leave it overwritten.",
		Consequence: "A table is good for one call. The second check with it gives a wrong verdict without an error, and concurrent checks race.",
		Found:       "Calling a prepared check twice.",
		Here:        "The backend copies the table for each call (about 1 µs).",
		Status:      unreported,
	},
	{
		ID: "gnark-trailing-bytes", Kind: Trap, Libraries: []Library{gnark},
		What:        "G1Affine.SetBytes and G2Affine.SetBytes read a prefix of their input and accept whatever follows; they return how much was read.",
		Consequence: "Who does not compare that number has many encodings for one point: replay caches and signatures over encodings can be evaded.",
		Found:       "Conformance suite: one byte appended.",
		Here:        "Lengths are checked before the library sees the bytes.",
		Status:      "documented by the return value",
	},
	{
		ID: "gnark-long-dst-refused", Kind: Defect, Libraries: []Library{gnark},
		What:        "HashToG1 and its neighbours refuse domain separation tags over 255 bytes. RFC 9380, section 5.3.3, says how to shorten them.",
		Consequence: "Protocols with long tags work with other libraries and fail here.",
		Found:       "Comparing all libraries’ hashes over lengths of the tag.",
		Here:        "Tags are shortened before the library sees them.",
		Status:      unreported,
	},
	{
		ID: "kilic-long-dst-wrong", Kind: Defect, Libraries: []Library{kilic},
		What:        "HashToCurve means to refuse domain separation tags over 255 bytes and does not: it converts the length to a byte before comparing it with 255. The result is a hash under the tag with its length modulo 256.",
		Consequence: "Neither an error nor the point of RFC 9380: two implementations disagree silently.",
		Found:       "Comparing all libraries’ hashes over lengths of the tag.",
		Here:        "Tags are shortened before the library sees them.",
		Status:      "pull request kilic/bls12-381#15 of 2020 handles long tags; it is open",
	},
	{
		ID: "kilic-fr-keeps-r", Kind: Defect, Libraries: []Library{kilic},
		What:        "Fr.FromBytes reduces what is greater than r and leaves r itself as it is: a second representation of zero.",
		Consequence: "IsZero says no to it and Equal tells it from zero; a check that refuses zero scalars can be passed with r.",
		Found:       "Comparing scalar arithmetic with math/big at the edges.",
		Here:        "Scalars at or above r are refused or reduced before the library sees them.",
		Status:      unreported,
	},
	{
		ID: "blst-miller-loop-n-identity", Kind: Defect, Libraries: []Library{blst},
		What:        "Fp12MillerLoopN gives a wrong product of several pairs if a point of G2 among them is the identity; Fp12MillerLoop of that pair alone gives one.",
		Consequence: "A product of pairings with an identity among its arguments gets a wrong verdict.",
		Found:       "Conformance suite: pairs with an identity contribute nothing.",
		Here:        "The backend leaves such pairs out.",
		Status:      unreported + "; another project that calls it met the same (firedancer-io/firedancer#9414)",
	},
	{
		ID: "blst-uncompress-no-subgroup-check", Kind: Trap, Libraries: []Library{blst},
		What:        "P1Affine.Uncompress and P2Affine.Uncompress return points outside the subgroup; InG1 and InG2 are calls of their own.",
		Consequence: "Who takes decoding for validation, as with gnark-crypto or circl, works with points of small order.",
		Found:       "Conformance suite: points outside the subgroup.",
		Here:        "The backend calls InG1 and InG2.",
		Status:      "documented",
	},
	{
		ID: "blst-deserialize-ignores-second-half", Kind: Defect, Libraries: []Library{blst},
		What:        "P1Affine.Deserialize takes 96 bytes, and P2Affine.Deserialize 192, with the flag of the compressed form set, decompresses the first half and ignores the second.",
		Consequence: "One point of G1 has 2^384 encodings of the same length: replay caches and signatures over encodings can be evaded.",
		Found:       "Conformance suite: every flag bit at every length.",
		Here:        "Flags and lengths are checked before the library sees the bytes.",
		Status:      unreported,
	},
	{
		ID: "miracl-g2-decompression-off-curve", Kind: Defect, Libraries: []Library{miracl},
		What:        "ECP2_fromBytes of a compressed point returns a point that is not on the curve for some x for which x³ + b is real, and G2member accepts it.",
		Consequence: "A server secret or public key that passes every check the library has and lies on no curve of known order.",
		Found:       "Comparing decompression with the reference backend’s on abscissas for which x³ + b is real.",
		Here:        "The backend computes the square root itself.",
		Status:      unreported,
	},
	{
		ID: "miracl-any-prefix", Kind: Defect, Libraries: []Library{miracl},
		What:        "ECP2_fromBytes reads any first byte but 04 as that of a compressed point, with the sign in its lowest bit.",
		Consequence: "More than a hundred encodings of one compressed point; bytes of another format decode to some point.",
		Found:       "Conformance suite: every first byte.",
		Here:        "The first byte is checked before the library sees the bytes.",
		Status:      unreported,
	},
	{
		ID: "amcl-g2-unchecked", Kind: Defect, Libraries: []Library{amcl},
		What:        "ECP2_fromBytes returns points outside the subgroup, and the library’s M-Pin functions use them without a check.",
		Consequence: "A server secret or share sent in G2 can leave the group of order r.",
		Found:       "Conformance suite: points of the twist outside the subgroup.",
		Here:        "The backend multiplies by r when it decodes.",
		Status:      unreported,
	},
	{
		ID: "amcl-fp2-root-missed", Kind: Defect, Libraries: []Library{amcl},
		What:        "NewECP2fp2 gives the identity, its sign for “no point has this x”, for some x that have points: those for which x³ + b is real. The square root in F_p² misses them.",
		Consequence: "Valid compressed points are refused.",
		Found:       "Comparing the decoders of AMCL, MIRACL Core and the reference backend on such abscissas.",
		Here:        "The backend takes those roots in F_p.",
		Status:      unreported,
	},
	{
		ID: "amcl-miracl-pin-int32", Kind: Defect, Libraries: []Library{amcl, miracl},
		What:        "MPIN_EXTRACT_PIN and MPIN_CLIENT_1 convert the PIN to an int32 before they reduce it modulo 10000: PINs from 2^31 on become negative and come out as other tokens than those of their remainders.",
		Consequence: "A PIN of ten digits or more set in one implementation does not work in another.",
		Found:       "Agreement tests against both libraries with PINs up to twelve digits.",
		Here:        "The agreement tests stop at 2^31 − 1; this project reduces the number as it is.",
		Status:      unreported,
	},
	{
		ID: "amcl-kangaroo-misses", Kind: Defect, Libraries: []Library{amcl},
		What:        "MPIN_KANGAROO gives 0, its sign for “no error of a PIN”, for many errors within its range of 10000.",
		Consequence: "A lock-out policy built on it takes wrong PINs of token holders for attacks of strangers.",
		Found:       "Comparing with an exhaustive baby-step giant-step search.",
		Here:        "Verifier.PINError searches with baby and giant steps, which miss none.",
		Status:      "a test that failed so was reported for another curve and closed as not reproducible (apache/incubator-milagro-crypto-js#26)",
	},
	{
		ID: "milagro-js-one-pass-leaves-u-out", Kind: Defect, Libraries: []Library{js},
		What:        "MPIN.CLIENT, the one-pass protocol, sets its xID to null when it is given a date, and never writes U. AMCL writes both U and U_T.",
		Consequence: "A server gets no U from such a client and cannot compute the error of a PIN.",
		Found:       "Agreement tests between AMCL, milagro-crypto-js and this project.",
		Here:        "U is required of one-pass proofs only where it is used.",
		Status:      unreported,
	},
	{
		ID: "identity-accepted", Kind: Trap, Libraries: []Library{gnark, circl, kilic, blst, miracl},
		What:        "Every library decodes the identity of G1 without an error and says that it is in the subgroup, as it is; MIRACL Core also returns it for bytes that it refuses.",
		Consequence: "With a server secret that is the identity, V = identity passes for everybody’s proof, and where U may follow y, so does U = −y·A under any secret, unless the protocol refuses it.",
		Found:       "Conformance suite.",
		Here:        "Package protocol refuses the identity in every message and secret.",
		Status:      "by design",
	},
}
