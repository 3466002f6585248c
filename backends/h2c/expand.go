package h2c

import (
	"crypto/sha256"
	"fmt"
)

const (
	// maxOutput is what 255 blocks of SHA-256 give.
	maxOutput = 255 * sha256.Size
	// maxTag is the longest domain separation tag used as it is.
	maxTag = 255
	// oversize precedes a longer one, which is hashed.
	oversize = "H2C-OVERSIZE-DST-"
)

// ExpandMessageXMD is expand_message_xmd of RFC 9380, section 5.3.1, with
// SHA-256: length uniform bytes, from 1 to 8160, from msg under the domain
// separation tag dst; else ErrOutputLength. A tag over 255 bytes is replaced
// by its hash as section 5.3.3 says. An empty tag, which protocols must not
// use (section 3.1), is worked with as it is, as the libraries do.
func ExpandMessageXMD(dst, msg []byte, length int) ([]byte, error) {
	if length < 1 || length > maxOutput {
		return nil, fmt.Errorf("expand_message_xmd: %w: %d bytes, not 1 to %d", ErrOutputLength, length, maxOutput)
	}
	if len(dst) > maxTag {
		short := sha256.Sum256(append([]byte(oversize), dst...))
		dst = short[:]
	}

	// b_0 = H(Z_pad ‖ msg ‖ I2OSP(length, 2) ‖ I2OSP(0, 1) ‖ DST_prime), with
	// DST_prime = DST ‖ I2OSP(len(DST), 1).
	first := make([]byte, 0, sha256.BlockSize+len(msg)+3+len(dst)+1)
	first = append(first[:sha256.BlockSize], msg...)
	first = append(first, byte(length>>8), byte(length), 0)
	first = append(append(first, dst...), byte(len(dst)))
	b0 := sha256.Sum256(first)

	// b_i = H((b_0 xor b_(i−1)) ‖ I2OSP(i, 1) ‖ DST_prime), but b_1 takes b_0
	// alone, as if the block before it were zero.
	var room [sha256.Size + 1 + maxTag + 1]byte
	next := append(room[:sha256.Size+1], dst...)
	next = append(next, byte(len(dst)))
	var b [sha256.Size]byte
	out := make([]byte, 0, length+sha256.Size)
	for i := byte(1); len(out) < length; i++ {
		for j := range b {
			next[j] = b0[j] ^ b[j]
		}
		next[sha256.Size] = i
		b = sha256.Sum256(next)
		out = append(out, b[:]...)
	}
	return out[:length:length], nil
}
