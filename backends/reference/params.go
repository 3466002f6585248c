package reference

import (
	"math/big"

	"mpinlab/backends"
)

// family is a family of pairing-friendly curves.
type family uint8

const (
	// bn: Barreto and Naehrig, ePrint 2005/133. With the parameter u,
	// p = 36u⁴ + 36u³ + 24u² + 6u + 1 and r = 36u⁴ + 36u³ + 18u² + 6u + 1.
	bn family = iota
	// bls12: Barreto, Lynn and Scott, ePrint 2002/088, for k = 12.
	// r = u⁴ − u² + 1 and p = (u − 1)²·r/3 + u.
	bls12
)

// twist is the sextic twist that holds G2: y² = x³ + b/ξ for D,
// y² = x³ + b·ξ for M.
type twist uint8

const (
	dType twist = iota
	mType
)

// coefficientOrder is the order in which GT's bytes list the coefficients of
// Σ g[j]·w^j. Each coefficient is written imaginary part first.
type coefficientOrder [6]int

var (
	// towerOrder is gnark-crypto's, highest first in F_p⁶[w] over F_p²[v].
	towerOrder = coefficientOrder{5, 3, 1, 4, 2, 0}
	// miraclOrder is MIRACL Core's, highest first in F_p⁴[w] over F_p²[w³].
	miraclOrder = coefficientOrder{5, 2, 4, 1, 3, 0}
)

// parameters are what a curve needs beyond backends.Params.
type parameters struct {
	family family
	// u is the parameter of the family, in hexadecimal.
	u     string
	twist twist
	// i² = beta in F_p², and ξ = xi[0] + xi[1]·i: see field.Tower.
	beta int64
	xi   [2]int64
	// hardPart is the hard part of the final exponentiation, to be found in
	// finalexp.go with the multiple of (p¹² − 1)/r that it makes.
	hardPart func(*pairing, fp12) fp12
	gtOrder  coefficientOrder
	// g1 and g2 are the generators, x then y, in hexadecimal, coefficients
	// from the lowest.
	g1 [2]string
	g2 [2][2]string
}

// table holds the curves there are. The MIRACL curves' constants are those of
// MIRACL Core and milagro-crypto-js, the others' those of the usual
// standards: EIP-197 for bn254, the ZCash protocol specification,
// section 5.4.9.2, for bls12-381, ePrint 2018/962 and gnark-crypto for
// bls12-377.
var table = map[backends.Curve]parameters{
	backends.BLS12381: {
		family: bls12, u: "-d201000000010000", twist: mType, beta: -1, xi: [2]int64{1, 1},
		hardPart: hayashida, gtOrder: towerOrder,
		g1: [2]string{
			"17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
			"08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1"},
		g2: [2][2]string{
			{"024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
				"13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"},
			{"0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801",
				"0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be"}},
	},
	backends.BLS12377: {
		family: bls12, u: "8508c00000000001", twist: dType, beta: -5, xi: [2]int64{0, 1},
		hardPart: hayashida, gtOrder: towerOrder,
		g1: [2]string{
			"008848defe740a67c8fc6225bf87ff5485951e2caa9d41bb188282c8bd37cb5cd5481512ffcd394eeab9b16eb21be9ef",
			"01914a69c5102eff1f674f5d30afeec4bd7fb348ca3e52d96d182ad44fb82305c2fe3d3634a9591afd82de55559c8ea6"},
		g2: [2][2]string{
			{"018480be71c785fec89630a2a3841d01c565f071203e50317ea501f557db6b9b71889f52bb53540274e3e48f7c005196",
				"00ea6040e700403170dc5a51b1b140d5532777ee6651cecbe7223ece0799c9de5cf89984bff76fe6b26bfefa6ea16afe"},
			{"00690d665d446f7bd960736bcbb2efb4de03ed7274b49a58e458c282f832d204f2cf88886d8c7c2ef094094409fd4ddf",
				"00f8169fd28355189e549da3151a70aa61ef11ac3d591bf12463b01acee304c24279b83f5e52270bd9a1cdd185eb8f93"}},
	},
	backends.BN254: {
		family: bn, u: "44e992b44a6909f1", twist: dType, beta: -1, xi: [2]int64{9, 1},
		hardPart: fuentes, gtOrder: towerOrder,
		g1: [2]string{"1", "2"},
		g2: [2][2]string{
			{"1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed",
				"198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"},
			{"12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa",
				"090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"}},
	},
	backends.BN254N: {
		family: bn, u: "-4080000000000001", twist: dType, beta: -1, xi: [2]int64{1, 1},
		hardPart: exact, gtOrder: miraclOrder,
		g1: [2]string{"-1", "1"},
		g2: [2][2]string{
			{"061a10bb519eb62feb8d8c7e8c61edb6a4648bbb4898bf0d91ee4224c803fb2b",
				"0516aaf9ba737833310aa78c5982aa5b1f4d746bae3784b70d8c34c1e7d54cf3"},
			{"021897a06baf93439a90e096698c822329bd0ae6bdbe09bd19f0e07891cd2b9a",
				"0ebb2b0e7c8b15268f6d4456f5f38d37b09006ffd739c9578a2d1aec6b3ace9b"}},
	},
	backends.BN254CX: {
		family: bn, u: "-4000000003c012b1", twist: dType, beta: -1, xi: [2]int64{1, 1},
		hardPart: exact, gtOrder: miraclOrder,
		g1: [2]string{"-1", "1"},
		g2: [2][2]string{
			{"19682d2c7053b256358b2500f5c34bbb907c85bfa03e2726c0851ceee4d2ec74",
				"1466b9ec3e19f64aa011c937a8e99743f81b97b0c209c30f47a58e8b2e29cfe1"},
			{"0a79edd972332b8dd81e22157daee2096361b33d847ec1b30cfbfcebcf0be09f",
				"06160c39ecc4c09035c6e4512d8d3461c2864ea569d2edebed904b228898ee9d"}},
	},
	backends.FP256BN: {
		family: bn, u: "-6882f5c030b0a801", twist: mType, beta: -1, xi: [2]int64{1, 1},
		hardPart: exact, gtOrder: miraclOrder,
		g1: [2]string{"1", "2"},
		g2: [2][2]string{
			{"fe0c3350b4c96c2028560f577c28913ace1c539a12bf843cd22616b689c09efb",
				"4ea66057738ac054db5ae1c637d813b924dd78e287d03589d269ed34a37e6a2b"},
			{"702046e7c542a3b376770d75124e3e51efcb24758d615848e909b481bedc27ff",
				"0554e3bcd388c29042eea649297eb29f8b4cbe80821a98b3e01281114aad049b"}},
	},
}

func constant(s string) *big.Int {
	v, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic("reference: bad constant " + s)
	}
	return v
}
