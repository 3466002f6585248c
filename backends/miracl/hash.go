package miracl

import (
	"github.com/hyperledger/fabric-amcl/core"
	"github.com/hyperledger/fabric-amcl/core/FP256BN"

	"mpinlab/backends"
)

// elementBytes is L of RFC 9380, section 5.1, for 128-bit security: the bytes
// that one field element is drawn from. MIRACL Core's own
// MPIN_ENCODE_TO_CURVE comes to the same number on this curve.
const elementBytes = (256 + 128) / 8

// HashToG1 is hash_to_curve of RFC 9380 with expand_message_xmd over SHA-256
// and the library's Shallue–van de Woestijne map (Z = 1). The library shortens
// tags over 255 bytes as the RFC says.
func (*Backend) HashToG1(dst, msg []byte) backends.G1 {
	u := hashToField(dst, msg, 2)
	p := FP256BN.ECP_map2point(u[0])
	p.Add(FP256BN.ECP_map2point(u[1]))
	return &G1{p} // the cofactor is one
}

// EncodeToG1 is encode_to_curve of RFC 9380 with the same parts.
func (*Backend) EncodeToG1(dst, msg []byte) backends.G1 {
	return &G1{FP256BN.ECP_map2point(hashToField(dst, msg, 1)[0])}
}

func hashToField(dst, msg []byte, count int) []*FP256BN.FP {
	uniform := core.XMD_Expand(core.MC_SHA2, core.SHA256, count*elementBytes, dst, msg)
	u := make([]*FP256BN.FP, count)
	for i := range u {
		wide := FP256BN.DBIG_fromBytes(uniform[i*elementBytes : (i+1)*elementBytes])
		u[i] = FP256BN.NewFPbig(wide.Mod(modulus))
	}
	return u
}
